//! What was done to the processes, and when: for whoever looks into a run that failed.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub struct Journal {
    begin: Instant,
    /// A std mutex: never held across an await.
    file: Mutex<File>,
}

impl Journal {
    /// # Errors
    /// When the file cannot be made.
    pub fn create(file: &Path) -> io::Result<Self> {
        Ok(Self {
            begin: Instant::now(),
            file: Mutex::new(File::create(file)?),
        })
    }

    /// Since the begin of the run.
    pub fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    pub fn note(&self, what: &str) {
        let now = self.now().as_secs_f64();
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // A line that is missing in it is no reason to end a run.
        let _written = writeln!(file, "{now:9.3} {what}");
    }
}
