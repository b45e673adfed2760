//! What can be asked of the state. A command holds everything its effect depends on, times and ids included.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use towpath_types::{
    ConnectorConfig, ConnectorKind, ConnectorName, Epoch, ProcessId, Revision, SessionId, TargetState,
    TaskNumber, UnitId, UnitState, WorkerId,
};

use crate::{LoggerLevel, Plugin, SourceOffset, SourcePartition};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Creates the connector, or replaces the configuration of one that is there: its instance then starts anew, its
    /// tasks when new task configurations arrive.
    PutConnector {
        name: ConnectorName,
        config: Arc<ConnectorConfig>,
        kind: ConnectorKind,
        expect: Expect,
        /// Only for a connector that this command creates; an existing one keeps its target state.
        initial_state: TargetState,
    },
    /// Source offsets stay, as Kafka Connect leaves them.
    DeleteConnector {
        name: ConnectorName,
    },
    SetTargetState {
        name: ConnectorName,
        target: TargetState,
    },
    RestartUnits {
        name: ConnectorName,
        scope: RestartScope,
        filter: RestartFilter,
    },
    RegisterWorker(Registration),
    /// The worker's units become unassigned at once.
    RemoveWorker {
        from: Reporter,
        reason: RemovalReason,
    },
    /// A draining worker gets no units, and those it has are moved to others a few at a time. It drains until it is told
    /// to take units again, or its process ends.
    SetDraining {
        worker: WorkerId,
        draining: bool,
        /// Of a process that stops: a request that arrives late must not have the next one drain.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        process: Option<ProcessId>,
    },
    /// Each entry counts only if the unit is wanted and free, and the worker takes units.
    AssignUnits {
        assignments: Vec<Assignment>,
    },
    /// Each entry counts only if that worker holds the unit. It is to stop the unit and confirm.
    UnassignUnits {
        revocations: Vec<Revocation>,
    },
    ReportUnitStates {
        from: Reporter,
        reports: Vec<UnitReport>,
    },
    PutTaskConfigs {
        from: Reporter,
        connector: ConnectorName,
        /// Of the connector instance that made these.
        epoch: Epoch,
        configs: Vec<Arc<ConnectorConfig>>,
    },
    CommitOffsets {
        from: Reporter,
        commits: Vec<OffsetCommit>,
    },
    AlterOffsets {
        connector: ConnectorName,
        changes: Vec<OffsetChange>,
        /// These topics of Kafka have been changed in the same way.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        in_kafka: Vec<String>,
    },
    ResetOffsets {
        connector: ConnectorName,
        /// These topics of Kafka have no offset of the connector any more.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        in_kafka: Vec<String>,
    },
    RecordTopics {
        from: Reporter,
        topics: Vec<TaskTopics>,
    },
    /// No error for an unknown connector.
    ResetTopics {
        connector: ConnectorName,
    },
    SetLoggerLevel {
        logger: String,
        level: LoggerLevel,
        at_ms: u64,
    },
}

impl Command {
    /// The connectors whose source offsets this may change: what a store that keeps offsets apart has to write.
    pub fn changes_offsets_of(&self) -> BTreeSet<&ConnectorName> {
        match self {
            Self::CommitOffsets { from: _, commits } => commits
                .iter()
                .map(|commit| commit.unit.connector_name())
                .collect(),
            Self::AlterOffsets { connector, .. } | Self::ResetOffsets { connector, .. } => [connector].into(),
            // Source offsets outlive their connector.
            Self::DeleteConnector { .. }
            | Self::PutConnector { .. }
            | Self::SetTargetState { .. }
            | Self::RestartUnits { .. }
            | Self::RegisterWorker(_)
            | Self::RemoveWorker { .. }
            | Self::SetDraining { .. }
            | Self::AssignUnits { .. }
            | Self::UnassignUnits { .. }
            | Self::ReportUnitStates { .. }
            | Self::PutTaskConfigs { .. }
            | Self::RecordTopics { .. }
            | Self::ResetTopics { .. }
            | Self::SetLoggerLevel { .. } => BTreeSet::new(),
        }
    }
}

/// What must be true of a connector for a `PutConnector` to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    Any,
    MustNotExist,
    MustExist,
    /// It exists and its configuration is the one of this revision: for changes computed from what was read.
    ConfigRevision(Revision),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartScope {
    Connector,
    ConnectorAndTasks,
    Task(TaskNumber),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartFilter {
    All,
    OnlyFailed,
}

/// Who reports: only the current session of a worker is listened to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reporter {
    pub worker: WorkerId,
    pub session: SessionId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    pub worker: WorkerId,
    pub session: SessionId,
    /// The session that this one goes on from, if the same process lost its connection. Absent after a restart.
    pub resumes: Option<SessionId>,
    /// Absent from workers that do not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessId>,
    #[serde(default, skip_serializing_if = "Replaces::is_anyone")]
    pub replaces: Replaces,
    /// Shown as `worker_id` in the status of units, `host:port` as a rule.
    pub address: String,
    /// Of the worker's build.
    pub version: String,
    pub labels: BTreeMap<String, String>,
    pub plugins: Vec<Plugin>,
    pub held: Vec<HeldUnit>,
}

/// Which session of the worker was there when the one that registers was last known to live. Another one that is there
/// when the registration is written is newer, or was on its way at the same time: then the registration is refused.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Replaces {
    /// Of workers that do not say whether they are still there: the last one that is written counts.
    #[default]
    Anyone,
    Nobody,
    Session(SessionId),
}

impl Replaces {
    fn is_anyone(&self) -> bool {
        *self == Self::Anyone
    }

    pub(crate) fn may_replace(&self, current: &SessionId) -> bool {
        match self {
            Self::Anyone => true,
            Self::Nobody => false,
            Self::Session(known) => known == current,
        }
    }
}

/// A unit that the worker still runs, or is still stopping, while it registers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldUnit {
    pub unit: UnitId,
    pub epoch: Epoch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemovalReason {
    LeaseExpired,
    /// It said good-bye.
    Left,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    pub unit: UnitId,
    pub worker: WorkerId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    pub unit: UnitId,
    pub worker: WorkerId,
    /// Who is meant to get the unit next.
    pub to: Option<WorkerId>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitReport {
    pub unit: UnitId,
    pub epoch: Epoch,
    pub state: UnitState,
    pub trace: Option<String>,
    /// Of the connector's or task's class.
    pub version: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetCommit {
    /// The task whose records these offsets stand for.
    pub unit: UnitId,
    pub epoch: Epoch,
    pub offsets: Vec<OffsetChange>,
    /// Set if this run keeps its offsets in Kafka, and these are copies: the topics, the connector's own first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_kafka: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OffsetChange {
    pub partition: SourcePartition,
    /// `None` forgets the partition.
    pub offset: Option<SourceOffset>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskTopics {
    pub unit: UnitId,
    pub epoch: Epoch,
    pub topics: Vec<String>,
}
