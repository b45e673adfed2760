//! What the operations answer, for either face to show.

use std::collections::BTreeSet;
use std::sync::Arc;

use towpath_state::{ClusterState, ConnectorInfo, ConnectorStatus, UnitStatus};
use towpath_types::{
    ConnectorConfig, ConnectorKind, ConnectorName, Revision, TargetState, TaskNumber, UnitId, UnitState,
    WorkerId,
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

    /// Shows as UNASSIGNED what these workers have: their leases are over.
    pub(crate) fn without(mut self, overdue: &BTreeSet<WorkerId>, state: &ClusterState) -> Self {
        if !overdue.is_empty() {
            hide(
                &mut self.connector,
                (overdue, state),
                &UnitId::Connector(self.name.clone()),
            );
            for (number, task) in &mut self.tasks {
                hide(task, (overdue, state), &UnitId::Task(self.name.clone(), *number));
            }
        }
        self
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

/// Nobody knows what a unit does whose worker's lease is over.
pub(crate) fn hide(
    status: &mut UnitStatus,
    (overdue, state): (&BTreeSet<WorkerId>, &ClusterState),
    unit: &UnitId,
) {
    if state.owner_of(unit).is_some_and(|owner| overdue.contains(owner)) {
        status.state = UnitState::Unassigned;
        status.trace = None;
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use towpath_state::{Assignment, Command, Expect, Plugin, Registration, Replaces, Reporter, UnitReport};
    use towpath_types::{Epoch, PluginKind, SessionId};

    use super::*;

    /// A connector that a worker has reported RUNNING.
    fn running(name: &ConnectorName, worker: &WorkerId) -> ClusterState {
        let mut state = ClusterState::new();
        let session = SessionId::new("s");
        let plugin = Plugin {
            class: "FileSource".to_owned(),
            aliases: Vec::new(),
            kind: PluginKind::Source,
            version: String::new(),
        };
        let unit = UnitId::Connector(name.clone());
        let report = |epoch| UnitReport {
            unit: unit.clone(),
            epoch,
            state: UnitState::Running,
            trace: None,
            version: None,
        };
        let config: ConnectorConfig = [("connector.class", "FileSource")].into_iter().collect();
        let commands = [
            Command::RegisterWorker(Registration {
                worker: worker.clone(),
                session: session.clone(),
                resumes: None,
                process: None,
                replaces: Replaces::default(),
                address: "w:8083".to_owned(),
                version: String::new(),
                labels: BTreeMap::new(),
                plugins: vec![plugin],
                held: Vec::new(),
            }),
            Command::PutConnector {
                name: name.clone(),
                config: Arc::new(config),
                kind: ConnectorKind::Source,
                expect: Expect::Any,
                initial_state: TargetState::Running,
            },
            Command::AssignUnits {
                assignments: vec![Assignment {
                    unit: unit.clone(),
                    worker: worker.clone(),
                }],
            },
        ];
        for command in commands {
            state.apply(&command).unwrap();
        }
        let from = Reporter {
            worker: worker.clone(),
            session,
        };
        for epoch in 0..10 {
            let reports = vec![report(Epoch(epoch))];
            let from = from.clone();
            state.apply(&Command::ReportUnitStates { from, reports }).unwrap();
        }
        state
    }

    #[test]
    fn what_a_worker_has_whose_lease_is_over_is_unassigned() {
        let (name, worker) = (ConnectorName::new("orders").unwrap(), WorkerId::new("w"));
        let state = running(&name, &worker);
        let shown = |overdue: &[WorkerId]| {
            let status = StatusView::of(&state, "orders").unwrap();
            let overdue = overdue.iter().cloned().collect();
            status.without(&overdue, &state).connector.state
        };
        assert_eq!(shown(&[]), UnitState::Running);
        assert_eq!(shown(&[WorkerId::new("other")]), UnitState::Running);
        assert_eq!(shown(&[worker]), UnitState::Unassigned);
    }
}
