//! The operations that users ask for, without a word about how they are asked: REST and gRPC are two faces of this.
//! One file a resource; each operation reads the state or proposes one command.

mod cluster;
mod connectors;
mod error;
mod lifecycle;
mod members;
mod offset_changes;
mod offsets;
mod plugins;
mod shown;
mod status;
mod validation;
mod views;
mod watch;
mod workers;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use towpath_raft::{ClusterStore, Reads as _, StoreError};
use towpath_state::{ClusterState, Command, Outcome, Refusal};

use crate::sessions::{AskError, Directory};

pub(crate) use cluster::Health;
pub(crate) use connectors::{Created, NewConnector};
pub(crate) use error::ApiError;
pub use error::Chain;
pub(crate) use lifecycle::RestartOptions;
pub(crate) use members::Backup;
pub(crate) use offset_changes::OffsetRequest;
pub(crate) use views::{ConnectorView, Expansion, ListedConnector, OffsetView, StatusView, TasksView};
pub(crate) use watch::{Event, Watcher};
pub(crate) use workers::{WorkerState, WorkerUnit, WorkerView};

/// How long an operation may take, a worker's part included. What Kafka Connect allows.
pub const REQUEST_DEADLINE: std::time::Duration = std::time::Duration::from_secs(90);

#[derive(Debug)]
pub(crate) struct App {
    store: Arc<dyn ClusterStore>,
    directory: Arc<Directory>,
    /// Whether this node has ever been able to answer: afterwards it is ill, not starting.
    was_ready: AtomicBool,
}

impl App {
    pub(crate) fn new(store: Arc<dyn ClusterStore>, directory: Arc<Directory>) -> Self {
        Self {
            store,
            directory,
            was_ready: AtomicBool::new(false),
        }
    }

    /// Looks at what is true now, whichever node leads.
    async fn read<R: Send>(&self, look: impl FnOnce(&ClusterState) -> R + Send) -> Result<R, ApiError> {
        Ok(self.store.read(look).await?)
    }

    async fn propose(&self, command: Command) -> Result<Outcome, ApiError> {
        Ok(self.store.propose(command).await?)
    }

    /// Only the leader has sessions with workers.
    fn leader_only(&self) -> Result<(), ApiError> {
        let metrics = self.store.metrics();
        let metrics = metrics.borrow();
        if metrics.is_leader() {
            return Ok(());
        }
        Err(ApiError::NotLeader {
            leader: metrics.leader.as_ref().map(|leader| leader.api_address.clone()),
        })
    }
}

/// A refusal that the operation did not expect.
fn unexpected(refusal: Refusal) -> ApiError {
    ApiError::Internal(Box::new(refusal))
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotLeader { leader, .. } => Self::NotLeader {
                leader: leader.map(|leader| leader.api_address),
            },
            StoreError::TooLarge { .. } => Self::TooLarge(error),
            StoreError::Alone { .. } | StoreError::Membership { .. } => Self::Members(error),
            StoreError::NoQuorum { .. }
            | StoreError::Overloaded
            | StoreError::NotDurable { .. }
            | StoreError::Stopped { .. } => Self::Unavailable(error),
        }
    }
}

impl From<AskError> for ApiError {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Gone | AskError::Busy => Self::WorkerGone,
            AskError::TimedOut => Self::TimedOut,
        }
    }
}
