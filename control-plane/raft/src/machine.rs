//! The state machine: applies committed entries to the state in memory, writes and installs snapshots of it.

use std::io::Cursor;
use std::sync::{Arc, PoisonError, RwLock};

use openraft::storage::{RaftStateMachine, Snapshot};
use openraft::{AnyError, EntryPayload, ErrorSubject, ErrorVerb, OptionalSend, RaftSnapshotBuilder};
use tokio::sync::watch;
use towpath_state::{ClusterState, DecodeError, Outcome};
use towpath_types::Revision;

use crate::disk::{Disk, DiskError, StoredSnapshot};
use crate::log_store::storage_error;
use crate::types::{Entry, LogId, SnapshotMeta, StorageError, StorageIoError, StoredMembership, TypeConfig};

/// What readers see of the state machine.
#[derive(Debug)]
pub(crate) struct Applied {
    /// A std lock: held while entries are applied or somebody looks, never across an await.
    state: RwLock<ClusterState>,
    revision: watch::Sender<Revision>,
}

impl Applied {
    fn new(state: ClusterState) -> Self {
        Self {
            revision: watch::Sender::new(state.revision()),
            state: RwLock::new(state),
        }
    }

    pub(crate) fn look(&self, look: impl FnOnce(&ClusterState)) {
        look(&self.state.read().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Revision> {
        self.revision.subscribe()
    }

    fn change<R>(&self, change: impl FnOnce(&mut ClusterState) -> R) -> R {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let result = change(&mut state);
        let revision = state.revision();
        drop(state);
        self.revision
            .send_if_modified(|known| std::mem::replace(known, revision) != revision);
        result
    }
}

#[derive(Debug)]
pub(crate) struct Machine {
    applied: Arc<Applied>,
    disk: Arc<Disk>,
    last_applied: Option<LogId>,
    membership: StoredMembership,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Snapshot(#[from] DecodeError),
}

impl Machine {
    /// As the snapshot left it; openraft applies the rest of the log.
    pub(crate) fn load(disk: &Arc<Disk>) -> Result<Self, LoadError> {
        let (state, meta) = match disk.read_snapshot()? {
            Some(stored) => (ClusterState::decode(&stored.bytes)?, stored.meta),
            None => (ClusterState::new(), SnapshotMeta::default()),
        };
        Ok(Self {
            applied: Arc::new(Applied::new(state)),
            disk: disk.clone(),
            last_applied: meta.last_log_id,
            membership: meta.last_membership,
        })
    }

    pub(crate) fn applied(&self) -> Arc<Applied> {
        self.applied.clone()
    }

    fn meta(&self) -> SnapshotMeta {
        let snapshot_id = self
            .last_applied
            .map_or_else(String::new, |log_id| log_id.to_string());
        SnapshotMeta {
            last_log_id: self.last_applied,
            last_membership: self.membership.clone(),
            snapshot_id,
        }
    }
}

impl RaftStateMachine<TypeConfig> for Machine {
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), StorageError> {
        Ok((self.last_applied, self.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Vec<Outcome>>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let Self {
            applied,
            last_applied,
            membership,
            ..
        } = self;
        let outcomes = applied.change(|state| {
            let apply = |entry: Entry| {
                *last_applied = Some(entry.log_id);
                match entry.payload {
                    EntryPayload::Blank => Vec::new(),
                    EntryPayload::Normal(batch) => {
                        batch.0.iter().map(|command| state.apply(&command.body)).collect()
                    }
                    EntryPayload::Membership(members) => {
                        *membership = StoredMembership::new(Some(entry.log_id), members);
                        Vec::new()
                    }
                }
            };
            entries.into_iter().map(apply).collect()
        });
        Ok(outcomes)
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        let mut state = ClusterState::new();
        self.applied.look(|applied| state = applied.clone());
        Builder {
            disk: self.disk.clone(),
            state,
            meta: self.meta(),
        }
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Cursor<Vec<u8>>>, StorageError> {
        Ok(Box::default())
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        snapshot: Box<Cursor<Vec<u8>>>,
    ) -> Result<(), StorageError> {
        let subject = ErrorSubject::Snapshot(Some(meta.signature()));
        let stored = StoredSnapshot {
            meta: meta.clone(),
            bytes: snapshot.into_inner(),
        };
        let installed = self.disk.run(move |disk| {
            // Read before it is kept: what cannot be read must not replace what can.
            let state = ClusterState::decode(&stored.bytes);
            if state.is_ok() {
                disk.write_snapshot(&stored)?;
            }
            Ok(state)
        });
        let installed = installed
            .await
            .map_err(|error| storage_error(subject.clone(), ErrorVerb::Write, &error))?;
        let state = installed.map_err(|error| {
            StorageError::from(StorageIoError::new(
                subject,
                ErrorVerb::Read,
                AnyError::new(&error),
            ))
        })?;
        self.applied.change(|applied| *applied = state);
        self.last_applied = meta.last_log_id;
        self.membership = meta.last_membership.clone();
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot<TypeConfig>>, StorageError> {
        let stored = self.disk.run(Disk::read_snapshot).await;
        let stored =
            stored.map_err(|error| storage_error(ErrorSubject::Snapshot(None), ErrorVerb::Read, &error))?;
        Ok(stored.map(handed_out))
    }
}

/// A copy of the state, being written while the state goes on.
#[derive(Debug)]
pub(crate) struct Builder {
    disk: Arc<Disk>,
    state: ClusterState,
    meta: SnapshotMeta,
}

impl RaftSnapshotBuilder<TypeConfig> for Builder {
    async fn build_snapshot(&mut self) -> Result<Snapshot<TypeConfig>, StorageError> {
        let (state, meta) = (std::mem::take(&mut self.state), self.meta.clone());
        let written = self.disk.run(move |disk| {
            let stored = StoredSnapshot {
                meta,
                bytes: state.encode(),
            };
            disk.write_snapshot(&stored)?;
            Ok(stored)
        });
        let subject = ErrorSubject::Snapshot(Some(self.meta.signature()));
        written
            .await
            .map(handed_out)
            .map_err(|error| storage_error(subject, ErrorVerb::Write, &error))
    }
}

fn handed_out(stored: StoredSnapshot) -> Snapshot<TypeConfig> {
    Snapshot {
        meta: stored.meta,
        snapshot: Box::new(Cursor::new(stored.bytes)),
    }
}
