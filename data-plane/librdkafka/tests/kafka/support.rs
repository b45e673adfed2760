//! What the tests send and read.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use towpath_librdkafka::{
    BatchConsumer, BatchProducer, Delivery, GroupEvent, Header, Lane, Message, RecordRef, Stop,
    TopicPartition,
};
use towpath_testkit::{Service, Services};

pub(crate) const DEADLINE: Duration = Duration::from_secs(120);
pub(crate) const BUFFER: NonZeroUsize = NonZeroUsize::new(8 << 20).unwrap();

/// A record that owns what it sends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: Option<i32>,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) timestamp: Option<i64>,
    pub(crate) headers: Vec<Header>,
    pub(crate) token: u64,
}

impl Record {
    /// A record whose value is its token.
    pub(crate) fn numbered(topic: &Arc<str>, token: u64) -> Self {
        let value = Some(token.to_string().into_bytes());
        Self {
            topic: Arc::clone(topic),
            value,
            token,
            ..Self::default()
        }
    }

    pub(crate) fn view(&self) -> RecordRef<'_> {
        RecordRef {
            topic: &self.topic,
            partition: self.partition,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            timestamp: self.timestamp,
            headers: &self.headers,
            token: self.token,
        }
    }
}

pub(crate) fn numbered(topic: &Arc<str>, tokens: std::ops::Range<u64>) -> Vec<Record> {
    tokens.map(|token| Record::numbered(topic, token)).collect()
}

/// The settings of the product's source producers that matter here.
pub(crate) fn producer_config(bootstrap: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    config
        .set("enable.idempotence", "true")
        .set("message.timeout.ms", "0");
    config
        .set("partitioner", "murmur2_random")
        .set("reconnect.backoff.max.ms", "500");
    config
}

pub(crate) fn producer(bootstrap: &str) -> BatchProducer {
    BatchProducer::new(&producer_config(bootstrap), BUFFER).unwrap()
}

pub(crate) fn consumer_config(bootstrap: &str, group: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap).set("group.id", group);
    config
        .set("auto.offset.reset", "earliest")
        .set("enable.auto.commit", "false");
    config
        .set("enable.auto.offset.store", "false")
        .set("fetch.wait.max.ms", "50");
    config
        .set("fetch.queue.backoff.ms", "10")
        .set("reconnect.backoff.max.ms", "500");
    config
}

pub(crate) fn consumer(bootstrap: &str, group: &str) -> BatchConsumer {
    BatchConsumer::new(&consumer_config(bootstrap, group)).unwrap()
}

/// Real Kafka, shared with other tests.
pub(crate) async fn kafka() -> String {
    Services::require(&[Service::Kafka])
        .await
        .unwrap()
        .kafka_bootstrap()
        .to_owned()
}

/// A name that no other test has.
pub(crate) fn unique(name: &str) -> Arc<str> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "{name}-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
    .into()
}

pub(crate) async fn create_topic(bootstrap: &str, name: &str, partitions: i32) {
    assert!(try_create_topic(bootstrap, name, partitions).await, "{name}");
}

/// Whether that worked.
pub(crate) async fn try_create_topic(bootstrap: &str, name: &str, partitions: i32) -> bool {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", bootstrap);
    let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    let created = admin.create_topics([&topic], &AdminOptions::new()).await.unwrap();
    created[0].is_ok()
}

/// A new topic of real Kafka.
pub(crate) async fn topic(bootstrap: &str, name: &str, partitions: i32) -> Arc<str> {
    let name = unique(name);
    create_topic(bootstrap, &name, partitions).await;
    name
}

pub(crate) fn partition(topic: &Arc<str>, partition: i32) -> TopicPartition {
    TopicPartition {
        topic: Arc::clone(topic),
        partition,
    }
}

/// Sends all, waiting for room where there is none, and adds what was delivered meanwhile to `deliveries`.
pub(crate) async fn send_all(lane: &mut Lane, records: &[Record], deliveries: &mut Vec<Delivery>) {
    let mut rest = records;
    while !rest.is_empty() {
        let sent = lane.try_send(rest, Record::view).unwrap();
        rest = &rest[sent.count..];
        match sent.stop {
            Stop::Done => {}
            Stop::Full => tokio::time::timeout(DEADLINE, lane.room())
                .await
                .expect("room is made"),
            Stop::UnknownTopic(topic) => panic!("topic {topic} is unknown"),
        }
        lane.drain_deliveries(deliveries);
    }
}

/// Waits for `count` deliveries.
pub(crate) async fn deliveries(lane: &mut Lane, count: usize) -> Vec<Delivery> {
    let mut all = Vec::new();
    collect_deliveries(lane, count, &mut all).await;
    all
}

pub(crate) async fn collect_deliveries(lane: &mut Lane, count: usize, all: &mut Vec<Delivery>) {
    while all.len() < count {
        let delivered = tokio::time::timeout(DEADLINE, lane.delivered()).await;
        delivered.unwrap_or_else(|_| panic!("{} of {count} were delivered", all.len()));
        lane.drain_deliveries(all);
    }
}

/// Sends all, waits for their deliveries, and checks that each was delivered once.
pub(crate) async fn deliver(lane: &mut Lane, records: &[Record]) -> Vec<Delivery> {
    let mut all = Vec::new();
    send_all(lane, records, &mut all).await;
    collect_deliveries(lane, records.len(), &mut all).await;
    let mut tokens: Vec<u64> = all.iter().map(|delivery| delivery.token).collect();
    let mut expected: Vec<u64> = records.iter().map(|record| record.token).collect();
    tokens.sort_unstable();
    expected.sort_unstable();
    assert_eq!(tokens, expected, "each record is reported once");
    assert_eq!(all.iter().find(|delivery| delivery.result.is_err()), None);
    all
}

/// The next event of the group.
pub(crate) async fn event(consumer: &mut BatchConsumer) -> GroupEvent {
    let next = async {
        loop {
            if let Some(event) = consumer.poll_event() {
                return event;
            }
            consumer.ready().await;
        }
    };
    tokio::time::timeout(DEADLINE, next)
        .await
        .expect("a group event comes")
}

/// Subscribes, takes the first assignment over and returns it.
pub(crate) async fn join(consumer: &mut BatchConsumer, topics: &[&Arc<str>]) -> Vec<TopicPartition> {
    consumer.subscribe(topics.iter().map(|topic| &***topic)).unwrap();
    loop {
        match event(consumer).await {
            GroupEvent::Assigned(partitions) => {
                take_over(consumer, &partitions).await;
                return partitions;
            }
            GroupEvent::Revoked { .. } => consumer.release().unwrap(),
            // "Unknown topic" and the like, which passes.
            GroupEvent::Error(error) => assert!(!error.fatal, "{error}"),
        }
    }
}

/// Goes on where the group is.
pub(crate) async fn take_over(consumer: &mut BatchConsumer, partitions: &[TopicPartition]) {
    let committed = consumer.committed(partitions, DEADLINE).await.unwrap();
    consumer.take_over(&committed).unwrap();
}

/// Reads until `count` records have come, in batches of `poll`; rebalances are not expected.
pub(crate) async fn read(consumer: &mut BatchConsumer, count: usize, poll: usize) -> Vec<Message> {
    let mut all = Vec::new();
    let reading = async {
        while all.len() < count {
            match consumer.poll_event() {
                None => {}
                Some(GroupEvent::Error(error)) if !error.fatal => {}
                Some(other) => panic!("unexpected {other:?}"),
            }
            if consumer.read(poll, |message| all.push(message)) == 0 {
                consumer.ready().await;
            }
        }
    };
    let read = tokio::time::timeout(DEADLINE, reading).await;
    assert!(read.is_ok(), "{} of {count} records were read", all.len());
    all
}

/// The number that a record of [`Record::numbered`] carries.
pub(crate) fn number(message: &Message) -> u64 {
    let value = message.value.as_ref().expect("it has a value");
    std::str::from_utf8(value).unwrap().parse().unwrap()
}

pub(crate) fn numbers(messages: &[Message]) -> Vec<u64> {
    messages.iter().map(number).collect()
}
