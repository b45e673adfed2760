//! What the operations answer, for either face to show.

use std::sync::Arc;

use towpath_state::{ClusterState, ConnectorInfo, ConnectorStatus, UnitStatus};
use towpath_types::{
    ConnectorConfig, ConnectorKind, ConnectorName, Revision, TargetState, TaskNumber, UnitId, UnitState,
};

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ConnectorView {
    pub(crate) name: ConnectorName,
    pub(crate) config: Arc<ConnectorConfig>,
    pub(crate) task_count: u32,
    pub(crate) kind: ConnectorKind,
    pub(crate) target: TargetState,
    pub(crate) revision: Revision,
}

impl From<ConnectorInfo<'_>> for ConnectorView {
    fn from(info: ConnectorInfo<'_>) -> Self {
        Self {
            name: info.name.clone(),
            config: Arc::clone(info.config),
            task_count: info.task_count,
            kind: info.kind,
            target: info.target,
            revision: info.config_revision,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StatusView {
    pub(crate) name: ConnectorName,
    pub(crate) connector: UnitStatus,
    pub(crate) tasks: Vec<(TaskNumber, UnitStatus)>,
    pub(crate) kind: ConnectorKind,
}

impl From<ConnectorStatus<'_>> for StatusView {
    fn from(status: ConnectorStatus<'_>) -> Self {
        let tasks = status
            .tasks
            .into_iter()
            .map(|(number, status)| (number, status.clone()));
        Self {
            name: status.name.clone(),
            connector: status.connector.clone(),
            tasks: tasks.collect(),
            kind: status.kind,
        }
    }
}

impl StatusView {
    /// `None` for an unknown connector, and for one that was made a moment ago. One that nobody may run has a status
    /// although nobody has reported, because it has to say why.
    pub(crate) fn of(state: &ClusterState, name: &str) -> Option<Self> {
        let mut view = match state.status(name) {
            Some(status) => Self::from(status),
            None => Self::never_run(state, name)?,
        };
        let is_idle = |status: &UnitStatus| status.state == UnitState::Unassigned;
        if is_idle(&view.connector) || view.tasks.iter().any(|(_, task)| is_idle(task)) {
            let connector = state.connector(name)?;
            if let Some(obstacle) = state.obstacle(connector, None) {
                view.explain(&obstacle.to_string());
            }
        }
        Some(view)
    }

    fn never_run(state: &ClusterState, name: &str) -> Option<Self> {
        let info = state.connector_info(name)?;
        state.obstacle(state.connector(name)?, None)?;
        Some(Self {
            name: info.name.clone(),
            connector: UnitStatus {
                state: UnitState::Unassigned,
                worker_id: "".into(),
                version: None,
                trace: None,
            },
            tasks: Vec::new(),
            kind: info.kind,
        })
    }

    /// Says of everything that nobody runs why that is so.
    fn explain(&mut self, reason: &str) {
        let units = std::iter::once(&mut self.connector).chain(self.tasks.iter_mut().map(|(_, task)| task));
        for unit in units.filter(|unit| unit.state == UnitState::Unassigned) {
            unit.trace = Some(reason.into());
        }
    }

    /// Shows these units as being restarted; version and trace stay those of the old run.
    pub(super) fn show_restarting(&mut self, units: &[UnitId]) {
        for unit in units {
            match unit.task_number() {
                None => self.connector.state = UnitState::Restarting,
                Some(number) => {
                    let task = self.tasks.iter_mut().find(|(task, _)| *task == number);
                    task.into_iter()
                        .for_each(|(_, status)| status.state = UnitState::Restarting);
                }
            }
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct TasksView {
    pub(crate) connector: ConnectorName,
    pub(crate) configs: Vec<Arc<ConnectorConfig>>,
}

/// Which parts of a connector a list shows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Expansion {
    pub(crate) info: bool,
    pub(crate) status: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ListedConnector {
    pub(crate) name: ConnectorName,
    pub(crate) info: Option<ConnectorView>,
    pub(crate) status: Option<StatusView>,
}

impl ListedConnector {
    pub(crate) fn of(state: &ClusterState, name: &ConnectorName, expansion: Expansion) -> Self {
        let info = expansion
            .info
            .then(|| state.connector_info(name.as_str()))
            .flatten();
        let status = expansion
            .status
            .then(|| StatusView::of(state, name.as_str()))
            .flatten();
        Self {
            name: name.clone(),
            info: info.map(Into::into),
            status,
        }
    }
}

/// One source partition, or partition of a consumer group, with its offset, both JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OffsetView {
    pub(crate) partition: String,
    pub(crate) offset: Option<String>,
}
