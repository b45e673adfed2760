//! `transaction.boundary`: when a transaction ends.

use std::time::Duration;

use tokio::time::Instant;
use towpath_connect::{ConfigMap, SourceRecord, TransactionContext};

pub(super) enum Boundary {
    /// After each batch that was polled.
    Poll,
    /// After the batch with which the time is over.
    Interval { length: Duration, since: Instant },
    /// When the task says so.
    Connector(TransactionContext),
}

impl Boundary {
    /// Of a validated configuration.
    pub(super) fn of(config: &ConfigMap, default_interval: Duration) -> Self {
        let boundary = config
            .get("transaction.boundary")
            .map(str::trim)
            .unwrap_or_default();
        if boundary.eq_ignore_ascii_case("connector") {
            return Self::Connector(TransactionContext::new());
        }
        if !boundary.eq_ignore_ascii_case("interval") {
            return Self::Poll;
        }
        let millis = config
            .get("transaction.boundary.interval.ms")
            .and_then(|text| text.trim().parse().ok());
        Self::Interval {
            length: millis.map_or(default_interval, Duration::from_millis),
            since: Instant::now(),
        }
    }

    /// Whether the transaction is to be committed after a batch.
    pub(super) fn is_reached(&self) -> bool {
        match self {
            Self::Poll => true,
            Self::Interval { length, since } => since.elapsed() >= *length,
            Self::Connector(_) => false,
        }
    }

    pub(super) fn is_the_connectors(&self) -> bool {
        matches!(self, Self::Connector(_))
    }

    /// How long a poll may wait, so that a boundary is not missed while nothing comes.
    pub(super) fn max_wait(&self, most: Duration) -> Duration {
        match self {
            Self::Poll | Self::Connector(_) => most,
            Self::Interval { length, since } => length.saturating_sub(since.elapsed()).min(most),
        }
    }

    /// A transaction was committed.
    pub(super) fn begin_anew(&mut self) {
        if let Self::Interval { since, .. } = self {
            *since = Instant::now();
        }
    }
}

/// Where a record goes, for a message.
pub(super) fn place_of(record: &SourceRecord) -> String {
    let record = &record.record;
    match record.partition {
        Some(partition) => format!("{}/{partition}", record.topic),
        None => format!("{}/null", record.topic),
    }
}
