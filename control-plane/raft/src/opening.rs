//! Opening a data directory, and why a node cannot be started.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::Instant;
use towpath_types::NodeId;

use crate::disk::{Disk, DiskError};
use crate::machine::LoadError;
use crate::register::StrangerError;

/// How long a data directory that is in use is waited for: a process that was just killed, or a store that was just
/// shut down, may still be closing it.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);
const LOCK_RETRY: Duration = Duration::from_millis(50);

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
    #[error("could not take part in the group: {reason}")]
    Replaced { reason: String },
    #[error("could not keep what belongs to the group")]
    Register(#[from] StrangerError),
    #[error("could not form the group: node {node} must be one of its members")]
    NotAMember { node: NodeId },
    #[error(
        "node {node} cannot begin the group with a backup, because node {first} is the first of the initial members and would \
         begin another one: start node {first} with `--restore`, and the others with empty data directories and without it"
    )]
    NotFirst { node: NodeId, first: NodeId },
    #[error(
        "the data directory {} is in use already: it holds the state of a node. Restore into an empty one, or start the \
         node without the backup",
        dir.display()
    )]
    NotEmpty { dir: PathBuf },
}

pub(crate) async fn open_disk(dir: &Path) -> Result<Disk, DiskError> {
    let deadline = Instant::now() + LOCK_PATIENCE;
    loop {
        let opened = tokio::task::spawn_blocking({
            let dir = dir.to_owned();
            move || Disk::open(&dir)
        });
        match opened
            .await
            .map_err(|broken_off| DiskError::of_work(dir, broken_off))?
        {
            Err(error) if error.may_pass() && Instant::now() < deadline => {
                tokio::time::sleep(LOCK_RETRY).await;
            }
            opened => return opened,
        }
    }
}
