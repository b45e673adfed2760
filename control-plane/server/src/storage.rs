//! Opens the store of the cluster state, in memory or on disk, unless the process has opened it, and finds the group that
//! the node belongs to.

mod joining;
mod restoring;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::net::TcpListener;
use towpath_raft::{ClusterStore, Member, MemoryStore, OpenError, PeerService, RaftConfig, RaftStore};
use towpath_types::NodeId;
use towpath_wire::v1::raft_peers_server::RaftPeersServer;

pub(crate) use joining::Joining;
pub use restoring::RestoreError;

use crate::config::{Group, Storage};
use crate::control_plane::{StartError, address_of, listen};

#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) cluster: Arc<dyn ClusterStore>,
    /// Where the other nodes connect; a store that is not on disk has no others.
    pub(crate) peers: Option<Peers>,
    /// What is still to be done to become a member.
    pub(crate) joining: Option<Joining>,
}

pub(crate) struct Peers {
    pub(crate) listener: TcpListener,
    pub(crate) service: RaftPeersServer<PeerService>,
}

impl std::fmt::Debug for Peers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peers")
            .field("listener", &self.listener)
            .finish_non_exhaustive()
    }
}

pub(crate) async fn open(storage: &Storage, grpc_address: SocketAddr) -> Result<Opened, StartError> {
    let alone = |cluster| Opened {
        cluster,
        peers: None,
        joining: None,
    };
    let (data_dir, node, peer_address, advertised_host, group) = match storage {
        Storage::Memory => return Ok(alone(Arc::new(MemoryStore::default()))),
        Storage::Given(store) => return Ok(alone(Arc::clone(store))),
        Storage::Disk {
            data_dir,
            node,
            peer_address,
            advertised_host,
            group,
        } => (data_dir, *node, peer_address, advertised_host, group),
    };
    let listener = listen("peer", peer_address).await?;
    let member = member(advertised_host.as_deref(), address_of(&listener)?, grpc_address);
    if let Group::Restored { backup, members } = group {
        let alone = || [(node, member.clone())].into();
        let members = Some(members.clone()).filter(|members| !members.is_empty());
        let config = RaftConfig::new(node, member.clone(), data_dir);
        restoring::restore(backup, &config, &members.unwrap_or_else(alone)).await?;
    }
    let opened = open_disk(data_dir, (node, member), group).await;
    let (store, joining) = opened.map_err(|source| StartError::Store {
        data_dir: data_dir.clone(),
        source: Box::new(source),
    })?;
    let peers = Peers {
        listener,
        service: store.peer_service(),
    };
    Ok(Opened {
        cluster: Arc::new(store),
        peers: Some(peers),
        joining,
    })
}

/// How the others reach this node.
fn member(advertised_host: Option<&str>, peer: SocketAddr, grpc: SocketAddr) -> Member {
    match advertised_host {
        Some(host) => Member {
            peer_address: format!("{host}:{}", peer.port()),
            api_address: format!("{host}:{}", grpc.port()),
        },
        None => Member {
            peer_address: peer.to_string(),
            api_address: SocketAddr::new(peer.ip(), grpc.port()).to_string(),
        },
    }
}

async fn open_disk(
    data_dir: &Path,
    (node, member): (NodeId, Member),
    group: &Group,
) -> Result<(RaftStore, Option<Joining>), OpenError> {
    let config = |member| RaftConfig::new(node, member, data_dir);
    match group {
        Group::Alone => Ok((RaftStore::open_single(config(member)).await?, None)),
        Group::Restored { members, .. } if members.is_empty() => {
            Ok((RaftStore::open_single(config(member)).await?, None))
        }
        // The members are in what was restored.
        Group::Restored { .. } => Ok((RaftStore::open(config(member)).await?, None)),
        Group::Of(members) => {
            let own = members.get(&node).ok_or(OpenError::NotAMember { node })?;
            let store = RaftStore::open(config(own.clone())).await?;
            // One that has lost its disk must not begin anew beside the others.
            store.introduce(members).await?;
            // One of them is enough.
            if members.keys().next() == Some(&node) {
                store.form_group(members.clone()).await?;
            }
            Ok((store, None))
        }
        Group::Join(via) => {
            let store = RaftStore::open(config(member.clone())).await?;
            let joining = if store.is_in_group().await? {
                None
            } else {
                Some(Joining::new(via.clone(), node, member))
            };
            Ok((store, joining))
        }
    }
}
