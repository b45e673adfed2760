//! What a worker is started with, read from the properties file that people have for Kafka Connect.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use towpath_connect::ConfigMap;
use towpath_runtime::unit::{Resolve, RuntimeSettings};
use towpath_runtime::validation::WorkerDefaults;

use crate::reconcile::LeaseLostPolicy;

/// Why a worker's configuration cannot be used; each names the key.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("placeholder")]
    Placeholder,
}

/// A worker's settings. Values may be secrets: `Debug` leaves them out.
#[derive(Clone)]
pub struct WorkerSettings {
    /// host:port that statuses show.
    pub worker_id: String,
    pub group_id: String,
    pub labels: HashMap<String, String>,
    /// Addresses of control-plane nodes, tried in turn.
    pub control_plane_endpoints: Vec<String>,
    /// Where `/health` is served; `None` for nowhere.
    pub admin_listener: Option<SocketAddr>,
    pub lease_lost_policy: LeaseLostPolicy,
    pub runtime: RuntimeSettings,
    /// The whole file, secrets resolved.
    pub config: Arc<ConfigMap>,
    pub defaults: Arc<WorkerDefaults>,
    /// Resolves references to secrets in connector configurations.
    pub resolve: Arc<Resolve>,
}

impl std::fmt::Debug for WorkerSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("WorkerSettings");
        out.field("worker_id", &self.worker_id)
            .field("runtime", &self.runtime)
            .finish_non_exhaustive()
    }
}
