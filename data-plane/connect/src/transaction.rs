//! How a source task says where the transactions of its records end, if the user left that to the connector.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{ConnectorError, Result};

/// How a transaction is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionEnd {
    /// Its records become visible.
    Commit,
    /// Its records are dropped. Their source offsets are committed all the same: they are not read again.
    Abort,
}

/// Takes a task's requests. Handed to tasks with `transaction.boundary=connector`; cheap to clone. Nothing is committed
/// before the task asks for it.
#[derive(Clone, Debug, Default)]
#[doc(alias = "org.apache.kafka.connect.source.TransactionContext")]
pub struct TransactionContext {
    /// A std mutex: held for a line, never across an await.
    requests: Arc<Mutex<TransactionRequests>>,
}

/// What a task has asked for since it was last looked at. Read by the runtime.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransactionRequests {
    after_batch: Option<Requested>,
    after_records: BTreeMap<usize, Requested>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Requested {
    One(TransactionEnd),
    Both,
}

impl Requested {
    fn with(before: Option<Self>, end: TransactionEnd) -> Self {
        match before {
            None => Self::One(end),
            Some(Self::One(same)) if same == end => Self::One(end),
            Some(Self::One(_) | Self::Both) => Self::Both,
        }
    }
}

impl TransactionContext {
    /// Nothing asked for.
    pub fn new() -> Self {
        Self::default()
    }

    /// The transaction ends with the last record of the batch that `poll` returns next. Called during `poll`.
    #[doc(alias = "commitTransaction")]
    #[doc(alias = "abortTransaction")]
    pub fn end_after_batch(&self, end: TransactionEnd) {
        let mut requests = self.lock();
        requests.after_batch = Some(Requested::with(requests.after_batch, end));
    }

    /// The transaction ends with the record at this place, from 0, of the batch that `poll` returns next. Called during
    /// `poll`.
    pub fn end_after_record(&self, index: usize, end: TransactionEnd) {
        let mut requests = self.lock();
        let before = requests.after_records.get(&index).copied();
        requests.after_records.insert(index, Requested::with(before, end));
    }

    /// Takes what was asked for; the next batch begins without.
    pub fn take_requests(&self) -> TransactionRequests {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, TransactionRequests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TransactionRequests {
    /// What was asked for after the whole batch.
    ///
    /// # Errors
    /// `Bug` when both ends were asked for.
    pub fn after_batch(&self) -> Result<Option<TransactionEnd>> {
        one(self.after_batch, || {
            "Connector requested both commit and abort of same transaction".to_owned()
        })
    }

    /// What was asked for after the record at this place; `place` names the record in the error.
    ///
    /// # Errors
    /// `Bug` when both ends were asked for.
    pub fn after_record(&self, index: usize, place: impl Fn() -> String) -> Result<Option<TransactionEnd>> {
        one(self.after_records.get(&index).copied(), || {
            let place = place();
            format!(
                "Connector requested both commit and abort of same record against topic/partition {place}"
            )
        })
    }
}

fn one(requested: Option<Requested>, both: impl FnOnce() -> String) -> Result<Option<TransactionEnd>> {
    match requested {
        None => Ok(None),
        Some(Requested::One(end)) => Ok(Some(end)),
        Some(Requested::Both) => Err(ConnectorError::bug(both())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_request_twice_is_one_and_both_ends_are_an_error() {
        let context = TransactionContext::new();
        context.end_after_batch(TransactionEnd::Commit);
        context.end_after_batch(TransactionEnd::Commit);
        context.end_after_record(3, TransactionEnd::Abort);
        context.end_after_record(4, TransactionEnd::Abort);
        context.end_after_record(4, TransactionEnd::Commit);
        let requests = context.take_requests();
        assert_eq!(requests.after_batch().unwrap(), Some(TransactionEnd::Commit));
        let place = || "t/0".to_owned();
        assert_eq!(
            requests.after_record(3, place).unwrap(),
            Some(TransactionEnd::Abort)
        );
        assert_eq!(requests.after_record(5, place).unwrap(), None);
        let both = requests.after_record(4, place).unwrap_err();
        assert_eq!(
            both.message(),
            "Connector requested both commit and abort of same record against topic/partition t/0"
        );
        assert_eq!(context.take_requests(), TransactionRequests::default());
    }
}
