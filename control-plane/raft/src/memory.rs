//! A store without a log: one node, always the leader, nothing survives it.

use std::sync::{Mutex, PoisonError, RwLock};

use async_trait::async_trait;
use tokio::sync::watch;
use towpath_state::{ClusterState, Command, Outcome};
use towpath_types::{NodeId, Revision};

use crate::{ClusterStore, Leader, Role, StoreError, StoreMetrics};

const NODE: NodeId = NodeId(1);

#[derive(Debug)]
pub struct MemoryStore {
    /// A std lock: held while a command is applied or somebody looks, never across an await.
    state: RwLock<ClusterState>,
    applied: watch::Sender<Revision>,
    metrics: watch::Sender<StoreMetrics>,
    /// What every call is answered with, while it is set.
    trouble: Mutex<Option<StoreError>>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(ClusterState::new())
    }
}

impl MemoryStore {
    pub fn new(state: ClusterState) -> Self {
        let metrics = StoreMetrics {
            node: NODE,
            role: Role::Leader,
            leader: Some(Leader {
                node: NODE,
                api_address: "memory".to_owned(),
            }),
            term: 1,
            last_log_index: None,
            applied_index: None,
            snapshot_index: None,
            purged_index: None,
            failure: None,
        };
        Self {
            applied: watch::Sender::new(state.revision()),
            state: RwLock::new(state),
            metrics: watch::Sender::new(metrics),
            trouble: Mutex::new(None),
        }
    }

    /// Makes every proposal and linearizable read fail, until it is called with `None`: what a lost quorum or another
    /// leader looks like to the callers.
    pub fn set_trouble(&self, trouble: Option<StoreError>) {
        let is_leader = trouble.is_none();
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
        self.metrics.send_modify(|metrics| {
            metrics.role = if is_leader { Role::Leader } else { Role::Follower };
            metrics.leader = is_leader.then(|| Leader {
                node: NODE,
                api_address: "memory".to_owned(),
            });
        });
    }

    fn check(&self) -> Result<(), StoreError> {
        match &*self.trouble.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(trouble) => Err(trouble.clone()),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl ClusterStore for MemoryStore {
    async fn propose(&self, command: Command) -> Result<Outcome, StoreError> {
        self.check()?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let outcome = state.apply(&command);
        let index = self.metrics.borrow().applied_index.map_or(0, |index| index + 1);
        self.metrics.send_modify(|metrics| {
            metrics.applied_index = Some(index);
            metrics.last_log_index = Some(index);
        });
        self.applied
            .send_if_modified(|applied| std::mem::replace(applied, state.revision()) != *applied);
        Ok(outcome)
    }

    async fn ensure_linearizable(&self) -> Result<(), StoreError> {
        self.check()
    }

    fn with_state(&self, look: &mut dyn FnMut(&ClusterState)) {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner));
    }

    fn subscribe(&self) -> watch::Receiver<Revision> {
        self.applied.subscribe()
    }

    fn metrics(&self) -> watch::Receiver<StoreMetrics> {
        self.metrics.subscribe()
    }

    async fn shutdown(&self) {
        self.set_trouble(Some(StoreError::Stopped {
            node: NODE,
            reason: "it was shut down".to_owned(),
        }));
        self.metrics.send_modify(|metrics| metrics.role = Role::Stopped);
    }
}
