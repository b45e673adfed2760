//! What users ask for: connectors, their target states, restarts.

use std::collections::BTreeSet;
use std::sync::Arc;

use towpath_types::{ConnectorConfig, ConnectorKind, ConnectorName, TargetState, UnitId, UnitState};

use super::units::start_anew;
use super::{Effect, Handled};
use crate::{ClusterState, Connector, Detail, Expect, Refusal, RestartFilter, RestartScope, Unit};

pub(super) struct Submitted<'a> {
    pub(super) config: &'a Arc<ConnectorConfig>,
    pub(super) kind: ConnectorKind,
    pub(super) initial_state: TargetState,
}

impl ClusterState {
    pub(super) fn put_connector(
        &mut self,
        name: &ConnectorName,
        submitted: &Submitted<'_>,
        expect: Expect,
    ) -> Handled {
        let existing = self.tables.connectors.get(name);
        match (expect, existing) {
            (Expect::MustNotExist, Some(_)) => Err(Refusal::AlreadyExists {
                connector: name.clone(),
            }),
            (Expect::MustExist | Expect::ConfigRevision(_), None) => Err(Refusal::ConnectorNotFound {
                connector: name.clone(),
            }),
            (Expect::ConfigRevision(read), Some(connector)) if connector.config_revision != read => {
                Err(Refusal::RevisionConflict {
                    connector: name.clone(),
                    current: connector.config_revision,
                })
            }
            (Expect::Any | Expect::MustExist | Expect::ConfigRevision(_), Some(_)) => {
                Ok(self.update_connector(name, submitted))
            }
            (Expect::Any | Expect::MustNotExist, None) => Ok(self.create_connector(name, submitted)),
        }
    }

    fn create_connector(&mut self, name: &ConnectorName, submitted: &Submitted<'_>) -> Effect {
        let (revision, epoch) = self.next();
        let connector = Connector {
            config: submitted.config.clone(),
            config_revision: revision,
            kind: submitted.kind,
            target: submitted.initial_state,
            unit: Unit::new(epoch),
            tasks: Vec::new(),
            tasks_made_from: None,
            task_set: epoch,
            most_tasks: 0,
            topics: BTreeSet::new(),
        };
        self.tables.connectors.insert(name.clone(), connector);
        Effect::LAYOUT.with(Detail::Created)
    }

    fn update_connector(&mut self, name: &ConnectorName, submitted: &Submitted<'_>) -> Effect {
        let (revision, epoch) = self.next();
        let connector = self.tables.connectors.get_mut(name).expect("the caller found it");
        if connector.config != *submitted.config {
            connector.config_revision = revision;
        }
        // Also when the entries are equal: their order may differ, and it is shown as submitted.
        connector.config = submitted.config.clone();
        connector.kind = submitted.kind;
        // Even for an equal configuration, as Kafka Connect does it; the tasks start anew only when theirs differ.
        start_anew(&mut connector.unit, epoch);
        self.index.touch_holders(connector, revision);
        Effect::LAYOUT.with(Detail::Updated)
    }

    pub(super) fn delete_connector(&mut self, name: &ConnectorName) -> Handled {
        let Some(connector) = self.tables.connectors.remove(name) else {
            return Err(Refusal::ConnectorNotFound {
                connector: name.clone(),
            });
        };
        self.dismiss(
            UnitId::Connector(name.clone()),
            connector.unit.holder,
            connector.unit.epoch,
        );
        for (number, task) in (0..).zip(connector.tasks) {
            self.dismiss(UnitId::task(name, number), task.unit.holder, task.unit.epoch);
        }
        Ok(Effect::LAYOUT)
    }

    pub(super) fn set_target_state(&mut self, name: &ConnectorName, target: TargetState) -> Handled {
        let (revision, _) = self.next();
        let connector = self.connector_mut(name)?;
        if connector.target == target {
            return Ok(Effect::NOTHING);
        }
        connector.target = target;
        let tasks = match target {
            // A stopped connector has no tasks (rest-api.md 4).
            TargetState::Stopped => std::mem::take(&mut connector.tasks),
            TargetState::Running | TargetState::Paused => Vec::new(),
        };
        for (number, task) in (0..).zip(tasks) {
            self.dismiss(UnitId::task(name, number), task.unit.holder, task.unit.epoch);
        }
        self.index.touch_holders(&self.tables.connectors[name], revision);
        Ok(Effect::LAYOUT)
    }

    pub(super) fn restart_units(
        &mut self,
        name: &ConnectorName,
        scope: RestartScope,
        filter: RestartFilter,
    ) -> Handled {
        let connector = self.connector_mut(name)?;
        let tasks = (0..)
            .zip(&connector.tasks)
            .map(|(number, task)| (UnitId::task(name, number), &task.unit));
        let instance = (UnitId::Connector(name.clone()), &connector.unit);
        let candidates: Vec<(UnitId, &Unit)> = match scope {
            RestartScope::Connector => vec![instance],
            RestartScope::ConnectorAndTasks => std::iter::once(instance).chain(tasks).collect(),
            RestartScope::Task(number) => {
                let unit = UnitId::Task(name.clone(), number);
                let Some(task) = connector.tasks.get(number.get() as usize) else {
                    return Err(Refusal::TaskNotFound { unit });
                };
                vec![(unit, &task.unit)]
            }
        };
        let chosen: Vec<UnitId> = candidates
            .into_iter()
            .filter(|(_, unit)| match filter {
                RestartFilter::All => true,
                RestartFilter::OnlyFailed => is_failed(unit),
            })
            .map(|(id, _)| id)
            .collect();
        Ok(self.restart_chosen(chosen))
    }

    fn restart_chosen(&mut self, chosen: Vec<UnitId>) -> Effect {
        if chosen.is_empty() {
            return Effect::NOTHING.with(Detail::Restarting(chosen));
        }
        let (revision, epoch) = self.next();
        for id in &chosen {
            let unit = self.tables.unit_mut(id).expect("the caller found it");
            start_anew(unit, epoch);
            if let Some(holder) = &unit.holder {
                self.index.touch(&holder.worker, revision);
            }
        }
        Effect::LAYOUT.with(Detail::Restarting(chosen))
    }

    pub(super) fn connector_mut(&mut self, name: &ConnectorName) -> Result<&mut Connector, Refusal> {
        let found = self.tables.connectors.get_mut(name);
        found.ok_or_else(|| Refusal::ConnectorNotFound {
            connector: name.clone(),
        })
    }
}

fn is_failed(unit: &Unit) -> bool {
    unit.status
        .as_ref()
        .is_some_and(|status| status.state == UnitState::Failed)
}
