//! Copies of the committed offsets for the control plane, which shows them. Sent beside the loop: a control plane that is
//! away holds up nothing.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use towpath_connect::{OffsetMap, Result};
use towpath_types::{Epoch, UnitId};
use tracing::{debug, warn};

use super::offsets::{NewestOffsets, PartitionOffset};
use super::stored::StoredOffsets;
use crate::offsets::{OffsetCommit, OffsetStore};
use crate::tracker::Committable;
use crate::unit::supervise::UnitContext;

pub(super) struct Copies {
    store: Arc<dyn OffsetStore>,
    unit: UnitId,
    epoch: Epoch,
    /// Where the offsets are, of which these are copies.
    topics: Vec<String>,
    interval: Duration,
    timeout: Duration,
    due_at: Instant,
    /// Bounded by the number of source partitions.
    pending: NewestOffsets,
    /// One at most.
    sending: JoinSet<Result<()>>,
    /// What is being sent.
    sent: Vec<PartitionOffset>,
}

impl Copies {
    pub(super) fn new(context: &UnitContext, stored: &StoredOffsets) -> Self {
        let settings = context.environment.settings;
        let mut pending = NewestOffsets::default();
        for missing in stored.missing_at_control_plane() {
            pending.put(missing);
        }
        Self {
            store: Arc::clone(&context.environment.offsets),
            unit: context.spec.unit.clone(),
            epoch: context.spec.epoch,
            topics: stored.topic_names(),
            interval: settings.offset_flush_interval,
            timeout: settings.offset_flush_timeout,
            due_at: Instant::now() + settings.offset_flush_interval,
            pending,
            sending: JoinSet::new(),
            sent: Vec::new(),
        }
    }

    pub(super) fn due_at(&self) -> Instant {
        self.due_at
    }

    /// These offsets are committed.
    pub(super) fn add(&mut self, durable: Vec<Committable>) {
        for (partition, offset) in durable {
            self.pending.put((Some(partition), Some(offset)));
        }
    }

    /// Sends what has gathered, if it is time and the last copy was answered.
    pub(super) fn send_if_due(&mut self) {
        if Instant::now() >= self.due_at {
            self.due_at = Instant::now() + self.interval;
            self.take_answer();
            self.send();
        }
    }

    fn send(&mut self) {
        if self.pending.is_empty() || !self.sending.is_empty() {
            return;
        }
        self.sent = self.pending.take();
        let offsets = self.sent.iter().filter_map(entry).collect();
        let commit = OffsetCommit {
            unit: self.unit.clone(),
            epoch: self.epoch,
            offsets,
            in_kafka: self.topics.clone(),
        };
        let store = Arc::clone(&self.store);
        self.sending.spawn(async move { store.commit(commit).await });
    }

    fn take_answer(&mut self) {
        if let Some(answer) = self.sending.try_join_next() {
            self.answered(answer);
        }
    }

    fn answered(&mut self, answer: Result<Result<()>, tokio::task::JoinError>) {
        let sent = std::mem::take(&mut self.sent);
        let error = match answer {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        debug!(
            error,
            "the control plane did not take a copy of the offsets; it is sent again"
        );
        for older in sent {
            self.pending.put_back(older);
        }
    }

    /// Sends the rest and waits for the answer, but not for long: Kafka has the offsets.
    pub(super) async fn finish(&mut self) {
        let timeout = self.timeout;
        let last = async {
            while let Some(answer) = self.sending.join_next().await {
                self.answered(answer);
            }
            self.send();
            while let Some(answer) = self.sending.join_next().await {
                self.answered(answer);
            }
        };
        if tokio::time::timeout(timeout, last).await.is_err() {
            warn!(
                "the control plane has not taken the last copy of the offsets; the next run of the task sends it"
            );
        }
    }
}

fn entry((partition, offset): &PartitionOffset) -> Option<(Arc<OffsetMap>, Option<OffsetMap>)> {
    Some((Arc::clone(partition.as_ref()?), offset.clone()))
}
