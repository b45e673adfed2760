//! What the loops need of Kafka, as traits: `towpath-kafka` implements them over librdkafka, `memory` in this crate for
//! tests. Batches cross the awaits, records do not.

mod transactions;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use towpath_connect::{
    ConfigMap, ConnectorError, TimestampType, Topic, TopicPartition, TopicPartitionOffsets,
};

pub use transactions::{CompactedRecord, CompactedTopic, NewTopic, TransactionalProducer};

/// A header as bytes.
pub type RawHeader = (Arc<str>, Option<Bytes>);

/// Why a client could not do what it was asked for. `Display` names the topic, group or key concerned, never a secret.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The same call may work later: a broker is away, a coordinator moves.
    #[error("{0}")]
    Retriable(String),
    /// The client's settings are wrong; names the key.
    #[error("{0}")]
    Config(String),
    /// It will not work: authorization, a record too large.
    #[error("{0}")]
    Fatal(String),
    /// This client is of no use any more, another one may be: its transactional id or its place in its group was taken
    /// over, or brokers were away for too long.
    #[error("{0}")]
    Fenced(String),
    /// The offsets of a consumer group cannot be changed while it has members.
    #[error("{0}")]
    GroupInUse(String),
    /// A transaction stayed open for longer than `transaction.timeout.ms`, so that Kafka has aborted it.
    #[error("{0}")]
    TransactionExpired(String),
}

/// A record for Kafka.
#[derive(Clone, Debug)]
pub struct OutgoingRecord {
    /// Where to.
    pub topic: Topic,
    /// `None`: the partitioner decides, by the key as Java does.
    pub partition: Option<i32>,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    /// Milliseconds since the epoch; `None`: now.
    pub timestamp: Option<i64>,
    pub headers: Vec<RawHeader>,
    /// Comes back in the [`Delivery`]. Below 2^48.
    pub token: u64,
}

/// What became of a record.
#[derive(Debug)]
pub struct Delivery {
    /// The token of the record.
    pub token: u64,
    /// `Ok` once Kafka has acknowledged it as `acks` asks for.
    pub result: Result<(), ClientError>,
}

/// Produces for one task. The connection behind it may be shared with other tasks of equal settings.
#[async_trait]
pub trait RecordProducer: Send {
    /// Takes records from the front, in order, as many as there is room for, and says how many; waits until it could
    /// take at least one. Order per partition is kept, retries included. Dropping the future takes nothing.
    ///
    /// # Errors
    /// `Fatal` or `Config` for the first record that was not taken.
    async fn send(&mut self, records: &[OutgoingRecord]) -> Result<usize, ClientError>;

    /// Moves what is known of earlier records into `out` without waiting.
    fn drain_deliveries(&mut self, out: &mut Vec<Delivery>);

    /// Waits until `drain_deliveries` has something. Dropping the future loses nothing.
    async fn delivered(&mut self);

    /// Has what was taken so far sent without waiting for its linger time. Goes on until that is reported, also if brokers
    /// are away when it begins.
    fn flush(&mut self);
}

/// A record from Kafka. Key, value and headers are slices of the buffer that was fetched.
#[derive(Clone, Debug)]
pub struct ConsumedRecord {
    pub topic: Topic,
    pub partition: i32,
    pub offset: i64,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    /// `None` when the record has none (-1).
    pub timestamp: Option<i64>,
    pub timestamp_type: TimestampType,
    pub headers: Vec<RawHeader>,
}

/// What a consumer has to tell.
#[derive(Debug)]
pub enum ConsumerEvent {
    /// Records were appended to the batch.
    Records,
    /// The wait is over and there was nothing.
    Idle,
    /// These partitions came. Nothing is fetched of them until [`GroupConsumer::complete_assignment`].
    Assigned(Vec<TopicPartition>),
    /// These partitions go, after [`GroupConsumer::complete_revocation`]: commit and close before.
    Revoked(Vec<TopicPartition>),
    /// These partitions are gone already: close, but do not commit.
    Lost(Vec<TopicPartition>),
}

/// Consumes for one sink task as a member of its group.
#[async_trait]
pub trait GroupConsumer: Send {
    /// Waits at most `max_wait` for the next event; records are appended to `batch` (empty it before). Has to be called
    /// more often than `max.poll.interval.ms`, also while partitions are paused. Dropping the future loses nothing.
    ///
    /// # Errors
    /// `Fatal` when the group cannot be used any more; `Retriable` troubles are handled and logged inside.
    async fn next(
        &mut self,
        max_wait: Duration,
        batch: &mut Vec<ConsumedRecord>,
    ) -> Result<ConsumerEvent, ClientError>;

    /// Answers [`ConsumerEvent::Assigned`]: fetching begins at these offsets, [`committed`](GroupConsumer::committed) ones as a
    /// rule, and of the other partitions by `auto.offset.reset`.
    ///
    /// # Errors
    /// When the group cannot be told, or `auto.offset.reset` is `none` and a partition has no offset.
    async fn complete_assignment(&mut self, start: &TopicPartitionOffsets) -> Result<(), ClientError>;

    /// Answers [`ConsumerEvent::Revoked`] and [`ConsumerEvent::Lost`].
    ///
    /// # Errors
    /// When the group cannot be told.
    async fn complete_revocation(&mut self) -> Result<(), ClientError>;

    /// No records of these partitions until they are resumed.
    ///
    /// # Errors
    /// When a partition is not assigned.
    fn pause(&mut self, partitions: &[TopicPartition]) -> Result<(), ClientError>;

    /// Records of these partitions again.
    ///
    /// # Errors
    /// When a partition is not assigned.
    fn resume(&mut self, partitions: &[TopicPartition]) -> Result<(), ClientError>;

    /// Goes on at these offsets; buffered records of the partitions are dropped.
    ///
    /// # Errors
    /// When a partition is not assigned.
    async fn seek(&mut self, offsets: &TopicPartitionOffsets) -> Result<(), ClientError>;

    /// Commits to the group and waits for the answer.
    ///
    /// # Errors
    /// `Retriable` when it may be tried again.
    async fn commit(&mut self, offsets: &TopicPartitionOffsets) -> Result<(), ClientError>;

    /// The committed offsets of these partitions, those without one left out. Dropping the future loses nothing.
    ///
    /// # Errors
    /// `Retriable` when the coordinator does not answer, or not for all of them.
    async fn committed(
        &mut self,
        partitions: &[TopicPartition],
    ) -> Result<TopicPartitionOffsets, ClientError>;

    /// Leaves the group.
    async fn close(&mut self);
}

/// What a sink reads.
#[derive(Clone, Debug)]
pub enum Subscription {
    /// The topics of `topics`.
    Topics(Vec<String>),
    /// The Java pattern of `topics.regex`; whole names have to match.
    Pattern(String),
}

impl Subscription {
    /// What a sink's configuration says: `topics.regex`, else `topics` without empty and repeated items.
    ///
    /// # Errors
    /// `Config` when neither is set.
    pub fn of(config: &ConfigMap) -> towpath_connect::Result<Self> {
        let text = |key: &str| config.get(key).map(str::trim).filter(|text| !text.is_empty());
        if let Some(pattern) = text("topics.regex") {
            return Ok(Self::Pattern(pattern.to_owned()));
        }
        let mut topics: Vec<String> = Vec::new();
        for topic in text("topics")
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|topic| !topic.is_empty())
        {
            if !topics.iter().any(|known| known == topic) {
                topics.push(topic.to_owned());
            }
        }
        if topics.is_empty() {
            return Err(ConnectorError::config(
                "Must configure one of topics or topics.regex",
            ));
        }
        Ok(Self::Topics(topics))
    }
}

/// Whose client it is, and the connector's overrides.
#[derive(Clone, Debug)]
pub struct ClientOwner {
    pub connector: Arc<str>,
    pub task: u32,
    /// `producer.override.*` or `consumer.override.*` of the connector, prefix removed, secrets resolved.
    pub overrides: ConfigMap,
}

/// The consumer group of a sink connector.
#[derive(Clone, Debug)]
pub struct SinkGroup {
    /// With the overrides of its consumers, which may name the group.
    pub consumer: ClientOwner,
    /// `admin.override.*` of the connector, prefix removed, secrets resolved.
    pub admin_overrides: ConfigMap,
}

/// Makes clients of one Kafka cluster with a worker's settings.
#[async_trait]
pub trait KafkaClients: Send + Sync {
    /// A producer for a source task.
    ///
    /// # Errors
    /// `Config` when the settings cannot work.
    async fn producer(&self, owner: &ClientOwner) -> Result<Box<dyn RecordProducer>, ClientError>;

    /// A producer of transactions for an exactly-once source task. Whoever had the transactional id before is fenced,
    /// and what it left uncommitted is aborted, when this returns.
    ///
    /// # Errors
    /// `Config` when the settings cannot work, `Retriable` when no broker answers in time.
    async fn transactional_producer(
        &self,
        owner: &ClientOwner,
        transactional_id: &str,
    ) -> Result<Box<dyn TransactionalProducer>, ClientError>;

    /// Creates a compacted topic if it is not there. `owner` has the overrides of the connector's admin clients.
    ///
    /// # Errors
    /// When it can neither be found nor created.
    async fn ensure_topic(&self, owner: &ClientOwner, topic: &NewTopic) -> Result<(), ClientError>;

    /// The newest values of a compacted topic whose keys `keep` picks: everything that was committed before the call.
    /// Waits for transactions that are open. `owner` has the overrides of the connector's consumers.
    ///
    /// # Errors
    /// When the topic cannot be read.
    async fn read_compacted(
        &self,
        owner: &ClientOwner,
        topic: &str,
        keep: &(dyn for<'k> Fn(&'k [u8]) -> bool + Send + Sync),
    ) -> Result<CompactedTopic, ClientError>;

    /// A consumer for a sink task; the group is `connect-<connector>` unless `group.id` is overridden.
    ///
    /// # Errors
    /// `Config` when the settings cannot work.
    async fn consumer(
        &self,
        owner: &ClientOwner,
        subscription: &Subscription,
    ) -> Result<Box<dyn GroupConsumer>, ClientError>;

    /// The id of the cluster.
    ///
    /// # Errors
    /// When no broker answers in time.
    async fn cluster_id(&self) -> Result<String, ClientError>;

    /// The committed offsets of a sink's group in the topics it reads: for `GET /connectors/{c}/offsets`.
    ///
    /// # Errors
    /// When the coordinator does not answer in time.
    async fn group_offsets(
        &self,
        owner: &ClientOwner,
        subscription: &Subscription,
    ) -> Result<TopicPartitionOffsets, ClientError>;

    /// Sets the offsets of a sink's group; a partition without one has none afterwards.
    ///
    /// # Errors
    /// `GroupInUse` while the group has members; others when a partition is unknown or the coordinator does not answer.
    async fn alter_group_offsets(
        &self,
        group: &SinkGroup,
        offsets: &[(TopicPartition, Option<i64>)],
    ) -> Result<(), ClientError>;

    /// Deletes a sink's group with all its offsets; one that is not there is fine.
    ///
    /// # Errors
    /// As `alter_group_offsets`.
    async fn delete_group(&self, group: &SinkGroup) -> Result<(), ClientError>;
}
