//! A node of the group: openraft over this node's disk and the peers' network, behind [`ClusterStore`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use openraft::error::{CheckIsLeaderError, InitializeError, RaftError};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use towpath_state::{ClusterState, Command, Outcome};
use towpath_types::{NodeId, Revision};
use towpath_wire::v1::raft_peers_server::RaftPeersServer;

use crate::answer::Answers;
use crate::disk::DiskError;
use crate::election::{self, Hearing};
use crate::lead::Lead;
use crate::log_store::LogStore;
use crate::machine::{Applied, Machine};
use crate::opening::{OpenError, open_disk};
use crate::peers::{Peer, Peers};
use crate::proposals::{self, COMMAND_BYTES, Proposal, WAITING};
use crate::register::Register;
use crate::service::PeerService;
use crate::summary::{publish, summary};
use crate::types::{Member, Raft};
use crate::{ClusterStore, GroupMember, RaftConfig, StoreError, StoreMetrics, Timing, handover, members};

/// How often a node that begins alone looks whether it still is.
const LOOK: Duration = Duration::from_millis(100);

/// How long a shutdown waits until nobody uses the disk any more.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

pub struct RaftStore {
    node: NodeId,
    raft: Raft,
    applied: Arc<Applied>,
    proposals: mpsc::Sender<Proposal>,
    /// Counts those who propose; closed when nobody may any more.
    proposing: TaskTracker,
    hearing: Arc<Hearing>,
    register: Arc<Register>,
    timing: Timing,
    metrics: watch::Receiver<StoreMetrics>,
    lead: Arc<Lead>,
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
            let node = config.node.get();
            move || Ok((Machine::load(&disk)?, Register::load(node, &disk)?))
        });
        let loaded = loaded
            .await
            .map_err(|broken_off| OpenError::Disk(DiskError::of_work(&config.dir, broken_off)))?;
        let (machine, register) = loaded.map_err(OpenError::Load)?;
        let register = Arc::new(register);
        let applied = machine.applied();
        let node = config.node;
        let peers = Peers(register.clone());
        let raft = Raft::new(node.get(), settings, peers, LogStore::new(disk), machine).await;
        let raft = raft.map_err(|fatal| OpenError::Start(fatal.to_string()))?;
        Ok(Self::start(&config, raft, register, applied, closed))
    }

    fn start(
        config: &RaftConfig,
        raft: Raft,
        register: Arc<Register>,
        applied: Arc<Applied>,
        closed: CancellationToken,
    ) -> Self {
        let node = config.node;
        let answers = Answers {
            node,
            patience: config.timing.quorum,
        };
        let stop = CancellationToken::new();
        let (proposals, queue) = mpsc::channel(WAITING);
        let (published, metrics) = watch::channel(summary(&raft.metrics().borrow(), config.timing.silence));
        let hearing = Arc::new(Hearing::new(&config.timing));
        let mut tasks = JoinSet::new();
        tasks.spawn(proposals::run(raft.clone(), answers.clone(), queue, stop.clone()));
        let lead = Arc::new(Lead::new(config.timing.silence));
        let told = (config.timing.silence, lead.clone());
        tasks.spawn(publish(raft.metrics(), published, told));
        tasks.spawn(election::run(
            raft.clone(),
            hearing.clone(),
            register.clone(),
            stop.clone(),
        ));
        Self {
            node,
            raft,
            applied,
            proposals,
            proposing: TaskTracker::new(),
            hearing,
            register,
            timing: config.timing.clone(),
            metrics,
            lead,
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
        self.introduce(&members).await?;
        if !self.register.begin().await? {
            // A leader has reached this node since, so it belongs to a group.
            return Ok(());
        }
        match self.raft.initialize(numbered(&members)).await {
            // Not allowed: a leader has reached this node since.
            Ok(()) | Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
            Err(RaftError::APIError(InitializeError::NotInMembers(_))) => Err(OpenError::NotAMember { node }),
            Err(RaftError::Fatal(fatal)) => Err(OpenError::Start(fatal.to_string())),
        }
    }

    /// Asks the members whether they know this node with another disk. To be called at its first start, when it looks like
    /// one that has lost it; afterwards it does nothing.
    pub async fn introduce(&self, members: &BTreeMap<NodeId, Member>) -> Result<(), OpenError> {
        if self.is_in_group().await? {
            return Ok(());
        }
        let others = members.iter().filter(|(other, _)| **other != self.node);
        let asked = others.map(async |(other, member)| {
            let peer = Peer::new(other.get(), member, self.register.clone());
            peer.objection(self.timing.silence).await
        });
        match join_all(asked).await.into_iter().flatten().next() {
            Some(reason) => Err(OpenError::Replaced { reason }),
            None => Ok(()),
        }
    }

    /// Fills the empty data directory of a node that is not open, so that a new group of these members begins with this
    /// state. On the first of them only: the others get it from there. What is not of that group must have been taken out
    /// before.
    pub async fn restore(
        config: &RaftConfig,
        members: &BTreeMap<NodeId, Member>,
        state: ClusterState,
    ) -> Result<(), OpenError> {
        if !members.contains_key(&config.node) {
            return Err(OpenError::NotAMember { node: config.node });
        }
        // An empty first node forms a group of its own.
        if let Some(first) = members
            .keys()
            .next()
            .copied()
            .filter(|first| *first != config.node)
        {
            let node = config.node;
            return Err(OpenError::NotFirst { node, first });
        }
        let disk = Arc::new(open_disk(&config.dir).await?);
        let closed = disk.closed();
        let members = numbered(members);
        let begun = disk.run(move |disk| disk.begin_with(members, &state)).await;
        drop(disk);
        closed.cancelled().await;
        if begun? {
            Ok(())
        } else {
            let dir = config.dir.clone();
            Err(OpenError::NotEmpty { dir })
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
        PeerService::new(self.raft.clone(), self.hearing.clone(), self.register.clone())
    }

    fn enqueue(&self, proposal: Proposal) -> Result<(), StoreError> {
        if self.stop.is_cancelled() {
            return Err(self.answers.shut_down());
        }
        if self.proposing.is_closed() {
            let leader = self.metrics.borrow().leader.clone();
            return Err(StoreError::NotLeader {
                node: self.node,
                leader: leader.filter(|leader| leader.node != self.node),
            });
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
        let bytes = proposals::size_of(&command);
        if bytes > COMMAND_BYTES {
            return Err(StoreError::TooLarge {
                bytes,
                limit: COMMAND_BYTES,
            });
        }
        // Before it is looked whether anybody may propose: whoever closes this waits for all who did.
        let _proposing = self.proposing.token();
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
        let asked = async {
            loop {
                match self.raft.ensure_linearizable().await {
                    Ok(_) => return Ok(()),
                    // A follower that is restarted or busy may answer the next time. Asking again harms nothing.
                    Err(RaftError::APIError(CheckIsLeaderError::QuorumNotEnough(_))) => {
                        tokio::time::sleep(self.timing.heartbeat).await;
                    }
                    Err(error) => return Err(self.answers.of_read(error)),
                }
            }
        };
        let answered = tokio::time::timeout(self.answers.patience, asked).await;
        answered.unwrap_or_else(|_| Err(self.answers.no_quorum()))
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

    fn leads_now(&self) -> bool {
        self.lead.is_certain()
    }

    fn members(&self) -> Vec<GroupMember> {
        members::list(&self.raft)
    }

    async fn add_member(&self, node: NodeId, member: Member) -> Result<(), StoreError> {
        members::add(&self.raft, &self.register, &self.answers, node, member).await
    }

    async fn remove_member(&self, node: NodeId) -> Result<(), StoreError> {
        members::remove(&self.raft, &self.register, &self.answers, node).await
    }

    async fn hand_over(&self) {
        // It is about to stop listening to the others. Standing for election because of that would end their leader's lead.
        self.hearing.stand_no_more();
        if !handover::is_possible(&self.raft) {
            return;
        }
        self.proposing.close();
        // Those that the group does not decide so soon may be decided under the next leader.
        let decided = tokio::time::timeout(self.timing.silence, self.proposing.wait());
        if decided.await.is_err() {
            tracing::warn!(node = %self.node, undecided = self.proposing.len(), "handing over while changes are undecided");
        }
        handover::hand_over(&self.raft, self.node, &self.register, &self.timing).await;
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

fn numbered(members: &BTreeMap<NodeId, Member>) -> BTreeMap<u64, Member> {
    members
        .iter()
        .map(|(id, member)| (id.get(), member.clone()))
        .collect()
}
