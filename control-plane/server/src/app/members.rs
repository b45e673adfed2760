//! The nodes of the control plane itself.

use towpath_raft::{GroupMember, Member};
use towpath_types::{NodeId, Revision};

use super::{ApiError, App};

/// The state as a file.
#[derive(Debug)]
pub(crate) struct Backup {
    pub(crate) revision: Revision,
    pub(crate) file: Vec<u8>,
}

impl App {
    pub(crate) async fn members(&self) -> Result<Vec<GroupMember>, ApiError> {
        self.store.ensure_linearizable().await?;
        Ok(self.store.members())
    }

    pub(crate) async fn add_member(&self, node: NodeId, member: Member) -> Result<(), ApiError> {
        tracing::info!(%node, peer_address = member.peer_address, "a node is to be added to the group");
        Ok(self.store.add_member(node, member).await?)
    }

    pub(crate) async fn remove_member(&self, node: NodeId) -> Result<(), ApiError> {
        tracing::info!(%node, "a node is to be removed from the group");
        Ok(self.store.remove_member(node).await?)
    }

    pub(crate) async fn backup(&self) -> Result<Backup, ApiError> {
        // Copied, so that nobody waits while it is written.
        let state = self.read(Clone::clone).await?;
        let written = tokio::task::spawn_blocking(move || Backup {
            revision: state.revision(),
            file: state.to_backup(),
        });
        let backup = written
            .await
            .map_err(|error| ApiError::Internal(Box::new(error)))?;
        tracing::info!(revision = %backup.revision, bytes = backup.file.len(), "a backup is sent");
        Ok(backup)
    }
}
