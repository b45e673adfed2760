//! The one sled database of a node: keys, records, and what it takes to make them durable. Everything here blocks;
//! callers on the runtime go through [`Disk::run`].
//!
//! Records are cut into chunks, because sled puts a page that outgrows a quarter of a segment into a file of its own,
//! which it never syncs.

mod beginning;
mod error;
mod key;
mod log;
mod mark;
mod snapshot;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::{CancellationToken, DropGuard};
use uuid::Uuid;

use crate::types::Vote;

pub use self::error::DiskError;
pub(crate) use self::key::Head;
use self::mark::Mark;
pub(crate) use self::snapshot::StoredSnapshot;

/// Pages of up to 512 KiB stay in sled's own log.
const SEGMENT_BYTES: usize = 2 * 1024 * 1024;

/// A leaf of sled holds 16 items before it splits, and a few more for a moment: well below 512 KiB.
const CHUNK_BYTES: usize = 16 * 1024;

/// sled's page cache. The state itself is in memory; the log is read once, soon after it was written.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;

/// How often sled's own thread frees what was overwritten or deleted.
const CLEAN_EVERY_MS: u64 = 1_000;

/// The first byte of every record.
const RECORD_FORMAT: u8 = 1;

/// Format, and how many chunks there are.
const RECORD_HEADER_BYTES: usize = 5;

#[derive(Debug)]
pub(crate) struct Disk {
    db: sled::Db,
    /// sled's data file, for `fdatasync`.
    file: File,
    file_name: PathBuf,
    mark: Mark,
    /// Snapshots are written by two tasks of openraft: one that builds, one that installs.
    snapshot_writer: Mutex<()>,
    closed: CancellationToken,
    /// The last field, so that it is dropped when the database is closed.
    _closing: DropGuard,
}

impl Disk {
    pub(crate) fn open(dir: &Path) -> Result<Self, DiskError> {
        let unusable = |source| DiskError::Directory {
            dir: dir.to_owned(),
            source,
        };
        std::fs::create_dir_all(dir).map_err(unusable)?;
        let config = sled::Config::new()
            .path(dir)
            .segment_size(SEGMENT_BYTES)
            .cache_capacity(CACHE_BYTES)
            .flush_every_ms(Some(CLEAN_EVERY_MS));
        let db = config
            .open()
            .map_err(|source| DiskError::of_opening(dir, source))?;
        let file_name = dir.join("db");
        let file = File::open(&file_name).map_err(unusable)?;
        let mark = Mark::open(dir).map_err(unusable)?;
        let closed = CancellationToken::new();
        let disk = Self {
            mark,
            db,
            file,
            file_name,
            snapshot_writer: Mutex::new(()),
            closed: closed.clone(),
            _closing: closed.drop_guard(),
        };
        disk.sync()?;
        // The names of the files must be durable as well.
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
        for name in std::iter::once(dir).chain(parent) {
            File::open(name)
                .and_then(|name| name.sync_all())
                .map_err(unusable)?;
        }
        disk.check()?;
        Ok(disk)
    }

    /// Cancelled when nobody uses the database any more and it is closed.
    pub(crate) fn closed(&self) -> CancellationToken {
        self.closed.clone()
    }

    /// Runs blocking work where it holds nobody up.
    pub(crate) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Self) -> Result<T, DiskError> + Send + 'static,
    ) -> Result<T, DiskError> {
        let disk = self.clone();
        tokio::task::spawn_blocking(move || work(&disk))
            .await
            .map_err(|broken_off| DiskError::of_work(&self.file_name, broken_off))?
    }

    /// Everything written before the call is durable after it. sled's flush on Linux ends in `sync_file_range`, which
    /// neither writes the file's metadata nor empties the drive's cache, so it is not enough.
    pub(crate) fn sync(&self) -> Result<(), DiskError> {
        self.db
            .flush()
            .map_err(|source| self.failed("write", "what is in memory", source))?;
        self.file.sync_data().map_err(|source| DiskError::Sync {
            file: self.file_name.clone(),
            source,
        })
    }

    fn failed(&self, action: &'static str, what: &'static str, source: sled::Error) -> DiskError {
        let file = self.file_name.clone();
        match source {
            sled::Error::Corruption { .. } => DiskError::Corrupt { file, source },
            source => DiskError::Database {
                action,
                what,
                file,
                source,
            },
        }
    }

    fn damaged(&self, what: &'static str, why: impl Into<String>) -> DiskError {
        DiskError::Damaged {
            what,
            file: self.file_name.clone(),
            why: why.into(),
        }
    }

    /// Durable when it returns.
    pub(crate) fn put_vote(&self, vote: &Vote) -> Result<(), DiskError> {
        self.put(Head::Vote, vote)?;
        self.sync()?;
        self.mark.change(|durable| durable.vote = Some(*vote))
    }

    /// The same for as long as the disk is not emptied.
    pub(crate) fn identity(&self) -> Result<String, DiskError> {
        if let Some(known) = self.get(Head::Identity)? {
            return Ok(known);
        }
        let new = Uuid::new_v4().to_string();
        self.put(Head::Identity, &new)?;
        self.sync()?;
        Ok(new)
    }

    /// A small value. Durable with the next `sync`.
    pub(crate) fn put<T: Serialize>(&self, head: Head, value: &T) -> Result<(), DiskError> {
        let mut batch = sled::Batch::default();
        put_head(&mut batch, head, value);
        self.write(batch, head.what())
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, head: Head) -> Result<Option<T>, DiskError> {
        let found = self.db.get(head.key());
        let Some(bytes) = found.map_err(|source| self.failed("read", head.what(), source))? else {
            return Ok(None);
        };
        self.decode(&self.assembled(&head.key(), &bytes, head.what())?, head.what())
            .map(Some)
    }

    fn write(&self, batch: sled::Batch, what: &'static str) -> Result<(), DiskError> {
        self.db
            .apply_batch(batch)
            .map_err(|source| self.failed("write", what, source))
    }

    /// Puts a record together whose first chunk was found.
    fn assembled(&self, key: &[u8], first: &[u8], what: &'static str) -> Result<Vec<u8>, DiskError> {
        let damaged = |why: &str| self.damaged(what, why);
        let (header, body) = first
            .split_at_checked(RECORD_HEADER_BYTES)
            .ok_or_else(|| damaged("a record is too short"))?;
        if header[0] != RECORD_FORMAT {
            let why = format!(
                "a record has format {}, this build reads {RECORD_FORMAT}",
                header[0]
            );
            return Err(self.damaged(what, why));
        }
        let count = u32::from_be_bytes([header[1], header[2], header[3], header[4]]);
        let mut bytes = body.to_vec();
        for number in 1..count {
            let chunk = self.db.get(key::chunk(key, number));
            let chunk = chunk.map_err(|source| self.failed("read", what, source))?;
            bytes.extend_from_slice(&chunk.ok_or_else(|| damaged("a part of a record is missing"))?);
        }
        Ok(bytes)
    }

    fn decode<T: DeserializeOwned>(&self, bytes: &[u8], what: &'static str) -> Result<T, DiskError> {
        serde_json::from_slice(bytes).map_err(|error| self.damaged(what, error.to_string()))
    }
}

/// Cuts a record into chunks under `key`.
fn put_record(batch: &mut sled::Batch, key: &[u8], bytes: &[u8]) {
    let (first, rest) = bytes.split_at(bytes.len().min(CHUNK_BYTES));
    let rest = rest.chunks(CHUNK_BYTES);
    let count = u32::try_from(rest.len() + 1).expect("a record is far smaller than 64 TiB");
    let mut value = Vec::with_capacity(RECORD_HEADER_BYTES + first.len());
    value.push(RECORD_FORMAT);
    value.extend_from_slice(&count.to_be_bytes());
    value.extend_from_slice(first);
    batch.insert(key, value);
    for (number, chunk) in (1..).zip(rest) {
        batch.insert(key::chunk(key, number), chunk);
    }
}

fn put_head<T: Serialize>(batch: &mut sled::Batch, head: Head, value: &T) {
    put_record(batch, &head.key(), &encode(value));
}

fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("everything that is stored has a JSON form")
}
