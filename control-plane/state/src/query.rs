//! What the API shows, and what a worker is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use towpath_types::{
    ConnectorConfig, ConnectorKind, ConnectorName, Epoch, Revision, TargetState, TaskNumber, UnitId,
    UnitState, WorkerId,
};

use crate::{
    ClusterState, Connector, KafkaOffsets, LoggerSetting, Refusal, SourceOffset, SourceOffsets,
    SourcePartition, Task, Unit, UnitStatus, Worker,
};

#[derive(Debug, Clone, Copy)]
pub struct ConnectorInfo<'a> {
    pub name: &'a ConnectorName,
    pub config: &'a Arc<ConnectorConfig>,
    /// For `Expect::ConfigRevision`.
    pub config_revision: Revision,
    pub kind: ConnectorKind,
    pub target: TargetState,
    /// Numbered from 0.
    pub task_count: u32,
}

#[derive(Debug, Clone)]
pub struct ConnectorStatus<'a> {
    pub name: &'a ConnectorName,
    pub connector: &'a UnitStatus,
    /// Those tasks that have reported, by number.
    pub tasks: Vec<(TaskNumber, &'a UnitStatus)>,
    pub kind: ConnectorKind,
}

/// A unit that a worker is to run. Owned, so that it can be sent without holding on to the state.
#[derive(Debug, Clone, PartialEq)]
pub struct DesiredUnit {
    pub unit: UnitId,
    /// Another one than before: stop the old run, then start.
    pub epoch: Epoch,
    pub kind: ConnectorKind,
    /// The connector's, also for a task.
    pub config: Arc<ConnectorConfig>,
    pub config_revision: Revision,
    pub target: TargetState,
    /// For a task.
    pub task_config: Option<Arc<ConnectorConfig>>,
    /// For a task of a source, until a task of the present set has run.
    pub fence: Option<FenceOrder>,
}

/// Before tasks of a new set run, those that earlier sets left on workers that are cut off have to be kept from writing,
/// if their system can do that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FenceOrder {
    pub task_set: Epoch,
    /// Tasks with numbers below this one.
    pub below: u32,
}

/// A unit that a worker is to stop, and to confirm with this epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    pub unit: UnitId,
    pub epoch: Epoch,
}

impl ClusterState {
    /// All connectors by name.
    pub fn list(&self) -> impl ExactSizeIterator<Item = &ConnectorName> {
        self.tables.connectors.keys()
    }

    pub fn connector(&self, name: &str) -> Option<&Connector> {
        self.tables.connectors.get(name)
    }

    pub fn connector_info(&self, name: &str) -> Option<ConnectorInfo<'_>> {
        let (name, connector) = self.tables.connectors.get_key_value(name)?;
        Some(ConnectorInfo {
            name,
            config: &connector.config,
            config_revision: connector.config_revision,
            kind: connector.kind,
            target: connector.target,
            task_count: u32::try_from(connector.tasks.len()).expect("task numbers are 32 bits wide"),
        })
    }

    /// `None` for an unknown connector and for one whose instance has not reported yet: there is no status of either.
    pub fn status(&self, name: &str) -> Option<ConnectorStatus<'_>> {
        let (name, connector) = self.tables.connectors.get_key_value(name)?;
        let tasks = (0..).map(TaskNumber).zip(&connector.tasks);
        Some(ConnectorStatus {
            name,
            connector: connector.unit.status.as_ref()?,
            tasks: tasks
                .filter_map(|(number, task)| Some((number, task.unit.status.as_ref()?)))
                .collect(),
            kind: connector.kind,
        })
    }

    pub fn task_status(&self, name: &str, number: TaskNumber) -> Option<&UnitStatus> {
        self.connector(name)?
            .tasks
            .get(number.get() as usize)?
            .unit
            .status
            .as_ref()
    }

    /// In the order of the task numbers.
    pub fn task_configs(&self, name: &str) -> Option<impl ExactSizeIterator<Item = &Arc<ConnectorConfig>>> {
        Some(self.connector(name)?.tasks.iter().map(|task| &task.config))
    }

    /// `None` for an unknown connector.
    pub fn topics(&self, name: &str) -> Option<&BTreeSet<String>> {
        self.connector(name).map(|connector| &connector.topics)
    }

    /// What the API lists. The connector may be gone: its offsets are kept.
    pub fn offsets(&self, name: &str) -> impl Iterator<Item = (&SourcePartition, &SourceOffset)> {
        self.source_offsets(name)
            .into_iter()
            .flatten()
            .filter(|(partition, _)| !partition.is_null())
    }

    /// What a task may read, the null partition included.
    pub fn source_offsets(&self, name: &str) -> Option<&SourceOffsets> {
        self.tables.offsets.get(name)
    }

    /// `None` if no run of the connector has ever kept offsets in Kafka.
    pub fn kafka_offsets(&self, name: &str) -> Option<&KafkaOffsets> {
        self.tables.in_kafka.get(name)
    }

    /// A task that is still stopping could commit over what the user asks for.
    ///
    /// # Errors
    /// Why the offsets cannot be altered or reset now.
    pub fn check_offsets_can_change(&self, name: &ConnectorName) -> Result<(), Refusal> {
        let Some(connector) = self.tables.connectors.get(name) else {
            return Err(Refusal::ConnectorNotFound {
                connector: name.clone(),
            });
        };
        if connector.target != TargetState::Stopped || !connector.tasks.is_empty() {
            return Err(Refusal::NotStopped {
                connector: name.clone(),
            });
        }
        let units = self.tables.leaving.range(UnitId::Connector(name.clone())..);
        let mut of_connector = units
            .map(|(unit, _)| unit)
            .take_while(|unit| unit.connector_name() == name);
        match of_connector.find(|unit| unit.task_number().is_some()) {
            Some(unit) => Err(Refusal::StillStopping { unit: unit.clone() }),
            None => Ok(()),
        }
    }

    /// Tasks of the connector with numbers below this one may still run somewhere that was cut off.
    pub fn task_numbers_in_use(&self, name: &str) -> u32 {
        let of_connector = self.connector(name).map_or(0, |connector| {
            // A state from before they were counted knows only the present ones.
            let present = u32::try_from(connector.tasks.len()).expect("task numbers are 32 bits wide");
            connector.most_tasks.max(present)
        });
        // Of a connector that was deleted and made anew, only this is left.
        let in_kafka = self.kafka_offsets(name).map_or(0, |offsets| offsets.tasks);
        of_connector.max(in_kafka)
    }

    pub fn workers(&self) -> &BTreeMap<WorkerId, Worker> {
        &self.tables.workers
    }

    /// `None` if the unit is not wanted.
    pub fn unit(&self, id: &UnitId) -> Option<&Unit> {
        self.tables.unit(id)
    }

    pub fn owner_of(&self, id: &UnitId) -> Option<&WorkerId> {
        self.tables.unit(id)?.holder.as_ref().map(|holder| &holder.worker)
    }

    /// The units that somebody still has to let go of.
    pub fn leaving(&self) -> impl ExactSizeIterator<Item = (&UnitId, &WorkerId)> {
        self.tables
            .leaving
            .iter()
            .map(|(unit, leaving)| (unit, &leaving.worker))
    }

    pub fn loggers(&self) -> &BTreeMap<String, LoggerSetting> {
        &self.tables.loggers
    }

    /// The units that the worker is to run.
    pub fn units_of(&self, worker: &WorkerId) -> &BTreeSet<UnitId> {
        self.index.held(worker)
    }

    /// Everything that the worker is to run, and nothing else.
    pub fn desired_units(&self, worker: &WorkerId) -> Vec<DesiredUnit> {
        self.index
            .held(worker)
            .iter()
            .map(|id| self.desired_unit(id))
            .collect()
    }

    fn desired_unit(&self, id: &UnitId) -> DesiredUnit {
        let connector = &self.tables.connectors[id.connector_name()];
        let task = id
            .task_number()
            .map(|number| &connector.tasks[number.get() as usize]);
        DesiredUnit {
            unit: id.clone(),
            epoch: task.map_or(&connector.unit, |task| &task.unit).epoch,
            kind: connector.kind,
            config: connector.config.clone(),
            config_revision: connector.config_revision,
            target: connector.target,
            task_config: task.map(|task| task.config.clone()),
            fence: task.and_then(|_| {
                is_fence_due(connector).then(|| FenceOrder {
                    task_set: connector.task_set,
                    below: self.task_numbers_in_use(id.connector_name().as_str()),
                })
            }),
        }
    }

    /// Everything that the worker still has to let go of.
    pub fn releases(&self, worker: &WorkerId) -> Vec<Release> {
        let units = self.index.leaving(worker).iter();
        units
            .map(|unit| Release {
                unit: unit.clone(),
                epoch: self.tables.leaving[unit].release,
            })
            .collect()
    }

    /// When `desired_units` or `releases` of this worker last changed. A node that has just read a snapshot may say a
    /// later revision than others.
    pub fn assignment_revision(&self, worker: &WorkerId) -> Revision {
        self.index.changed(worker)
    }
}

/// Whoever of the set has said that it runs has fenced before.
fn is_fence_due(connector: &Connector) -> bool {
    let has_run = |task: &Task| {
        task.unit
            .status
            .as_ref()
            .is_some_and(|status| matches!(status.state, UnitState::Running | UnitState::Paused))
    };
    connector.kind == ConnectorKind::Source && !connector.tasks.iter().any(has_run)
}
