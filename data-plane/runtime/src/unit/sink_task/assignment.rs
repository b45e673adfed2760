//! Partitions that come and go, pauses, and what the task asks for through its context.

use std::collections::BTreeMap;

use towpath_connect::{Result, TopicPartition, TopicPartitionOffsets};
use tracing::{debug, info, warn};

use super::super::client_error;
use super::SinkLoop;
use crate::clients::{ClientError, ConsumedRecord};
use crate::offsets::topics::retry_backoff;

/// What is known of one assigned partition.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PartitionState {
    /// One past the last record that a `put` took.
    pub(super) delivered: Option<i64>,
    /// The last offset committed here.
    pub(super) committed: Option<i64>,
    /// Where reading began: as far back as a rewind goes without a commit.
    pub(super) start: Option<i64>,
    /// The task asked for a pause.
    pub(super) paused_by_task: bool,
}

/// The assigned partitions.
#[derive(Debug)]
pub(super) struct Assigned {
    pub(super) by_partition: BTreeMap<TopicPartition, PartitionState>,
    topics_reported: Vec<towpath_connect::Topic>,
    tracking: bool,
}

impl Assigned {
    pub(super) fn new(tracking: bool) -> Self {
        Self {
            by_partition: BTreeMap::new(),
            topics_reported: Vec::new(),
            tracking,
        }
    }

    pub(super) fn partitions(&self) -> Vec<TopicPartition> {
        self.by_partition.keys().cloned().collect()
    }

    /// Reading goes on there because the task wants it.
    fn goes_on_at(&mut self, offsets: &TopicPartitionOffsets) {
        for (partition, offset) in offsets {
            if let Some(state) = self.by_partition.get_mut(partition) {
                state.delivered = Some(*offset);
                state.committed = None;
                state.start = Some(*offset);
            }
        }
    }

    /// Topics of these offsets that were not reported before.
    pub(super) fn new_topics(&mut self, offsets: &TopicPartitionOffsets) -> Vec<towpath_connect::Topic> {
        let mut news = Vec::new();
        for partition in offsets.keys().filter(|_| self.tracking) {
            if !self.topics_reported.contains(&partition.topic) {
                self.topics_reported.push(partition.topic.clone());
                news.push(partition.topic.clone());
            }
        }
        news
    }
}

impl SinkLoop {
    pub(super) async fn open(&mut self, partitions: Vec<TopicPartition>) -> Result<()> {
        info!(partitions = partitions.len(), "partitions assigned");
        let Some(mut start) = self.committed(&partitions).await? else {
            return Ok(());
        };
        for partition in &partitions {
            let state = PartitionState {
                committed: start.get(partition).copied(),
                ..PartitionState::default()
            };
            self.assigned.by_partition.insert(partition.clone(), state);
        }
        if !partitions.is_empty() {
            self.task.open(&partitions).await?;
        }
        // A task that keeps its own offsets says in `open` where it is.
        let sought = self.requests.take_seeks(&partitions);
        self.assigned.goes_on_at(&sought);
        start.extend(sought);
        let completed = self.consumer.complete_assignment(&start).await;
        completed.map_err(|error| self.consumer_error(error))?;
        if !self.is_wanted || self.put_again_at.is_some() {
            self.consumer.pause(&partitions).map_err(client_error)?;
        }
        Ok(())
    }

    /// Where the group is in these partitions; `None` when the task is to stop. Waits for a coordinator that is away: without
    /// an answer nobody knows which records were written.
    async fn committed(&mut self, partitions: &[TopicPartition]) -> Result<Option<TopicPartitionOffsets>> {
        let stop = self.context.stop.clone();
        let mut backoff = retry_backoff();
        loop {
            let asked = tokio::select! {
                asked = self.consumer.committed(partitions) => asked,
                () = stop.cancelled() => return Ok(None),
                _changed = self.context.target.changed() => {
                    self.follow_target().await?;
                    continue;
                }
            };
            let error = match asked {
                Ok(committed) => return Ok(Some(committed)),
                Err(ClientError::Retriable(error)) => error,
                Err(error) => return Err(self.consumer_error(error)),
            };
            if backoff.attempts() == 0 {
                warn!(
                    error,
                    "assigned partitions wait until it is known where their group is"
                );
            }
            tokio::select! {
                () = tokio::time::sleep(backoff.next_wait()) => {}
                () = stop.cancelled() => return Ok(None),
                _changed = self.context.target.changed() => self.follow_target().await?,
            }
        }
    }

    /// Invariant: a revoked partition is committed before it is closed, and closed before it is given up.
    pub(super) async fn revoke(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        info!(partitions = partitions.len(), "partitions revoked");
        if let Err(error) = self.closing_commit(partitions).await {
            warn!(error = %towpath_connect::error::Chain(&error), "revoked partitions were not committed; their records will come again");
        }
        self.forget(partitions).await;
        let completed = self.consumer.complete_revocation().await;
        completed.map_err(|error| self.consumer_error(error))
    }

    pub(super) async fn lose(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        warn!(
            partitions = partitions.len(),
            "partitions lost: the group went on without this task"
        );
        self.forget(partitions).await;
        let completed = self.consumer.complete_revocation().await;
        completed.map_err(|error| self.consumer_error(error))
    }

    async fn forget(&mut self, partitions: &[TopicPartition]) {
        self.task.close(partitions).await;
        let gone = |topic: &towpath_connect::Topic, partition: i32| {
            partitions
                .iter()
                .any(|p| p.partition == partition && p.topic == *topic)
        };
        self.assigned
            .by_partition
            .retain(|p, _| !gone(&p.topic, p.partition));
        self.positions.retain(|p, _| !gone(&p.topic, p.partition));
        self.records
            .retain(|record| !gone(record.original_topic(), record.original_partition()));
    }

    /// Pauses or resumes everything for the target state.
    pub(super) async fn set_paused(&mut self, paused: bool) -> Result<()> {
        let all = self.assigned.partitions();
        if paused {
            self.consumer.pause(&all).map_err(client_error)?;
            self.commit().await?;
        } else if self.put_again_at.is_none() {
            self.resume_wanted()?;
        }
        Ok(())
    }

    /// Resumes what neither the task nor the user wants paused.
    pub(super) fn resume_wanted(&mut self) -> Result<()> {
        if !self.is_wanted {
            return Ok(());
        }
        let wanted = self
            .assigned
            .by_partition
            .iter()
            .filter(|(_, state)| !state.paused_by_task);
        let wanted: Vec<TopicPartition> = wanted.map(|(partition, _)| partition.clone()).collect();
        self.consumer.resume(&wanted).map_err(client_error)
    }

    /// Does what the task asked for through its context.
    pub(super) async fn take_requests(&mut self) -> Result<()> {
        let requests = self.requests.take_requests();
        self.requested_timeout = requests.timeout.or(self.requested_timeout);
        if requests.commit {
            self.commit_due_at = tokio::time::Instant::now();
        }
        for (partitions, paused) in [(&requests.pause, true), (&requests.resume, false)] {
            for partition in partitions {
                if let Some(state) = self.assigned.by_partition.get_mut(partition) {
                    state.paused_by_task = paused;
                }
            }
        }
        if !requests.pause.is_empty() {
            let ours: Vec<_> = requests
                .pause
                .iter()
                .filter(|p| self.assigned.by_partition.contains_key(p))
                .cloned()
                .collect();
            self.consumer.pause(&ours).map_err(client_error)?;
        }
        if !requests.resume.is_empty() && self.put_again_at.is_none() {
            self.resume_wanted()?;
        }
        if !requests.seek.is_empty() {
            self.seek(requests.seek).await?;
        }
        Ok(())
    }

    async fn seek(&mut self, mut offsets: TopicPartitionOffsets) -> Result<()> {
        offsets.retain(|partition, _| self.assigned.by_partition.contains_key(partition));
        let sought = self.consumer.seek(&offsets).await;
        sought.map_err(|error| self.consumer_error(error))?;
        self.assigned.goes_on_at(&offsets);
        Ok(())
    }

    /// Goes back to records that arrived while their partition was paused, so that they come again in order.
    pub(super) async fn put_back(&mut self, late: &[ConsumedRecord]) -> Result<()> {
        let mut first = TopicPartitionOffsets::new();
        for record in late {
            let partition = TopicPartition {
                topic: record.topic.clone(),
                partition: record.partition,
            };
            first.entry(partition).or_insert(record.offset);
        }
        debug!(
            partitions = first.len(),
            "records arrived of paused partitions; reading them again"
        );
        let sought = self.consumer.seek(&first).await;
        sought.map_err(|error| self.consumer_error(error))
    }

    /// Reads on from the last committed offsets, after a commit was refused by the task.
    pub(super) async fn rewind(&mut self) -> Result<()> {
        let committed = self.assigned.by_partition.iter();
        let offsets: TopicPartitionOffsets = committed
            .filter_map(|(partition, state)| Some((partition.clone(), state.committed.or(state.start)?)))
            .collect();
        self.records.clear();
        self.positions.clear();
        self.seek(offsets).await?;
        if self.put_again_at.take().is_some() {
            // The batch that waited comes again too, and that it waited was why nothing else was read.
            self.put_backoff.reset();
            self.resume_wanted()?;
        }
        Ok(())
    }
}
