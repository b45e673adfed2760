//! A node of the group: openraft over this node's disk and the peers' network, behind [`ClusterStore`].

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use openraft::error::{InitializeError, RaftError};
use openraft::{RaftMetrics, ServerState};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use towpath_state::{ClusterState, Command, Outcome};
use towpath_types::{NodeId, Revision};
use towpath_wire::v1::raft_peers_server::RaftPeersServer;

use crate::answer::{Answers, failure};
use crate::disk::{Disk, DiskError};
use crate::log_store::LogStore;
use crate::machine::{Applied, LoadError, Machine};
use crate::peers::{PeerService, Peers};
use crate::proposals::{self, COMMAND_BYTES, Proposal, WAITING};
use crate::types::{Member, Raft};
use crate::{ClusterStore, GroupMember, Leader, RaftConfig, Role, StoreError, StoreMetrics, members};

/// How long a data directory that is in use is waited for: a process that was just killed, or a store that was just
/// shut down, may still be closing it.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
const LOCK_RETRY: Duration = Duration::from_millis(50);

/// How often a node that begins alone looks whether it still is.
const LOOK: Duration = Duration::from_millis(100);

/// How long a shutdown waits until nobody uses the disk any more.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("could not open the log of the control plane")]
    Disk(#[from] DiskError),
    #[error("could not load the state of the control plane")]
    Load(#[source] LoadError),
    #[error("the timing of the group is not possible")]
    Config(#[from] Box<openraft::ConfigError>),
    #[error("could not start the node: {0}")]
    Start(String),
    #[error("could not form the group: node {node} must be one of its members")]
    NotAMember { node: NodeId },
}

pub struct RaftStore {
    node: NodeId,
    raft: Raft,
    applied: Arc<Applied>,
    proposals: mpsc::Sender<Proposal>,
    metrics: watch::Receiver<StoreMetrics>,
    answers: Answers,
    stop: CancellationToken,
    /// Cancelled when the disk is closed.
    closed: CancellationToken,
    /// Taken by whoever shuts down. A std mutex: never held across an await.
    tasks: Mutex<JoinSet<()>>,
}

impl std::fmt::Debug for RaftStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RaftStore")
            .field("metrics", &*self.metrics.borrow())
            .finish_non_exhaustive()
    }
}

impl RaftStore {
    /// Opens what is on disk and takes part. A node that was never part of a group waits for [`Self::form_group`], or
    /// for a leader that adds it.
    pub async fn open(config: RaftConfig) -> Result<Self, OpenError> {
        let settings = Arc::new(config.to_openraft()?);
        let disk = Arc::new(open_disk(&config.dir).await?);
        let closed = disk.closed();
        let loaded = tokio::task::spawn_blocking({
            let disk = disk.clone();
            move || Machine::load(&disk)
        });
        let loaded = loaded
            .await
            .map_err(|error| OpenError::Disk(DiskError::GivenUp(error)))?;
        let machine = loaded.map_err(OpenError::Load)?;
        let applied = machine.applied();
        let node = config.node;
        let raft = Raft::new(node.get(), settings, Peers, LogStore::new(disk), machine).await;
        let raft = raft.map_err(|fatal| OpenError::Start(fatal.to_string()))?;
        Ok(Self::start(&config, raft, applied, closed))
    }

    fn start(config: &RaftConfig, raft: Raft, applied: Arc<Applied>, closed: CancellationToken) -> Self {
        let node = config.node;
        let answers = Answers {
            node,
            patience: config.timing.quorum,
        };
        let stop = CancellationToken::new();
        let (proposals, queue) = mpsc::channel(WAITING);
        let (published, metrics) =
            watch::channel(summary(&raft.metrics().borrow(), config.timing.election_max));
        let mut tasks = JoinSet::new();
        tasks.spawn(proposals::run(raft.clone(), answers.clone(), queue, stop.clone()));
        tasks.spawn(publish(raft.metrics(), published, config.timing.election_max));
        Self {
            node,
            raft,
            applied,
            proposals,
            metrics,
            answers,
            stop,
            closed,
            tasks: Mutex::new(tasks),
        }
    }

    /// Forms a new group of these members. To be called on one of them, once; afterwards it does nothing.
    pub async fn form_group(&self, members: BTreeMap<NodeId, Member>) -> Result<(), OpenError> {
        let node = self.node;
        if !members.contains_key(&node) {
            return Err(OpenError::NotAMember { node });
        }
        if self.is_in_group().await? {
            return Ok(());
        }
        let members: BTreeMap<u64, Member> = members
            .into_iter()
            .map(|(id, member)| (id.get(), member))
            .collect();
        match self.raft.initialize(members).await {
            // Not allowed: a leader has reached this node since, so it belongs to a group.
            Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
            Err(RaftError::APIError(InitializeError::NotInMembers(_))) => Err(OpenError::NotAMember { node }),
            Err(RaftError::Fatal(fatal)) => Err(OpenError::Start(fatal.to_string())),
        }
    }

    /// Opens a node that begins as a group of its own, and waits until it leads: it has nobody to wait for, unless others
    /// have joined it before.
    pub async fn open_single(config: RaftConfig) -> Result<Self, OpenError> {
        let members = BTreeMap::from([(config.node, config.member.clone())]);
        let (patience, began) = (config.timing.quorum, Instant::now());
        let store = Self::open(config).await?;
        store.form_group(members).await?;
        let mut metrics = store.metrics();
        let is_settled = |metrics: &StoreMetrics| metrics.is_leader() || metrics.failure.is_some();
        // The group may have grown since; then the others say who leads.
        let is_alone = |store: &Self| store.members().iter().all(|member| member.node == store.node);
        while is_alone(&store) {
            let leads = tokio::time::timeout(LOOK, metrics.wait_for(is_settled)).await;
            if matches!(leads, Ok(Ok(_))) {
                break;
            }
            if began.elapsed() > patience {
                return Err(OpenError::Start("it did not become the leader".to_owned()));
            }
        }
        Ok(store)
    }

    /// Whether this node belongs to a group already, by what is on its disk.
    pub async fn is_in_group(&self) -> Result<bool, OpenError> {
        let initialized = self.raft.is_initialized().await;
        initialized.map_err(|fatal| OpenError::Start(fatal.to_string()))
    }

    /// To be served on the port for peers.
    pub fn peer_service(&self) -> RaftPeersServer<PeerService> {
        PeerService::new(self.node.get(), self.raft.clone())
    }

    fn enqueue(&self, proposal: Proposal) -> Result<(), StoreError> {
        if self.stop.is_cancelled() {
            return Err(self.answers.shut_down());
        }
        self.proposals.try_send(proposal).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => self.stopped(),
        })
    }

    /// Why nothing is answered any more.
    fn stopped(&self) -> StoreError {
        match &self.metrics.borrow().failure {
            Some(reason) => StoreError::Stopped {
                node: self.node,
                reason: reason.clone(),
            },
            None => self.answers.shut_down(),
        }
    }
}

#[async_trait]
impl ClusterStore for RaftStore {
    async fn propose(&self, command: Command) -> Result<Outcome, StoreError> {
        let bytes = size_of(&command);
        if bytes > COMMAND_BYTES {
            return Err(StoreError::TooLarge {
                bytes,
                limit: COMMAND_BYTES,
            });
        }
        let (reply, answer) = oneshot::channel();
        self.enqueue(Proposal {
            command,
            bytes,
            reply,
        })?;
        match tokio::time::timeout(self.answers.patience, answer).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(self.stopped()),
            Err(_) => Err(self.answers.no_quorum()),
        }
    }

    async fn ensure_linearizable(&self) -> Result<(), StoreError> {
        match tokio::time::timeout(self.answers.patience, self.raft.ensure_linearizable()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(self.answers.of_read(error)),
            Err(_) => Err(self.answers.no_quorum()),
        }
    }

    fn with_state(&self, look: &mut dyn FnMut(&ClusterState)) {
        self.applied.look(look);
    }

    fn subscribe(&self) -> watch::Receiver<Revision> {
        self.applied.subscribe()
    }

    fn metrics(&self) -> watch::Receiver<StoreMetrics> {
        self.metrics.clone()
    }

    fn members(&self) -> Vec<GroupMember> {
        members::list(&self.raft)
    }

    async fn add_member(&self, node: NodeId, member: Member) -> Result<(), StoreError> {
        members::add(&self.raft, &self.answers, node, member).await
    }

    async fn remove_member(&self, node: NodeId) -> Result<(), StoreError> {
        members::remove(&self.raft, &self.answers, node).await
    }

    async fn shutdown(&self) {
        self.stop.cancel();
        if let Err(error) = self.raft.shutdown().await {
            tracing::warn!(node = %self.node, %error, "the consensus task ended badly");
        }
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        while let Some(joined) = tasks.join_next().await {
            if let Err(error) = joined {
                tracing::error!(node = %self.node, %error, "a task of the store panicked");
            }
        }
        // Tasks of openraft that nobody can join let go of the disk last.
        if tokio::time::timeout(CLOSE_TIMEOUT, self.closed.cancelled())
            .await
            .is_err()
        {
            tracing::warn!(node = %self.node, "the log is still open after the shutdown");
        }
    }
}

async fn open_disk(dir: &Path) -> Result<Disk, DiskError> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        let dir = dir.to_owned();
        let opened = tokio::task::spawn_blocking(move || Disk::open(&dir)).await;
        match opened.map_err(DiskError::GivenUp)? {
            Err(error) if error.may_pass() && Instant::now() < deadline => {
                tokio::time::sleep(LOCK_RETRY).await;
            }
            opened => return opened,
        }
    }
}

/// Counts the bytes of the JSON form without making it.
fn size_of(command: &Command) -> usize {
    #[derive(Default)]
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count::default();
    serde_json::to_writer(&mut count, command).expect("every command has a JSON form");
    count.0
}

/// Runs as one task of a store until openraft ends, which `shutdown` makes it do.
async fn publish(
    mut source: watch::Receiver<RaftMetrics<u64, Member>>,
    published: watch::Sender<StoreMetrics>,
    deaf_after: Duration,
) {
    loop {
        let now = summary(&source.borrow_and_update(), deaf_after);
        if let Some(reason) = &now.failure {
            tracing::error!(node = %now.node, reason, "the node stops, because it cannot keep its log");
        }
        published.send_if_modified(|known| std::mem::replace(known, now.clone()) != now);
        if source.changed().await.is_err() {
            published.send_modify(|metrics| metrics.role = Role::Stopped);
            return;
        }
    }
}

/// A leader that hears from no majority any more calls itself one until somebody tells it better, and others may have
/// elected another meanwhile. It must not renew leases then: the new leader gives the same workers' units away.
fn summary(metrics: &RaftMetrics<u64, Member>, deaf_after: Duration) -> StoreMetrics {
    let failure = metrics.running_state.as_ref().err().and_then(failure);
    let silence = metrics.millis_since_quorum_ack.map(Duration::from_millis);
    let hears_majority = silence.is_some_and(|silence| silence <= deaf_after);
    let role = match metrics.state {
        _ if metrics.running_state.is_err() => Role::Stopped,
        ServerState::Leader if !hears_majority => Role::Candidate,
        ServerState::Leader => Role::Leader,
        ServerState::Follower => Role::Follower,
        ServerState::Candidate => Role::Candidate,
        ServerState::Learner => Role::Learner,
        ServerState::Shutdown => Role::Stopped,
    };
    let members = metrics.membership_config.membership();
    let is_itself = |leader: &u64| *leader == metrics.id;
    let leader = metrics
        .current_leader
        .filter(|leader| role != Role::Stopped && (role == Role::Leader || !is_itself(leader)));
    StoreMetrics {
        node: NodeId(metrics.id),
        role,
        leader: leader.and_then(|node| {
            let member = members.get_node(&node)?;
            Some(Leader {
                node: NodeId(node),
                api_address: member.api_address.clone(),
            })
        }),
        term: metrics.current_term,
        last_log_index: metrics.last_log_index,
        applied_index: metrics.last_applied.map(|log_id| log_id.index),
        snapshot_index: metrics.snapshot.map(|log_id| log_id.index),
        purged_index: metrics.purged.map(|log_id| log_id.index),
        failure,
    }
}
