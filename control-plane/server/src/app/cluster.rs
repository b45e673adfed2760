//! The cluster: who it is, how it is.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{App, Chain};

/// The version of Kafka Connect whose contract is kept: clients look at its numbers.
pub(crate) const CONTRACT_VERSION: &str = "4.3.1";
/// The build, in the shape that clients know: 16 hexadecimal digits.
const COMMIT: &str = match option_env!("TOWPATH_COMMIT") {
    Some(commit) => commit,
    None => "0000000000000000",
};
/// What Kafka Connect allows for `GET /health`.
const HEALTH_DEADLINE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Info {
    pub(crate) version: &'static str,
    pub(crate) commit: &'static str,
    /// Unknown until a worker has registered.
    pub(crate) kafka_cluster_id: Option<Arc<str>>,
    pub(crate) towpath_version: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Healthy,
    Starting,
    Unhealthy,
}

impl App {
    pub(crate) fn info(&self) -> Info {
        Info {
            version: CONTRACT_VERSION,
            commit: COMMIT,
            kafka_cluster_id: self.directory.kafka_cluster_id(),
            towpath_version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// Whether this node can answer what is true now.
    pub(crate) async fn health(&self) -> Health {
        match tokio::time::timeout(HEALTH_DEADLINE, self.read(|_| ())).await {
            Ok(Ok(_)) => {
                self.was_ready.store(true, Ordering::Relaxed);
                Health::Healthy
            }
            Ok(Err(error)) => {
                tracing::debug!(error = %Chain(&error), "health: the state cannot be read");
                self.ill()
            }
            Err(_) => self.ill(),
        }
    }

    fn ill(&self) -> Health {
        if self.was_ready.load(Ordering::Relaxed) {
            Health::Unhealthy
        } else {
            Health::Starting
        }
    }
}
