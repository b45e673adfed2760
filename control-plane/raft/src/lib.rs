//! The replicated log behind the control plane: [`ClusterStore`] is all that the rest sees. [`RaftStore`] replicates by
//! openraft over sled, [`MemoryStore`] keeps everything in memory, for tests and for single processes that need no disk.
//!
//! openraft and sled are named in this crate only.
//!
//! ```text
//! propose ─▶ proposals (batches) ─▶ openraft ─▶ log_store ─▶ disk (sled + fdatasync)
//!                                      │ ▲
//!                            peers (gRPC)│ └─▶ machine ─▶ ClusterState in memory, snapshots on disk
//! ```

mod answer;
mod config;
mod disk;
mod election;
#[cfg(test)]
mod golden;
mod handover;
mod lead;
mod log_store;
mod machine;
mod members;
mod memory;
mod node;
mod opening;
mod peers;
mod proposals;
mod register;
mod service;
mod store;
#[cfg(test)]
mod suite;
mod summary;
mod types;

pub use config::{LogLimits, RaftConfig, Timing};
pub use disk::DiskError;
pub use machine::LoadError;
pub use memory::MemoryStore;
pub use node::RaftStore;
pub use opening::OpenError;
pub use register::StrangerError;
pub use service::PeerService;
pub use store::{ClusterStore, GroupMember, Leader, Reads, Role, StoreError, StoreMetrics};
pub use types::Member;
