//! Transactions in memory: what readers of committed records see.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;

use super::Shared;
use super::producer::MemoryProducer;
use crate::clients::{ClientError, Delivery, OutgoingRecord, RecordProducer, TransactionalProducer};

/// What becomes of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitFault {
    /// It never ends, and nothing is committed.
    Hangs,
    /// It never ends, but everything is committed.
    HangsAfterward,
    /// The transaction was open for too long.
    Expired,
}

/// Who has which transactional id.
#[derive(Debug, Default)]
pub(super) struct Coordinator {
    epochs: HashMap<String, u64>,
    fault: Option<CommitFault>,
}

impl Coordinator {
    pub(super) fn take_over(&mut self, id: &str) -> u64 {
        let epoch = self.epochs.entry(id.to_owned()).or_default();
        *epoch += 1;
        *epoch
    }

    pub(super) fn epoch(&self, id: &str) -> u64 {
        self.epochs.get(id).copied().unwrap_or_default()
    }

    pub(super) fn fail_next_commit(&mut self, fault: CommitFault) {
        self.fault = Some(fault);
    }
}

pub(super) struct MemoryTransactions {
    shared: Arc<Shared>,
    producer: MemoryProducer,
    id: String,
    epoch: u64,
}

impl MemoryTransactions {
    pub(super) fn new(shared: Arc<Shared>, id: &str) -> Self {
        let epoch = shared.lock().transactions.take_over(id);
        Self {
            producer: MemoryProducer::new(Arc::clone(&shared)),
            shared,
            id: id.to_owned(),
            epoch,
        }
    }

    fn check(&self) -> Result<(), ClientError> {
        if self.shared.lock().transactions.epoch(&self.id) == self.epoch {
            return Ok(());
        }
        Err(ClientError::Fenced(format!(
            "another producer has the transactional id \"{}\"",
            self.id
        )))
    }

    fn append(&mut self) {
        let records = self.producer.uncommitted.take().unwrap_or_default();
        let mut state = self.shared.lock();
        records.iter().for_each(|record| state.append(record));
        drop(state);
        self.shared.changed.notify_waiters();
    }
}

#[async_trait]
impl RecordProducer for MemoryTransactions {
    async fn send(&mut self, records: &[OutgoingRecord]) -> Result<usize, ClientError> {
        if self.producer.uncommitted.is_none() {
            return Err(ClientError::Fatal("no transaction was begun".to_owned()));
        }
        self.check()?;
        self.producer.send(records).await
    }

    fn drain_deliveries(&mut self, out: &mut Vec<Delivery>) {
        self.producer.drain_deliveries(out);
    }

    async fn delivered(&mut self) {
        self.producer.delivered().await;
    }

    fn flush(&mut self) {}
}

#[async_trait]
impl TransactionalProducer for MemoryTransactions {
    async fn begin(&mut self) -> Result<(), ClientError> {
        self.check()?;
        self.producer.uncommitted = Some(Vec::new());
        Ok(())
    }

    async fn commit(&mut self) -> Result<(), ClientError> {
        self.check()?;
        let fault = self.shared.lock().transactions.fault.take();
        match fault {
            None => {}
            Some(CommitFault::Hangs) => std::future::pending::<()>().await,
            Some(CommitFault::HangsAfterward) => {
                self.append();
                std::future::pending::<()>().await;
            }
            Some(CommitFault::Expired) => {
                return Err(ClientError::TransactionExpired(
                    "the transaction was open for too long".to_owned(),
                ));
            }
        }
        self.append();
        Ok(())
    }

    async fn abort(&mut self) -> Result<(), ClientError> {
        self.check()?;
        self.producer.forget();
        self.producer.uncommitted = None;
        Ok(())
    }
}
