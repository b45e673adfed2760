//! The JSON of the answers. Members are in the order in which Kafka Connect sends them.

use serde::Serialize;
use serde_json::value::RawValue;
use towpath_state::UnitStatus;
use towpath_types::{ConnectorConfig, ConnectorKind, ConnectorName, UnitState};

use crate::app;

#[derive(Debug, Serialize)]
pub(super) struct ErrorMessage<'a> {
    pub(super) error_code: u16,
    pub(super) message: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct ServerInfo<'a> {
    pub(super) version: &'a str,
    pub(super) commit: &'a str,
    pub(super) kafka_cluster_id: Option<&'a str>,
    /// Not in Kafka Connect.
    pub(super) towpath_version: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct WorkerStatus<'a> {
    pub(super) status: &'a str,
    pub(super) message: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct ConnectorTaskId<'a> {
    connector: &'a ConnectorName,
    task: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct ConnectorInfo<'a> {
    name: &'a ConnectorName,
    config: &'a ConnectorConfig,
    tasks: Vec<ConnectorTaskId<'a>>,
    r#type: ConnectorKind,
}

impl<'a> From<&'a app::ConnectorView> for ConnectorInfo<'a> {
    fn from(view: &'a app::ConnectorView) -> Self {
        let tasks = (0..view.task_count).map(|task| ConnectorTaskId {
            connector: &view.name,
            task,
        });
        Self {
            name: &view.name,
            config: &view.config,
            tasks: tasks.collect(),
            r#type: view.kind,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct TaskInfo<'a> {
    id: ConnectorTaskId<'a>,
    config: &'a ConnectorConfig,
}

pub(super) fn task_infos(view: &app::TasksView) -> Vec<TaskInfo<'_>> {
    let numbered = (0..).zip(&view.configs);
    numbered
        .map(|(task, config)| TaskInfo {
            id: ConnectorTaskId {
                connector: &view.connector,
                task,
            },
            config,
        })
        .collect()
}

#[derive(Debug, Serialize)]
pub(super) struct ConnectorState<'a> {
    state: UnitState,
    worker_id: &'a str,
    /// `null` when the plugin could not be loaded.
    version: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace: Option<&'a str>,
}

impl<'a> From<&'a UnitStatus> for ConnectorState<'a> {
    fn from(status: &'a UnitStatus) -> Self {
        Self {
            state: status.state,
            worker_id: &status.worker_id,
            version: status.version.as_deref(),
            trace: status.trace.as_deref(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct TaskState<'a> {
    id: u32,
    #[serde(flatten)]
    state: ConnectorState<'a>,
}

impl<'a> TaskState<'a> {
    pub(super) fn new(id: u32, status: &'a UnitStatus) -> Self {
        Self {
            id,
            state: status.into(),
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ConnectorStateInfo<'a> {
    name: &'a ConnectorName,
    connector: ConnectorState<'a>,
    tasks: Vec<TaskState<'a>>,
    r#type: ConnectorKind,
}

impl<'a> From<&'a app::StatusView> for ConnectorStateInfo<'a> {
    fn from(view: &'a app::StatusView) -> Self {
        let tasks = view
            .tasks
            .iter()
            .map(|(number, status)| TaskState::new(number.get(), status));
        Self {
            name: &view.name,
            connector: (&view.connector).into(),
            tasks: tasks.collect(),
            r#type: view.kind,
        }
    }
}

#[derive(Debug, Serialize)]
pub(super) struct ActiveTopics<'a> {
    pub(super) topics: &'a [String],
}

#[derive(Debug, Serialize)]
pub(super) struct ConnectorOffsets {
    pub(super) offsets: Vec<ConnectorOffset>,
}

#[derive(Debug, Serialize)]
pub(super) struct Message<'a> {
    pub(super) message: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct ConnectorOffset {
    pub(super) partition: Box<RawValue>,
    pub(super) offset: Option<Box<RawValue>>,
}

#[derive(Debug, Serialize)]
pub(super) struct PluginInfo<'a> {
    pub(super) class: &'a str,
    pub(super) r#type: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<&'a str>,
}
