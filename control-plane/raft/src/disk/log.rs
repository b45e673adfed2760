//! Log entries on disk.

use super::{Disk, DiskError, Head, encode, key, put_head, put_record};
use crate::types::{Entry, LogId, Vote};

const WHAT: &str = "the log";

/// How much is read for one message to a follower, apart from the entry that goes beyond it. A message has to arrive and
/// to be durable within a heartbeat, or it is sent again.
const READ_BYTES: usize = 256 * 1024;

impl Disk {
    /// Durable when it returns.
    pub(crate) fn append(&self, entries: &[Entry]) -> Result<(), DiskError> {
        let mut batch = sled::Batch::default();
        for entry in entries {
            put_record(&mut batch, &key::log(entry.log_id.index), &encode(entry));
        }
        self.write(batch, WHAT)?;
        self.sync()?;
        match entries.last() {
            Some(last) => self.mark.change(|durable| durable.last = Some(last.log_id.index)),
            None => Ok(()),
        }
    }

    /// The entries of the range that are there.
    pub(crate) fn entries(&self, start: u64, end: u64) -> Result<Vec<Entry>, DiskError> {
        self.read_entries(start, end, usize::MAX)
    }

    /// The first entries of the range: at least one, no more than fit into a message.
    pub(crate) fn some_entries(&self, start: u64, end: u64) -> Result<Vec<Entry>, DiskError> {
        self.read_entries(start, end, READ_BYTES)
    }

    fn read_entries(&self, start: u64, end: u64, limit: usize) -> Result<Vec<Entry>, DiskError> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut bytes = 0;
        for item in self.db.range(key::logs_from(start)) {
            let (key, first) = item.map_err(|source| self.failed("read", WHAT, source))?;
            let Some((index, true)) = key::log_index(&key) else {
                continue;
            };
            if index >= end || bytes >= limit {
                break;
            }
            let record = self.assembled(&key, &first, WHAT)?;
            let entry: Entry = self.decode(&record, WHAT)?;
            let expected = entries.last().map_or(index, |last| last.log_id.index + 1);
            if index != expected || entry.log_id.index != index {
                return Err(self.hole(expected, index));
            }
            bytes += record.len();
            entries.push(entry);
        }
        Ok(entries)
    }

    pub(crate) fn last_entry(&self) -> Result<Option<Entry>, DiskError> {
        let Some(last) = self.log_indexes()?.last().copied() else {
            return Ok(None);
        };
        Ok(self.entries(last, last + 1)?.pop())
    }

    /// Durable together with what is appended next: a truncated entry that came back would be truncated again.
    pub(crate) fn truncate(&self, from: u64) -> Result<(), DiskError> {
        self.mark
            .change(|durable| durable.last = durable.last.min(from.checked_sub(1)))?;
        let mut batch = sled::Batch::default();
        self.remove_entries(&mut batch, |index| index >= from)?;
        self.write(batch, WHAT)
    }

    /// The mark and the removal are one write.
    pub(crate) fn purge(&self, upto: &LogId) -> Result<(), DiskError> {
        let mut batch = sled::Batch::default();
        put_head(&mut batch, Head::Purged, upto);
        self.remove_entries(&mut batch, |index| index <= upto.index)?;
        self.write(batch, WHAT)
    }

    fn remove_entries(
        &self,
        batch: &mut sled::Batch,
        is_meant: impl Fn(u64) -> bool,
    ) -> Result<(), DiskError> {
        for key in self.db.scan_prefix(key::all_logs()).keys() {
            let key = key.map_err(|source| self.failed("read", WHAT, source))?;
            if key::log_index(&key).is_some_and(|(index, _)| is_meant(index)) {
                batch.remove(key);
            }
        }
        Ok(())
    }

    fn log_indexes(&self) -> Result<Vec<u64>, DiskError> {
        let mut indexes = Vec::new();
        for key in self.db.scan_prefix(key::all_logs()).keys() {
            let key = key.map_err(|source| self.failed("read", WHAT, source))?;
            if let Some((index, true)) = key::log_index(&key) {
                indexes.push(index);
            }
        }
        Ok(indexes)
    }

    /// The log must go on where the purged part ends, have no hole, and reach as far as it once did.
    pub(super) fn check(&self) -> Result<(), DiskError> {
        let purged: Option<LogId> = self.get(Head::Purged)?;
        let mut expected = purged.map(|purged| purged.index + 1);
        for index in self.log_indexes()? {
            if let Some(expected) = expected
                && expected != index
            {
                return Err(self.hole(expected, index));
            }
            expected = Some(index + 1);
        }
        let last = expected.map(|next| next - 1).max(self.snapshot_index()?);
        let durable = self.mark.get();
        if last < durable.last {
            let why = format!(
                "it ended with entry {}, now it ends with {}",
                shown(durable.last),
                shown(last)
            );
            return Err(self.damaged(WHAT, why));
        }
        if self.get::<Vote>(Head::Vote)? < durable.vote {
            return Err(self.damaged("the vote", "an older one than the last is there"));
        }
        Ok(())
    }

    fn hole(&self, expected: u64, found: u64) -> DiskError {
        self.damaged(
            WHAT,
            format!("entry {expected} is missing, entry {found} follows"),
        )
    }
}

fn shown(index: Option<u64>) -> String {
    index.map_or_else(|| "none".to_owned(), |index| index.to_string())
}
