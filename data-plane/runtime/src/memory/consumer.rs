//! Consumes from memory as the only member of its group.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use towpath_connect::{TopicPartition, TopicPartitionOffsets};

use super::Shared;
use crate::clients::{ClientError, ConsumedRecord, ConsumerEvent, GroupConsumer};

#[derive(Debug)]
pub(super) struct MemoryConsumer {
    shared: Arc<Shared>,
    group: String,
    topics: Vec<TopicPartition>,
    /// Empty while nothing is assigned.
    positions: BTreeMap<TopicPartition, i64>,
    paused: BTreeSet<TopicPartition>,
    assignment_is_open: bool,
    revocations_seen: u64,
    /// How often members had been fenced when this one came.
    came_after: u64,
}

impl MemoryConsumer {
    pub(super) fn new(shared: Arc<Shared>, group: String, topics: &[String]) -> Self {
        let topics = topics
            .iter()
            .map(|topic| TopicPartition {
                topic: topic.as_str().into(),
                partition: 0,
            })
            .collect();
        let state = shared.lock();
        let (revocations_seen, came_after) = (state.revocations, state.fenced_members);
        drop(state);
        Self {
            shared,
            group,
            topics,
            positions: BTreeMap::new(),
            paused: BTreeSet::new(),
            assignment_is_open: false,
            revocations_seen,
            came_after,
        }
    }

    fn check_place(&self) -> Result<(), ClientError> {
        if self.shared.lock().fenced_members > self.came_after {
            return Err(ClientError::Fenced("another member has the place".to_owned()));
        }
        Ok(())
    }

    fn look(&mut self, batch: &mut Vec<ConsumedRecord>) -> Option<ConsumerEvent> {
        let state = self.shared.lock();
        if !self.assignment_is_open {
            return self
                .positions
                .is_empty()
                .then(|| ConsumerEvent::Assigned(self.topics.clone()));
        }
        if state.revocations > self.revocations_seen {
            self.revocations_seen = state.revocations;
            return Some(ConsumerEvent::Revoked(self.topics.clone()));
        }
        let limit = state.batch_limit.unwrap_or(usize::MAX);
        for (partition, position) in &mut self.positions {
            if self.paused.contains(partition) {
                continue;
            }
            let from = usize::try_from(*position).unwrap_or_default();
            let log = state
                .topics
                .get(partition.topic.as_ref())
                .map_or(&[][..], Vec::as_slice);
            let records = log
                .get(from..)
                .unwrap_or_default()
                .iter()
                .take(limit - batch.len().min(limit));
            batch.extend(records.cloned());
            if let Some(last) = batch.last() {
                *position = last.offset + 1;
                return Some(ConsumerEvent::Records);
            }
        }
        None
    }

    fn check_assigned(&self, partitions: &[TopicPartition]) -> Result<(), ClientError> {
        match partitions
            .iter()
            .find(|partition| !self.positions.contains_key(partition))
        {
            None => Ok(()),
            Some(partition) => Err(ClientError::Fatal(format!(
                "{}-0 is not assigned",
                partition.topic
            ))),
        }
    }
}

#[async_trait]
impl GroupConsumer for MemoryConsumer {
    async fn next(
        &mut self,
        max_wait: Duration,
        batch: &mut Vec<ConsumedRecord>,
    ) -> Result<ConsumerEvent, ClientError> {
        let deadline = tokio::time::Instant::now() + max_wait;
        let shared = Arc::clone(&self.shared);
        loop {
            let changed = shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            self.check_place()?;
            if let Some(event) = self.look(batch) {
                return Ok(event);
            }
            if tokio::time::timeout_at(deadline, changed).await.is_err() {
                return Ok(ConsumerEvent::Idle);
            }
        }
    }

    async fn complete_assignment(&mut self, start: &TopicPartitionOffsets) -> Result<(), ClientError> {
        let mut state = self.shared.lock();
        if std::mem::take(&mut state.fences_next_assignment) {
            return Err(ClientError::Fenced("another member has the place".to_owned()));
        }
        drop(state);
        let from = |partition: &TopicPartition| start.get(partition).copied().unwrap_or(0);
        self.positions = self
            .topics
            .iter()
            .map(|partition| (partition.clone(), from(partition)))
            .collect();
        self.assignment_is_open = true;
        Ok(())
    }

    async fn complete_revocation(&mut self) -> Result<(), ClientError> {
        self.positions.clear();
        self.paused.clear();
        self.assignment_is_open = false;
        Ok(())
    }

    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), ClientError> {
        self.check_assigned(partitions)?;
        self.paused.extend(partitions.iter().cloned());
        Ok(())
    }

    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), ClientError> {
        self.check_assigned(partitions)?;
        self.paused.retain(|partition| !partitions.contains(partition));
        Ok(())
    }

    async fn seek(&mut self, offsets: &TopicPartitionOffsets) -> Result<(), ClientError> {
        for (partition, offset) in offsets {
            self.positions.insert(partition.clone(), *offset);
        }
        Ok(())
    }

    async fn commit(&mut self, offsets: &TopicPartitionOffsets) -> Result<(), ClientError> {
        let mut state = self.shared.lock();
        if state.commits_fail {
            return Err(ClientError::Retriable("the coordinator is away".to_owned()));
        }
        state
            .committed
            .entry(self.group.clone())
            .or_default()
            .extend(offsets.clone());
        Ok(())
    }

    async fn committed(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Result<TopicPartitionOffsets, ClientError> {
        let state = self.shared.lock();
        if state.committed_is_unreadable {
            return Err(ClientError::Retriable("the coordinator is away".to_owned()));
        }
        let known = state.committed.get(&self.group).cloned().unwrap_or_default();
        Ok(known
            .into_iter()
            .filter(|(partition, _)| partitions.contains(partition))
            .collect())
    }

    async fn close(&mut self) {
        self.positions.clear();
    }
}
