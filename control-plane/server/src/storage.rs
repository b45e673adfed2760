//! Opens the store of the cluster state, in memory or on disk, unless the process has opened it.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use towpath_raft::{ClusterStore, Member, MemoryStore, PeerService, RaftConfig, RaftStore};
use towpath_wire::v1::raft_peers_server::RaftPeersServer;

use crate::config::Storage;
use crate::control_plane::{StartError, address_of, listen};

#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) cluster: Arc<dyn ClusterStore>,
    /// Where the other nodes connect; a store that is not on disk has no others.
    pub(crate) peers: Option<Peers>,
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
    let alone = |cluster| Opened { cluster, peers: None };
    let (data_dir, node, peer_address) = match storage {
        Storage::Memory => return Ok(alone(Arc::new(MemoryStore::default()))),
        Storage::Given(store) => return Ok(alone(Arc::clone(store))),
        Storage::Disk {
            data_dir,
            node,
            peer_address,
        } => (data_dir, *node, peer_address),
    };
    let listener = listen("peer", peer_address).await?;
    let member = Member {
        peer_address: address_of(&listener)?.to_string(),
        api_address: grpc_address.to_string(),
    };
    // A group of one: this node.
    let store = RaftStore::open_single(RaftConfig::new(node, member, data_dir)).await;
    let store = store.map_err(|source| StartError::Store {
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
    })
}
