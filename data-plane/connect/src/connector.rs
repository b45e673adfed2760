//! What a connector instance (source or sink) is given to talk back to the runtime.

use std::sync::Arc;

use crate::error::ConnectorError;

/// Takes what a connector instance says while it runs. Implemented by the runtime.
pub trait ConnectorEvents: Send + Sync {
    /// The set of tasks may have changed: `task_configs` is to be asked again soon. Calls are merged.
    fn request_task_reconfiguration(&self);
    /// The connector instance cannot go on: it becomes FAILED.
    fn raise_error(&self, error: ConnectorError);
}

/// Handed to a connector instance at start. Cheap to clone.
#[derive(Clone)]
pub struct ConnectorContext {
    name: Arc<str>,
    events: Arc<dyn ConnectorEvents>,
}

impl std::fmt::Debug for ConnectorContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConnectorContext")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl ConnectorContext {
    /// A context of the connector with this name.
    pub fn new(name: impl Into<Arc<str>>, events: Arc<dyn ConnectorEvents>) -> Self {
        Self {
            name: name.into(),
            events,
        }
    }

    /// The connector's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Asks the runtime to call `task_configs` again.
    pub fn request_task_reconfiguration(&self) {
        self.events.request_task_reconfiguration();
    }

    /// Makes the connector FAILED with this error.
    pub fn raise_error(&self, error: ConnectorError) {
        self.events.raise_error(error);
    }
}
