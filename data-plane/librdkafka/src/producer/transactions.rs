//! Transactions of a producer that has a `transactional.id`: it has one lane, whose records all belong to the transaction
//! that was begun last. The calls block, so each runs on a thread that may.

use std::ffi::c_int;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use rdkafka_sys as sys;
use rdkafka_sys::types::RDKafkaErrorCode;

use super::{BatchProducer, Shared};
use crate::error::TransactionError;
use crate::native::{Client, text};

/// How long librdkafka's own thread may take for an answer that it knows.
const MOMENT: Duration = Duration::from_secs(1);

impl BatchProducer {
    /// Takes the transactional id over: whoever had it before is fenced, and what it left open is aborted. To be called
    /// once, before the others. May be called again after a retriable error.
    pub async fn init_transactions(&self, timeout: Duration) -> Result<(), TransactionError> {
        let call = move |client: &Client| {
            // SAFETY: the client is alive.
            unsafe { sys::rd_kafka_init_transactions(client.ptr(), millis(timeout)) }
        };
        self.transact("take over the transactional id", call).await
    }

    /// Begins a transaction. Records may be sent after this only.
    pub async fn begin_transaction(&self) -> Result<(), TransactionError> {
        let call = |client: &Client| {
            // SAFETY: the client is alive.
            unsafe { sys::rd_kafka_begin_transaction(client.ptr()) }
        };
        self.transact("begin a transaction", call).await
    }

    /// Commits. Every report has to be in before, since librdkafka waits for them and nobody else hands them out
    /// meanwhile. May be called again after a retriable error, and is then the same commit.
    pub async fn commit_transaction(&self, timeout: Duration) -> Result<(), TransactionError> {
        let call = move |client: &Client| {
            // SAFETY: the client is alive.
            unsafe { sys::rd_kafka_commit_transaction(client.ptr(), millis(timeout)) }
        };
        self.transact("commit a transaction", call).await
    }

    /// Aborts: no reader of committed records sees what was sent. Every report has to be in before: librdkafka 2.12 aborts
    /// before it has told the broker of a partition that the first records are on their way to, and the broker then
    /// refuses, which ends the producer. May be called again after a retriable error.
    pub async fn abort_transaction(&self, timeout: Duration) -> Result<(), TransactionError> {
        let call = move |client: &Client| {
            // SAFETY: the client is alive.
            unsafe { sys::rd_kafka_abort_transaction(client.ptr(), millis(timeout)) }
        };
        self.transact("abort a transaction", call).await
    }

    /// Why the transaction can only be aborted. To be asked when a report says that a record was taken out of it, and only
    /// then: of a transaction that goes on this would be the commit. Waits a moment for librdkafka's own thread.
    pub fn abort_cause(&self) -> Option<TransactionError> {
        // SAFETY: the client is alive.
        let error = unsafe { sys::rd_kafka_commit_transaction(self.shared.client.ptr(), millis(MOMENT)) };
        let cause = outcome("commit a transaction", error).err()?;
        cause.requires_abort.then_some(cause)
    }

    async fn transact(
        &self,
        attempt: &'static str,
        call: impl FnOnce(&Client) -> *mut sys::rd_kafka_error_t + Send + 'static,
    ) -> Result<(), TransactionError> {
        let shared: Arc<Shared> = Arc::clone(&self.shared);
        let done = tokio::task::spawn_blocking(move || outcome(attempt, call(&shared.client))).await;
        done.unwrap_or(Err(TransactionError {
            attempt,
            code: RDKafkaErrorCode::BrokerDestroy,
            reason: "the runtime is shutting down".to_owned(),
            is_fatal: false,
            is_retriable: true,
            requires_abort: false,
        }))
    }
}

/// Takes over `error`, which is null if all went well.
fn outcome(attempt: &'static str, error: *mut sys::rd_kafka_error_t) -> Result<(), TransactionError> {
    let Some(error) = NonNull::new(error) else {
        return Ok(());
    };
    let error = error.as_ptr();
    // SAFETY: the error is ours until it is destroyed below; so in the next calls.
    let code = unsafe { sys::rd_kafka_error_code(error) };
    // SAFETY: as above.
    let is_fatal = unsafe { sys::rd_kafka_error_is_fatal(error) } != 0;
    // SAFETY: as above.
    let is_retriable = unsafe { sys::rd_kafka_error_is_retriable(error) } != 0;
    // SAFETY: as above.
    let requires_abort = unsafe { sys::rd_kafka_error_txn_requires_abort(error) } != 0;
    // SAFETY: as above; the error lends the text.
    let lent = unsafe { sys::rd_kafka_error_string(error) };
    // SAFETY: a C string that lives as long as the error.
    let reason = unsafe { text(lent) }.into_owned();
    // SAFETY: the error is ours and not used after this.
    unsafe { sys::rd_kafka_error_destroy(error) };
    Err(TransactionError {
        attempt,
        code: RDKafkaErrorCode::from(code),
        reason,
        is_fatal,
        is_retriable,
        requires_abort,
    })
}

fn millis(timeout: Duration) -> c_int {
    c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX)
}
