//! What a source task and a sink task begin with.

use std::sync::Arc;

use towpath_connect::{ConfigMap, ConnectorError, Result};
use towpath_types::TaskNumber;

use super::supervise::UnitContext;
use crate::clients::ClientOwner;

/// A task's configurations, with what providers give in them: they stay in memory and are not logged.
pub(super) struct TaskStart {
    pub(super) connector: Arc<str>,
    pub(super) number: u32,
    pub(super) config: ConfigMap,
    pub(super) task_config: ConfigMap,
}

impl TaskStart {
    /// # Errors
    /// When a provider has no value for a reference.
    pub(super) fn of(context: &UnitContext) -> Result<Self> {
        let spec = &context.spec;
        let resolve = &context.environment.resolve;
        let task_config = spec
            .task_config
            .as_ref()
            .ok_or_else(|| ConnectorError::bug("a task was assigned without its configuration"))?;
        Ok(Self {
            connector: spec.unit.connector_name().as_str().into(),
            number: spec.unit.task_number().map_or(0, TaskNumber::get),
            config: resolve(&spec.connector_config)?,
            task_config: resolve(task_config)?,
        })
    }

    /// The task as the owner of a client whose overrides begin with this prefix.
    pub(super) fn owner(&self, prefix: &str) -> ClientOwner {
        ClientOwner {
            connector: Arc::clone(&self.connector),
            task: self.number,
            overrides: self.config.with_prefix(prefix),
        }
    }
}
