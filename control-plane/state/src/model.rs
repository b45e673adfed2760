//! What the state is made of.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use towpath_types::{
    ConnectorConfig, ConnectorKind, Epoch, PluginKind, ProcessId, Revision, SessionId, TargetState,
    UnitState, UnknownWord, WorkerId,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Connector {
    /// Exactly what was submitted. Shared, because every unit's assignment carries it.
    pub config: Arc<ConnectorConfig>,
    /// When `config` last got other entries.
    pub config_revision: Revision,
    pub kind: ConnectorKind,
    pub target: TargetState,
    /// The connector instance.
    pub unit: Unit,
    pub tasks: Vec<Task>,
    /// The `config_revision` that `tasks` were made from, if any were ever made.
    pub tasks_made_from: Option<Revision>,
    /// The first epoch of the present set of tasks: another one for each set.
    #[serde(default)]
    pub task_set: Epoch,
    /// The most tasks that it ever had at a time: as many may still run somewhere that was cut off.
    #[serde(default)]
    pub most_tasks: u32,
    /// Active topics: what its tasks wrote to or read from.
    pub topics: BTreeSet<String>,
}

impl Connector {
    pub fn class(&self) -> &str {
        self.config.get("connector.class").unwrap_or_default().trim()
    }

    /// What its workers' labels have to be, as configured.
    pub fn selector(&self) -> &str {
        self.config.get("worker.selector").unwrap_or_default().trim()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    pub config: Arc<ConnectorConfig>,
    pub unit: Unit,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// The run that is wanted.
    pub epoch: Epoch,
    pub holder: Option<Holder>,
    /// Where a planned move takes it, until it is assigned again.
    pub headed_for: Option<WorkerId>,
    /// `None` until a worker has reported.
    pub status: Option<UnitStatus>,
}

impl Unit {
    pub(crate) fn new(epoch: Epoch) -> Self {
        Self {
            epoch,
            holder: None,
            headed_for: None,
            status: None,
        }
    }
}

/// The worker that is to run a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub worker: WorkerId,
    pub session: SessionId,
    /// The oldest run whose offset commits still count: a run that is being replaced commits its last offsets before
    /// the new one reports.
    pub fence: Epoch,
}

/// A worker that has been told to let go of a unit and has not confirmed yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leaving {
    pub worker: WorkerId,
    pub session: SessionId,
    pub fence: Epoch,
    /// The last run that this worker was asked for.
    pub last_run: Epoch,
    /// Names this release; the worker confirms with it.
    pub release: Epoch,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitStatus {
    pub state: UnitState,
    /// The address of the worker that reported last; it may be gone.
    pub worker_id: Arc<str>,
    /// Of the class; unknown if the plugin could not be loaded.
    pub version: Option<Arc<str>>,
    pub trace: Option<Arc<str>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    pub session: SessionId,
    /// Absent if the worker did not say it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<ProcessId>,
    /// Shown as `worker_id` in the status of units.
    pub address: Arc<str>,
    pub version: String,
    pub labels: BTreeMap<String, String>,
    pub plugins: Vec<Plugin>,
    pub draining: bool,
}

impl Worker {
    /// Finds the connector plugin that a `connector.class` names, by class or alias.
    pub fn connector_plugin(&self, class: &str) -> Option<&Plugin> {
        self.plugins
            .iter()
            .find(|plugin| plugin.kind.is_connector() && plugin.is_called(class))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plugin {
    pub class: String,
    pub aliases: Vec<String>,
    pub kind: PluginKind,
    pub version: String,
}

impl Plugin {
    pub fn is_called(&self, name: &str) -> bool {
        self.class == name || self.aliases.iter().any(|alias| alias == name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggerSetting {
    pub level: LoggerLevel,
    /// Milliseconds since 1970.
    pub last_modified_ms: u64,
}

/// The levels that the REST API knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum LoggerLevel {
    Off,
    Fatal,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
    All,
}

impl LoggerLevel {
    pub const ALL: &[Self] = &[
        Self::Off,
        Self::Fatal,
        Self::Error,
        Self::Warn,
        Self::Info,
        Self::Debug,
        Self::Trace,
        Self::All,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "OFF",
            Self::Fatal => "FATAL",
            Self::Error => "ERROR",
            Self::Warn => "WARN",
            Self::Info => "INFO",
            Self::Debug => "DEBUG",
            Self::Trace => "TRACE",
            Self::All => "ALL",
        }
    }
}

impl fmt::Display for LoggerLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for LoggerLevel {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL
            .iter()
            .copied()
            .find(|level| level.as_str().eq_ignore_ascii_case(word));
        found.ok_or_else(|| UnknownWord {
            what: "log level",
            word: word.to_owned(),
            expected: "OFF, FATAL, ERROR, WARN, INFO, DEBUG, TRACE, ALL",
        })
    }
}
