//! Every way a record can end has a counter (invariant 3). Metrics read them; the loops only add.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of one task since it was started.
#[derive(Debug, Default)]
pub struct TaskCounters {
    /// Records that `poll` returned, or that were consumed.
    pub read: Counter,
    /// Records that Kafka acknowledged, or that a `put` took.
    pub delivered: Counter,
    /// Records that a transform dropped.
    pub filtered: Counter,
    /// Records dropped because of an error that is tolerated.
    pub skipped: Counter,
    /// Further attempts at a record or batch.
    pub retries: Counter,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Adds a length.
    pub fn add_len(&self, n: usize) {
        self.add(u64::try_from(n).unwrap_or(u64::MAX));
    }

    /// The number now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
