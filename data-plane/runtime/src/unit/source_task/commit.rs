//! The offset commits of a source task: when, and with what time-out.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use towpath_types::{Epoch, UnitId};
use tracing::warn;

use super::super::supervise::UnitContext;
use crate::offsets::{OffsetCommit, OffsetStore};
use crate::tracker::{Committable, Tracker};

pub(super) struct Committer {
    store: Arc<dyn OffsetStore>,
    unit: UnitId,
    epoch: Epoch,
    interval: Duration,
    timeout: Duration,
    due_at: Instant,
}

impl Committer {
    pub(super) fn new(context: &UnitContext) -> Self {
        let settings = context.environment.settings;
        Self {
            store: Arc::clone(&context.environment.offsets),
            unit: context.spec.unit.clone(),
            epoch: context.spec.epoch,
            interval: settings.offset_flush_interval,
            timeout: settings.offset_flush_timeout,
            due_at: Instant::now() + settings.offset_flush_interval,
        }
    }

    pub(super) fn due_at(&self) -> Instant {
        self.due_at
    }

    /// Commits what is acknowledged. `Some`: these offsets are durable (none if nothing had moved). `None`: it did not
    /// work; the offsets are tried again next time.
    pub(super) async fn commit(&mut self, tracker: &mut Tracker) -> Option<Vec<Committable>> {
        let offsets = tracker.take_committable();
        let committed = if offsets.is_empty() {
            true
        } else {
            self.store(&offsets).await
        };
        // A fixed delay between commits, as in Kafka Connect.
        self.due_at = Instant::now() + self.interval;
        if committed {
            // Invariant 2: the offsets are durable here.
            return Some(offsets);
        }
        tracker.put_back(offsets);
        None
    }

    async fn store(&self, offsets: &[Committable]) -> bool {
        let commit = OffsetCommit {
            unit: self.unit.clone(),
            epoch: self.epoch,
            offsets: offsets
                .iter()
                .map(|(p, offset)| (Arc::clone(p), Some(offset.clone())))
                .collect(),
            in_kafka: Vec::new(),
        };
        match tokio::time::timeout(self.timeout, self.store.commit(commit)).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                warn!(error = %towpath_connect::error::Chain(&error), "source offsets were not committed; trying again");
                false
            }
            Err(_elapsed) => {
                warn!(
                    timeout_ms = self.timeout.as_millis(),
                    "source offsets were not committed in time; trying again"
                );
                false
            }
        }
    }
}
