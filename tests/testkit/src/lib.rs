//! What tests against real servers and real processes stand on: servers to start and break, our own binaries to start
//! and kill, and waiting for a state. Not for tests of pure code, and never linked into a product.

pub mod linearizable;
pub mod ports;
pub mod process;
pub mod replay;
pub mod services;
pub mod waiting;

pub use ports::free_port;
pub use process::{Process, binary};
pub use services::{Service, Services};
pub use waiting::{TimedOut, wait_until, wait_until_eq};

use std::path::{Path, PathBuf};

/// The checkout that this crate was built in.
pub fn repository_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .expect("tests/testkit lies two folders below the repository's root")
        .to_path_buf()
}
