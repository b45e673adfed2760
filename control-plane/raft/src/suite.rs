//! openraft's own tests of a store.

use openraft::testing::{StoreBuilder, Suite};
use tempfile::TempDir;

use crate::disk::Disk;
use crate::log_store::LogStore;
use crate::machine::Machine;
use crate::types::{StorageError, TypeConfig};

struct OnDisk;

impl StoreBuilder<TypeConfig, LogStore, Machine, TempDir> for OnDisk {
    async fn build(&self) -> Result<(TempDir, LogStore, Machine), StorageError> {
        let dir = TempDir::new().unwrap();
        let disk = std::sync::Arc::new(Disk::open(dir.path()).unwrap());
        let machine = Machine::load(&disk).unwrap();
        Ok((dir, LogStore::new(disk), machine))
    }
}

#[test]
fn the_store_passes_the_suite_of_openraft() {
    Suite::test_all(OnDisk).unwrap();
}
