//! What the sources read: `SOURCE:NUMBER`, a line each, ascending from 0, written while things break.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// Lines are written at this pace, as many at once as the rate asks for.
const PACE: Duration = Duration::from_millis(100);
const PACES_PER_SECOND: u32 = 10;

/// Dropping it ends the writing.
#[derive(Debug)]
pub struct Numbers {
    source: String,
    written: Arc<AtomicU64>,
    writer: JoinSet<io::Result<()>>,
}

impl Numbers {
    /// Appends so many lines a second to the file.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn write(source: &str, file: &Path, rate: u32) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(file)?;
        let written = Arc::new(AtomicU64::new(0));
        let mut writer = JoinSet::new();
        writer.spawn(keep_writing(source.to_owned(), file, rate, Arc::clone(&written)));
        Ok(Self {
            source: source.to_owned(),
            written,
            writer,
        })
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// Writes no more, and says how many there are.
    ///
    /// # Errors
    /// When the file could not be written.
    pub async fn stop(&mut self) -> io::Result<u64> {
        self.writer.abort_all();
        while let Some(ended) = self.writer.join_next().await {
            if let Ok(written) = ended {
                written?;
            }
        }
        Ok(self.written.load(Ordering::Acquire))
    }
}

async fn keep_writing(source: String, mut file: File, rate: u32, written: Arc<AtomicU64>) -> io::Result<()> {
    let mut pace = tokio::time::interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let at_once = u64::from((rate / PACES_PER_SECOND).max(1));
    loop {
        pace.tick().await;
        let first = written.load(Ordering::Acquire);
        let lines: String = (first..first + at_once)
            .map(|number| format!("{source}:{number}\n"))
            .collect();
        file.write_all(lines.as_bytes())?;
        written.store(first + at_once, Ordering::Release);
    }
}
