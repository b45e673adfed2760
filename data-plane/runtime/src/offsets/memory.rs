//! Offsets of a process's lifetime, for tests.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use towpath_connect::{OffsetMap, Result};
use towpath_types::Epoch;

use super::{KafkaMarks, KeptOffsets, OffsetCommit, OffsetStore};

/// Keeps them as the control plane does.
#[derive(Debug, Default)]
pub struct MemoryOffsetStore {
    /// A std mutex: never held across an await.
    offsets: Mutex<HashMap<String, KeptOffsets>>,
}

impl MemoryOffsetStore {
    /// Puts one offset, or deletes it.
    pub fn put(&self, connector: &str, partition: &OffsetMap, offset: Option<OffsetMap>) {
        self.lock()
            .entry(connector.to_owned())
            .or_default()
            .put(partition, offset);
    }

    /// All offsets of a connector.
    pub fn of(&self, connector: &str) -> Vec<(OffsetMap, OffsetMap)> {
        self.kept(connector).offsets
    }

    /// Everything about a connector.
    pub fn kept(&self, connector: &str) -> KeptOffsets {
        self.lock().get(connector).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, KeptOffsets>> {
        self.offsets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeptOffsets {
    fn put(&mut self, partition: &OffsetMap, offset: Option<OffsetMap>) {
        self.offsets.retain(|(known, _)| known != partition);
        if let Some(offset) = offset {
            self.offsets.push((partition.clone(), offset));
        }
    }

    fn note(&mut self, commit: &OffsetCommit) {
        let is_copy = !commit.in_kafka.is_empty();
        if is_copy {
            let kept = &self.offsets;
            let marks = self.in_kafka.get_or_insert_with(|| KafkaMarks {
                newer_here: kept
                    .iter()
                    .map(|(partition, _)| (partition.clone(), Epoch(0)))
                    .collect(),
                ..KafkaMarks::default()
            });
            marks.topics.clone_from(&commit.in_kafka);
            let number = commit
                .unit
                .task_number()
                .map_or(0, towpath_types::TaskNumber::get);
            marks.tasks = marks.tasks.max(number + 1);
        }
        let Some(marks) = &mut self.in_kafka else { return };
        for (partition, _) in &commit.offsets {
            marks.newer_here.retain(|(known, _)| known != partition.as_ref());
            if !is_copy {
                marks.newer_here.push((partition.as_ref().clone(), commit.epoch));
            }
        }
    }
}

#[async_trait]
impl OffsetStore for MemoryOffsetStore {
    async fn commit(&self, commit: OffsetCommit) -> Result<()> {
        let name = commit.unit.connector_name().as_str().to_owned();
        let mut all = self.lock();
        let kept = all.entry(name).or_default();
        kept.note(&commit);
        for (partition, offset) in commit.offsets {
            kept.put(&partition, offset);
        }
        Ok(())
    }

    async fn read(&self, connector: &str) -> Result<KeptOffsets> {
        Ok(self.kept(connector))
    }
}
