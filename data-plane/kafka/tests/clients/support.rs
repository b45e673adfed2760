//! What the tests have in common: a worker's settings, records, and waiting for events.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use towpath_connect::{ConfigMap, Topic, TopicPartition};
use towpath_kafka::RdKafkaClients;
use towpath_kafka::admin::TopicToCreate;
use towpath_runtime::clients::{
    ClientOwner, ConsumedRecord, ConsumerEvent, Delivery, GroupConsumer, KafkaClients, OutgoingRecord,
    RecordProducer, Subscription,
};
use towpath_testkit::{Service, Services};

pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// Real Kafka, shared with other tests.
pub(crate) async fn kafka() -> String {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    services.kafka_bootstrap().to_owned()
}

/// A name that no other test has.
pub(crate) fn unique(name: &str) -> Topic {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!(
        "{name}-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
    .into()
}

pub(crate) fn map(settings: &[(&str, &str)]) -> ConfigMap {
    let mut map = ConfigMap::new();
    settings.iter().for_each(|(key, value)| map.insert(*key, *value));
    map
}

/// The clients of a worker with these settings.
pub(crate) fn clients(bootstrap: &str, settings: &[(&str, &str)]) -> RdKafkaClients {
    let mut worker = map(settings);
    worker.insert("bootstrap.servers", bootstrap);
    RdKafkaClients::new(Arc::new(worker))
}

pub(crate) fn owner(connector: &str, overrides: &[(&str, &str)]) -> ClientOwner {
    ClientOwner {
        connector: connector.into(),
        task: 0,
        overrides: map(overrides),
    }
}

/// A new topic of real Kafka.
pub(crate) async fn topic(bootstrap: &str, name: &str, partitions: i32) -> Topic {
    let name = unique(name);
    create(bootstrap, &name, partitions).await;
    name
}

pub(crate) async fn create(bootstrap: &str, name: &Topic, partitions: i32) {
    let admin = clients(bootstrap, &[]).admin(&ConfigMap::new()).unwrap();
    let topic = TopicToCreate {
        name: name.to_string(),
        partitions,
        replication_factor: 1,
        configs: ConfigMap::new(),
    };
    assert!(admin.create_topic(&topic).await.unwrap());
}

/// Records whose values are their tokens.
pub(crate) fn numbered(topic: &Topic, tokens: std::ops::Range<u64>) -> Vec<OutgoingRecord> {
    let record = |token: u64| OutgoingRecord {
        topic: Topic::clone(topic),
        partition: None,
        key: None,
        value: Some(Bytes::from(token.to_string())),
        timestamp: None,
        headers: Vec::new(),
        token,
    };
    tokens.map(record).collect()
}

/// Sends all.
pub(crate) async fn send(producer: &mut dyn RecordProducer, records: &[OutgoingRecord]) {
    let mut rest = records;
    while !rest.is_empty() {
        let taken = tokio::time::timeout(DEADLINE, producer.send(rest))
            .await
            .expect("there is room")
            .unwrap();
        rest = &rest[taken..];
    }
}

pub(crate) async fn deliveries(producer: &mut dyn RecordProducer, count: usize) -> Vec<Delivery> {
    let mut all = Vec::new();
    while all.len() < count {
        let delivered = tokio::time::timeout(DEADLINE, producer.delivered()).await;
        delivered.unwrap_or_else(|_| panic!("{} of {count} were delivered", all.len()));
        producer.drain_deliveries(&mut all);
    }
    all
}

/// Sends all and waits until Kafka has them.
pub(crate) async fn deliver(producer: &mut dyn RecordProducer, records: &[OutgoingRecord]) {
    send(producer, records).await;
    for delivery in deliveries(producer, records.len()).await {
        delivery.result.unwrap();
    }
}

/// Writes records with a producer of its own.
pub(crate) async fn write(bootstrap: &str, records: &[OutgoingRecord]) {
    let mut producer = clients(bootstrap, &[])
        .producer(&owner("writer", &[]))
        .await
        .unwrap();
    deliver(producer.as_mut(), records).await;
}

pub(crate) fn topics(names: &[&Topic]) -> Subscription {
    Subscription::Topics(names.iter().map(ToString::to_string).collect())
}

/// A consumer that reads from the first record on and notices changes soon.
pub(crate) async fn consumer(
    bootstrap: &str,
    connector: &str,
    subscription: &Subscription,
) -> Box<dyn GroupConsumer> {
    let overrides = [("metadata.max.age.ms", "1000"), ("fetch.max.wait.ms", "50")];
    clients(bootstrap, &[])
        .consumer(&owner(connector, &overrides), subscription)
        .await
        .unwrap()
}

/// The next event that is not idleness, with its records.
pub(crate) async fn event(consumer: &mut dyn GroupConsumer) -> (ConsumerEvent, Vec<ConsumedRecord>) {
    let next = async {
        loop {
            let mut batch = Vec::new();
            match consumer.next(DEADLINE, &mut batch).await.unwrap() {
                ConsumerEvent::Idle => assert!(batch.is_empty()),
                other => return (other, batch),
            }
        }
    };
    tokio::time::timeout(DEADLINE, next)
        .await
        .expect("an event comes")
}

/// Confirms rebalances until a partition of each topic is assigned.
pub(crate) async fn assigned(consumer: &mut dyn GroupConsumer, wanted: &[&Topic]) -> Vec<TopicPartition> {
    loop {
        match event(consumer).await.0 {
            ConsumerEvent::Assigned(partitions) => {
                let start = consumer.committed(&partitions).await.unwrap();
                consumer.complete_assignment(&start).await.unwrap();
                if wanted
                    .iter()
                    .all(|topic| partitions.iter().any(|partition| partition.topic == **topic))
                {
                    return partitions;
                }
            }
            ConsumerEvent::Revoked(_) | ConsumerEvent::Lost(_) => {
                consumer.complete_revocation().await.unwrap();
            }
            ConsumerEvent::Records | ConsumerEvent::Idle => {}
        }
    }
}

/// Waits until each of the two has one of the two partitions of a topic.
pub(crate) async fn shared_out(
    [first, second]: [&mut dyn GroupConsumer; 2],
    topic: &Topic,
) -> [Vec<TopicPartition>; 2] {
    let wanted = [topic];
    let (one, two) = tokio::join!(assigned(first, &wanted), assigned(second, &wanted));
    assert_eq!((one.len(), two.len()), (1, 1));
    [one, two]
}

/// Reads `count` records; rebalances are not expected.
pub(crate) async fn read(consumer: &mut dyn GroupConsumer, count: usize) -> Vec<ConsumedRecord> {
    let mut all = Vec::new();
    while all.len() < count {
        match event(consumer).await {
            (ConsumerEvent::Records, batch) => all.extend(batch),
            (other, _) => panic!("unexpected {other:?} after {} of {count} records", all.len()),
        }
    }
    all
}

pub(crate) fn numbers(records: &[ConsumedRecord]) -> Vec<u64> {
    let number = |record: &ConsumedRecord| std::str::from_utf8(record.value.as_ref()?).ok()?.parse().ok();
    records
        .iter()
        .map(|record| number(record).expect("the value is a number"))
        .collect()
}
