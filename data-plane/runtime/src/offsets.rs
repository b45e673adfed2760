//! Where source offsets are kept: a trait, its memory form, and the reader that tasks get.

pub mod topic_form;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use towpath_connect::{ConnectorError, OffsetMap, OffsetReader, Result};
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
    async fn read(&self, connector: &str) -> Result<Vec<(OffsetMap, OffsetMap)>>;
}

/// Offsets of a process's lifetime, for tests.
#[derive(Debug, Default)]
pub struct MemoryOffsetStore {
    /// A std mutex: never held across an await.
    offsets: Mutex<HashMap<String, Vec<(OffsetMap, OffsetMap)>>>,
}

impl MemoryOffsetStore {
    /// Puts one offset, or deletes it.
    pub fn put(&self, connector: &str, partition: &OffsetMap, offset: Option<OffsetMap>) {
        let mut all = self.offsets.lock().unwrap_or_else(PoisonError::into_inner);
        let entries = all.entry(connector.to_owned()).or_default();
        entries.retain(|(known, _)| known != partition);
        if let Some(offset) = offset {
            entries.push((partition.clone(), offset));
        }
    }

    /// All offsets of a connector.
    pub fn of(&self, connector: &str) -> Vec<(OffsetMap, OffsetMap)> {
        self.offsets
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(connector)
            .cloned()
            .unwrap_or_default()
    }
}

#[async_trait]
impl OffsetStore for MemoryOffsetStore {
    async fn commit(&self, commit: OffsetCommit) -> Result<()> {
        for (partition, offset) in commit.offsets {
            self.put(commit.unit.connector_name().as_str(), &partition, offset);
        }
        Ok(())
    }

    async fn read(&self, connector: &str) -> Result<Vec<(OffsetMap, OffsetMap)>> {
        Ok(self.of(connector))
    }
}

/// Reads the offsets of one connector for its tasks.
pub struct ConnectorOffsets {
    connector: Arc<str>,
    store: Arc<dyn OffsetStore>,
}

impl std::fmt::Debug for ConnectorOffsets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectorOffsets")
            .field("connector", &self.connector)
            .finish_non_exhaustive()
    }
}

impl ConnectorOffsets {
    /// A reader for the tasks of this connector.
    pub fn new(connector: Arc<str>, store: Arc<dyn OffsetStore>) -> Self {
        Self { connector, store }
    }
}

#[async_trait]
impl OffsetReader for ConnectorOffsets {
    async fn offsets(&self, partitions: &[OffsetMap]) -> Result<Vec<Option<OffsetMap>>> {
        let stored = self.store.read(&self.connector).await.map_err(|cause| {
            let what = format!(
                "could not read the source offsets of connector \"{}\"",
                self.connector
            );
            ConnectorError::new(cause.kind(), what).with_source(cause)
        })?;
        let find = |wanted: &OffsetMap| {
            stored
                .iter()
                .find(|(p, _)| p == wanted)
                .map(|(_, offset)| offset.clone())
        };
        Ok(partitions.iter().map(find).collect())
    }
}
