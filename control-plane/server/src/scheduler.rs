//! The part of a node that decides who runs what: the sessions of the workers, their leases, and the reconcile loop, over
//! any store and without a port. The process puts its faces around it; the simulation drives it alone, by a clock and
//! a network of its own. Not for what users ask: that is the application layer.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use towpath_raft::ClusterStore;
use towpath_wire::v1::worker_sessions_server::{WorkerSessions, WorkerSessionsServer};

use crate::config::{ConfigError, checked_lease};
use crate::grpc::MAX_MESSAGE_BYTES;
use crate::reconcile::Reconciler;
use crate::sessions::{Directory, Sessions};

#[derive(Debug)]
pub struct Scheduler {
    sessions: Sessions,
    reconciler: Reconciler,
}

impl Scheduler {
    /// Sessions end and the loop stops when `stop` is cancelled.
    ///
    /// # Errors
    /// When the lease is too short to be kept.
    pub fn new(
        store: Arc<dyn ClusterStore>,
        lease: Duration,
        stop: CancellationToken,
    ) -> Result<Self, ConfigError> {
        let directory = Arc::new(Directory::new(checked_lease(lease)?));
        Ok(Self {
            reconciler: Reconciler::new(Arc::clone(&store), Arc::clone(&directory)),
            sessions: Sessions {
                store,
                directory,
                tracker: TaskTracker::new(),
                stop,
            },
        })
    }

    /// What workers call.
    pub fn service(&self) -> WorkerSessionsServer<impl WorkerSessions + use<>> {
        WorkerSessionsServer::new(self.sessions.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES)
    }

    /// The tasks of the sessions, and of whatever else streams to somebody.
    pub(crate) fn streams(&self) -> TaskTracker {
        self.sessions.tracker.clone()
    }

    pub(crate) fn directory(&self) -> Arc<Directory> {
        Arc::clone(&self.sessions.directory)
    }

    /// The reconcile loop, until it is told to stop.
    pub async fn run(self) {
        self.reconciler.run(self.sessions.stop).await;
    }
}
