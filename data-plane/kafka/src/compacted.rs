//! Compacted topics, of which the newest value of each key counts: the offsets topic.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, Message};
use rdkafka::metadata::MetadataTopic;
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};
use towpath_librdkafka::{ErrorCode, LastingConsumer};
use towpath_runtime::clients::{ClientError, CompactedRecord, CompactedTopic, NewTopic};

use crate::admin::{Admin, TopicToCreate, blocking};
use crate::config::Translated;
use crate::trouble::kafka_error;

/// How long one call to librdkafka blocks its thread: after it, a reader that is no longer wanted ends.
const SLICE: Duration = Duration::from_millis(200);
/// The pause between two looks at transactions that are open.
const OPEN_TRANSACTION_PAUSE: Duration = Duration::from_millis(50);
/// After this, it is said that transactions are waited for.
const LONG_WAIT: Duration = Duration::from_secs(5);
/// The pause between two looks at a topic that was just created.
const NEW_TOPIC_PAUSE: Duration = Duration::from_millis(100);

/// Creates the topic if it is not there.
pub(crate) async fn ensure(admin: &Admin, topic: &NewTopic) -> Result<(), ClientError> {
    let mut configs = topic.configs.clone();
    configs.insert("cleanup.policy", "compact");
    let created = admin
        .create_topic(&TopicToCreate {
            name: topic.name.clone(),
            partitions: topic.partitions,
            replication_factor: topic.replication_factor,
            configs,
        })
        .await?;
    if created {
        tracing::info!(topic = topic.name, partitions = topic.partitions, "topic created");
    } else if let Some(policy) = admin.cleanup_policy(&topic.name).await
        && policy.trim() != "compact"
    {
        return Err(ClientError::Config(not_compacted(&topic.name, &policy)));
    }
    // Brokers may take a moment to tell each other of a new topic.
    while admin
        .topics()
        .await?
        .get(&topic.name)
        .is_none_or(|partitions| *partitions < 1)
    {
        tokio::time::sleep(NEW_TOPIC_PAUSE).await;
    }
    Ok(())
}

fn not_compacted(topic: &str, policy: &str) -> String {
    format!(
        "Topic '{topic}' supplied via the 'offset.storage.topic' property is required to have 'cleanup.policy=compact' to \
         guarantee consistency and durability of source connector offsets, but found the topic currently has \
         'cleanup.policy={policy}'. Continuing would likely result in eventually losing source connector offsets and \
         problems restarting this Connect cluster in the future. Change the 'offset.storage.topic' property in the Connect \
         worker configurations to use a topic with 'cleanup.policy=compact'."
    )
}

/// Everything that was committed before the call.
pub(crate) async fn read(
    mut translated: Translated,
    topic: &str,
    keep: &(dyn for<'k> Fn(&'k [u8]) -> bool + Send + Sync),
) -> Result<CompactedTopic, ClientError> {
    let what = format!("topic \"{topic}\" could not be read");
    let timeout = translated.ours.api_timeout;
    // A replica that is nearer may be behind.
    translated.librdkafka.remove("client.rack");
    let mut config = translated.librdkafka.to_client_config();
    config
        .set("enable.auto.commit", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "earliest");
    let ends = ends(&config, topic, timeout, &what).await?;
    if ends.count() == 0 {
        return Ok(CompactedTopic::new());
    }
    config.set("isolation.level", "read_committed");
    let mut reader = Reader::open(config, topic, (&ends, timeout), &what).await?;
    let mut found = CompactedTopic::new();
    while !reader.is_done() {
        let records;
        (reader, records) = reader.next(&what).await?;
        for (key, record) in records {
            if !keep(&key) {
                continue;
            }
            match record {
                Some(record) => found.insert(key, record),
                None => found.remove(&key),
            };
        }
    }
    Ok(found)
}

/// Where the partitions that are not empty end, transactions that are open included.
async fn ends(
    config: &ClientConfig,
    topic: &str,
    timeout: Duration,
    what: &str,
) -> Result<TopicPartitionList, ClientError> {
    let mut config = config.clone();
    config.set("isolation.level", "read_uncommitted");
    let topic = topic.to_owned();
    blocking(what, move || {
        let consumer: BaseConsumer = config.create()?;
        let metadata = consumer.fetch_metadata(Some(&topic), timeout)?;
        let mut wanted = TopicPartitionList::new();
        for partition in metadata.topics().iter().flat_map(MetadataTopic::partitions) {
            wanted.add_partition_offset(&topic, partition.id(), Offset::End)?;
        }
        if wanted.count() == 0 {
            return Err(KafkaError::MetadataFetch(ErrorCode::UnknownTopicOrPartition));
        }
        let ends = consumer.offsets_for_times(wanted, timeout)?;
        let mut filled = TopicPartitionList::new();
        for end in ends.elements() {
            end.error()?;
            if matches!(end.offset(), Offset::Offset(1..)) {
                filled.add_partition_offset(&topic, end.partition(), end.offset())?;
            }
        }
        Ok(filled)
    })
    .await
}

/// Key and newest record; `None` deletes.
type Record = (Bytes, Option<CompactedRecord>);

/// Is told of the end of a partition as of an error, though it was asked for.
struct Reading;

impl ClientContext for Reading {
    fn error(&self, error: KafkaError, reason: &str) {
        if !matches!(error, KafkaError::Global(ErrorCode::PartitionEOF)) {
            tracing::warn!(%error, reason, "reading a compacted topic");
        }
    }
}

impl ConsumerContext for Reading {}

/// Reads each partition to where it ended.
struct Reader {
    consumer: LastingConsumer<Reading>,
    topic: String,
    /// Partitions that are not read yet, and their ends.
    unread: HashMap<i32, i64>,
}

impl Reader {
    /// Waits until no transaction that was open is still.
    async fn open(
        config: ClientConfig,
        topic: &str,
        (ends, timeout): (&TopicPartitionList, Duration),
        what: &str,
    ) -> Result<Self, ClientError> {
        let mut consumer =
            LastingConsumer::new(&config, Reading).map_err(|error| kafka_error(what, &error))?;
        let started = Instant::now();
        let mut said = false;
        loop {
            let ends = ends.clone();
            let (kept, are_stable) = blocking(what, move || {
                let are_stable = are_stable(&consumer, &ends, timeout)?;
                Ok((consumer, are_stable))
            })
            .await?;
            consumer = kept;
            if are_stable {
                break;
            }
            if !said && started.elapsed() > LONG_WAIT {
                said = true;
                tracing::warn!(
                    topic,
                    "transactions over the offsets topic are open; waiting until they are committed or aborted. A producer that is \
                     gone has `transaction.timeout.ms` for it; what stays open for longer was left hanging by the broker: \
                     `kafka-transactions.sh find-hanging` names it, and `abort` ends it"
                );
            }
            tokio::time::sleep(OPEN_TRANSACTION_PAUSE).await;
        }
        let mut begin = TopicPartitionList::new();
        for end in ends.elements() {
            begin
                .add_partition_offset(end.topic(), end.partition(), Offset::Beginning)
                .map_err(|error| kafka_error(what, &error))?;
        }
        consumer
            .assign(&begin)
            .map_err(|error| kafka_error(what, &error))?;
        let elements = ends.elements();
        let unread = elements.iter().filter_map(|end| match end.offset() {
            Offset::Offset(offset) => Some((end.partition(), offset)),
            _ => None,
        });
        let unread = unread.collect();
        let topic = topic.to_owned();
        Ok(Self {
            consumer,
            topic,
            unread,
        })
    }

    /// A partition that is written all the time has no other end than the one that was asked for.
    fn has_read(&mut self, partition: i32, offset: i64) {
        if self
            .unread
            .get(&partition)
            .is_some_and(|end| offset.saturating_add(1) >= *end)
        {
            self.unread.remove(&partition);
        }
    }

    /// Nothing more is committed. The records before the end may be all that there are: the last ones may be marks of
    /// transactions, or compacted away. A broker that is behind the end has not said so yet.
    fn has_ended(&mut self, partition: i32) {
        let known = self.consumer.high_watermark(&self.topic, partition);
        if self.unread.get(&partition).is_some_and(|end| known >= *end) {
            self.unread.remove(&partition);
        }
    }

    fn is_done(&self) -> bool {
        self.unread.is_empty()
    }

    /// What comes within a slice of time.
    async fn next(mut self, what: &str) -> Result<(Self, Vec<Record>), ClientError> {
        blocking(what, move || {
            let until = Instant::now() + SLICE;
            let mut records = Vec::new();
            while !self.is_done() && Instant::now() < until {
                match self.consumer.poll(SLICE) {
                    None => {}
                    Some(Ok(message)) => {
                        let key = message.key().map(Bytes::copy_from_slice);
                        records.extend(key.map(|key| (key, record_of(&message))));
                        let (partition, offset) = (message.partition(), message.offset());
                        drop(message);
                        self.has_read(partition, offset);
                    }
                    Some(Err(KafkaError::PartitionEOF(partition))) => self.has_ended(partition),
                    // librdkafka goes on by itself when a broker is away.
                    Some(Err(error)) if is_passing(&error) => {}
                    Some(Err(error)) => return Err(error),
                }
            }
            Ok((self, records))
        })
        .await
    }
}

fn record_of(message: &impl Message) -> Option<CompactedRecord> {
    let headers = message.headers().into_iter().flat_map(Headers::iter);
    Some(CompactedRecord {
        value: Bytes::copy_from_slice(message.payload()?),
        headers: headers
            .map(|header| (Arc::from(header.key), header.value.map(Bytes::copy_from_slice)))
            .collect(),
    })
}

fn is_passing(error: &KafkaError) -> bool {
    matches!(kafka_error("", error), ClientError::Retriable(_))
}

/// Whether everything before these ends is committed or aborted.
fn are_stable(
    consumer: &LastingConsumer<Reading>,
    ends: &TopicPartitionList,
    timeout: Duration,
) -> rdkafka::error::KafkaResult<bool> {
    let mut wanted = TopicPartitionList::new();
    for end in ends.elements() {
        wanted.add_partition_offset(end.topic(), end.partition(), Offset::End)?;
    }
    let stable = consumer.offsets_for_times(wanted, timeout)?;
    for end in ends.elements() {
        let found = stable
            .find_partition(end.topic(), end.partition())
            .map(|found| found.offset());
        let (Some(Offset::Offset(found)), Offset::Offset(wanted)) = (found, end.offset()) else {
            return Ok(false);
        };
        if found < wanted {
            return Ok(false);
        }
    }
    Ok(true)
}
