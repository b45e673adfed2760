//! Ascending numbers, a line each, written while a test does something else; and whether they have arrived.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use towpath_testkit::wait_until;

/// How long numbers may be on their way after something was stopped, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// A load that a busy machine keeps up with.
const PAUSE: Duration = Duration::from_millis(2);
const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";

/// Dropping it ends the writing.
pub(crate) struct Numbers {
    written: Arc<AtomicU64>,
    writer: JoinSet<()>,
}

impl Numbers {
    /// Appends them to this file, beginning with 0.
    pub(crate) fn write_to(file: &Path) -> Self {
        let mut file = OpenOptions::new().create(true).append(true).open(file).unwrap();
        let written = Arc::new(AtomicU64::new(0));
        let mut writer = JoinSet::new();
        let count = Arc::clone(&written);
        writer.spawn(async move {
            let mut pace = tokio::time::interval(PAUSE);
            loop {
                pace.tick().await;
                let number = count.load(Ordering::Relaxed);
                file.write_all(format!("{number}\n").as_bytes()).unwrap();
                count.store(number + 1, Ordering::Relaxed);
            }
        });
        Self { written, writer }
    }

    /// Writes no more; says how many there are.
    pub(crate) async fn stop(mut self) -> u64 {
        self.writer.shutdown().await;
        self.written.load(Ordering::Relaxed)
    }
}

/// The file that a sink writes them to.
pub(crate) struct Arrivals {
    file: PathBuf,
}

impl Arrivals {
    pub(crate) fn at(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
        }
    }

    fn lines(&self) -> Vec<String> {
        let content = std::fs::read_to_string(&self.file).unwrap_or_default();
        content.lines().map(str::to_owned).collect()
    }

    /// Waits until so many more than now are there: records are being processed.
    pub(crate) async fn grow_by(&self, more: usize) {
        let wanted = self.lines().len() + more;
        let what = format!("{more} more numbers");
        let have_grown = || async { self.lines().len() >= wanted };
        wait_until(&what, PATIENCE, have_grown).await.unwrap();
    }

    /// Waits for all of them, some of them more than once maybe.
    pub(crate) async fn hold_all(&self, count: u64) {
        let missing = || async {
            let arrived: HashSet<String> = self.lines().into_iter().collect();
            let missing = (0..count).find(|number| !arrived.contains(&number.to_string()));
            missing.map_or(Ok(()), |number| Err(format!("{number} of {count} is missing")))
        };
        wait_until("all numbers", PATIENCE, missing).await.unwrap();
    }

    /// Waits for all of them, and for each exactly once and in order.
    pub(crate) async fn are_exactly(&self, count: u64) {
        let last = count.checked_sub(1).expect("there are some").to_string();
        let last_arrived = || async { self.lines().last() == Some(&last) };
        wait_until("the last number", PATIENCE, last_arrived)
            .await
            .unwrap();
        let lines = self.lines();
        let wrong = lines
            .iter()
            .zip(0..)
            .find(|(line, number)| **line != number.to_string());
        if let Some((line, number)) = wrong {
            panic!("`{line}` arrived where {number} was expected, of {count}");
        }
        assert_eq!(lines.len() as u64, count);
    }
}

/// A name that no earlier run on the same Kafka has used: its topics and groups are still there.
pub(crate) fn of_this_run(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

/// A connector of the files family with one task.
pub(crate) fn connector(class: &str, file: &Path, topic: (&str, &str)) -> Value {
    let (key, topic) = topic;
    json!({
        "connector.class": class, "file": file, key: topic, "tasks.max": "1",
        "key.converter": STRING, "value.converter": STRING,
    })
}
