//! What a node of the control plane is told at its start. Where the settings come from is the binary's business.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use towpath_raft::{ClusterStore, Member};
use towpath_types::NodeId;

use crate::sessions::Lease;

pub const DEFAULT_REST_ADDRESS: &str = "127.0.0.1:8083";
pub const DEFAULT_GRPC_ADDRESS: &str = "127.0.0.1:7083";
pub const DEFAULT_PEER_ADDRESS: &str = "127.0.0.1:7084";
pub const DEFAULT_LEASE: Duration = Duration::from_secs(3);
/// How long requests in progress may take after the node was asked to stop.
pub const DEFAULT_DRAIN_DEADLINE: Duration = Duration::from_secs(10);

/// A lease shorter than this expires workers that only had to wait for a processor.
const MIN_LEASE: Duration = Duration::from_millis(200);
/// The part of a lease that is waited on top of it.
const MARGIN: u32 = 6;

#[derive(Debug, Clone)]
pub struct Config {
    /// `host:port`; port 0 is any free one.
    pub rest_address: String,
    pub grpc_address: String,
    pub storage: Storage,
    /// How long a worker may be silent before its units go elsewhere.
    pub lease: Duration,
    pub drain_deadline: Duration,
}

#[derive(Debug, Clone)]
pub enum Storage {
    /// Forgotten at the end of the process.
    Memory,
    Disk {
        data_dir: PathBuf,
        node: NodeId,
        peer_address: String,
        /// The host name or address by which the other nodes, workers and clients reach this one. Without it, the host of
        /// `peer_address` is taken.
        advertised_host: Option<String>,
        group: Group,
    },
    /// Opened by the process itself; shut down with the node.
    Given(Arc<dyn ClusterStore>),
}

/// How a node finds its group the first time. Later its disk knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Group {
    /// It begins a group of its own; others may join it.
    #[default]
    Alone,
    /// These begin a group together, this node among them.
    Of(BTreeMap<NodeId, Member>),
    /// It asks this node, `host:port` of its gRPC port, to be taken in.
    Join(String),
    /// It begins with the state in this file, as a group of its own or, if there are members, of these, the first of which
    /// it must be. The others begin with empty data directories, and get the state from it.
    Restored {
        backup: PathBuf,
        members: BTreeMap<NodeId, Member>,
    },
}

/// What is wrong with one entry of the initial members.
#[derive(Debug, thiserror::Error)]
#[error(
    "`{entry}` does not describe a member: write NUMBER=HOST:PEER_PORT/GRPC_PORT, for example `1=10.0.0.1:7084/7083`"
)]
pub struct MemberError {
    entry: String,
}

/// Reads `1=HOST:PEER_PORT/GRPC_PORT,2=…`.
pub fn parse_members(text: &str) -> Result<BTreeMap<NodeId, Member>, MemberError> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    entries.map(parse_member).collect()
}

/// Reads `NUMBER=HOST:PEER_PORT/GRPC_PORT`.
fn parse_member(entry: &str) -> Result<(NodeId, Member), MemberError> {
    let read = || {
        let (number, address) = entry.split_once('=')?;
        let (peer, api_port) = address.trim().split_once('/')?;
        let (host, peer_port) = peer.rsplit_once(':')?;
        let (_, _): (u16, u16) = (peer_port.parse().ok()?, api_port.parse().ok()?);
        let member = Member {
            peer_address: peer.to_owned(),
            api_address: format!("{host}:{api_port}"),
        };
        (!host.is_empty()).then_some((NodeId(number.trim().parse().ok()?), member))
    };
    read().ok_or_else(|| MemberError {
        entry: entry.to_owned(),
    })
}

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("the lease of {lease:?} cannot be used: it must be at least {MIN_LEASE:?}, for example 3s")]
    LeaseTooShort { lease: Duration },
}

impl Config {
    /// On the loopback interface, in memory.
    pub fn in_memory() -> Self {
        Self {
            rest_address: DEFAULT_REST_ADDRESS.to_owned(),
            grpc_address: DEFAULT_GRPC_ADDRESS.to_owned(),
            storage: Storage::Memory,
            lease: DEFAULT_LEASE,
            drain_deadline: DEFAULT_DRAIN_DEADLINE,
        }
    }
}

pub(crate) fn checked_lease(duration: Duration) -> Result<Lease, ConfigError> {
    if duration < MIN_LEASE {
        return Err(ConfigError::LeaseTooShort { lease: duration });
    }
    Ok(Lease {
        duration,
        margin: duration / MARGIN,
    })
}
