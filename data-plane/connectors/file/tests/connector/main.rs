//! The two connectors through the plugin traits, on real files.

#[cfg(test)]
mod sink;
#[cfg(test)]
mod source;

use std::sync::Arc;

use towpath_connect::connector::ConnectorEvents;
use towpath_connect::{ConnectorContext, ConnectorError};

struct NoEvents;

impl ConnectorEvents for NoEvents {
    fn request_task_reconfiguration(&self) {}
    fn raise_error(&self, _error: ConnectorError) {}
}

fn context() -> ConnectorContext {
    ConnectorContext::new("file", Arc::new(NoEvents))
}
