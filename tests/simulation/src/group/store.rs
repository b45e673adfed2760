//! The group as one process of a node sees it: the store that the real code is given.

use async_trait::async_trait;
use tokio::sync::{oneshot, watch};
use towpath_raft::{ClusterStore, Leader, StoreError, StoreMetrics};
use towpath_state::{ClusterState, Command, Outcome};
use towpath_types::Revision;

use super::{SharedGroup, lock, node_id};

#[derive(Debug)]
pub(crate) struct NodeStore {
    group: SharedGroup,
    node: usize,
    incarnation: u64,
}

impl NodeStore {
    pub(crate) fn new(group: &SharedGroup, node: usize) -> Self {
        Self {
            incarnation: lock(group).nodes[node].incarnation,
            group: group.clone(),
            node,
        }
    }

    fn stopped(&self) -> StoreError {
        StoreError::Stopped {
            node: node_id(self.node),
            reason: "it crashed".to_owned(),
        }
    }

    fn check(&self) -> Result<(), StoreError> {
        let group = lock(&self.group);
        let replica = &group.nodes[self.node];
        if !replica.is_up || replica.incarnation != self.incarnation {
            return Err(self.stopped());
        }
        if group.takes_itself_for_leader(self.node) {
            return Ok(());
        }
        let leader = replica.leader.map(|leader| Leader {
            node: node_id(leader),
            api_address: format!("node-{leader}"),
        });
        let node = node_id(self.node);
        Err(StoreError::NotLeader { node, leader })
    }
}

#[async_trait]
impl ClusterStore for NodeStore {
    async fn propose(&self, command: Command) -> Result<Outcome, StoreError> {
        self.check()?;
        let (answer, answered) = oneshot::channel();
        lock(&self.group).propose(self.node, command, answer);
        answered.await.unwrap_or_else(|_| Err(self.stopped()))
    }

    async fn ensure_linearizable(&self) -> Result<(), StoreError> {
        self.check()?;
        if lock(&self.group).leader == Some(self.node) {
            return Ok(());
        }
        Err(StoreError::NoQuorum { waited_ms: 10_000 })
    }

    fn with_state(&self, look: &mut dyn FnMut(&ClusterState)) {
        look(&lock(&self.group).nodes[self.node].state);
    }

    fn subscribe(&self) -> watch::Receiver<Revision> {
        let mut group = lock(&self.group);
        let replica = &mut group.nodes[self.node];
        let (sender, receiver) = watch::channel(replica.state.revision());
        if replica.is_up && replica.incarnation == self.incarnation {
            replica.revisions.push(sender);
        }
        receiver
    }

    fn metrics(&self) -> watch::Receiver<StoreMetrics> {
        let mut group = lock(&self.group);
        let (sender, receiver) = watch::channel(group.metrics_of(self.node));
        let replica = &mut group.nodes[self.node];
        if replica.is_up && replica.incarnation == self.incarnation {
            replica.metrics.retain(|sender| !sender.is_closed());
            replica.metrics.push(sender);
        }
        receiver
    }

    fn leads_now(&self) -> bool {
        lock(&self.group).leads_surely(self.node)
    }

    async fn shutdown(&self) {}
}
