//! What a worker is started with, from the properties file that people have for Kafka Connect.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use towpath_connect::{ConfigMap, ConnectorError};
use towpath_runtime::properties::{self, PropertiesError};
use towpath_runtime::unit::{Resolve, RuntimeSettings};
use towpath_runtime::validation::WorkerDefaults;
use towpath_runtime::worker_config::{
    LeaseLost, Listener, Membership, OffsetsInKafka, WorkerConfig, WorkerConfigError, WorkerKind,
};
use towpath_types::Labels;

use crate::providers;
use crate::registry;

/// Name of a machine that does not say its own.
const UNNAMED_HOST: &str = "localhost";

/// Why a worker's configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    #[error("the worker's properties file {} cannot be read", file.display())]
    Read {
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the worker's properties file {} is malformed", file.display())]
    Properties {
        file: PathBuf,
        #[source]
        source: PropertiesError,
    },
    #[error("a reference to a secret in the worker's configuration cannot be resolved")]
    Providers(#[source] ConnectorError),
    #[error(transparent)]
    Keys(#[from] WorkerConfigError),
}

/// A worker's settings. Values may be secrets: `Debug` leaves them out.
#[derive(Clone)]
pub struct WorkerSettings {
    /// host:port that statuses show; no other worker of the cluster may have it.
    pub worker_id: String,
    pub group_id: String,
    pub labels: Labels,
    /// Addresses of control-plane nodes, tried in turn.
    pub control_plane_endpoints: Vec<String>,
    /// Where `/health` is served; `None` for nowhere.
    pub admin_listener: Option<SocketAddr>,
    pub lease_lost_policy: LeaseLost,
    /// Of a worker of a cluster.
    pub offsets_in_kafka: Option<Arc<OffsetsInKafka>>,
    /// Where `towpath standalone` serves the REST API.
    pub listeners: Vec<Listener>,
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

impl WorkerSettings {
    /// Reads a properties file. Keys without effect are named in warnings.
    ///
    /// # Errors
    /// When the file cannot be read, or with every key that is wrong.
    pub fn from_file(file: &Path, kind: WorkerKind) -> Result<Self, SettingsError> {
        let bytes = std::fs::read(file).map_err(|source| SettingsError::Read {
            file: file.to_owned(),
            source,
        })?;
        let properties = properties::parse_bytes(&bytes).map_err(|source| SettingsError::Properties {
            file: file.to_owned(),
            source,
        })?;
        Self::new(properties, kind)
    }

    /// Settings from the content of a properties file.
    ///
    /// # Errors
    /// With every key that is wrong.
    pub fn new(file: ConfigMap, kind: WorkerKind) -> Result<Self, SettingsError> {
        let resolve = providers::resolver(&file).map_err(SettingsError::Providers)?;
        let file = resolve(&file).map_err(SettingsError::Providers)?;
        let config = WorkerConfig::parse(file, kind, &registry::plugins())?;
        config.warn_of_ignored_keys();
        let local_host = host_name();
        let worker_id = config.advertised_url(&local_host, None).worker_id(&local_host);
        let mut settings = Self {
            worker_id,
            group_id: String::new(),
            labels: config.labels.clone(),
            control_plane_endpoints: Vec::new(),
            admin_listener: None,
            lease_lost_policy: LeaseLost::Stop,
            offsets_in_kafka: None,
            listeners: config.listeners.clone(),
            runtime: config.runtime,
            config: Arc::new(config.file().clone()),
            defaults: Arc::new(config.defaults.clone()),
            resolve,
        };
        if let Membership::Cluster(cluster) = &config.membership {
            settings.group_id.clone_from(&cluster.group_id);
            settings
                .control_plane_endpoints
                .clone_from(&cluster.control_plane_endpoints);
            settings.admin_listener = cluster.admin_listener;
            settings.lease_lost_policy = cluster.lease_lost;
            settings.offsets_in_kafka = Some(Arc::new(cluster.offsets_in_kafka()));
            if let Some(id) = &cluster.worker_id {
                settings.worker_id.clone_from(id);
            }
        }
        Ok(settings)
    }
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() {
        UNNAMED_HOST.to_owned()
    } else {
        name.to_owned()
    }
}
