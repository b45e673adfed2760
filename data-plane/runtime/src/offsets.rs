//! Where source offsets are kept: with the control plane behind a trait, and in topics of Kafka.

pub(crate) mod fences;
mod memory;
pub(crate) mod newest;
pub mod topic_form;
pub(crate) mod topics;

use std::sync::Arc;

use async_trait::async_trait;
pub use memory::MemoryOffsetStore;
use towpath_connect::{OffsetMap, Result};
use towpath_types::{Epoch, UnitId};

/// What a task commits: the newest offset of each source partition that moved.
#[derive(Clone, Debug)]
pub struct OffsetCommit {
    /// The task.
    pub unit: UnitId,
    /// Which run of it; a commit of an earlier run is refused.
    pub epoch: Epoch,
    /// Partition and offset; `None` deletes.
    pub offsets: Vec<(Arc<OffsetMap>, Option<OffsetMap>)>,
    /// Set if this run keeps its offsets in Kafka, and these are copies: the topics, the connector's own first.
    pub in_kafka: Vec<String>,
}

/// What the store keeps of a connector.
#[derive(Clone, Debug, Default)]
pub struct KeptOffsets {
    pub offsets: Vec<(OffsetMap, OffsetMap)>,
    /// Set if a run of the connector has kept offsets in Kafka.
    pub in_kafka: Option<KafkaMarks>,
}

/// Where the newest offsets of a connector are that has kept some in Kafka.
#[derive(Clone, Debug, Default)]
pub struct KafkaMarks {
    /// The topics that the last such run has used: the connector's own first.
    pub topics: Vec<String>,
    /// Tasks with numbers below this one have written there.
    pub tasks: u32,
    /// Partitions whose offset, or the lack of one, was put into the store only, and in which run. What a run of this or a
    /// later epoch has written to Kafka is newer again.
    pub newer_here: Vec<(OffsetMap, Epoch)>,
}

impl KeptOffsets {
    /// The offset of a partition.
    pub fn get(&self, partition: &OffsetMap) -> Option<&OffsetMap> {
        self.offsets
            .iter()
            .find_map(|(known, offset)| (known == partition).then_some(offset))
    }
}

/// Stores source offsets durably.
#[async_trait]
pub trait OffsetStore: Send + Sync {
    /// Returns once the offsets are durable.
    ///
    /// # Errors
    /// `Retriable` when the store does not answer; `External` when the run of the task is over and its commit refused.
    async fn commit(&self, commit: OffsetCommit) -> Result<()>;

    /// All offsets of a connector.
    ///
    /// # Errors
    /// `Retriable` when the store does not answer.
    async fn read(&self, connector: &str) -> Result<KeptOffsets>;
}
