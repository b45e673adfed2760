//! The nodes of Towpath's control plane, which only Towpath shows, over gRPC.

use serde::Serialize;
use towpath_wire::v1;
use towpath_wire::v1::members_client::MembersClient;

use super::ApiError;
use super::grpc::Grpc;

#[derive(Debug, Serialize)]
pub(crate) struct Member {
    pub(crate) node: u64,
    pub(crate) peer_address: String,
    pub(crate) api_address: String,
    pub(crate) leader: bool,
    /// One that does not vote is still catching up.
    pub(crate) votes: bool,
}

/// What is done to the group.
#[derive(Debug, Clone)]
pub(crate) enum MemberChange {
    Add {
        node: u64,
        peer_address: String,
        api_address: String,
    },
    Remove {
        node: u64,
    },
}

impl Grpc {
    pub(super) async fn list_members(&self) -> Result<Vec<Member>, ApiError> {
        let answer = self
            .ask(v1::ListMembersRequest {}, async |r| {
                MembersClient::new(self.channel()).list(r).await
            })
            .await?;
        Ok(answer.members.into_iter().map(Into::into).collect())
    }

    pub(super) async fn make_change(&self, change: MemberChange) -> Result<(), ApiError> {
        match change {
            MemberChange::Add {
                node,
                peer_address,
                api_address,
            } => {
                let request = v1::AddMemberRequest {
                    node,
                    peer_address,
                    api_address,
                };
                self.ask(request, async |r| MembersClient::new(self.channel()).add(r).await)
                    .await
                    .map(drop)
            }
            MemberChange::Remove { node } => self
                .ask(v1::RemoveMemberRequest { node }, async |r| {
                    MembersClient::new(self.channel()).remove(r).await
                })
                .await
                .map(drop),
        }
    }
}

impl From<v1::Member> for Member {
    fn from(member: v1::Member) -> Self {
        Self {
            node: member.node,
            peer_address: member.peer_address,
            api_address: member.api_address,
            leader: member.is_leader,
            votes: member.has_vote,
        }
    }
}
