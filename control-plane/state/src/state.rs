//! The state itself: tables that are persisted, and an index that is computed from them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use towpath_types::{ConnectorName, Epoch, ProcessId, Revision, UnitId, WorkerId};

use crate::index::Index;
use crate::persisted::{self, DecodeError};
use crate::{
    Connector, KafkaOffsets, Leaving, LoggerSetting, SourceOffset, SourceOffsets, SourcePartition, Unit,
    Worker,
};

/// Everything the control plane knows. However it began, it is changed by [`ClusterState::apply`] only.
#[derive(Debug, Clone, Default)]
pub struct ClusterState {
    pub(crate) tables: Tables,
    pub(crate) index: Index,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tables {
    pub(crate) revision: Revision,
    pub(crate) connectors: BTreeMap<ConnectorName, Connector>,
    pub(crate) workers: BTreeMap<WorkerId, Worker>,
    /// Units that somebody has been told to let go of, wanted or not. A wanted unit in here has no holder.
    #[serde(with = "persisted::pairs")]
    pub(crate) leaving: BTreeMap<UnitId, Leaving>,
    /// Outlives its connector.
    pub(crate) offsets: BTreeMap<ConnectorName, SourceOffsets>,
    /// Of connectors that have kept offsets in Kafka. Outlives the connector, as those do.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) in_kafka: BTreeMap<ConnectorName, KafkaOffsets>,
    pub(crate) loggers: BTreeMap<String, LoggerSetting>,
    /// Processes that were draining when their lease ran out: one that comes back goes on draining.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) drained: BTreeMap<WorkerId, ProcessId>,
}

impl Tables {
    pub(crate) fn unit(&self, id: &UnitId) -> Option<&Unit> {
        let connector = self.connectors.get(id.connector_name())?;
        match id {
            UnitId::Connector(_) => Some(&connector.unit),
            UnitId::Task(_, number) => connector.tasks.get(number.get() as usize).map(|task| &task.unit),
        }
    }

    pub(crate) fn unit_mut(&mut self, id: &UnitId) -> Option<&mut Unit> {
        let connector = self.connectors.get_mut(id.connector_name())?;
        match id {
            UnitId::Connector(_) => Some(&mut connector.unit),
            UnitId::Task(_, number) => connector
                .tasks
                .get_mut(number.get() as usize)
                .map(|task| &mut task.unit),
        }
    }
}

impl ClusterState {
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing is known but source offsets, which were kept elsewhere. Of several of one partition the last counts.
    pub fn with_source_offsets(
        offsets: impl IntoIterator<Item = (ConnectorName, SourcePartition, SourceOffset)>,
    ) -> Self {
        let mut state = Self::new();
        for (connector, partition, offset) in offsets {
            let of_connector = state.tables.offsets.entry(connector).or_default();
            of_connector.insert(partition, offset);
        }
        state
    }

    /// The last change. A refused command, or one that changed nothing, does not count.
    pub fn revision(&self) -> Revision {
        self.tables.revision
    }

    /// The last change that could alter what [`plan`](crate::plan()) answers. Offsets, topics and states do not.
    pub fn layout_revision(&self) -> Revision {
        self.index.layout
    }

    /// The form in which snapshots are kept and sent.
    pub fn encode(&self) -> Vec<u8> {
        persisted::encode(&self.tables)
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let tables: Tables = persisted::decode(bytes, "snapshot of the cluster state")?;
        let index = Index::of(&tables);
        Ok(Self { tables, index })
    }

    /// The revision that the command being applied makes, and the epoch of the runs that it asks for.
    pub(crate) fn next(&self) -> (Revision, Epoch) {
        let next = self.tables.revision.get() + 1;
        (Revision(next), Epoch(next))
    }
}

/// The index is no part of the state, only a way to find things in it.
impl PartialEq for ClusterState {
    fn eq(&self, other: &Self) -> bool {
        self.tables == other.tables
    }
}
