//! Partitions and offsets as librdkafka's lists.

use std::sync::Arc;

use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};

use super::TopicPartition;

pub(super) fn list_of(partitions: &[TopicPartition]) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(partitions.len());
    for entry in partitions {
        list.add_partition(&entry.topic, entry.partition);
    }
    Ok(list)
}

pub(super) fn list_with_offsets(offsets: &[(TopicPartition, i64)]) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (entry, offset) in offsets {
        list.add_partition_offset(&entry.topic, entry.partition, Offset::Offset(*offset))?;
    }
    Ok(list)
}

/// The entries that have a real offset.
pub(super) fn offsets_of(list: &TopicPartitionList) -> Vec<(TopicPartition, i64)> {
    let entries = list.elements();
    let known = entries.iter().filter_map(|entry| match entry.offset() {
        Offset::Offset(offset) => {
            let partition = TopicPartition {
                topic: Arc::from(entry.topic()),
                partition: entry.partition(),
            };
            Some((partition, offset))
        }
        Offset::Beginning | Offset::End | Offset::Stored | Offset::Invalid | Offset::OffsetTail(_) => None,
    });
    known.collect()
}
