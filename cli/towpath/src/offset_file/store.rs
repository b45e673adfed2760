//! The cluster state of `towpath standalone`: in memory, but for the source offsets, which outlive the process in the
//! offset file. A change of them is answered once it is in the file.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::watch;
use towpath_raft::{ClusterStore, MemoryStore, Reads as _, StoreError, StoreMetrics};
use towpath_server::Chain;
use towpath_state::{ClusterState, Command, Outcome};
use towpath_types::{ConnectorName, Revision};

use super::{OffsetFile, OffsetFileError};

#[derive(Debug)]
pub(crate) struct OffsetFileStore {
    /// Shared with the write that is in progress, which goes on when nobody waits for it any more.
    kept: Arc<Kept>,
}

#[derive(Debug)]
struct Kept {
    memory: MemoryStore,
    /// A std mutex: held while the file is written, by threads that may block.
    file: Mutex<OffsetFile>,
}

impl OffsetFileStore {
    /// A cluster that begins with the offsets of the file.
    ///
    /// # Errors
    /// When an offset in the file cannot be read.
    pub(crate) fn new(file: OffsetFile) -> Result<Self, OffsetFileError> {
        let state = ClusterState::with_source_offsets(file.offsets()?);
        let kept = Arc::new(Kept {
            memory: MemoryStore::new(state),
            file: Mutex::new(file),
        });
        Ok(Self { kept })
    }

    async fn save(&self, connectors: BTreeSet<ConnectorName>) -> Result<(), StoreError> {
        let kept = Arc::clone(&self.kept);
        match tokio::task::spawn_blocking(move || kept.save(&connectors)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(not_durable(&error)),
            Err(error) => Err(not_durable(&error)),
        }
    }
}

impl Kept {
    fn save(&self, connectors: &BTreeSet<ConnectorName>) -> Result<(), OffsetFileError> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        // Looked at under the lock of the file, so that nobody writes something older after something newer.
        self.memory.read_local(|state| {
            for connector in connectors {
                file.put(connector, state.source_offsets(connector.as_str()));
            }
        });
        file.save()
    }
}

fn not_durable(error: &(dyn Error + 'static)) -> StoreError {
    StoreError::NotDurable {
        reason: Chain(error).to_string(),
    }
}

#[async_trait]
impl ClusterStore for OffsetFileStore {
    /// A change of offsets that cannot be written is [`StoreError::NotDurable`]. It is in the state and waits for the next
    /// change of offsets, of whatever connector, or for the shutdown.
    async fn propose(&self, command: Command) -> Result<Outcome, StoreError> {
        let concerned: BTreeSet<ConnectorName> = command.changes_offsets_of().into_iter().cloned().collect();
        let outcome = self.kept.memory.propose(command).await?;
        if outcome.is_ok() && !concerned.is_empty() {
            // Also when nothing has changed: it may be the second attempt of a change that could not be written.
            self.save(concerned).await?;
        }
        // Invariant 2: the offsets are durable here.
        Ok(outcome)
    }

    async fn ensure_linearizable(&self) -> Result<(), StoreError> {
        self.kept.memory.ensure_linearizable().await
    }

    fn with_state(&self, look: &mut dyn FnMut(&ClusterState)) {
        self.kept.memory.with_state(look);
    }

    fn subscribe(&self) -> watch::Receiver<Revision> {
        self.kept.memory.subscribe()
    }

    fn metrics(&self) -> watch::Receiver<StoreMetrics> {
        self.kept.memory.metrics()
    }

    async fn shutdown(&self) {
        self.kept.memory.shutdown().await;
        if let Err(error) = self.save(BTreeSet::new()).await {
            tracing::error!(error = %Chain(&error), "the newest source offsets are lost: what was read since is read again");
        }
    }
}
