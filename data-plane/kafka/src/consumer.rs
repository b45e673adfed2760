//! The consumer of a sink task.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use towpath_connect::error::Chain;
use towpath_connect::{TimestampType, TopicPartition, TopicPartitionOffsets};
use towpath_librdkafka::{
    BatchConsumer, ConsumerError, ErrorCode, GroupError, GroupEvent, Message, TimestampKind,
    TopicPartition as KafkaPartition,
};
use towpath_runtime::clients::{ClientError, ConsumedRecord, ConsumerEvent, GroupConsumer, Subscription};

use crate::config::{Ours, Translated};
use crate::coverage::GroupCheck;
use crate::membership::OnClose;
use crate::subscription::Watched;
use crate::trouble::{client_error, is_hopeless, kafka_error};

/// How long leaving the group may take before it goes on in the background: as long as a task has for a graceful stop.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one attempt to read committed offsets may take: it has a thread to itself.
const COMMITTED_TIMEOUT: Duration = Duration::from_secs(10);
/// librdkafka's default for `max.poll.interval.ms`.
const MAX_POLL_INTERVAL_MS: u64 = 300_000;
/// A part of it is waited at a time, so that the member counts as alive while nothing comes.
const POLLS_IN_INTERVAL: u64 = 3;

pub(crate) struct TaskConsumer {
    /// Taken when closed.
    consumer: Option<BatchConsumer>,
    ours: Ours,
    watched: Watched,
    check: GroupCheck,
    /// What is assigned.
    own: Vec<KafkaPartition>,
    longest_wait: Duration,
    on_close: OnClose,
    /// The group went on without this member, which is not back yet.
    is_lost: bool,
    /// The last trouble, so that one that goes on is not told of again and again.
    last_trouble: Option<ErrorCode>,
}

impl TaskConsumer {
    pub(crate) fn new(
        translated: Translated,
        subscription: &Subscription,
        on_close: OnClose,
    ) -> Result<Self, ClientError> {
        let Translated { librdkafka, ours, .. } = translated;
        let watched = Watched::new(subscription, &ours)?;
        let consumer = BatchConsumer::new(&librdkafka.to_client_config());
        let mut consumer = consumer.map_err(|error| ClientError::Config(error.to_string()))?;
        consumer
            .subscribe(watched.topics().iter().map(String::as_str))
            .map_err(of_consumer)?;
        let check = GroupCheck::new(librdkafka.get("group.instance.id").is_some());
        let interval = librdkafka
            .get("max.poll.interval.ms")
            .and_then(|millis| millis.parse().ok());
        let longest_wait =
            Duration::from_millis(interval.unwrap_or(MAX_POLL_INTERVAL_MS) / POLLS_IN_INTERVAL);
        Ok(Self {
            longest_wait,
            on_close,
            is_lost: false,
            check,
            own: Vec::new(),
            consumer: Some(consumer),
            ours,
            watched,
            last_trouble: None,
        })
    }

    fn consumer(&mut self) -> Result<&mut BatchConsumer, ClientError> {
        self.consumer
            .as_mut()
            .ok_or_else(|| ClientError::Fatal("the consumer was closed".to_owned()))
    }

    /// What there is without waiting.
    fn poll(&mut self, batch: &mut Vec<ConsumedRecord>) -> Result<Option<ConsumerEvent>, ClientError> {
        loop {
            if let Some(event) = self.poll_group()? {
                return Ok(Some(event));
            }
            let max = self.ours.max_poll_records;
            let read = self.consumer()?.read(max, |message| batch.push(record(message)));
            if read > 0 {
                self.last_trouble = None;
                return Ok(Some(ConsumerEvent::Records));
            }
            if !self.consumer()?.has_errors() {
                return Ok(None);
            }
        }
    }

    /// What there is of the group.
    fn poll_group(&mut self) -> Result<Option<ConsumerEvent>, ClientError> {
        while let Some(event) = self.consumer()?.poll_event() {
            return Ok(Some(match event {
                GroupEvent::Assigned(partitions) => {
                    self.is_lost = false;
                    self.check.assigned();
                    self.own.extend_from_slice(&partitions);
                    ConsumerEvent::Assigned(ours(partitions))
                }
                GroupEvent::Revoked { partitions, lost } => {
                    self.own.retain(|own| !partitions.contains(own));
                    self.is_lost = lost;
                    let event = if lost {
                        ConsumerEvent::Lost
                    } else {
                        ConsumerEvent::Revoked
                    };
                    event(ours(partitions))
                }
                GroupEvent::Error(error) => {
                    self.judge(error)?;
                    continue;
                }
            }));
        }
        Ok(None)
    }

    /// Waits for something to poll, and says whether there was nothing until `wake`.
    async fn wait(&mut self, wake: Instant) -> Result<bool, ClientError> {
        let closed = || ClientError::Fatal("the consumer was closed".to_owned());
        let consumer = self.consumer.as_mut().ok_or_else(closed)?;
        tokio::select! {
            waited = tokio::time::timeout_at(wake, consumer.ready()) => Ok(waited.is_err()),
            must = self.check.must_rejoin(consumer, self.watched.topics(), &self.own) => {
                self.rejoin_if(must);
                Ok(false)
            }
        }
    }

    /// Goes on with the question to the group where there are records all the time, without waiting.
    async fn check_group(&mut self) {
        let Some(consumer) = self.consumer.as_ref().filter(|_| self.check.is_under_way()) else {
            return;
        };
        let must = tokio::select! {
            biased;
            must = self.check.must_rejoin(consumer, self.watched.topics(), &self.own) => must,
            () = std::future::ready(()) => false,
        };
        self.rejoin_if(must);
    }

    fn rejoin_if(&mut self, must: bool) {
        let topics = self.watched.topics().iter().map(String::as_str);
        let joined = match &mut self.consumer {
            Some(consumer) if must => consumer.subscribe(topics),
            _ => Ok(()),
        };
        if let Err(error) = joined {
            tracing::warn!(error = %Chain(&error), "the group could not be joined again; trying later");
        }
    }

    /// A consumer that is beyond repair refuses everything: why it is says more.
    fn cause_of(&mut self, error: ConsumerError) -> ClientError {
        let fatal = self.consumer.as_ref().and_then(BatchConsumer::fatal_error);
        match fatal.map(|fatal| self.judge(fatal)) {
            Some(Err(cause)) => cause,
            Some(Ok(())) | None => of_consumer(error),
        }
    }

    /// Fails for what will not pass; the rest is logged.
    fn judge(&mut self, error: GroupError) -> Result<(), ClientError> {
        // Records behind one that cannot be read must not be consumed, and without a position there is nothing to read.
        let ends = matches!(
            error.code,
            ErrorCode::BadMessage
                | ErrorCode::BadCompression
                | ErrorCode::InvalidMessage
                | ErrorCode::AutoOffsetReset
        );
        self.is_lost |= error.code == ErrorCode::PollExceeded;
        // Who has chosen the place has to see to it that nobody else does. One that comes back after it was lost may be in its
        // own way: librdkafka then asks without the name that the group knows it by.
        if error.code == ErrorCode::FencedInstanceId && (self.on_close == OnClose::Leave || self.is_lost) {
            return Err(ClientError::Fenced(error.to_string()));
        }
        if error.fatal || ends || is_hopeless(error.code, &error.text) {
            return Err(ClientError::Fatal(error.to_string()));
        }
        if error.code == ErrorCode::UnknownTopicOrPartition {
            self.watched.something_is_missing();
        }
        if self.last_trouble.replace(error.code) == Some(error.code) {
            tracing::debug!(%error, "the consumer goes on");
        } else {
            tracing::warn!(%error, "the consumer goes on");
        }
        Ok(())
    }
}

fn record(message: Message) -> ConsumedRecord {
    let timestamp_type = match message.timestamp.map(|timestamp| timestamp.kind) {
        None => TimestampType::NoTimestampType,
        Some(TimestampKind::Create) => TimestampType::CreateTime,
        Some(TimestampKind::LogAppend) => TimestampType::LogAppendTime,
    };
    ConsumedRecord {
        topic: message.topic,
        partition: message.partition,
        offset: message.offset,
        key: message.key,
        value: message.value,
        timestamp: message.timestamp.map(|timestamp| timestamp.millis),
        timestamp_type,
        headers: message.headers,
    }
}

fn ours(partitions: Vec<KafkaPartition>) -> Vec<TopicPartition> {
    let ours = |entry: KafkaPartition| TopicPartition {
        topic: entry.topic,
        partition: entry.partition,
    };
    partitions.into_iter().map(ours).collect()
}

fn kafkas(partition: &TopicPartition) -> KafkaPartition {
    KafkaPartition {
        topic: Arc::clone(&partition.topic),
        partition: partition.partition,
    }
}

fn kafkas_all(partitions: &[TopicPartition]) -> Vec<KafkaPartition> {
    partitions.iter().map(kafkas).collect()
}

fn kafkas_offsets(offsets: &TopicPartitionOffsets) -> Vec<(KafkaPartition, i64)> {
    let entries = offsets.iter();
    entries
        .map(|(partition, &offset)| (kafkas(partition), offset))
        .collect()
}

fn of_consumer(error: ConsumerError) -> ClientError {
    match error {
        ConsumerError::Commit { partitions, code } => client_error(
            format_args!("the offsets of {partitions} partitions could not be committed"),
            code,
        ),
        ConsumerError::Committed { partitions, source } => kafka_error(
            format_args!("the committed offsets of {partitions} partitions could not be read"),
            &source,
        ),
        ConsumerError::NoOffset { .. } => ClientError::Fatal(error.to_string()),
        other => ClientError::Retriable(Chain(&other).to_string()),
    }
}

#[async_trait]
impl GroupConsumer for TaskConsumer {
    async fn next(
        &mut self,
        max_wait: Duration,
        batch: &mut Vec<ConsumedRecord>,
    ) -> Result<ConsumerEvent, ClientError> {
        let deadline = Instant::now() + max_wait.min(self.longest_wait);
        loop {
            self.check_group().await;
            if let Some(event) = self.poll(batch)? {
                return Ok(event);
            }
            let mut wake = deadline;
            if let (Some(look), Some(consumer)) = (self.watched.next_look(), &mut self.consumer) {
                if look <= Instant::now()
                    && let Err(error) = self.watched.look(consumer).await
                {
                    // A consumer that is beyond repair says so with an event.
                    tracing::warn!(error = %Chain(&error), "topics could not be subscribed to; trying again");
                    self.watched.look_again();
                }
                wake = self
                    .watched
                    .next_look()
                    .map_or(deadline, |look| look.min(deadline));
            }
            if self.wait(wake).await? && Instant::now() >= deadline {
                return Ok(ConsumerEvent::Idle);
            }
        }
    }

    async fn complete_assignment(&mut self, start: &TopicPartitionOffsets) -> Result<(), ClientError> {
        let start = kafkas_offsets(start);
        let taken = self.consumer()?.take_over(&start);
        taken.map_err(|error| self.cause_of(error))
    }

    async fn complete_revocation(&mut self) -> Result<(), ClientError> {
        let released = self.consumer()?.release();
        released.map_err(|error| self.cause_of(error))
    }

    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), ClientError> {
        self.consumer()?
            .pause(&kafkas_all(partitions))
            .map_err(of_consumer)
    }

    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), ClientError> {
        self.consumer()?
            .resume(&kafkas_all(partitions))
            .map_err(of_consumer)
    }

    async fn seek(&mut self, offsets: &TopicPartitionOffsets) -> Result<(), ClientError> {
        for (partition, &offset) in offsets {
            let consumer = self.consumer()?;
            let sought = consumer.seek(&kafkas(partition), offset).await;
            if let Err(error) = sought {
                return Err(self.cause_of(error));
            }
        }
        Ok(())
    }

    async fn commit(&mut self, offsets: &TopicPartitionOffsets) -> Result<(), ClientError> {
        if self.consumer()?.is_lost() {
            let count = offsets.len();
            return Err(ClientError::Retriable(format!(
                "the offsets of {count} partitions could not be committed: the group went on without this task"
            )));
        }
        let offsets = kafkas_offsets(offsets);
        self.consumer()?.commit(&offsets).await.map_err(of_consumer)
    }

    async fn committed(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Result<TopicPartitionOffsets, ClientError> {
        let timeout = self.ours.api_timeout.min(COMMITTED_TIMEOUT);
        self.consumer()?.stay();
        let found = self.consumer()?.committed(&kafkas_all(partitions), timeout).await;
        let found = found.map_err(|error| self.cause_of(error))?;
        let ours = |(entry, offset): (KafkaPartition, i64)| {
            (
                TopicPartition {
                    topic: entry.topic,
                    partition: entry.partition,
                },
                offset,
            )
        };
        Ok(found.into_iter().map(ours).collect())
    }

    async fn close(&mut self) {
        let Some(mut consumer) = self.consumer.take() else {
            return;
        };
        let end = Instant::now() + CLOSE_TIMEOUT;
        if self.on_close == OnClose::Leave {
            consumer.leave(CLOSE_TIMEOUT).await;
        }
        consumer
            .close(end.saturating_duration_since(Instant::now()))
            .await;
    }
}
