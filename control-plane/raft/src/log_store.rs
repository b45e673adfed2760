//! openraft's log storage over [`Disk`].

use std::fmt::Debug;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;

use openraft::storage::{LogFlushed, RaftLogStorage};
use openraft::{AnyError, ErrorSubject, ErrorVerb, LogState, OptionalSend, RaftLogReader};

use crate::disk::{Disk, DiskError, Head};
use crate::types::{Entry, LogId, StorageError, StorageIoError, TypeConfig, Vote};

#[derive(Debug, Clone)]
pub(crate) struct LogStore {
    disk: Arc<Disk>,
}

impl LogStore {
    pub(crate) fn new(disk: Arc<Disk>) -> Self {
        Self { disk }
    }
}

/// openraft stops the node at any of these, which is what must happen: it must not serve what it cannot keep.
pub(crate) fn storage_error(subject: ErrorSubject<u64>, verb: ErrorVerb, error: &DiskError) -> StorageError {
    StorageIoError::new(subject, verb, AnyError::new(error)).into()
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError> {
        let (start, end) = bounds(&range);
        let entries = self.disk.run(move |disk| disk.entries(start, end)).await;
        entries.map_err(|error| storage_error(ErrorSubject::Logs, ErrorVerb::Read, &error))
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, StorageError> {
        let entries = self.disk.run(move |disk| disk.some_entries(start, end)).await;
        entries.map_err(|error| storage_error(ErrorSubject::Logs, ErrorVerb::Read, &error))
    }
}

fn bounds(range: &impl RangeBounds<u64>) -> (u64, u64) {
    let start = match range.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(before) => before + 1,
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(last) => last + 1,
        Bound::Excluded(end) => *end,
        Bound::Unbounded => u64::MAX,
    };
    (start, end)
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, StorageError> {
        let state = self.disk.run(|disk| {
            let last_purged_log_id: Option<LogId> = disk.get(Head::Purged)?;
            let last_log_id = disk
                .last_entry()?
                .map(|entry| entry.log_id)
                .or(last_purged_log_id);
            Ok(LogState {
                last_purged_log_id,
                last_log_id,
            })
        });
        state
            .await
            .map_err(|error| storage_error(ErrorSubject::Logs, ErrorVerb::Read, &error))
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        let vote = *vote;
        let saved = self.disk.run(move |disk| disk.put_vote(&vote)).await;
        saved.map_err(|error| storage_error(ErrorSubject::Vote, ErrorVerb::Write, &error))
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        let vote = self.disk.run(|disk| disk.get(Head::Vote)).await;
        vote.map_err(|error| storage_error(ErrorSubject::Vote, ErrorVerb::Read, &error))
    }

    /// Not synced: it only saves a restarted node from waiting for an election before it knows its own state.
    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        let saved = self
            .disk
            .run(move |disk| disk.put(Head::Committed, &committed))
            .await;
        saved.map_err(|error| storage_error(ErrorSubject::Store, ErrorVerb::Write, &error))
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError> {
        let committed = self
            .disk
            .run(|disk| disk.get::<Option<LogId>>(Head::Committed))
            .await;
        let committed =
            committed.map_err(|error| storage_error(ErrorSubject::Store, ErrorVerb::Read, &error))?;
        Ok(committed.flatten())
    }

    async fn append<I>(&mut self, entries: I, callback: LogFlushed<TypeConfig>) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        match self.disk.run(move |disk| disk.append(&entries)).await {
            Ok(()) => {
                callback.log_io_completed(Ok(()));
                Ok(())
            }
            Err(error) => {
                callback.log_io_completed(Err(std::io::Error::other(error.to_string())));
                Err(storage_error(ErrorSubject::Logs, ErrorVerb::Write, &error))
            }
        }
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError> {
        let truncated = self.disk.run(move |disk| disk.truncate(log_id.index)).await;
        truncated.map_err(|error| storage_error(ErrorSubject::Log(log_id), ErrorVerb::Delete, &error))
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError> {
        let purged = self.disk.run(move |disk| disk.purge(&log_id)).await;
        purged.map_err(|error| storage_error(ErrorSubject::Log(log_id), ErrorVerb::Delete, &error))
    }
}
