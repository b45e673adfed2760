//! Fault runs: the real processes of a cluster, each in a network namespace of its own, under faults that a seed chooses,
//! with numbered records on their way and users of the API; and what must hold afterwards. Takes root.

pub mod broker;
pub mod clients;
pub mod clock;
pub mod cluster;
pub mod disk;
pub mod faults;
pub mod hanging;
pub mod journal;
pub mod network;
pub mod numbers;
pub mod oracles;
pub mod plan;
pub mod program;
pub mod run;
pub mod settled;
pub mod shell;
pub mod watch;
pub mod work;

pub use plan::Plan;
pub use run::{Report, RunError, run};
