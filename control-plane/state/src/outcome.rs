//! What came of a command.

use serde::{Deserialize, Serialize};
use towpath_types::{ConnectorName, Epoch, Revision, SessionId, TargetState, UnitId, WorkerId};

/// A refusal changes nothing. Both sides are part of the log's result: the same on every node.
pub type Outcome = Result<Applied, Refusal>;

/// The state is now as commanded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// Of the state after the command; a command that changed nothing leaves it where it was.
    pub revision: Revision,
    pub detail: Detail,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Detail {
    #[default]
    Done,
    /// `PutConnector` made a new one.
    Created,
    /// `PutConnector` replaced the configuration.
    Updated,
    /// `RestartUnits`: what starts anew, perhaps nothing.
    Restarting(Vec<UnitId>),
    /// `PutTaskConfigs`: whether the tasks were replaced, so that all of them start anew.
    TasksReplaced,
    TasksUnchanged,
    /// Commands with many entries: these did not count, the others did.
    PartlyStale(Vec<Stale>),
}

/// A report about a run that is over: somebody else has the unit, it was started anew, or it is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stale {
    pub unit: UnitId,
    /// As reported.
    pub epoch: Epoch,
    /// What the state holds; `None` if the unit does not exist.
    pub current: Option<Epoch>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    #[error("connector \"{connector}\" already exists")]
    AlreadyExists { connector: ConnectorName },
    #[error("connector \"{connector}\" does not exist")]
    ConnectorNotFound { connector: ConnectorName },
    #[error("task \"{unit}\" does not exist")]
    TaskNotFound { unit: UnitId },
    #[error("worker \"{worker}\" is not registered")]
    WorkerNotFound { worker: WorkerId },
    #[error("the configuration of connector \"{connector}\" was changed meanwhile, in revision {current}")]
    RevisionConflict {
        connector: ConnectorName,
        current: Revision,
    },
    /// Fencing: the worker has registered anew since, or was removed.
    #[error("session \"{session}\" of worker \"{worker}\" is over: register again")]
    SessionOver { worker: WorkerId, session: SessionId },
    /// Fencing: another run of the unit has been asked for since, or another worker holds it.
    #[error("epoch {epoch} of unit \"{unit}\" is over")]
    EpochOver {
        unit: UnitId,
        epoch: Epoch,
        current: Epoch,
    },
    #[error("connector \"{connector}\" is {target}, so it has no new task configurations: resume it first")]
    NotRunning {
        connector: ConnectorName,
        target: TargetState,
    },
    #[error(
        "the offsets of connector \"{connector}\" can only be changed while it is STOPPED: stop it first"
    )]
    NotStopped { connector: ConnectorName },
    #[error("unit \"{unit}\" has not stopped yet, so offsets cannot be changed: try again in a moment")]
    StillStopping { unit: UnitId },
}
