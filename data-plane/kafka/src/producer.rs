//! The producer of a source task: a lane of a producer that may be shared.

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use towpath_connect::Topic;
use towpath_librdkafka::{Delivery as Report, ErrorCode, RecordRef, SendError, Stop};
use towpath_runtime::clients::{ClientError, Delivery, OutgoingRecord, RecordProducer};

use crate::pool::PooledLane;
use crate::trouble::{is_hopeless, is_permanent};

/// How long one question for a topic waits for an answer.
const METADATA_TIMEOUT: Duration = Duration::from_secs(5);
/// The pauses between two such questions.
const METADATA_BACKOFF: Duration = Duration::from_millis(100);
const METADATA_BACKOFF_MAX: Duration = Duration::from_secs(2);

pub(crate) struct TaskProducer {
    pooled: PooledLane,
    /// Topics that were seen to exist. Records for others are kept back, so that they do not fill a shared buffer.
    known: HashSet<Topic>,
    last_known: Option<Topic>,
    reports: Vec<Report>,
    beyond_repair: BeyondRepair,
}

/// What to do with a producer that can send nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BeyondRepair {
    /// Go over to a new one, as long as nothing of the task is lost with it.
    Replace,
    /// Say so: the new one would know nothing of the transaction.
    Fail,
}

impl TaskProducer {
    pub(crate) fn new(pooled: PooledLane, beyond_repair: BeyondRepair) -> Self {
        Self {
            pooled,
            known: HashSet::new(),
            last_known: None,
            reports: Vec::new(),
            beyond_repair,
        }
    }

    pub(crate) fn pooled(&mut self) -> &mut PooledLane {
        &mut self.pooled
    }

    /// How many records at the front go to topics that are known to exist.
    fn sendable(&mut self, records: &[OutgoingRecord]) -> usize {
        let is_known = |record: &&OutgoingRecord| {
            // Most records go where the one before went.
            if self
                .last_known
                .as_ref()
                .is_some_and(|last| std::sync::Arc::ptr_eq(last, &record.topic))
            {
                return true;
            }
            let known = self.known.contains(&record.topic);
            if known {
                self.last_known = Some(Topic::clone(&record.topic));
            }
            known
        };
        records.iter().take_while(is_known).count()
    }

    /// Waits until a topic exists: a broker may create it because it is asked for, or a person may.
    async fn topic_exists(&mut self, topic: &Topic) -> Result<(), ClientError> {
        let started = tokio::time::Instant::now();
        let max_block = self.pooled.ours().max_block;
        let mut backoff = METADATA_BACKOFF;
        loop {
            match self
                .pooled
                .producer()
                .partition_count(topic, METADATA_TIMEOUT)
                .await
            {
                Ok(Some(1..)) => {
                    self.known.insert(Topic::clone(topic));
                    return Ok(());
                }
                Ok(_) if backoff == METADATA_BACKOFF_MAX => {
                    tracing::warn!(%topic, "the topic does not exist and brokers do not create it: waiting for it");
                }
                Ok(_) => {}
                Err(code) if is_permanent(code) => {
                    return Err(ClientError::Fatal(format!(
                        "topic \"{topic}\" cannot be written: {code}"
                    )));
                }
                Err(_) => self.fail_if_hopeless(topic)?,
            }
            if max_block.is_some_and(|limit| started.elapsed() >= limit) {
                let millis = started.elapsed().as_millis();
                let text = format!("Topic {topic} not present in metadata after {millis} ms.");
                return Err(ClientError::Retriable(text));
            }
            tokio::time::sleep(backoff).await;
            backoff = (backoff * 2).min(METADATA_BACKOFF_MAX);
        }
    }

    /// The cluster does not answer: is that because it will not have us?
    fn fail_if_hopeless(&self, topic: &Topic) -> Result<(), ClientError> {
        match self.pooled.producer().trouble() {
            Some(trouble) if is_hopeless(trouble.code, &trouble.text) => {
                let text = format!(
                    "topic \"{topic}\" cannot be written: {}: {}",
                    trouble.code, trouble.text
                );
                Err(ClientError::Fatal(text))
            }
            _ => Ok(()),
        }
    }

    /// A producer beyond repair is replaced as long as nothing of this task is lost with it, nor what became of a record.
    fn recover(&mut self, error: &SendError) -> Result<(), ClientError> {
        let lane = self.pooled.lane();
        let has_nothing_there = lane.in_flight() == 0 && !lane.has_deliveries();
        match error {
            SendError::Fatal { .. } if self.beyond_repair == BeyondRepair::Replace && has_nothing_there => {
                tracing::warn!(%error, "the producer is replaced");
                self.pooled.replace()
            }
            SendError::Fatal { .. } if self.is_lost() => Err(ClientError::Fenced(error.to_string())),
            SendError::Fatal { .. } | SendError::Token { .. } | SendError::TooManyLanes { .. } => {
                Err(ClientError::Fatal(error.to_string()))
            }
        }
    }

    /// Whether the producer can write nothing more, but another one could.
    fn is_lost(&self) -> bool {
        let code = self.pooled.producer().fatal_code();
        self.beyond_repair == BeyondRepair::Replace && code.is_some_and(|code| !is_permanent(code))
    }

    /// What became of a record that was not written. It may be written by the task's next run, from the committed offsets
    /// on: after brokers have lost the end of a log or what they knew of the producer, or a topic was created anew. A
    /// producer that is not idempotent, as Java's is here by default, does not notice.
    ///
    /// What was sent after such a record may be written before it, and again with it.
    #[cold]
    fn judge_delivery(&self, code: ErrorCode) -> ClientError {
        if has_passed_by(code) || self.is_lost() {
            return passed_by(code);
        }
        not_written(code)
    }

    fn forget(&mut self, topic: &Topic) {
        self.known.remove(topic);
        self.last_known = None;
    }
}

fn view(record: &OutgoingRecord) -> RecordRef<'_> {
    RecordRef {
        topic: &record.topic,
        partition: record.partition,
        key: record.key.as_deref(),
        value: record.value.as_deref(),
        timestamp: record.timestamp,
        headers: &record.headers,
        token: record.token,
    }
}

#[async_trait]
impl RecordProducer for TaskProducer {
    async fn send(&mut self, records: &[OutgoingRecord]) -> Result<usize, ClientError> {
        loop {
            let sendable = self.sendable(records);
            let Some(first) = records.first() else {
                return Ok(0);
            };
            if sendable == 0 {
                self.topic_exists(&first.topic).await?;
                continue;
            }
            let sent = match self
                .pooled
                .lane()
                .try_send(records.get(..sendable).unwrap_or_default(), view)
            {
                Ok(sent) => sent,
                Err(error) => {
                    self.recover(&error)?;
                    continue;
                }
            };
            if let Stop::UnknownTopic(topic) = &sent.stop {
                self.forget(topic);
            }
            if sent.count > 0 {
                return Ok(sent.count);
            }
            match sent.stop {
                Stop::Full => self.pooled.lane().room().await,
                // The broker may say that it is there while the client still thinks that it is not.
                Stop::UnknownTopic(_) => tokio::time::sleep(METADATA_BACKOFF).await,
                Stop::Done => {}
            }
        }
    }

    fn drain_deliveries(&mut self, out: &mut Vec<Delivery>) {
        self.pooled.lane().drain_deliveries(&mut self.reports);
        let mut reports = std::mem::take(&mut self.reports);
        out.extend(reports.drain(..).map(|report| Delivery {
            token: report.token,
            result: report.result.map(drop).map_err(|code| self.judge_delivery(code)),
        }));
        self.reports = reports;
    }

    async fn delivered(&mut self) {
        self.pooled.lane().delivered().await;
    }

    fn flush(&mut self) {
        self.pooled.lane().hurry();
    }
}

/// Whether a record was not written for a reason that is none for the next run of its task.
pub(crate) fn has_passed_by(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::InvalidProducerEpoch
            | ErrorCode::UnknownTopic
            | ErrorCode::UnknownTopicOrPartition
            | ErrorCode::UnknownTopicId
            | ErrorCode::BrokerDestroy
    )
}

#[cold]
pub(crate) fn passed_by(code: ErrorCode) -> ClientError {
    ClientError::Fenced(format!("a record was not written to Kafka: {code}"))
}

/// librdkafka has tried again as long as it made sense, so there is nothing to wait for.
#[cold]
pub(crate) fn not_written(code: ErrorCode) -> ClientError {
    let hint = match code {
        ErrorCode::MessageSizeTooLarge => {
            ": raise `max.request.size` of the producer and `max.message.bytes` of the topic if it is to be written"
        }
        ErrorCode::MessageTimedOut => " (`delivery.timeout.ms`)",
        ErrorCode::InvalidRecord | ErrorCode::InvalidTimestamp => {
            ": a record of a compacted topic needs a key, and its time has to be as near as \
             `message.timestamp.before.max.ms` and `message.timestamp.after.max.ms` of the topic want it (is the clock of the \
             worker right?)"
        }
        _ => "",
    };
    ClientError::Fatal(format!("a record could not be written to Kafka: {code}{hint}"))
}
