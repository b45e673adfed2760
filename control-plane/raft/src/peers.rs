//! How a node asks the other nodes of the group: openraft's messages over gRPC.

use std::collections::HashMap;
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
use towpath_wire::v1::{PeerAnswer, PeerRequest};

use crate::election::{Canvass, Support};
use crate::handover::HandOver;
use crate::proposals::COMMAND_BYTES;
use crate::register::{Known, Register};
use crate::types::{Member, TypeConfig};

/// Of the JSON in the messages.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// One batch of entries, and one entry that goes beyond it.
pub(crate) const MESSAGE_BYTES: usize = 2 * COMMAND_BYTES;

/// Local networks connect in milliseconds; a node that is gone must not hold up the others' heartbeats.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// How long a node that could not be reached is left alone.
const RETRY_UNREACHABLE: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) struct Peers(pub(crate) Arc<Register>);

impl RaftNetworkFactory<TypeConfig> for Peers {
    type Network = Peer;

    async fn new_client(&mut self, target: u64, node: &Member) -> Peer {
        Peer::new(target, node, self.0.clone())
    }
}

/// The way to one node.
#[derive(Debug)]
pub(crate) struct Peer {
    target: u64,
    register: Arc<Register>,
    /// An error for an address that is none.
    channel: Result<Channel, tonic::transport::Error>,
}

pub(crate) type PeerError<E> = RPCError<u64, Member, E>;

impl Peer {
    pub(crate) fn new(target: u64, node: &Member, register: Arc<Register>) -> Self {
        // Connecting waits for the first message, so that an address without a server is found out there.
        let endpoint = Endpoint::from_shared(format!("http://{}", node.peer_address));
        let channel = endpoint.map(|endpoint| endpoint.connect_timeout(CONNECT_TIMEOUT).connect_lazy());
        Self {
            target,
            register,
            channel,
        }
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
        self.answer(answer).await
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
            answer => self.answer(answer).await,
        }
    }

    /// What there is against a node that answers: that this one or that one has lost its disk. One that does not answer has
    /// nothing against anybody.
    pub(crate) async fn objection(&self, timeout: Duration) -> Option<String> {
        let refused = self.greet(timeout).await.err()?;
        (refused.code() == Code::AlreadyExists).then(|| refused.message().to_owned())
    }

    /// Whether the node would take this one's messages now.
    pub(crate) async fn is_there(&self, timeout: Duration) -> bool {
        self.greet(timeout).await.is_ok()
    }

    /// A question that any node answers, and that changes nothing.
    async fn greet(&self, timeout: Duration) -> Result<(), Status> {
        let question = Canvass {
            candidate: self.register.node(),
            last_log_id: None,
        };
        let client = self.client::<Infallible>();
        let mut client = client.map_err(|error| Status::unavailable(error.to_string()))?;
        match client.canvass(self.request(&question, timeout)).await {
            // Of an older version, which is there as well.
            Err(status) if status.code() == Code::Unimplemented => Ok(()),
            answer => answer.map(drop),
        }
    }

    fn request(&self, body: &impl Serialize, timeout: Duration) -> Request<PeerRequest> {
        self.request_of(&self.register.known(), body, timeout)
    }

    fn request_of(&self, known: &Known, body: &impl Serialize, timeout: Duration) -> Request<PeerRequest> {
        let message = PeerRequest {
            format_version: FORMAT_VERSION,
            target: self.target,
            body: encode(body),
            attachment: Vec::new(),
            sender: self.register.node(),
            disk: self.register.own().to_owned(),
            target_disk: known.disks.get(&self.target).cloned().unwrap_or_default(),
            group: known.group.clone().unwrap_or_default(),
            disks: HashMap::new(),
            revision: known.revision,
        };
        let mut request = Request::new(message);
        request.set_timeout(timeout);
        request
    }

    /// A message that only a leader sends.
    fn order(&self, body: &impl Serialize, timeout: Duration) -> Request<PeerRequest> {
        let known = self.register.known();
        let mut request = self.request_of(&known, body, timeout);
        let disks = &mut request.get_mut().disks;
        disks.extend(known.disks);
        disks.insert(self.register.node(), self.register.own().to_owned());
        request
    }

    async fn answer<T, E>(&self, answer: Result<Response<PeerAnswer>, Status>) -> Result<T, PeerError<E>>
    where
        T: DeserializeOwned,
        E: std::error::Error + DeserializeOwned,
    {
        let answer = answer.map_err(|status| self.refused(&status))?.into_inner();
        check_format(answer.format_version).map_err(|status| unsent(&status))?;
        let recognized = self.register.recognize(self.target, &answer.disk).await;
        recognized.map_err(|stranger| Unreachable::new(&stranger))?;
        let answer: Result<T, E> =
            serde_json::from_slice(&answer.body).map_err(|error| NetworkError::new(&error))?;
        answer.map_err(|error| RemoteError::new(self.target, error).into())
    }

    fn refused<E: std::error::Error>(&self, status: &Status) -> PeerError<E> {
        if status.code() == Code::AlreadyExists {
            self.register.say_refused(self.target, status);
        }
        unsent(status)
    }
}

/// Unreachable means to wait before the next try, anything else to try again at once.
fn unsent<E: std::error::Error>(status: &Status) -> PeerError<E> {
    match status.code() {
        Code::Unavailable | Code::FailedPrecondition | Code::Unimplemented | Code::AlreadyExists => {
            Unreachable::new(status).into()
        }
        _ => NetworkError::new(status).into(),
    }
}

impl RaftNetwork<TypeConfig> for Peer {
    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<AppendEntriesResponse<u64>, PeerError<RaftError<u64>>> {
        let request = self.order(&rpc, option.hard_ttl());
        let answer = self.client()?.append_entries(request).await;
        self.answer(answer).await
    }

    async fn install_snapshot(
        &mut self,
        mut rpc: InstallSnapshotRequest<TypeConfig>,
        option: RPCOption,
    ) -> Result<InstallSnapshotResponse<u64>, PeerError<RaftError<u64, InstallSnapshotError>>> {
        // Bytes in JSON are lists of numbers, four times as long.
        let part = std::mem::take(&mut rpc.data);
        let mut request = self.order(&rpc, option.hard_ttl());
        request.get_mut().attachment = part;
        let answer = self.client()?.install_snapshot(request).await;
        self.answer(answer).await
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<u64>,
        option: RPCOption,
    ) -> Result<VoteResponse<u64>, PeerError<RaftError<u64>>> {
        let request = self.request(&rpc, option.hard_ttl());
        let answer = self.client()?.vote(request).await;
        self.answer(answer).await
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(RETRY_UNREACHABLE))
    }
}

pub(crate) fn check_format(version: u32) -> Result<(), Status> {
    if version == FORMAT_VERSION {
        return Ok(());
    }
    Err(Status::failed_precondition(format!(
        "messages of format {version} are not understood here, only {FORMAT_VERSION}: the versions of the control plane's \
         nodes are too far apart, upgrade the older ones, one minor version at a time"
    )))
}

pub(crate) fn encode(message: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("every message of openraft has a JSON form")
}
