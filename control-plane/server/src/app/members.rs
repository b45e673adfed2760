//! The nodes of the control plane itself.

use towpath_raft::{GroupMember, Member};
use towpath_types::NodeId;

use super::{ApiError, App};

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
}
