//! Which disk belongs to which number. A node that has lost its disk has forgotten what it acknowledged and whom it elected,
//! so it must not be taken for the one that it was.
//!
//! Every disk has an id, and so has every group: that of the disk which began it. Nodes name both whenever they talk. Each
//! keeps the first id that it sees for a number, a leader before it counts what the disk has acknowledged, and tells the
//! others with every message. Nodes of versions that do not know of ids name none, and are not checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use serde::{Deserialize, Serialize};
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
    /// A std mutex: held while a change is written, which happens once for every node, and on a blocking thread.
    known: Mutex<Known>,
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
            known: Mutex::new(disk.get(Head::Known)?.unwrap_or_default()),
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
        self.lock().clone()
    }

    /// The disks of all nodes, this one among them.
    pub(crate) fn all(&self) -> BTreeMap<u64, String> {
        let mut disks = self.known().disks;
        disks.insert(self.node, self.own.clone());
        disks
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a message is for this disk, and from one that has not been replaced.
    pub(crate) fn admit(&self, request: &PeerRequest) -> Result<(), StrangerError> {
        if is_another(Some(&self.own), &request.target_disk) {
            return Err(self.say(StrangerError::Disk { node: self.node }, self.node));
        }
        let known = self.lock();
        let sender = request.sender;
        if is_another(known.disks.get(&sender), &request.disk) {
            return Err(self.say(StrangerError::Disk { node: sender }, sender));
        }
        if is_another(known.group.as_ref(), &request.group) {
            return Err(self.say(StrangerError::Group { node: self.node }, sender));
        }
        Ok(())
    }

    /// What a leader knows. It is right where it knows something else: a number may have been given away again.
    pub(crate) async fn adopt(self: &Arc<Self>, told: &PeerRequest) -> Result<(), StrangerError> {
        let mut disks = told.disks.clone();
        // Its own it has itself.
        disks.remove(&self.node);
        let group = Some(told.group.clone()).filter(|group| !group.is_empty());
        self.change(move |known| {
            known.group = known.group.take().or_else(|| group.clone());
            known.disks.extend(disks.clone());
        })
        .await
    }

    /// Takes down the disk of a node that has answered, or finds that it is another one than before.
    pub(crate) async fn recognize(self: &Arc<Self>, node: u64, disk: &str) -> Result<(), StrangerError> {
        if disk.is_empty() {
            return Ok(());
        }
        if !self.lock().disks.contains_key(&node) {
            let first = disk.to_owned();
            self.change(move |known| {
                known.disks.entry(node).or_insert_with(|| first.clone());
            })
            .await?;
        }
        if is_another(self.lock().disks.get(&node), disk) {
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
        if changed == *self.lock() {
            return Ok(());
        }
        let disk = self.disk.upgrade().ok_or(StrangerError::Stopping { node })?;
        let register = self.clone();
        let kept = disk.run(move |disk| {
            let mut known = register.lock();
            let mut changed = known.clone();
            change(&mut changed);
            if *known != changed {
                disk.put(Head::Known, &changed)?;
                disk.sync()?;
                *known = changed;
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

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn opened(dir: &TempDir) -> (Arc<Disk>, Arc<Register>) {
        let disk = Arc::new(Disk::open(dir.path()).unwrap());
        let register = Register::load(1, &disk).unwrap();
        (disk, Arc::new(register))
    }

    fn of_leader(group: &str, disk: &str) -> PeerRequest {
        PeerRequest {
            sender: 2,
            disk: disk.to_owned(),
            group: group.to_owned(),
            disks: [(2, disk.to_owned())].into(),
            ..PeerRequest::default()
        }
    }

    #[tokio::test]
    async fn what_is_known_of_the_others_outlives_a_restart() {
        let dir = TempDir::new().unwrap();
        let (disk, register) = opened(&dir);
        assert!(register.begin().await.unwrap());
        register.recognize(2, "first").await.unwrap();
        let (own, known) = (register.own().to_owned(), register.known());
        assert_eq!(known.group.as_deref(), Some(&*own));
        let closed = disk.closed();
        drop(disk);
        closed.cancelled().await;
        let (_disk, register) = opened(&dir);
        assert_eq!((register.own(), register.known()), (&*own, known));
        let other = register.recognize(2, "second").await.unwrap_err();
        assert!(matches!(other, StrangerError::Disk { node: 2 }), "{other}");
    }

    #[tokio::test]
    async fn another_disk_than_the_known_one_is_refused_until_the_number_is_given_away() {
        let dir = TempDir::new().unwrap();
        let (_disk, register) = opened(&dir);
        register.recognize(2, "first").await.unwrap();
        let refused = register.admit(&of_leader("", "second")).unwrap_err();
        assert!(matches!(refused, StrangerError::Disk { node: 2 }), "{refused}");
        register.admit(&of_leader("", "first")).unwrap();
        let for_another = PeerRequest {
            target_disk: "of before".to_owned(),
            ..PeerRequest::default()
        };
        let refused = register.admit(&for_another).unwrap_err();
        assert!(matches!(refused, StrangerError::Disk { node: 1 }), "{refused}");
        register.forget(2).await.unwrap();
        register.recognize(2, "second").await.unwrap();
        // What a leader says is newer.
        register.adopt(&of_leader("", "third")).await.unwrap();
        register.admit(&of_leader("", "third")).unwrap();
    }

    #[tokio::test]
    async fn a_node_belongs_to_the_group_of_the_first_leader_and_begins_none_afterwards() {
        let dir = TempDir::new().unwrap();
        let (_disk, register) = opened(&dir);
        register.adopt(&of_leader("a", "first")).await.unwrap();
        register.adopt(&of_leader("b", "first")).await.unwrap();
        assert_eq!(register.known().group.as_deref(), Some("a"));
        let refused = register.admit(&of_leader("b", "first")).unwrap_err();
        assert!(matches!(refused, StrangerError::Group { .. }), "{refused}");
        assert!(!register.begin().await.unwrap());
    }

    #[tokio::test]
    async fn a_node_of_a_version_without_ids_is_not_checked() {
        let dir = TempDir::new().unwrap();
        let (_disk, register) = opened(&dir);
        register.adopt(&of_leader("a", "first")).await.unwrap();
        register.admit(&of_leader("", "")).unwrap();
        register.recognize(2, "").await.unwrap();
        register.adopt(&PeerRequest::default()).await.unwrap();
        let known = register.known();
        assert_eq!((known.group.as_deref(), known.disks.len()), (Some("a"), 1));
    }

    #[tokio::test]
    async fn nothing_counts_that_cannot_be_kept() {
        let dir = TempDir::new().unwrap();
        let (disk, register) = opened(&dir);
        drop(disk);
        let lost = register.recognize(2, "first").await.unwrap_err();
        assert!(matches!(lost, StrangerError::Stopping { node: 1 }), "{lost}");
        assert_eq!(register.known(), Known::default());
    }
}
