//! A new group begins with the state in a backup file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use towpath_raft::{Member, OpenError, RaftConfig, RaftStore};
use towpath_state::{BackupError, ClusterState};
use towpath_types::NodeId;

use crate::control_plane::StartError;

#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    #[error("the backup `{}` cannot be read", .backup.display())]
    Read {
        backup: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the backup `{}` cannot be restored", .backup.display())]
    Backup {
        backup: PathBuf,
        #[source]
        source: BackupError,
    },
}

/// Nothing is written before the whole file is known to be good.
pub(super) async fn restore(
    backup: &Path,
    config: &RaftConfig,
    members: &BTreeMap<NodeId, Member>,
) -> Result<(), StartError> {
    let file = tokio::fs::read(backup)
        .await
        .map_err(|source| RestoreError::Read {
            backup: backup.to_owned(),
            source,
        });
    let state = ClusterState::from_backup(&file?).map_err(|source| RestoreError::Backup {
        backup: backup.to_owned(),
        source,
    });
    let state = state?.reborn();
    let (connectors, revision) = (state.list().len(), state.revision());
    let restored = RaftStore::restore(config, members, state).await;
    restored.map_err(|source: OpenError| StartError::Store {
        data_dir: config.dir.clone(),
        source: Box::new(source),
    })?;
    tracing::info!(backup = %backup.display(), connectors, %revision, "a new group begins with the state of a backup");
    Ok(())
}
