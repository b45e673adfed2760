//! Where the newest offsets of a connector are, if it has kept some in Kafka. Not the offsets themselves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use towpath_types::{Epoch, TaskNumber};

use crate::SourcePartition;

/// Runs that deliver exactly once write offsets into topics of Kafka and send copies of them here; other runs keep them
/// here only. A connector may go over from one to the other and back, so for each partition it is remembered which is
/// the newer one. What is in Kafka carries the epoch of the run that wrote it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KafkaOffsets {
    /// The topics that the last such run has used: the connector's own first.
    pub topics: Vec<String>,
    /// Tasks with numbers below this one have written there.
    pub tasks: u32,
    /// Partitions whose offset, or the lack of one, was put here only, and in which run. What a run of this or a later
    /// epoch has written to Kafka is newer again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub newer_here: BTreeMap<SourcePartition, Epoch>,
}

impl KafkaOffsets {
    /// No run has kept offsets in Kafka before; these partitions have one here. Any run that writes to Kafka comes later.
    pub(crate) fn begin<'a>(kept: impl Iterator<Item = &'a SourcePartition>) -> Self {
        Self {
            newer_here: kept.map(|partition| (partition.clone(), Epoch(0))).collect(),
            ..Self::default()
        }
    }

    pub(crate) fn are_in(&mut self, topics: &[String]) -> bool {
        let is_other = self.topics != topics;
        if is_other {
            self.topics = topics.to_vec();
        }
        is_other
    }

    pub(crate) fn has_task(&mut self, number: TaskNumber) -> bool {
        let is_more = self.tasks <= number.get();
        if is_more {
            self.tasks = number.get().saturating_add(1);
        }
        is_more
    }

    pub(crate) fn changed_here<'a>(
        &mut self,
        partitions: impl Iterator<Item = &'a SourcePartition>,
        epoch: Epoch,
    ) -> bool {
        let mut changed = false;
        for partition in partitions {
            changed |= self.newer_here.insert(partition.clone(), epoch) != Some(epoch);
        }
        changed
    }

    pub(crate) fn changed_there<'a>(
        &mut self,
        partitions: impl Iterator<Item = &'a SourcePartition>,
    ) -> bool {
        let mut changed = false;
        for partition in partitions {
            changed |= self.newer_here.remove(partition).is_some();
        }
        changed
    }
}
