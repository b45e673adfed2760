//! Which disk belongs to which number. A node that has lost its disk has forgotten what it acknowledged and whom it elected,
//! so it must not be taken for the one that it was.
//!
//! Every disk has an id, and so has every group: that of the disk which began it. Nodes name both whenever they talk. Each
//! keeps the first id that it sees for a number, a leader before it counts what the disk has acknowledged, and tells the
//! others with every message. Nodes of versions that do not know of ids name none, and are not checked.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use serde::{Deserialize, Serialize};
use tokio::sync::Mutex as AsyncMutex;
use tonic::Status;
use towpath_wire::v1::PeerRequest;

use crate::disk::{Disk, DiskError, Head};

/// What a node knows of the others. A member that is added here needs a default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    #[serde(default)]
    pub(crate) group: Option<String>,
    /// By the numbers of the nodes.
    #[serde(default)]
    pub(crate) disks: BTreeMap<u64, String>,
    /// How often it has changed; left out at first.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) revision: u64,
}

#[derive(Debug)]
struct Kept {
    known: Known,
    /// The newest of what leaders have told: their term, and their revision.
    told: (u64, u64),
}

/// Why a node and another do not go together.
#[derive(Debug, thiserror::Error)]
pub enum StrangerError {
    #[error(
        "the data directory of node {node} is another one than the group knows: a node that has lost its data has forgotten \
         what it acknowledged, and is not taken back. Start it with an empty data directory under a new number with `--join`, \
         then take the old number out with `kcctl cluster remove {node}`"
    )]
    Disk { node: u64 },
    #[error(
        "a node of another group sends messages to node {node}: each of the initial members must be started with the same list, \
         and must be given no backup unless it is the first. Start the one that began a group of its own with an empty data \
         directory under a new number with `--join`"
    )]
    Group { node: u64 },
    #[error("node {node} does not listen any more, because it stops")]
    Stopping { node: u64 },
    #[error("what node {node} knows of the others could not be kept")]
    Keep {
        node: u64,
        #[source]
        source: DiskError,
    },
}

impl StrangerError {
    /// As an answer. `AlreadyExists` is for a number that belongs to another disk, and for nothing else.
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Disk { .. } => Status::already_exists(self.to_string()),
            Self::Group { .. } => Status::failed_precondition(self.to_string()),
            Self::Stopping { .. } | Self::Keep { .. } => Status::unavailable(self.to_string()),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Register {
    node: u64,
    /// The id of this node's disk.
    own: String,
    /// Weak, because those who talk to others may outlive the store, and the disk must not.
    disk: Weak<Disk>,
    /// As on disk. A std mutex: held for one look.
    kept: Mutex<Kept>,
    /// Whose turn it is to change it: changes are made in the order in which they were asked for, also those that nobody waits
    /// for any more because the request has timed out.
    turn: Arc<AsyncMutex<()>>,
    /// About whom something was said. A std mutex: held for one look.
    said: Mutex<BTreeSet<u64>>,
}

impl Register {
    /// Blocks.
    pub(crate) fn load(node: u64, disk: &Arc<Disk>) -> Result<Self, DiskError> {
        Ok(Self {
            node,
            own: disk.identity()?,
            disk: Arc::downgrade(disk),
            kept: Mutex::new(Kept {
                known: disk.get(Head::Known)?.unwrap_or_default(),
                told: (0, 0),
            }),
            turn: Arc::default(),
            said: Mutex::default(),
        })
    }

    pub(crate) fn node(&self) -> u64 {
        self.node
    }

    pub(crate) fn own(&self) -> &str {
        &self.own
    }

    pub(crate) fn known(&self) -> Known {
        self.lock().known.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a message is for this disk, and from one that has not been replaced.
    pub(crate) fn admit(&self, request: &PeerRequest) -> Result<(), StrangerError> {
        if is_another(Some(&self.own), &request.target_disk) {
            return Err(self.say(StrangerError::Disk { node: self.node }, self.node));
        }
        let kept = self.lock();
        let known = &kept.known;
        let sender = request.sender;
        if is_another(known.disks.get(&sender), &request.disk) {
            return Err(self.say(StrangerError::Disk { node: sender }, sender));
        }
        if is_another(known.group.as_ref(), &request.group) {
            return Err(self.say(StrangerError::Group { node: self.node }, sender));
        }
        Ok(())
    }

    /// What the leader of a term knows. It is right where it knows something else: a number may have been given away again.
    /// What it has said before it said something else is not.
    pub(crate) async fn adopt(self: &Arc<Self>, term: u64, told: &PeerRequest) -> Result<(), StrangerError> {
        let at = (term, told.revision);
        if !self.note_told(at) {
            return Ok(());
        }
        let mut disks = told.disks.clone();
        // Its own it has itself.
        disks.remove(&self.node);
        let group = Some(told.group.clone()).filter(|group| !group.is_empty());
        let register = self.clone();
        self.change(move |known| {
            if !register.note_told(at) {
                return;
            }
            known.group = known.group.take().or_else(|| group.clone());
            known.disks.extend(disks.clone());
        })
        .await
    }

    /// Takes note of when something was told, and says whether nothing later was told before.
    fn note_told(&self, told: (u64, u64)) -> bool {
        let mut kept = self.lock();
        kept.told = kept.told.max(told);
        kept.told == told
    }

    /// Takes down the disk of a node that has answered, or finds that it is another one than before.
    pub(crate) async fn recognize(self: &Arc<Self>, node: u64, disk: &str) -> Result<(), StrangerError> {
        if disk.is_empty() {
            return Ok(());
        }
        if !self.lock().known.disks.contains_key(&node) {
            let first = disk.to_owned();
            self.change(move |known| {
                known.disks.entry(node).or_insert_with(|| first.clone());
            })
            .await?;
        }
        if is_another(self.lock().known.disks.get(&node), disk) {
            return Err(self.say(StrangerError::Disk { node }, node));
        }
        Ok(())
    }

    /// A number that belongs to no member may be given to another disk.
    pub(crate) async fn forget(self: &Arc<Self>, node: u64) -> Result<(), StrangerError> {
        self.change(move |known| {
            known.disks.remove(&node);
        })
        .await
    }

    /// This disk begins a group, unless it belongs to one already; says whether it does.
    pub(crate) async fn begin(self: &Arc<Self>) -> Result<bool, StrangerError> {
        let own = self.own.clone();
        self.change(move |known| {
            known.group.get_or_insert_with(|| own.clone());
        })
        .await?;
        Ok(self.known().group.as_ref() == Some(&self.own))
    }

    /// Durable when it returns.
    async fn change(
        self: &Arc<Self>,
        change: impl Fn(&mut Known) + Send + 'static,
    ) -> Result<(), StrangerError> {
        let node = self.node;
        let mut changed = self.known();
        change(&mut changed);
        if changed == self.lock().known {
            return Ok(());
        }
        let disk = self.disk.upgrade().ok_or(StrangerError::Stopping { node })?;
        let turn = self.turn.clone().lock_owned().await;
        let register = self.clone();
        let kept = disk.run(move |disk| {
            // What has begun is not broken off with the request, so the next turn begins after it.
            let _turn = turn;
            let known = register.known();
            let mut changed = known.clone();
            change(&mut changed);
            if known != changed {
                changed.revision += 1;
                disk.put(Head::Known, &changed)?;
                disk.sync()?;
                register.lock().known = changed;
            }
            Ok(())
        });
        kept.await.map_err(|source| StrangerError::Keep { node, source })
    }

    /// Once for every node, not once for every message.
    fn say(&self, error: StrangerError, about: u64) -> StrangerError {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.insert(about) {
            tracing::error!(node = self.node, %error, "messages of node {about} are not taken");
        }
        error
    }

    /// What another node has refused.
    pub(crate) fn say_refused(&self, by: u64, status: &Status) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.insert(by) {
            tracing::error!(
                node = self.node,
                by,
                reason = status.message(),
                "another node takes no messages of this one"
            );
        }
    }
}

/// Both must be there to be different.
fn is_another(known: Option<&String>, named: &str) -> bool {
    !named.is_empty() && known.is_some_and(|known| known != named)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks for")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}
