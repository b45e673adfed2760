//! The replicated log behind the control plane: [`ClusterStore`] is all that the rest sees. [`RaftStore`] replicates by
//! openraft over sled, [`MemoryStore`] keeps everything in memory, for tests and for single processes that need no disk.
//!
//! openraft and sled are named in this crate only.

mod memory;
mod store;

pub use memory::MemoryStore;
pub use store::{ClusterStore, Leader, Reads, Role, StoreError, StoreMetrics};
