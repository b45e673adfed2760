//! The gRPC service of the group's members, in memory: three nodes, of which the first leads.

use std::sync::Mutex;

use tokio_stream::Iter;
use tonic::{Request, Response, Status};
use towpath_wire::v1;
use towpath_wire::v1::members_server::Members;

type Answer<T> = Result<Response<T>, Status>;

pub(crate) struct FakeMembers(Mutex<Vec<v1::Member>>);

impl Default for FakeMembers {
    fn default() -> Self {
        let member = |node: u64| v1::Member {
            node,
            peer_address: format!("n{node}:7084"),
            api_address: format!("n{node}:7083"),
            is_leader: node == 1,
            has_vote: node < 3,
        };
        Self(Mutex::new((1..=3).map(member).collect()))
    }
}

/// What a backup consists of.
pub(crate) const PARTS: [&[u8]; 3] = [b"the first line\n", b"and ", b"the rest"];

type Part = Result<v1::BackupPart, Status>;

#[tonic::async_trait]
impl Members for FakeMembers {
    type BackupStream = Iter<std::vec::IntoIter<Part>>;

    /// While there are only two nodes, the stream is cut off before the last part.
    async fn backup(&self, _request: Request<v1::BackupRequest>) -> Answer<Self::BackupStream> {
        let count = self.0.lock().unwrap().len();
        let part = |data: &[u8]| {
            Ok(v1::BackupPart {
                data: data.to_vec(),
                file_bytes: PARTS.iter().map(|part| part.len() as u64).sum(),
                revision: 26,
            })
        };
        let parts: Vec<Part> = PARTS.iter().take(count).map(|data| part(data)).collect();
        Ok(Response::new(tokio_stream::iter(parts)))
    }

    async fn list(&self, _request: Request<v1::ListMembersRequest>) -> Answer<v1::ListMembersResponse> {
        let members = self.0.lock().unwrap().clone();
        Ok(Response::new(v1::ListMembersResponse { members }))
    }

    async fn add(&self, request: Request<v1::AddMemberRequest>) -> Answer<v1::AddMemberResponse> {
        let v1::AddMemberRequest {
            node,
            peer_address,
            api_address,
        } = request.into_inner();
        self.0.lock().unwrap().push(v1::Member {
            node,
            peer_address,
            api_address,
            is_leader: false,
            has_vote: true,
        });
        Ok(Response::new(v1::AddMemberResponse {}))
    }

    async fn remove(&self, request: Request<v1::RemoveMemberRequest>) -> Answer<v1::RemoveMemberResponse> {
        let node = request.into_inner().node;
        if node == 1 {
            return Err(Status::invalid_argument(
                "the members of the control plane were not changed: node 1 is the last one with a vote: add another before",
            ));
        }
        self.0.lock().unwrap().retain(|member| member.node != node);
        Ok(Response::new(v1::RemoveMemberResponse {}))
    }
}
