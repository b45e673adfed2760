//! A new node asks to be taken into a group, until it is. One task; ended by the node's token.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;
use towpath_raft::Member;
use towpath_types::NodeId;
use towpath_wire::v1;
use towpath_wire::v1::members_client::MembersClient;

use crate::app::Chain;
use crate::control_plane::RunError;

/// Between two attempts. Their number has no limit: the group may come up hours later.
const PAUSE: Duration = Duration::from_secs(1);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Joining {
    via: String,
    node: NodeId,
    member: Member,
}

#[derive(Debug, thiserror::Error)]
enum JoinError {
    #[error("the node at {via} cannot be reached")]
    Connect {
        via: String,
        #[source]
        source: tonic::transport::Error,
    },
    #[error("the node at {via} refused: {}", .status.message())]
    Refused { via: String, status: Box<tonic::Status> },
}

impl Joining {
    pub(crate) fn new(via: String, node: NodeId, member: Member) -> Self {
        Self { via, node, member }
    }

    /// Goes on until the node is stopped, since a part of it that ends has failed.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), RunError> {
        let mut said = String::new();
        while !stop.is_cancelled() {
            let asked = tokio::select! { asked = self.ask() => asked, () = stop.cancelled() => break };
            match asked {
                Ok(()) => {
                    tracing::info!(node = %self.node, via = self.via, "this node is a member of the group");
                    stop.cancelled().await;
                }
                Err(error) => {
                    // Once each, not once an attempt.
                    let text = Chain(&error).to_string();
                    if text != said {
                        tracing::warn!(node = %self.node, error = text, "not a member of the group yet, asking again until it is");
                        said = text;
                    }
                    tokio::select! { () = tokio::time::sleep(PAUSE) => {}, () = stop.cancelled() => break }
                }
            }
        }
        Ok(())
    }

    async fn ask(&self) -> Result<(), JoinError> {
        let via = || self.via.clone();
        let connect = async {
            Endpoint::from_shared(format!("http://{}", self.via))?
                .connect_timeout(CONNECT_TIMEOUT)
                .connect()
                .await
        };
        let channel = connect
            .await
            .map_err(|source| JoinError::Connect { via: via(), source })?;
        let request = v1::AddMemberRequest {
            node: self.node.get(),
            peer_address: self.member.peer_address.clone(),
            api_address: self.member.api_address.clone(),
        };
        let added = MembersClient::new(channel).add(request).await;
        added.map_err(|status| JoinError::Refused {
            via: via(),
            status: Box::new(status),
        })?;
        Ok(())
    }
}
