//! Which offsets of a partition are still to be written: what may be committed lies before the first of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use towpath_connect::{SinkRecord, Topic, TopicPartition, TopicPartitionOffsets};

/// One partition, shared by the records of it that are on their way.
#[derive(Debug)]
pub(crate) struct Partition {
    pub(crate) topic: Topic,
    pub(crate) number: i32,
    /// A std mutex: held for a set operation, never across an await.
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    outstanding: BTreeSet<i64>,
    closed: bool,
}

impl Partition {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A record was taken.
    pub(crate) fn taken(&self, offset: i64) {
        self.state().outstanding.insert(offset);
    }

    /// A record is written, or will never be.
    pub(crate) fn done(&self, offset: i64) {
        self.state().outstanding.remove(&offset);
    }

    /// The partition is no longer ours: its records are another task's to write.
    pub(crate) fn is_closed(&self) -> bool {
        self.state().closed
    }

    fn first_outstanding(&self) -> Option<i64> {
        self.state().outstanding.first().copied()
    }
}

/// The partitions of a task.
#[derive(Debug, Default)]
pub(crate) struct Tracker {
    partitions: BTreeMap<TopicPartition, Arc<Partition>>,
    /// The partition of the record before: records mostly come in runs.
    last: Option<Arc<Partition>>,
}

impl Tracker {
    /// The partition that a record was read from.
    pub(crate) fn partition(&mut self, record: &SinkRecord) -> Arc<Partition> {
        let (topic, number) = (record.original_topic(), record.original_partition());
        if let Some(last) = &self.last
            && last.number == number
            && (Arc::ptr_eq(&last.topic, topic) || last.topic == *topic)
        {
            return Arc::clone(last);
        }
        let key = TopicPartition {
            topic: Arc::clone(topic),
            partition: number,
        };
        let partition = self.partitions.entry(key).or_insert_with(|| {
            Arc::new(Partition {
                topic: Arc::clone(topic),
                number,
                state: Mutex::default(),
            })
        });
        self.last = Some(Arc::clone(partition));
        Arc::clone(partition)
    }

    /// Forgets partitions. What is on its way of them counts no more.
    pub(crate) fn close(&mut self, partitions: &[TopicPartition]) {
        self.last = None;
        for partition in partitions {
            if let Some(closed) = self.partitions.remove(partition) {
                closed.state().closed = true;
            }
        }
    }

    /// Of the delivered offsets, those that everything before is written of.
    pub(crate) fn committable(&self, delivered: &TopicPartitionOffsets) -> TopicPartitionOffsets {
        let committable = |(key, &next): (&TopicPartition, &i64)| {
            let first = self
                .partitions
                .get(key)
                .and_then(|partition| partition.first_outstanding());
            (key.clone(), first.map_or(next, |first| first.min(next)))
        };
        delivered.iter().map(committable).collect()
    }
}

#[cfg(test)]
mod tests;
