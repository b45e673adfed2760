//! The nodes of the group talk to each other: openraft's messages over gRPC.

use std::sync::Arc;
use std::time::Duration;

use openraft::error::{
    Infallible, InstallSnapshotError, NetworkError, RPCError, RaftError, RemoteError, Unreachable,
};
use openraft::network::{Backoff, RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
    VoteRequest, VoteResponse,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use towpath_wire::v1::raft_peers_client::RaftPeersClient;
use towpath_wire::v1::raft_peers_server::{RaftPeers, RaftPeersServer};
use towpath_wire::v1::{PeerAnswer, PeerRequest};

use crate::election::{self, Canvass, Hearing, Support};
use crate::handover::{self, HandOver};
use crate::proposals::COMMAND_BYTES;
use crate::types::{Member, Raft, TypeConfig, Vote};

/// Of the JSON in the messages.
const FORMAT_VERSION: u32 = 1;

/// One batch of entries, and one entry that goes beyond it.
const MESSAGE_BYTES: usize = 2 * COMMAND_BYTES;

/// Local networks connect in milliseconds; a node that is gone must not hold up the others' heartbeats.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// How long a node that could not be reached is left alone.
const RETRY_UNREACHABLE: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) struct Peers;

impl RaftNetworkFactory<TypeConfig> for Peers {
    type Network = Peer;

    async fn new_client(&mut self, target: u64, node: &Member) -> Peer {
        Peer::new(target, node)
    }
}

/// The way to one node.
#[derive(Debug)]
pub(crate) struct Peer {
    target: u64,
    /// An error for an address that is none.
    channel: Result<Channel, tonic::transport::Error>,
}

pub(crate) type PeerError<E> = RPCError<u64, Member, E>;

impl Peer {
    pub(crate) fn new(target: u64, node: &Member) -> Self {
        // Connecting waits for the first message, so that an address without a server is found out there.
        let endpoint = Endpoint::from_shared(format!("http://{}", node.peer_address));
        let channel = endpoint.map(|endpoint| endpoint.connect_timeout(CONNECT_TIMEOUT).connect_lazy());
        Self { target, channel }
    }

    #[expect(clippy::result_large_err, reason = "the error that openraft asks for")]
    fn client<E: std::error::Error>(&self) -> Result<RaftPeersClient<Channel>, PeerError<E>> {
        match &self.channel {
            Ok(channel) => Ok(RaftPeersClient::new(channel.clone())
                .max_decoding_message_size(MESSAGE_BYTES)
                .max_encoding_message_size(MESSAGE_BYTES)),
            Err(error) => Err(Unreachable::new(error).into()),
        }
    }

    /// The answer says no more than that it has arrived.
    pub(crate) async fn hand_over(
        &self,
        message: &HandOver,
        timeout: Duration,
    ) -> Result<(), PeerError<Infallible>> {
        let request = self.request(message, timeout);
        let answer = self.client()?.hand_over(request).await;
        self.answer(answer)
    }

    pub(crate) fn target(&self) -> u64 {
        self.target
    }

    /// A node of a version that does not know the question votes as ever.
    pub(crate) async fn canvass(
        &self,
        message: &Canvass,
        timeout: Duration,
    ) -> Result<Support, PeerError<Infallible>> {
        let request = self.request(message, timeout);
        match self.client()?.canvass(request).await {
            Err(status) if status.code() == Code::Unimplemented => Ok(Support { granted: true }),
            answer => self.answer(answer),
        }
    }

    fn request(&self, body: &impl Serialize, timeout: Duration) -> Request<PeerRequest> {
        let message = PeerRequest {
            format_version: FORMAT_VERSION,
            target: self.target,
            body: encode(body),
            attachment: Vec::new(),
        };
        let mut request = Request::new(message);
        request.set_timeout(timeout);
        request
    }

    #[expect(clippy::result_large_err, reason = "the error that openraft asks for")]
    fn answer<T, E>(&self, answer: Result<Response<PeerAnswer>, Status>) -> Result<T, PeerError<E>>
    where
        T: DeserializeOwned,
        E: std::error::Error + DeserializeOwned,
    {
        let answer = answer.map_err(|status| unsent(&status))?.into_inner();
        check_format(answer.format_version).map_err(|status| unsent(&status))?;
        let answer: Result<T, E> =
            serde_json::from_slice(&answer.body).map_err(|error| NetworkError::new(&error))?;
        answer.map_err(|error| RemoteError::new(self.target, error).into())
    }
}

/// Unreachable means to wait before the next try, anything else to try again at once.
fn unsent<E: std::error::Error>(status: &Status) -> PeerError<E> {
    match status.code() {
        Code::Unavailable | Code::FailedPrecondition | Code::Unimplemented => Unreachable::new(status).into(),
        _ => NetworkError::new(status).into(),
    }
}

impl RaftNetwork<TypeConfig> for Peer {
    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<u64>, PeerError<RaftError<u64>>> {
        let request = self.request(&rpc, option.hard_ttl());
        let answer = self.client()?.append_entries(request).await;
        self.answer(answer)
    }

    async fn install_snapshot(
        &mut self,
        mut rpc: InstallSnapshotRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<InstallSnapshotResponse<u64>, PeerError<RaftError<u64, InstallSnapshotError>>> {
        // Bytes in JSON are lists of numbers, four times as long.
        let part = std::mem::take(&mut rpc.data);
        let mut request = self.request(&rpc, option.hard_ttl());
        request.get_mut().attachment = part;
        let answer = self.client()?.install_snapshot(request).await;
        self.answer(answer)
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<u64>,
        option: RPCOption,
    ) -> Result<VoteResponse<u64>, PeerError<RaftError<u64>>> {
        let request = self.request(&rpc, option.hard_ttl());
        let answer = self.client()?.vote(request).await;
        self.answer(answer)
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(RETRY_UNREACHABLE))
    }
}

/// Answers the other nodes. To be served on the port for peers, and on no other.
#[derive(Clone)]
pub struct PeerService {
    node: u64,
    raft: Raft,
    hearing: Arc<Hearing>,
}

impl std::fmt::Debug for PeerService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PeerService")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

impl PeerService {
    pub(crate) fn new(node: u64, raft: Raft, hearing: Arc<Hearing>) -> RaftPeersServer<Self> {
        RaftPeersServer::new(Self { node, raft, hearing })
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES)
    }

    /// A leader of an earlier term is none. Taken down before anything is written, which may take long.
    fn hear(&self, vote: &Vote) {
        if vote.leader_id().term >= self.raft.metrics().borrow().current_term {
            self.hearing.hear();
        }
    }

    /// The message, and what is attached to it.
    fn open<T: DeserializeOwned>(&self, request: Request<PeerRequest>) -> Result<(T, Vec<u8>), Status> {
        let request = request.into_inner();
        check_format(request.format_version)?;
        if request.target != self.node {
            let (asked, node) = (request.target, self.node);
            return Err(Status::failed_precondition(format!(
                "this is node {node}, not node {asked}"
            )));
        }
        let message = serde_json::from_slice(&request.body).map_err(|error| {
            Status::invalid_argument(format!("the message of another node could not be read: {error}"))
        })?;
        Ok((message, request.attachment))
    }
}

fn check_format(version: u32) -> Result<(), Status> {
    if version == FORMAT_VERSION {
        return Ok(());
    }
    Err(Status::failed_precondition(format!(
        "messages of format {version} are not understood here, only {FORMAT_VERSION}: the versions of the control plane's \
         nodes are too far apart, upgrade the older ones, one minor version at a time"
    )))
}

fn answered(answer: &impl Serialize) -> Response<PeerAnswer> {
    Response::new(PeerAnswer {
        format_version: FORMAT_VERSION,
        body: encode(answer),
    })
}

fn encode(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("every message of openraft has a JSON form")
}

#[tonic::async_trait]
impl RaftPeers for PeerService {
    async fn append_entries(&self, request: Request<PeerRequest>) -> Result<Response<PeerAnswer>, Status> {
        let (message, _): (AppendEntriesRequest<TypeConfig>, _) = self.open(request)?;
        self.hear(&message.vote);
        Ok(answered(&self.raft.append_entries(message).await))
    }

    async fn vote(&self, request: Request<PeerRequest>) -> Result<Response<PeerAnswer>, Status> {
        let (message, _) = self.open(request)?;
        Ok(answered(&self.raft.vote(message).await))
    }

    async fn install_snapshot(&self, request: Request<PeerRequest>) -> Result<Response<PeerAnswer>, Status> {
        let (mut message, part): (InstallSnapshotRequest<TypeConfig>, _) = self.open(request)?;
        message.data = part;
        self.hear(&message.vote);
        Ok(answered(&self.raft.install_snapshot(message).await))
    }

    async fn hand_over(&self, request: Request<PeerRequest>) -> Result<Response<PeerAnswer>, Status> {
        let (message, _) = self.open(request)?;
        handover::obey(&self.raft, self.node, &message)
            .await
            .map_err(|error| Status::unavailable(error.to_string()))?;
        Ok(answered(&Ok::<(), Infallible>(())))
    }

    async fn canvass(&self, request: Request<PeerRequest>) -> Result<Response<PeerAnswer>, Status> {
        let (message, _) = self.open(request)?;
        let support = election::support(&self.raft, &self.hearing, &message);
        Ok(answered(&Ok::<_, Infallible>(support)))
    }
}
