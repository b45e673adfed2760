//! Workers and their sessions: who is connected, since when somebody is silent, what each is told and what it reports.
//! Not for deciding who runs what: that is the planner's, driven by [`crate::reconcile`].

mod directory;
mod live;
mod messages;
mod questions;
mod registration;
mod scribe;
mod session;
mod teller;

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status, Streaming};
use towpath_raft::ClusterStore;
use towpath_wire::v1;
use towpath_wire::v1::worker_sessions_server::WorkerSessions;

pub(crate) use directory::{Directory, Lease};
pub(crate) use live::LiveSession;
pub(crate) use messages::{kafka_offsets_of, offset_change, offsets_of};
pub(crate) use questions::AskError;
pub(crate) use registration::OfferedPlugin;

/// Messages to a worker that it has not taken yet. An assignment is made when there is room, so it is never stale.
const MAX_OUTBOUND: usize = 32;
/// Where a worker finds the leader, when the node that it asked is not.
const LEADER_METADATA: &str = "towpath-leader";

/// The gRPC service that workers call.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    pub(crate) store: Arc<dyn ClusterStore>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) tracker: TaskTracker,
    pub(crate) stop: CancellationToken,
}

#[tonic::async_trait]
impl WorkerSessions for Sessions {
    type OpenStream = ReceiverStream<Result<v1::ControlMessage, Status>>;

    async fn open(
        &self,
        request: Request<Streaming<v1::WorkerMessage>>,
    ) -> Result<Response<Self::OpenStream>, Status> {
        if self.stop.is_cancelled() {
            return Err(Status::unavailable(
                "the control plane is stopping: register again",
            ));
        }
        self.check_leader()?;
        let (outbound, messages) = mpsc::channel(MAX_OUTBOUND);
        self.tracker
            .spawn(session::run(self.clone(), request.into_inner(), outbound));
        Ok(Response::new(ReceiverStream::new(messages)))
    }
}

impl Sessions {
    fn check_leader(&self) -> Result<(), Status> {
        let metrics = self.store.metrics();
        let metrics = metrics.borrow();
        if metrics.is_leader() && self.directory.is_leading() {
            return Ok(());
        }
        let mut status =
            Status::unavailable("this node of the control plane is not the leader: ask the leader");
        let leader = metrics.leader.as_ref();
        if let Some(leader) = leader.and_then(|leader| leader.api_address.parse().ok()) {
            status.metadata_mut().insert(LEADER_METADATA, leader);
        }
        Err(status)
    }
}
