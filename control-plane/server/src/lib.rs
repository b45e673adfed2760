//! A node of the control plane: one application layer with a REST and a gRPC face, the sessions of the workers, the
//! reconcile loop, and the process around them. It links no connector and keeps nothing that is not in the store, apart
//! from who is connected.

mod app;
mod config;
mod control_plane;
mod forward;
mod grpc;
mod reconcile;
mod rest;
mod scheduler;
mod sessions;
mod storage;

pub use app::{Chain, REQUEST_DEADLINE};
pub use config::{
    Config, ConfigError, DEFAULT_DRAIN_DEADLINE, DEFAULT_GRPC_ADDRESS, DEFAULT_LEASE, DEFAULT_PEER_ADDRESS,
    DEFAULT_REST_ADDRESS, Group, MemberError, Storage, parse_members,
};
pub use control_plane::{ControlPlane, RunError, Running, StartError};
pub use scheduler::Scheduler;
pub use storage::RestoreError;
