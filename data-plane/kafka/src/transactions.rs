//! The producer of an exactly-once source task: alone with its connection, and in transactions.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use towpath_librdkafka::{Delivery as Report, ErrorCode, TransactionError};
use towpath_runtime::clients::{
    ClientError, Delivery, OutgoingRecord, RecordProducer, TransactionalProducer,
};

use crate::config::Translated;
use crate::pool::ProducerPool;
use crate::producer::{BeyondRepair, TaskProducer, has_passed_by, not_written, passed_by};
use crate::trouble::is_permanent;

/// How long one call to librdkafka blocks its thread while brokers are away; it is repeated.
const STEP: Duration = Duration::from_secs(10);
/// The pause between two such calls that end early.
const STEP_BACKOFF: Duration = Duration::from_millis(100);

pub(crate) struct TaskTransactions {
    producer: TaskProducer,
    id: String,
    begun: Instant,
    timeout: Duration,
    /// Why the transaction can only be aborted, once a record's report has told that it is so and it was asked for.
    cause: Option<Option<TransactionError>>,
    /// Reused between drains.
    reports: Vec<Report>,
}

impl TaskTransactions {
    /// Takes the id over.
    pub(crate) async fn open(translated: Translated, id: &str) -> Result<Self, ClientError> {
        let timeout = translated.ours.transaction_timeout;
        let lane = ProducerPool::alone(translated)?;
        let mut this = Self {
            producer: TaskProducer::new(lane, BeyondRepair::Fail),
            id: id.to_owned(),
            begun: Instant::now(),
            timeout,
            cause: None,
            reports: Vec::new(),
        };
        let producer = this.producer.pooled().producer().clone();
        match producer.init_transactions(STEP).await {
            Ok(()) => Ok(this),
            Err(error) => Err(this.judge(&error)),
        }
    }

    /// What an error means for the task.
    fn judge(&mut self, error: &TransactionError) -> ClientError {
        if let Some(lost) = self.lost() {
            return lost;
        }
        let text = format!("transactional id \"{}\": {error}", self.id);
        match error.code {
            ErrorCode::Fenced | ErrorCode::ProducerFenced => ClientError::Fenced(text),
            ErrorCode::InvalidProducerIdMapping | ErrorCode::UnknownProducerId => self.forgotten(),
            // Nothing of it can be committed, and the next one may go well.
            code if error.requires_abort && !is_permanent(code) && !is_of_record(code) => {
                ClientError::Fenced(text)
            }
            code if error.is_retriable && !is_permanent(code) => ClientError::Retriable(text),
            // Two who take the id over at once; the later one wins.
            ErrorCode::OperationTimedOut | ErrorCode::ConcurrentTransactions => ClientError::Retriable(text),
            _ => ClientError::Fatal(text),
        }
    }

    /// Why this producer can write nothing more, if another one could. Kafka says the same whether the id was taken over or
    /// the transaction's time is over, and forgets an id that was not used for long.
    fn lost(&mut self) -> Option<ClientError> {
        let code = self.producer.pooled().producer().fatal_code()?;
        let id = &self.id;
        match code {
            ErrorCode::Fenced | ErrorCode::ProducerFenced | ErrorCode::InvalidProducerEpoch => {}
            ErrorCode::InvalidProducerIdMapping | ErrorCode::UnknownProducerId => {
                return Some(self.forgotten());
            }
            code if is_permanent(code) => return None,
            code => {
                let text = format!("the producer of \"{id}\" can write nothing more: {code}");
                return Some(ClientError::Fenced(text));
            }
        }
        if self.begun.elapsed() >= self.timeout {
            return Some(self.too_late());
        }
        Some(ClientError::Fenced(format!(
            "another producer has taken over the transactional id \"{id}\""
        )))
    }

    /// As it does when an id was not used for `transactional.id.expiration.ms`, or what was written with it is gone.
    fn forgotten(&self) -> ClientError {
        ClientError::Fenced(format!(
            "Kafka has forgotten the transactional id \"{}\"",
            self.id
        ))
    }

    /// The time of the transaction is over. If that is because brokers were away, there is nothing to be changed about the
    /// task.
    fn too_late(&mut self) -> ClientError {
        let text = format!(
            "the transaction of \"{}\" was open for longer than `transaction.timeout.ms` ({} ms)",
            self.id,
            self.timeout.as_millis()
        );
        match self.producer.pooled().producer().trouble() {
            Some(trouble) => ClientError::Fenced(format!("{text}: {}", trouble.text)),
            None => ClientError::TransactionExpired(text),
        }
    }

    /// What a record's error means, given what is known of the producer.
    fn judge_delivery(&mut self, code: ErrorCode) -> ClientError {
        if let Some(lost) = self.lost() {
            return lost;
        }
        let is_aborted = matches!(
            code,
            ErrorCode::PurgeQueue | ErrorCode::PurgeInflight | ErrorCode::State
        );
        if is_aborted && let Some(cause) = self.cause() {
            return self.judge(&cause);
        }
        match code {
            ErrorCode::MessageTimedOut => self.too_late(),
            // What brokers have lost, they have lost for this producer.
            ErrorCode::OutOfOrderSequenceNumber
            | ErrorCode::UnknownProducerId
            | ErrorCode::InvalidProducerIdMapping => passed_by(code),
            code if has_passed_by(code) => passed_by(code),
            code => not_written(code),
        }
    }

    /// Why the transaction can only be aborted. Asked for once.
    fn cause(&mut self) -> Option<TransactionError> {
        let producer = self.producer.pooled().producer();
        let cause = self.cause.get_or_insert_with(|| match producer.fatal_code() {
            Some(_) => None,
            None => producer.abort_cause(),
        });
        cause.clone()
    }
}

/// Whether a record is not as Kafka takes it.
fn is_of_record(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::MessageSizeTooLarge | ErrorCode::InvalidRecord | ErrorCode::InvalidTimestamp
    )
}

#[async_trait]
impl RecordProducer for TaskTransactions {
    async fn send(&mut self, records: &[OutgoingRecord]) -> Result<usize, ClientError> {
        match self.producer.send(records).await {
            Err(error) => Err(self.lost().unwrap_or(error)),
            taken => taken,
        }
    }

    fn drain_deliveries(&mut self, out: &mut Vec<Delivery>) {
        let mut reports = std::mem::take(&mut self.reports);
        self.producer.pooled().lane().drain_deliveries(&mut reports);
        out.extend(reports.drain(..).map(|report| Delivery {
            token: report.token,
            result: report.result.map(drop).map_err(|code| self.judge_delivery(code)),
        }));
        self.reports = reports;
    }

    async fn delivered(&mut self) {
        self.producer.delivered().await;
    }

    fn flush(&mut self) {
        self.producer.flush();
    }
}

#[async_trait]
impl TransactionalProducer for TaskTransactions {
    async fn begin(&mut self) -> Result<(), ClientError> {
        self.begun = Instant::now();
        self.cause = None;
        let producer = self.producer.pooled().producer().clone();
        producer
            .begin_transaction()
            .await
            .map_err(|error| self.judge(&error))
    }

    async fn commit(&mut self) -> Result<(), ClientError> {
        let producer = self.producer.pooled().producer().clone();
        loop {
            let Err(error) = producer.commit_transaction(STEP).await else {
                return Ok(());
            };
            match self.judge(&error) {
                ClientError::Retriable(what) => {
                    tracing::warn!(error = what, "a transaction is not committed yet; trying again");
                    tokio::time::sleep(STEP_BACKOFF).await;
                }
                lost => return Err(lost),
            }
        }
    }

    async fn abort(&mut self) -> Result<(), ClientError> {
        let pooled = self.producer.pooled();
        let producer = pooled.producer().clone();
        pooled.lane().hurry();
        pooled.lane().flushed().await;
        pooled.lane().drain_deliveries(&mut Vec::new());
        loop {
            match producer.abort_transaction(STEP).await {
                Err(error) if error.is_retriable => tokio::time::sleep(STEP_BACKOFF).await,
                done => return done.map_err(|error| self.judge(&error)),
            }
        }
    }
}
