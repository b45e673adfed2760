//! What a node of the control plane is told at its start. Where the settings come from is the binary's business.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use towpath_raft::ClusterStore;
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
    },
    /// Opened by the process itself; shut down with the node.
    Given(Arc<dyn ClusterStore>),
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

    pub(crate) fn checked_lease(&self) -> Result<Lease, ConfigError> {
        if self.lease < MIN_LEASE {
            return Err(ConfigError::LeaseTooShort { lease: self.lease });
        }
        Ok(Lease {
            duration: self.lease,
            margin: self.lease / MARGIN,
        })
    }
}
