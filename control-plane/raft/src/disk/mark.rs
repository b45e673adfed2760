//! How far the log was durable, in a small file beside the database.
//!
//! sled takes the first damaged record for the end of its log and forgets what follows, without a word. A node that has
//! lost what it acknowledged must not vote or serve, so this file says what must be there. It is written after each
//! sync, and not synced itself: after a power cut it may say less than was durable, never more.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::DiskError;
use crate::types::Vote;

const NAME: &str = "durable";

/// One write of one sector, padded with blanks.
const MARK_BYTES: usize = 512;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Durable {
    /// The last entry of the log.
    pub(super) last: Option<u64>,
    pub(super) vote: Option<Vote>,
}

#[derive(Debug)]
pub(super) struct Mark {
    file: File,
    name: PathBuf,
    /// A std mutex: held for one small write.
    durable: Mutex<Durable>,
}

impl Mark {
    pub(super) fn open(dir: &Path) -> std::io::Result<Self> {
        let name = dir.join(NAME);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&name)?;
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut &file, &mut bytes)?;
        let durable = if bytes.is_empty() {
            Durable::default()
        } else {
            serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                // Only a power cut in the middle of its write does this, and the file is a safeguard only.
                tracing::warn!(%error, "the mark of how far the log was durable cannot be read, going on without it");
                Durable::default()
            })
        };
        Ok(Self {
            file,
            name,
            durable: Mutex::new(durable),
        })
    }

    pub(super) fn get(&self) -> Durable {
        *self.durable.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Durable)) -> Result<(), DiskError> {
        let mut durable = self.durable.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut durable);
        let mut bytes = super::encode(&*durable);
        bytes.resize(MARK_BYTES.max(bytes.len()), b' ');
        let written = self.file.write_all_at(&bytes, 0);
        written.map_err(|source| DiskError::Sync {
            file: self.name.clone(),
            source,
        })
    }
}
