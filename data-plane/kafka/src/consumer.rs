//! Consumes for sink tasks, each a member of its connector's group.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use towpath_connect::{Pattern, TimestampType, TopicPartition, TopicPartitionOffsets};
use towpath_librdkafka::{BatchConsumer, GroupEvent, Message, TimestampKind};
use towpath_runtime::clients::{ClientError, ConsumedRecord, ConsumerEvent, GroupConsumer, Subscription};
use tracing::{debug, info, warn};

use crate::config::Translated;
use crate::errors;

/// How long questions to the group's coordinator may take.
pub(crate) const COORDINATOR: Duration = Duration::from_secs(30);
/// How long leaving the group may take.
const LEAVE: Duration = Duration::from_secs(5);
/// How often topics are matched against a pattern.
const PATTERN_REFRESH: Duration = Duration::from_secs(5);

/// A member of a group.
#[derive(Debug)]
pub(crate) struct GroupMember {
    /// `None` once closed.
    consumer: Option<BatchConsumer>,
    max_records: usize,
    pattern: Option<PatternSubscription>,
    /// The last trouble that was logged; it is logged once, not once a retry.
    trouble: Option<String>,
}

/// A subscription by pattern: librdkafka's own patterns are not Java's.
#[derive(Debug)]
struct PatternSubscription {
    pattern: Pattern,
    topics: Vec<String>,
    refresh_at: Instant,
}

impl GroupMember {
    pub(crate) fn new(settings: &Translated, subscription: &Subscription) -> Result<Self, ClientError> {
        let consumer = BatchConsumer::new(&settings.librdkafka.to_client_config()).map_err(|e| errors::create(&e))?;
        let pattern = match subscription {
            Subscription::Topics(topics) => {
                consumer.subscribe(topics.iter().map(String::as_str)).map_err(|e| errors::consumer(&e))?;
                None
            }
            Subscription::Pattern(text) => {
                let pattern = Pattern::compile(text)
                    .map_err(|error| ClientError::Config(format!("`topics.regex` cannot be used: {error}")))?;
                Some(PatternSubscription { pattern, topics: Vec::new(), refresh_at: Instant::now() })
            }
        };
        Ok(Self { consumer: Some(consumer), max_records: settings.ours.max_poll_records, pattern, trouble: None })
    }

    fn open(&mut self) -> Result<&mut BatchConsumer, ClientError> {
        self.consumer.as_mut().ok_or_else(|| ClientError::Fatal("the consumer is closed".to_owned()))
    }

    /// Subscribes to what the pattern matches now.
    async fn refresh_pattern(&mut self) -> Result<(), ClientError> {
        let (Some(consumer), Some(subscription)) = (&self.consumer, &mut self.pattern) else { return Ok(()) };
        subscription.refresh_at = Instant::now() + PATTERN_REFRESH;
        let mut topics = match consumer.topics(COORDINATOR).await {
            Ok(topics) => topics,
            Err(error) => {
                debug!(error = %towpath_connect::error::Chain(&error), "the topics could not be listed");
                return Ok(());
            }
        };
        topics.retain(|topic| !topic.starts_with("__") && subscription.pattern.is_full_match(topic));
        topics.sort_unstable();
        if topics != subscription.topics {
            info!(topics = topics.len(), pattern = subscription.pattern.as_str(), "the topics of the pattern changed");
            consumer.subscribe(topics.iter().map(String::as_str)).map_err(|e| errors::consumer(&e))?;
            subscription.topics = topics;
        }
        Ok(())
    }

    /// The next thing that the consumer has, without waiting.
    fn look(&mut self, batch: &mut Vec<ConsumedRecord>) -> Result<Option<ConsumerEvent>, ClientError> {
        let max = self.max_records;
        loop {
            match self.open()?.poll_event() {
                Some(GroupEvent::Assigned(partitions)) => {
                    return Ok(Some(ConsumerEvent::Assigned(partitions.into_iter().map(ours).collect())));
                }
                Some(GroupEvent::Revoked { partitions, lost }) => {
                    let partitions = partitions.into_iter().map(ours).collect();
                    let event = if lost { ConsumerEvent::Lost } else { ConsumerEvent::Revoked };
                    return Ok(Some(event(partitions)));
                }
                Some(GroupEvent::Error(error)) if errors::is_final(&error) => {
                    return Err(ClientError::Fatal(error.to_string()));
                }
                Some(GroupEvent::Error(error)) => self.note_trouble(error.to_string()),
                None => break,
            }
        }
        let read = self.open()?.read(max, |message| batch.push(record(message)));
        if read > 0 {
            self.trouble = None;
            return Ok(Some(ConsumerEvent::Records));
        }
        Ok(None)
    }

    fn note_trouble(&mut self, text: String) {
        if self.trouble.as_ref() != Some(&text) {
            warn!(error = text, "Kafka cannot be consumed right now; librdkafka goes on trying");
            self.trouble = Some(text);
        }
    }
}

fn record(message: Message) -> ConsumedRecord {
    let (timestamp, timestamp_type) = match message.timestamp {
        None => (None, TimestampType::NoTimestampType),
        Some(timestamp) => match timestamp.kind {
            TimestampKind::Create => (Some(timestamp.millis), TimestampType::CreateTime),
            TimestampKind::LogAppend => (Some(timestamp.millis), TimestampType::LogAppendTime),
        },
    };
    ConsumedRecord {
        topic: message.topic,
        partition: message.partition,
        offset: message.offset,
        key: message.key,
        value: message.value,
        timestamp,
        timestamp_type,
        headers: message.headers,
    }
}

fn ours(partition: towpath_librdkafka::TopicPartition) -> TopicPartition {
    TopicPartition { topic: partition.topic, partition: partition.partition }
}

fn theirs(partition: &TopicPartition) -> towpath_librdkafka::TopicPartition {
    towpath_librdkafka::TopicPartition { topic: Arc::clone(&partition.topic), partition: partition.partition }
}

fn all_theirs(partitions: &[TopicPartition]) -> Vec<towpath_librdkafka::TopicPartition> {
    partitions.iter().map(theirs).collect()
}

#[async_trait]
impl GroupConsumer for GroupMember {
    async fn next(
        &mut self,
        max_wait: Duration,
        batch: &mut Vec<ConsumedRecord>,
    ) -> Result<ConsumerEvent, ClientError> {
        let deadline = Instant::now() + max_wait;
        loop {
            if self.pattern.as_ref().is_some_and(|pattern| pattern.refresh_at <= Instant::now()) {
                self.refresh_pattern().await?;
            }
            if let Some(event) = self.look(batch)? {
                return Ok(event);
            }
            let until = self.pattern.as_ref().map_or(deadline, |pattern| pattern.refresh_at.min(deadline));
            let waited = tokio::time::timeout_at(until, self.open()?.ready()).await;
            if waited.is_err() && Instant::now() >= deadline {
                // Polled once more, so that a short wait does not starve the group's events.
                return Ok(self.look(batch)?.unwrap_or(ConsumerEvent::Idle));
            }
        }
    }

    async fn complete_assignment(&mut self) -> Result<(), ClientError> {
        self.open()?.take_over(&[]).map_err(|e| errors::consumer(&e))
    }

    async fn complete_revocation(&mut self) -> Result<(), ClientError> {
        self.open()?.release().map_err(|e| errors::consumer(&e))
    }

    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), ClientError> {
        self.open()?.pause(&all_theirs(partitions)).map_err(|e| errors::consumer(&e))
    }

    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), ClientError> {
        self.open()?.resume(&all_theirs(partitions)).map_err(|e| errors::consumer(&e))
    }

    async fn seek(&mut self, offsets: &TopicPartitionOffsets) -> Result<(), ClientError> {
        for (partition, offset) in offsets {
            self.open()?.seek(&theirs(partition), *offset).await.map_err(|e| errors::consumer(&e))?;
        }
        Ok(())
    }

    async fn commit(&mut self, offsets: &TopicPartitionOffsets) -> Result<(), ClientError> {
        let offsets: Vec<_> = offsets.iter().map(|(partition, offset)| (theirs(partition), *offset)).collect();
        self.open()?.commit(&offsets).await.map_err(|e| errors::consumer(&e))
    }

    async fn committed(&mut self, partitions: &[TopicPartition]) -> Result<TopicPartitionOffsets, ClientError> {
        let found = self.open()?.committed(&all_theirs(partitions), COORDINATOR).await;
        let found = found.map_err(|e| errors::consumer(&e))?;
        Ok(found.into_iter().map(|(partition, offset)| (ours(partition), offset)).collect())
    }

    async fn close(&mut self) {
        if let Some(consumer) = self.consumer.take() {
            consumer.close(LEAVE).await;
        }
    }
}
