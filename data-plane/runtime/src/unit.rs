//! Units: connector instances and tasks as the worker runs them, each supervised, none touching another.

mod connector;
mod fenced;
mod sink_task;
mod source_task;
mod supervise;
mod task_start;

use std::sync::Arc;
use std::time::Duration;

use towpath_connect::{ConfigMap, Topic};
use towpath_types::{Epoch, Revision, TargetState, UnitId, UnitState};

pub use supervise::{UnitHandle, Units};
pub(crate) use task_start::TaskStart;

use crate::clients::KafkaClients;
use crate::offsets::OffsetStore;
pub use crate::offsets::fences::Fences;
use crate::pipeline::Plugins;
use crate::worker_config::{ExactlyOnceSource, OffsetsInKafka};

/// What a unit is now. Sent on change only.
#[derive(Clone, Debug)]
pub struct UnitReport {
    pub unit: UnitId,
    pub epoch: Epoch,
    pub state: UnitState,
    /// Why it is FAILED, or what it waits for while it is RESTARTING.
    pub trace: Option<String>,
    /// Version of the plugin's class, once it is known.
    pub version: Option<String>,
    /// The unit no longer runs here.
    pub ended: bool,
}

/// What a connector instance answered when it was asked for its tasks.
#[derive(Clone, Debug)]
pub struct TaskConfigsReport {
    pub connector: UnitId,
    pub epoch: Epoch,
    /// The configuration that the instance was started with.
    pub revision: Revision,
    pub configs: Vec<ConfigMap>,
}

/// Takes what units have to say. The implementation queues: calls return at once.
pub trait Reports: Send + Sync {
    /// A unit's state changed.
    fn unit(&self, report: UnitReport);
    /// The tasks of a connector.
    fn task_configs(&self, report: TaskConfigsReport);
    /// A task used topics that it had not used before.
    fn topics(&self, task: &UnitId, topics: Vec<Topic>);
}

/// Replaces `${provider:path:key}` in values; on the worker only (invariant 8).
pub type Resolve = dyn Fn(&ConfigMap) -> towpath_connect::Result<ConfigMap> + Send + Sync;

/// Times and limits of the loops, from the worker's configuration.
#[derive(Clone, Copy, Debug)]
pub struct RuntimeSettings {
    /// `offset.flush.interval.ms`.
    pub offset_flush_interval: Duration,
    /// `offset.flush.timeout.ms`.
    pub offset_flush_timeout: Duration,
    /// `task.shutdown.graceful.timeout.ms`.
    pub graceful_timeout: Duration,
    /// `topic.tracking.enable`.
    pub topic_tracking: bool,
}

impl Default for RuntimeSettings {
    fn default() -> Self {
        Self {
            offset_flush_interval: Duration::from_secs(60),
            offset_flush_timeout: Duration::from_secs(5),
            graceful_timeout: Duration::from_secs(5),
            topic_tracking: true,
        }
    }
}

/// What every unit of a worker shares.
#[derive(Clone)]
pub struct Environment {
    pub plugins: Plugins,
    pub clients: Arc<dyn KafkaClients>,
    pub offsets: Arc<dyn OffsetStore>,
    pub reports: Arc<dyn Reports>,
    pub resolve: Arc<Resolve>,
    pub settings: RuntimeSettings,
    /// `None` outside of a cluster: no offsets are kept in Kafka.
    pub offsets_in_kafka: Option<Arc<OffsetsInKafka>>,
    pub fences: Arc<Fences>,
}

impl Environment {
    /// Set if source tasks write in transactions (`exactly.once.source.support=enabled`).
    pub fn exactly_once(&self) -> Option<&OffsetsInKafka> {
        self.offsets_in_kafka
            .as_deref()
            .filter(|offsets| offsets.support == ExactlyOnceSource::Enabled)
    }
}

impl std::fmt::Debug for Environment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Environment")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// One unit to run.
#[derive(Clone, Debug)]
pub struct UnitSpec {
    pub unit: UnitId,
    pub epoch: Epoch,
    pub target: TargetState,
    /// As submitted, secrets not resolved.
    pub connector_config: ConfigMap,
    pub revision: Revision,
    /// Of a task, as the connector instance gave it, secrets not resolved.
    pub task_config: Option<ConfigMap>,
    /// Set while no task of the connector's present set is known to have run.
    pub fence: Option<FenceOrder>,
}

/// Before an exactly-once task runs, the producers that an earlier set of tasks may have left behind are to be fenced:
/// source partitions may have gone from any of those tasks to any of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FenceOrder {
    /// Names the present set of tasks.
    pub task_set: Epoch,
    /// Tasks with numbers below this one may have run.
    pub below: u32,
}

/// A client's error as one of the plugin boundary, so that one table decides what it leads to.
pub(crate) fn client_error(error: crate::clients::ClientError) -> towpath_connect::ConnectorError {
    use crate::clients::ClientError;
    use towpath_connect::ConnectorError;
    match error {
        ClientError::Retriable(what) => ConnectorError::retriable(what),
        ClientError::Config(what) => ConnectorError::config(what),
        ClientError::Fatal(what)
        | ClientError::Fenced(what)
        | ClientError::TransactionExpired(what)
        | ClientError::GroupInUse(what) => ConnectorError::external(what),
    }
}
