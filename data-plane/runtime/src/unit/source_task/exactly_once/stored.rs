//! The source offsets as they were when the task began, and the records that put new ones in their place.

use std::sync::Arc;

use async_trait::async_trait;
use towpath_connect::{OffsetMap, OffsetReader, Result, Topic};

use super::offsets::PartitionOffset;
use super::transaction::OFFSET_TOKEN;
use crate::clients::{NewTopic, OutgoingRecord};
use crate::offsets::topic_form::{self, TopicOffsets};

/// Read once: nobody but this connector's tasks writes them, and each begins after the others of earlier sets are fenced.
pub(super) struct StoredOffsets {
    connector: Arc<str>,
    /// The connector's own topic comes first, then the worker's.
    topics: Vec<(Topic, TopicOffsets)>,
    kept_by_control_plane: Vec<(OffsetMap, OffsetMap)>,
}

impl StoredOffsets {
    pub(super) fn new(
        connector: Arc<str>,
        own: Option<(&NewTopic, TopicOffsets)>,
        workers: (&NewTopic, TopicOffsets),
        kept_by_control_plane: Vec<(OffsetMap, OffsetMap)>,
    ) -> Self {
        let topics = own
            .into_iter()
            .chain([workers])
            .map(|(topic, offsets)| (topic.name.as_str().into(), offsets))
            .collect();
        Self {
            connector,
            topics,
            kept_by_control_plane,
        }
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
            headers: Vec::new(),
            token: OFFSET_TOKEN,
        })
    }

    /// What the control plane does not know: the last copies of a task that was killed, or offsets that the Java
    /// runtime has left.
    pub(super) fn missing_at_control_plane(&self) -> Vec<PartitionOffset> {
        let mut missing: Vec<PartitionOffset> = Vec::new();
        for (partition, _) in self.topics.iter().flat_map(|(_, offsets)| offsets.iter()) {
            let Some(offset) = self.find(partition) else {
                continue;
            };
            let is_kept = self
                .kept_by_control_plane
                .iter()
                .any(|(known, kept)| known == partition && kept == offset);
            let is_listed = missing
                .iter()
                .any(|(known, _)| known.as_deref() == Some(partition));
            if !is_kept && !is_listed {
                missing.push((Some(Arc::new(partition.clone())), Some(offset.clone())));
            }
        }
        missing
    }

    fn find(&self, partition: &OffsetMap) -> Option<&OffsetMap> {
        let kept = || {
            self.kept_by_control_plane
                .iter()
                .find_map(|(known, offset)| (known == partition).then_some(offset))
        };
        self.topics
            .iter()
            .find_map(|(_, offsets)| offsets.get(Some(partition)))
            .or_else(kept)
    }
}

#[async_trait]
impl OffsetReader for StoredOffsets {
    async fn offsets(&self, partitions: &[OffsetMap]) -> Result<Vec<Option<OffsetMap>>> {
        Ok(partitions
            .iter()
            .map(|partition| self.find(partition).cloned())
            .collect())
    }
}
