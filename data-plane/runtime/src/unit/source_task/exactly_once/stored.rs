//! The source offsets as they were when the task began, and the records that put new ones in their place.

use std::sync::Arc;

use async_trait::async_trait;
use towpath_connect::{OffsetMap, OffsetReader, Result, Topic};
use towpath_types::Epoch;

use super::offsets::PartitionOffset;
use super::transaction::OFFSET_TOKEN;
use crate::clients::{OutgoingRecord, RawHeader};
use crate::offsets::KeptOffsets;
use crate::offsets::newest::newest;
use crate::offsets::topic_form::{self, TopicOffsets};

/// Read once: nobody but this connector's tasks writes them, and each begins after the others of earlier sets are fenced.
pub(super) struct StoredOffsets {
    connector: Arc<str>,
    /// The connector's own topic comes first, then the worker's.
    topics: Vec<(Topic, TopicOffsets)>,
    kept: KeptOffsets,
    /// Says which run has written an offset.
    epoch: RawHeader,
}

impl StoredOffsets {
    pub(super) fn new(
        connector: Arc<str>,
        topics: Vec<(Topic, TopicOffsets)>,
        kept: KeptOffsets,
        epoch: Epoch,
    ) -> Self {
        Self {
            connector,
            topics,
            kept,
            epoch: topic_form::header(epoch),
        }
    }

    pub(super) fn topic_names(&self) -> Vec<String> {
        self.topics.iter().map(|(topic, _)| topic.to_string()).collect()
    }

    /// Whether source records may not go to this topic.
    pub(super) fn is_offsets_topic(&self, topic: &str) -> bool {
        self.topics.iter().any(|(name, _)| name.as_ref() == topic)
    }

    /// One record a topic.
    pub(super) fn records(
        &self,
        (partition, offset): &PartitionOffset,
    ) -> impl Iterator<Item = OutgoingRecord> {
        self.topics.iter().map(move |(topic, offsets)| OutgoingRecord {
            topic: Arc::clone(topic),
            partition: None,
            key: Some(offsets.key(&self.connector, partition.as_deref())),
            value: offset.as_ref().map(topic_form::value),
            timestamp: None,
            headers: vec![self.epoch.clone()],
            token: OFFSET_TOKEN,
        })
    }

    /// What the control plane does not know: the last copies of a task that was killed, or offsets that the Java
    /// runtime has left.
    pub(super) fn missing_at_control_plane(&self) -> Vec<PartitionOffset> {
        let mut missing: Vec<PartitionOffset> = Vec::new();
        for (partition, _) in self.topics.iter().flat_map(|(_, offsets)| offsets.iter()) {
            let Some(found) = newest(&self.topics, &self.kept, partition).filter(|found| found.is_in_kafka)
            else {
                continue;
            };
            let is_listed = missing
                .iter()
                .any(|(known, _)| known.as_deref() == Some(partition));
            if self.kept.get(partition) != Some(found.offset) && !is_listed {
                missing.push((Some(Arc::new(partition.clone())), Some(found.offset.clone())));
            }
        }
        missing
    }
}

#[async_trait]
impl OffsetReader for StoredOffsets {
    async fn offsets(&self, partitions: &[OffsetMap]) -> Result<Vec<Option<OffsetMap>>> {
        let find = |partition| newest(&self.topics, &self.kept, partition).map(|found| found.offset.clone());
        Ok(partitions.iter().map(find).collect())
    }
}
