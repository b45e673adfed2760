//! Keys in the database. Numbers are big-endian, so that keys stand in the order of the numbers.

const HEAD: u8 = b'h';
const LOG: u8 = b'l';
const SNAPSHOT: u8 = b's';

/// The values of which there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    Vote,
    Committed,
    Purged,
    /// Which snapshot is the current one.
    Snapshot,
    /// The id of this disk.
    Identity,
    /// What is known of the other nodes' disks.
    Known,
}

impl Head {
    pub(super) fn key(self) -> Vec<u8> {
        vec![
            HEAD,
            match self {
                Self::Vote => b'v',
                Self::Committed => b'c',
                Self::Purged => b'p',
                Self::Snapshot => b's',
                Self::Identity => b'i',
                Self::Known => b'k',
            },
        ]
    }

    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Vote => "the vote",
            Self::Committed => "the commit mark",
            Self::Purged => "the purge mark",
            Self::Snapshot => "the description of the snapshot",
            Self::Identity => "the id of the data directory",
            Self::Known => "what is known of the other nodes",
        }
    }
}

/// The first chunk of a log entry. Those of its other chunks follow it directly.
pub(super) fn log(index: u64) -> Vec<u8> {
    numbered(LOG, index)
}

/// The index in the key of a log entry, and whether it is the entry's first chunk.
pub(super) fn log_index(key: &[u8]) -> Option<(u64, bool)> {
    let (number, rest) = key.strip_prefix(&[LOG])?.split_first_chunk::<8>()?;
    Some((u64::from_be_bytes(*number), rest.is_empty()))
}

pub(super) fn all_logs() -> [u8; 1] {
    [LOG]
}

/// A range of keys that holds the logs from `start` on.
pub(super) fn logs_from(start: u64) -> std::ops::Range<Vec<u8>> {
    log(start)..vec![LOG + 1]
}

pub(super) fn snapshot(number: u64) -> Vec<u8> {
    numbered(SNAPSHOT, number)
}

pub(super) fn all_snapshots() -> [u8; 1] {
    [SNAPSHOT]
}

pub(super) fn chunk(key: &[u8], number: u32) -> Vec<u8> {
    [key, &number.to_be_bytes()].concat()
}

fn numbered(kind: u8, number: u64) -> Vec<u8> {
    [&[kind][..], &number.to_be_bytes()].concat()
}
