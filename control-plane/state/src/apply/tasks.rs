//! The task configurations that a connector instance makes.

use std::sync::Arc;

use towpath_types::{ConnectorConfig, ConnectorName, Epoch, TargetState, UnitId};

use super::units::{is_of, start_anew};
use super::{Effect, Handled};
use crate::{ClusterState, Connector, Detail, Refusal, Reporter, Task, Unit};

impl ClusterState {
    pub(super) fn put_task_configs(
        &mut self,
        from: &Reporter,
        name: &ConnectorName,
        epoch: Epoch,
        configs: &[Arc<ConnectorConfig>],
    ) -> Handled {
        self.reporting_worker(from)?;
        let connector = self.connector_mut(name)?;
        let is_holder = connector
            .unit
            .holder
            .as_ref()
            .is_some_and(|holder| is_of(holder, from));
        if !is_holder || connector.unit.epoch != epoch {
            let unit = UnitId::Connector(name.clone());
            return Err(Refusal::EpochOver {
                unit,
                epoch,
                current: connector.unit.epoch,
            });
        }
        // A paused connector makes its tasks when it is resumed, a stopped one has none.
        if connector.target != TargetState::Running {
            return Err(Refusal::NotRunning {
                connector: name.clone(),
                target: connector.target,
            });
        }
        if !must_republish(connector, configs) {
            return Ok(Effect::NOTHING.with(Detail::TasksUnchanged));
        }
        self.replace_tasks(name, configs);
        Ok(Effect::LAYOUT.with(Detail::TasksReplaced))
    }

    /// Every task starts anew, also those whose configuration is the same.
    fn replace_tasks(&mut self, name: &ConnectorName, configs: &[Arc<ConnectorConfig>]) {
        let (revision, epoch) = self.next();
        let connector = self.tables.connectors.get_mut(name).expect("the caller found it");
        connector.tasks_made_from = Some(connector.config_revision);
        connector.task_set = epoch;
        let most = configs.len().max(connector.tasks.len());
        let most = u32::try_from(most).expect("task numbers are 32 bits wide");
        connector.most_tasks = connector.most_tasks.max(most);
        let surplus = connector
            .tasks
            .split_off(configs.len().min(connector.tasks.len()));
        let first_surplus = connector.tasks.len();
        for (task, config) in connector.tasks.iter_mut().zip(configs) {
            task.config = config.clone();
            start_anew(&mut task.unit, epoch);
        }
        let added = configs.iter().skip(first_surplus);
        connector.tasks.extend(added.map(|config| Task {
            config: config.clone(),
            unit: Unit::new(epoch),
        }));
        self.index.touch_holders(connector, revision);
        for (number, task) in (0..).zip(surplus) {
            let number = number + u32::try_from(first_surplus).expect("task numbers are 32 bits wide");
            self.dismiss(UnitId::task(name, number), task.unit.holder, task.unit.epoch);
        }
    }
}

/// runtime-semantics.md section 1.
fn must_republish(connector: &Connector, configs: &[Arc<ConnectorConfig>]) -> bool {
    connector.tasks_made_from != Some(connector.config_revision)
        || connector.tasks.len() != configs.len()
        || connector
            .tasks
            .iter()
            .zip(configs)
            .any(|(task, config)| task.config != *config)
}
