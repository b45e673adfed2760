//! A cluster as kcctl sees it, over REST or gRPC, with the same answers from both.

mod backup;
mod error;
mod grpc;
mod members;
mod model;
mod patience;
mod rest;
mod workers;

use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, Value};
use towpath_types::{ConnectorConfig, TargetState};

pub(crate) use backup::Backup;
pub(crate) use error::ApiError;
pub(crate) use members::{Member, MemberChange};
pub(crate) use model::{
    ConfigInfos, ConnectorInfo, ConnectorStatus, Offsets, Plugin, ServerInfo, TaskConfig, TaskStatus,
    UnitStatus,
};
pub(crate) use workers::{Worker, WorkerUnit};

use crate::target::{Protocol, Target};
use patience::Patience;

/// A host that does not even accept the connection is given up before the request's time is over.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A change of a connector that needs no more than its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Pause,
    Resume,
    Stop,
    Delete,
}

/// A connector that is to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewConnector {
    pub(crate) name: String,
    pub(crate) config: ConnectorConfig,
    /// The server's default when absent.
    pub(crate) initial_state: Option<TargetState>,
}

/// What a restart takes along beside the connector instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RestartTasks {
    None,
    All,
    Failed,
}

/// The requests that kcctl makes. Each is repeated while the cluster rebalances, and ends within the time that a
/// request may take. They run on one thread, so their futures need not be `Send`.
#[async_trait(?Send)]
pub(crate) trait Cluster {
    async fn info(&self) -> Result<ServerInfo, ApiError>;
    async fn names(&self) -> Result<Vec<String>, ApiError>;
    /// Of all connectors that have a status.
    async fn statuses(&self) -> Result<Vec<ConnectorStatus>, ApiError>;
    async fn connector(&self, name: &str) -> Result<ConnectorInfo, ApiError>;
    async fn status(&self, name: &str) -> Result<ConnectorStatus, ApiError>;
    async fn task_configs(&self, name: &str) -> Result<Vec<TaskConfig>, ApiError>;
    async fn topics(&self, name: &str) -> Result<Vec<String>, ApiError>;
    async fn offsets(&self, name: &str) -> Result<Offsets, ApiError>;
    /// What the server says when it is done; so `reset_offsets`.
    async fn alter_offsets(&self, name: &str, offsets: &Offsets) -> Result<String, ApiError>;
    async fn reset_offsets(&self, name: &str) -> Result<String, ApiError>;
    async fn create(&self, connector: &NewConnector) -> Result<(), ApiError>;
    /// Says whether the connector is new.
    async fn put_config(&self, name: &str, config: &ConnectorConfig) -> Result<bool, ApiError>;
    /// A key without a value is removed.
    async fn patch_config(&self, name: &str, patch: &ConnectorConfig) -> Result<(), ApiError>;
    async fn change(&self, name: &str, change: Change) -> Result<(), ApiError>;
    /// The states afterwards, if tasks were asked for.
    async fn restart(&self, name: &str, tasks: RestartTasks) -> Result<Option<ConnectorStatus>, ApiError>;
    async fn restart_task(&self, name: &str, task: u32) -> Result<(), ApiError>;
    async fn plugins(&self) -> Result<Vec<Plugin>, ApiError>;
    /// The configuration keys of a plugin, as the server describes them.
    async fn plugin_keys(&self, name: &str) -> Result<Vec<Map<String, Value>>, ApiError>;
    async fn validate(&self, plugin: &str, config: &ConnectorConfig) -> Result<ConfigInfos, ApiError>;
    async fn workers(&self) -> Result<Vec<Worker>, ApiError>;
    /// With what runs there.
    async fn worker(&self, name: &str) -> Result<(Worker, Vec<WorkerUnit>), ApiError>;
    async fn set_draining(&self, name: &str, draining: bool) -> Result<(), ApiError>;
    async fn members(&self) -> Result<Vec<Member>, ApiError>;
    async fn change_members(&self, change: MemberChange) -> Result<(), ApiError>;
    /// The state of the cluster, to be read to its end.
    async fn backup(&self) -> Result<Backup, ApiError>;
}

/// A client of the target. REST connects with the first request, gRPC at once.
///
/// # Errors
/// When the target cannot be reached.
pub(crate) async fn connect(target: &Target, timeout: Duration) -> Result<Box<dyn Cluster>, ApiError> {
    let patience = Patience::new(target.shown.clone(), timeout);
    Ok(match target.protocol {
        Protocol::Rest => Box::new(rest::Rest::new(target, patience)?),
        Protocol::Grpc => Box::new(grpc::Grpc::connect(target, patience).await?),
    })
}
