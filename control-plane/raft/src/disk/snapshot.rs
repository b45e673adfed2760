//! The current snapshot on disk. A new one is written beside the old one and becomes current in a single write.

use std::sync::PoisonError;

use serde::{Deserialize, Serialize};

use super::{Disk, DiskError, Head, key, put_head, put_record};
use crate::types::SnapshotMeta;

const WHAT: &str = "the snapshot";

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Current {
    number: u64,
    meta: SnapshotMeta,
}

#[derive(Debug)]
pub(crate) struct StoredSnapshot {
    pub(crate) meta: SnapshotMeta,
    pub(crate) bytes: Vec<u8>,
}

impl Disk {
    /// Durable when it returns. An older snapshot than the current one is dropped: the current one serves better.
    pub(crate) fn write_snapshot(&self, snapshot: &StoredSnapshot) -> Result<(), DiskError> {
        let _writer = self
            .snapshot_writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let current: Option<Current> = self.get(Head::Snapshot)?;
        if current
            .as_ref()
            .is_some_and(|current| current.meta.last_log_id > snapshot.meta.last_log_id)
        {
            return Ok(());
        }
        let number = current.map_or(0, |current| current.number + 1);
        let mut batch = sled::Batch::default();
        put_record(&mut batch, &key::snapshot(number), &snapshot.bytes);
        self.write(batch, WHAT)?;
        self.sync()?;
        let mut batch = sled::Batch::default();
        put_head(
            &mut batch,
            Head::Snapshot,
            &Current {
                number,
                meta: snapshot.meta.clone(),
            },
        );
        for key in self.db.scan_prefix(key::all_snapshots()).keys() {
            let key = key.map_err(|source| self.failed("read", WHAT, source))?;
            if !key.starts_with(&key::snapshot(number)) {
                batch.remove(key);
            }
        }
        self.write(batch, WHAT)?;
        self.sync()
    }

    /// The last entry that the current snapshot includes.
    pub(super) fn snapshot_index(&self) -> Result<Option<u64>, DiskError> {
        let current: Option<Current> = self.get(Head::Snapshot)?;
        Ok(current
            .and_then(|current| current.meta.last_log_id)
            .map(|log_id| log_id.index))
    }

    pub(crate) fn read_snapshot(&self) -> Result<Option<StoredSnapshot>, DiskError> {
        let _writer = self
            .snapshot_writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(current): Option<Current> = self.get(Head::Snapshot)? else {
            return Ok(None);
        };
        let key = key::snapshot(current.number);
        let first = self
            .db
            .get(&key)
            .map_err(|source| self.failed("read", WHAT, source))?;
        let missing = || self.damaged(WHAT, "it is missing");
        let bytes = self.assembled(&key, &first.ok_or_else(missing)?, WHAT)?;
        Ok(Some(StoredSnapshot {
            meta: current.meta,
            bytes,
        }))
    }
}
