//! What a node answers to the other nodes.

use std::sync::Arc;

use openraft::error::Infallible;
use openraft::raft::{AppendEntriesRequest, InstallSnapshotRequest, VoteRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tonic::{Request, Response, Status};
use towpath_wire::v1::raft_peers_server::{RaftPeers, RaftPeersServer};
use towpath_wire::v1::{PeerAnswer, PeerRequest};

use crate::election::{self, Canvass, Hearing};
use crate::handover;
use crate::peers::{FORMAT_VERSION, MESSAGE_BYTES, check_format, encode};
use crate::register::Register;
use crate::types::{LogId, Raft, TypeConfig, Vote};

/// Answers the other nodes. To be served on the port for peers, and on no other.
#[derive(Clone)]
pub struct PeerService {
    node: u64,
    raft: Raft,
    hearing: Arc<Hearing>,
    register: Arc<Register>,
}

impl std::fmt::Debug for PeerService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PeerService")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

impl PeerService {
    pub(crate) fn new(raft: Raft, hearing: Arc<Hearing>, register: Arc<Register>) -> RaftPeersServer<Self> {
        let service = Self {
            node: register.node(),
            raft,
            hearing,
            register,
        };
        RaftPeersServer::new(service)
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES)
    }

    /// A leader of an earlier term is none. Taken down before anything is written, which may take long.
    async fn hear(&self, vote: &Vote, request: &PeerRequest) -> Result<(), Status> {
        let term = vote.leader_id().term;
        if term >= self.raft.metrics().borrow().current_term {
            self.hearing.hear();
            let adopted = self.register.adopt(term, request).await;
            adopted.map_err(|stranger| stranger.status())?;
        }
        Ok(())
    }

    /// Nobody can tell a node that has never had a log from one that has lost it, and with it what the others rely on. So it
    /// helps nobody to lead, but to begin a group: of term 0 are the entries that no leader has written.
    fn check_experience(&self, candidate: Option<LogId>) -> Result<(), Status> {
        let is_empty = self.raft.data_metrics().borrow().last_log.is_none();
        if is_empty && candidate.is_some_and(|last| last.leader_id.term > 0) {
            return Err(Status::failed_precondition(format!(
                "node {} has no log, and elects nobody before it has got one from a leader",
                self.node
            )));
        }
        Ok(())
    }

    fn open<T: DeserializeOwned>(&self, request: &PeerRequest) -> Result<T, Status> {
        check_format(request.format_version)?;
        if request.target != self.node {
            let (asked, node) = (request.target, self.node);
            return Err(Status::failed_precondition(format!(
                "this is node {node}, not node {asked}"
            )));
        }
        self.register
            .admit(request)
            .map_err(|stranger| stranger.status())?;
        serde_json::from_slice(&request.body).map_err(|error| {
            Status::invalid_argument(format!("the message of another node could not be read: {error}"))
        })
    }

    fn answered(&self, answer: &impl Serialize) -> Response<PeerAnswer> {
        Response::new(PeerAnswer {
            format_version: FORMAT_VERSION,
            body: encode(answer),
            disk: self.register.own().to_owned(),
        })
    }
}

#[tonic::async_trait]
impl RaftPeers for PeerService {
    async fn append_entries(&self, request: Request<PeerRequest>) -> Result<Response<PeerAnswer>, Status> {
        let request = request.into_inner();
        let message: AppendEntriesRequest<TypeConfig> = self.open(&request)?;
        self.hear(&message.vote, &request).await?;
        Ok(self.answered(&self.raft.append_entries(message).await))
    }

    async fn vote(&self, request: Request<PeerRequest>) -> Result<Response<PeerAnswer>, Status> {
        let message: VoteRequest<u64> = self.open(request.get_ref())?;
        self.check_experience(message.last_log_id)?;
        Ok(self.answered(&self.raft.vote(message).await))
    }

    async fn install_snapshot(&self, request: Request<PeerRequest>) -> Result<Response<PeerAnswer>, Status> {
        let mut request = request.into_inner();
        let mut message: InstallSnapshotRequest<TypeConfig> = self.open(&request)?;
        message.data = std::mem::take(&mut request.attachment);
        self.hear(&message.vote, &request).await?;
        Ok(self.answered(&self.raft.install_snapshot(message).await))
    }

    async fn hand_over(&self, request: Request<PeerRequest>) -> Result<Response<PeerAnswer>, Status> {
        let message = self.open(request.get_ref())?;
        handover::obey(&self.raft, self.node, &message)
            .await
            .map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(self.answered(&Ok::<(), Infallible>(())))
    }

    async fn canvass(&self, request: Request<PeerRequest>) -> Result<Response<PeerAnswer>, Status> {
        let message: Canvass = self.open(request.get_ref())?;
        self.check_experience(message.last_log_id)?;
        let support = election::support(&self.raft, &self.hearing, &message);
        Ok(self.answered(&Ok::<_, Infallible>(support)))
    }
}
