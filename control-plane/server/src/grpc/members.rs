//! `towpath.v1.Members`.

use futures::StreamExt as _;
use futures::stream::{self, BoxStream};
use tonic::{Request, Response, Status};
use towpath_raft::{GroupMember, Member};
use towpath_types::NodeId;
use towpath_wire::v1;
use towpath_wire::v1::members_server::Members;

use super::{Face, answered};
use crate::app::Backup;

/// Of a backup in one message: clients take no more than 4 MB as a rule.
const PART_BYTES: usize = 1024 * 1024;

#[tonic::async_trait]
impl Members for Face {
    type BackupStream = BoxStream<'static, Result<v1::BackupPart, Status>>;

    async fn backup(
        &self,
        _request: Request<v1::BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        answered(async {
            let backup = self.app.backup().await?;
            let parts: BoxStream<'static, _> = Box::pin(stream::iter(parts(backup)).map(Ok));
            Ok(parts)
        })
        .await
    }

    async fn list(
        &self,
        _request: Request<v1::ListMembersRequest>,
    ) -> Result<Response<v1::ListMembersResponse>, Status> {
        answered(async {
            let members = self.app.members().await?.into_iter().map(wire);
            Ok(v1::ListMembersResponse {
                members: members.collect(),
            })
        })
        .await
    }

    async fn add(
        &self,
        request: Request<v1::AddMemberRequest>,
    ) -> Result<Response<v1::AddMemberResponse>, Status> {
        let v1::AddMemberRequest {
            node,
            peer_address,
            api_address,
        } = request.into_inner();
        let member = Member {
            peer_address,
            api_address,
        };
        answered(async {
            self.app.add_member(NodeId(node), member).await?;
            Ok(v1::AddMemberResponse {})
        })
        .await
    }

    async fn remove(
        &self,
        request: Request<v1::RemoveMemberRequest>,
    ) -> Result<Response<v1::RemoveMemberResponse>, Status> {
        let node = NodeId(request.into_inner().node);
        answered(async {
            self.app.remove_member(node).await?;
            Ok(v1::RemoveMemberResponse {})
        })
        .await
    }
}

/// Each is copied when it is sent.
fn parts(Backup { revision, file }: Backup) -> impl Iterator<Item = v1::BackupPart> {
    let file_bytes = u64::try_from(file.len()).expect("a length fits 64 bits");
    let starts = (0..file.len()).step_by(PART_BYTES);
    starts.map(move |start| v1::BackupPart {
        data: file[start..file.len().min(start + PART_BYTES)].to_vec(),
        file_bytes,
        revision: revision.get(),
    })
}

fn wire(known: GroupMember) -> v1::Member {
    v1::Member {
        node: known.node.get(),
        peer_address: known.member.peer_address,
        api_address: known.member.api_address,
        is_leader: known.is_leader,
        has_vote: known.has_vote,
    }
}
