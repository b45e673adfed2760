//! The state as a file: one line of JSON that says what follows, then the state in the form of a snapshot. Not for reading
//! or writing files, and not for snapshots within a group, which have openraft's marks beside them.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use towpath_types::{Epoch, Revision};

use crate::apply::mark_unassigned;
use crate::index::Index;
use crate::persisted::DecodeError;
use crate::{ClusterState, Unit};

/// Of the first line, and of what follows it. This build reads this and older ones.
pub const BACKUP_VERSION: u32 = 1;

/// A first line that is longer is none.
const MAX_HEADER_BYTES: usize = 4_096;

/// By how much the revision of a restored state is raised: more changes than a group makes in its life. Every epoch that
/// the group gave out after the backup was made is smaller than all that come now.
const REVISIONS_BETWEEN_LIVES: u64 = 1 << 40;

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    towpath_backup: u32,
    revision: Revision,
    bytes: u64,
    /// Of what follows the first line, in hexadecimal digits.
    sha256: String,
}

/// What every version's first line has.
#[derive(Deserialize)]
struct AnyHeader {
    towpath_backup: u32,
}

/// Why a file is no backup that this build can restore.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error(
        "it is not a backup: its first line is not that of a file which `kcctl cluster backup` has written"
    )]
    NotABackup,
    #[error(
        "it was written by a newer version (format {found}, this build reads up to {BACKUP_VERSION}): restore it with \
         that version"
    )]
    Newer { found: u32 },
    #[error("it is cut off: {found} of {wanted} bytes are there; copy it again, or take another backup")]
    CutOff { found: u64, wanted: u64 },
    #[error("it is damaged: more follows after its {wanted} bytes; copy it again, or take another backup")]
    TooLong { wanted: u64 },
    #[error(
        "it is damaged: its checksum is not the one in its first line; copy it again, or take another backup"
    )]
    Damaged,
    #[error("the state in it cannot be used")]
    State(#[source] DecodeError),
}

impl ClusterState {
    /// The content of a backup file. Configurations are in it as they were submitted, secrets included.
    pub fn to_backup(&self) -> Vec<u8> {
        let state = self.encode();
        let header = Header {
            towpath_backup: BACKUP_VERSION,
            revision: self.revision(),
            bytes: count(&state),
            sha256: checksum(&state),
        };
        let mut file = serde_json::to_vec(&header).expect("a header has a JSON form");
        file.push(b'\n');
        file.extend_from_slice(&state);
        file
    }

    /// The state as it was when the backup was made.
    pub fn from_backup(file: &[u8]) -> Result<Self, BackupError> {
        let first = file.iter().take(MAX_HEADER_BYTES).position(|byte| *byte == b'\n');
        let (line, state) = file.split_at(first.ok_or(BackupError::NotABackup)?);
        let any: AnyHeader = serde_json::from_slice(line).map_err(|_| BackupError::NotABackup)?;
        if any.towpath_backup > BACKUP_VERSION {
            return Err(BackupError::Newer {
                found: any.towpath_backup,
            });
        }
        let header: Header = serde_json::from_slice(line).map_err(|_| BackupError::NotABackup)?;
        let state = state.get(1..).unwrap_or_default();
        let (found, wanted) = (count(state), header.bytes);
        if found < wanted {
            return Err(BackupError::CutOff { found, wanted });
        }
        if found > wanted {
            return Err(BackupError::TooLong { wanted });
        }
        if checksum(state) != header.sha256 {
            return Err(BackupError::Damaged);
        }
        Self::decode(state).map_err(BackupError::State)
    }

    /// The state that a new group begins with. What the old group's workers still run must not pass for what is wanted now:
    /// no worker is known, nothing is assigned, and every epoch from now on is larger than any that they have heard of.
    #[must_use]
    pub fn reborn(mut self) -> Self {
        let tables = &mut self.tables;
        tables.revision = Revision(tables.revision.get().saturating_add(REVISIONS_BETWEEN_LIVES));
        let epoch = Epoch(tables.revision.get());
        tables.workers.clear();
        tables.leaving.clear();
        tables.drained.clear();
        for connector in tables.connectors.values_mut() {
            // Another set, so that exactly-once tasks of the old group are fenced.
            connector.task_set = epoch;
            let tasks = connector.tasks.iter_mut().map(|task| &mut task.unit);
            for unit in std::iter::once(&mut connector.unit).chain(tasks) {
                forget_holder(unit, epoch);
            }
        }
        self.index = Index::of(&self.tables);
        self
    }
}

fn forget_holder(unit: &mut Unit, epoch: Epoch) {
    unit.epoch = epoch;
    unit.holder = None;
    unit.headed_for = None;
    mark_unassigned(unit);
}

fn count(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("a length fits 64 bits")
}

fn checksum(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").expect("a text can be written to");
    }
    text
}
