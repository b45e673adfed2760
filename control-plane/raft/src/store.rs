//! What a store of the cluster state can do.

use std::future::Future;

use async_trait::async_trait;
use tokio::sync::watch;
use towpath_state::{ClusterState, Command, Outcome};
use towpath_types::{NodeId, Revision};

use crate::Member;

/// Used as `Arc<dyn ClusterStore>`. Reading is in [`Reads`].
#[async_trait]
pub trait ClusterStore: std::fmt::Debug + Send + Sync + 'static {
    /// Writes the command through the log. `Ok` means that it is durable on a majority and applied here; the outcome
    /// says what came of it. Dropping the future does not take the command back: it may still be applied.
    ///
    /// Only the leader does this. Forwarding is the caller's business.
    async fn propose(&self, command: Command) -> Result<Outcome, StoreError>;

    /// Once this has returned, the local state includes every command whose `propose` had returned before the call, on
    /// whatever node. Only the leader can say so.
    async fn ensure_linearizable(&self) -> Result<(), StoreError>;

    /// Shows the state as far as it is applied here. Nothing can be applied meanwhile, so look, copy and return.
    fn with_state(&self, look: &mut dyn FnMut(&ClusterState));

    /// The revision that is applied here. A value that was missed is never needed: the state is read, not the change.
    fn subscribe(&self) -> watch::Receiver<Revision>;

    fn metrics(&self) -> watch::Receiver<StoreMetrics>;

    /// Whether no other node can lead at this moment. [`Self::metrics`] may be as old as the last time that this process got to
    /// look: it may have been stopped since. Nothing that a next leader would take back may be promised without it.
    fn leads_now(&self) -> bool {
        self.metrics().borrow().is_leader()
    }

    /// The nodes of the group as this node knows them, and how they are reached.
    fn members(&self) -> Vec<GroupMember> {
        Vec::new()
    }

    /// Takes a node into the group: it gets the state first, and a vote once it has caught up. Adding one that is there
    /// does nothing. Only the leader does this.
    async fn add_member(&self, node: NodeId, member: Member) -> Result<(), StoreError> {
        let _ = member;
        Err(StoreError::Alone { node })
    }

    /// Takes a node out of the group, dead or alive. Removing one that is not there does nothing. Only the leader does
    /// this; one that removes itself leads no more afterwards.
    async fn remove_member(&self, node: NodeId) -> Result<(), StoreError> {
        Err(StoreError::Alone { node })
    }

    /// For a node that is about to be shut down: has another one lead, if this one does, and waits until it leads. Afterwards
    /// this one will not lead again, and a proposal is answered with [`StoreError::NotLeader`] if another can take it.
    async fn hand_over(&self) {}

    /// Stops taking part. Afterwards everything but reading the local state answers [`StoreError::Stopped`].
    async fn shutdown(&self);
}

/// Reading, for every store.
pub trait Reads: ClusterStore {
    /// The state as far as it is applied here, which may be behind what others have seen.
    fn read_local<R>(&self, look: impl FnOnce(&ClusterState) -> R) -> R {
        let mut look = Some(look);
        let mut found = None;
        self.with_state(&mut |state| found = look.take().map(|look| look(state)));
        found.expect("a store shows its state exactly once")
    }

    /// A linearizable read, on the leader only.
    fn read<R: Send>(
        &self,
        look: impl FnOnce(&ClusterState) -> R + Send,
    ) -> impl Future<Output = Result<R, StoreError>> + Send {
        async {
            self.ensure_linearizable().await?;
            Ok(self.read_local(look))
        }
    }
}

impl<S: ClusterStore + ?Sized> Reads for S {}

/// Why a store did not do it. Cheap to copy, because one failure answers everybody who waits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nothing was done, and nothing will be. Ask the leader; with none known, try again in a moment.
    #[error("node {node} is not the leader of the control plane{}", hint(leader.as_ref()))]
    NotLeader { node: NodeId, leader: Option<Leader> },
    /// The command may have been applied, or may be later.
    #[error("a majority of the control plane's nodes did not answer within {waited_ms} ms: try again")]
    NoQuorum { waited_ms: u64 },
    #[error("too many changes are waiting for the log: try again")]
    Overloaded,
    #[error("the change is {bytes} bytes long, but the log takes at most {limit}: make it smaller")]
    TooLarge { bytes: usize, limit: usize },
    /// The command is applied here, and would be forgotten at the end of the process. Proposing it again is safe.
    #[error("the change could not be made durable and must be tried again: {reason}")]
    NotDurable { reason: String },
    /// The store has no log that could be replicated.
    #[error(
        "node {node} can be neither added nor removed: this control plane keeps its state in one process only"
    )]
    Alone { node: NodeId },
    #[error("the members of the control plane were not changed: {reason}")]
    Membership { reason: String },
    /// This node is done for: it was shut down, or its disk failed.
    #[error("node {node} has stopped: {reason}")]
    Stopped { node: NodeId, reason: String },
}

fn hint(leader: Option<&Leader>) -> String {
    match leader {
        Some(leader) => format!(": ask node {} at {}", leader.node, leader.api_address),
        None => ", and none is known: try again".to_owned(),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    pub node: NodeId,
    /// Where clients, workers and forwarded requests go.
    pub api_address: String,
}

/// A node of the group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    pub node: NodeId,
    pub member: Member,
    /// Counts for the majority. A node without a vote is still catching up.
    pub has_vote: bool,
    pub is_leader: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Leader,
    Follower,
    Candidate,
    /// Gets the log but has no vote.
    Learner,
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreMetrics {
    pub node: NodeId,
    pub role: Role,
    pub leader: Option<Leader>,
    pub term: u64,
    /// Indexes into the log; `None` before the first entry.
    pub last_log_index: Option<u64>,
    pub applied_index: Option<u64>,
    pub snapshot_index: Option<u64>,
    pub purged_index: Option<u64>,
    /// Why the node has stopped by itself. It must not go on serving: what it holds may be wrong.
    pub failure: Option<String>,
}

impl StoreMetrics {
    pub fn is_leader(&self) -> bool {
        self.role == Role::Leader
    }
}
