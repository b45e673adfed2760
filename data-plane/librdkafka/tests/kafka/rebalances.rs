//! Partitions that come, go and come back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use rdkafka::client::DefaultClientContext;
use rdkafka_sys::RDKafkaApiKey;
use rdkafka_sys::types::RDKafkaRespErr;
use towpath_librdkafka::{BatchConsumer, ErrorCode, GroupEvent, MockBroker, TopicPartition};

use crate::support::{
    DEADLINE, consumer, consumer_config, deliver, event, join, kafka, number, numbered, numbers, partition,
    producer, read, take_over, topic, unique,
};

#[tokio::test]
async fn a_partition_that_comes_back_is_not_paused_any_more() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "comes-back", 1).await;
    deliver(&mut producer(&kafka).lane().unwrap(), &numbered(&topic, 0..100)).await;
    let mut reader = consumer(&kafka, &unique("comes-back"));
    let partitions = join(&mut reader, &[&topic]).await;
    read(&mut reader, 100, 100).await;
    reader.pause(&partitions).unwrap();
    reader.subscribe([]).unwrap();
    assert!(matches!(event(&mut reader).await, GroupEvent::Revoked { .. }));
    reader.release().unwrap();
    assert_eq!(join(&mut reader, &[&topic]).await, partitions);
    assert!(numbers(&read(&mut reader, 100, 100).await).into_iter().eq(0..100));
}

/// librdkafka takes the error for a record, and a pause goes on behind what was read last.
#[tokio::test]
async fn an_error_in_front_of_a_record_skips_none_at_the_next_pause() {
    let broker = MockBroker::start().unwrap();
    let (kafka, topic) = (broker.bootstrap_servers(), unique("in-front"));
    broker.create_topic(&topic, 1).unwrap();
    deliver(&mut producer(&kafka).lane().unwrap(), &numbered(&topic, 0..100)).await;
    let invalid = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_REQUEST];
    broker.cluster().request_errors(RDKafkaApiKey::Fetch, &invalid);
    let mut reader = consumer(&kafka, "in-front");
    let partitions = join(&mut reader, &[&topic]).await;
    let told = async {
        loop {
            assert_eq!(reader.read(100, |message| panic!("{message:?}")), 0);
            if let Some(event) = reader.poll_event() {
                return event;
            }
            reader.ready().await;
        }
    };
    let told = tokio::time::timeout(DEADLINE, told).await.unwrap();
    assert!(
        matches!(&told, GroupEvent::Error(error) if error.code == ErrorCode::InvalidRequest),
        "{told:?}"
    );
    reader.pause(&partitions).unwrap();
    reader.resume(&partitions).unwrap();
    assert!(numbers(&read(&mut reader, 100, 100).await).into_iter().eq(0..100));
}

#[tokio::test]
async fn an_assignment_that_takes_the_place_of_another_is_told_as_a_loss_and_read() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "superseded", 1).await;
    let mut config = consumer_config(&kafka, &unique("superseded"));
    config.set("topic.metadata.refresh.interval.ms", "500");
    let mut reader = BatchConsumer::new(&config).unwrap();
    reader.subscribe([&*topic]).unwrap();
    let GroupEvent::Assigned(first) = event(&mut reader).await else {
        panic!("an assignment comes first")
    };
    add_partition(&kafka, &topic).await;
    // librdkafka looks at the topic meanwhile.
    tokio::time::sleep(Duration::from_secs(3)).await;
    take_over(&mut reader, &first).await;
    let lost = event(&mut reader).await;
    assert_eq!(
        lost,
        GroupEvent::Revoked {
            partitions: first,
            lost: true
        }
    );
    reader.release().unwrap();
    let second = event(&mut reader).await;
    let both = vec![partition(&topic, 0), partition(&topic, 1)];
    assert_eq!(second, GroupEvent::Assigned(both.clone()));
    take_over(&mut reader, &both).await;

    let mut records = numbered(&topic, 0..200);
    records
        .iter_mut()
        .for_each(|record| record.partition = i32::try_from(record.token % 2).ok());
    deliver(&mut producer(&kafka).lane().unwrap(), &records).await;
    let read = read(&mut reader, 200, 100).await;
    let seen: BTreeSet<u64> = numbers(&read).into_iter().collect();
    assert!(seen.into_iter().eq(0..200));
    reader.close(DEADLINE).await;
}

async fn add_partition(kafka: &str, topic: &str) {
    let mut config = rdkafka::ClientConfig::new();
    config.set("bootstrap.servers", kafka);
    let admin: AdminClient<DefaultClientContext> = config.create().unwrap();
    let grown = [NewPartitions::new(topic, 2)];
    let created = admin
        .create_partitions(&grown, &AdminOptions::new())
        .await
        .unwrap();
    assert!(created[0].is_ok());
}

/// A member that commits what it has read when a partition goes, as a sink does.
struct Member {
    consumer: BatchConsumer,
    owned: BTreeSet<TopicPartition>,
    next: BTreeMap<TopicPartition, i64>,
    seen: Vec<u64>,
}

impl Member {
    fn new(mut consumer: BatchConsumer, topic: &Arc<str>) -> Self {
        consumer.subscribe([&**topic]).unwrap();
        Self {
            consumer,
            owned: BTreeSet::new(),
            next: BTreeMap::new(),
            seen: Vec::new(),
        }
    }

    /// One round: events, then a batch.
    async fn turn(&mut self) {
        while let Some(event) = self.consumer.poll_event() {
            match event {
                GroupEvent::Assigned(partitions) => {
                    take_over(&mut self.consumer, &partitions).await;
                    self.owned.extend(partitions);
                }
                GroupEvent::Revoked { partitions, lost } => {
                    assert!(!lost);
                    let gone = |partition: &TopicPartition| partitions.contains(partition);
                    let offsets: Vec<_> = self
                        .next
                        .iter()
                        .filter(|(p, _)| gone(p))
                        .map(|(p, o)| (p.clone(), *o))
                        .collect();
                    self.consumer.commit(&offsets).await.unwrap();
                    self.next.retain(|partition, _| !gone(partition));
                    self.owned.retain(|partition| !gone(partition));
                    self.consumer.release().unwrap();
                }
                GroupEvent::Error(error) => assert!(!error.fatal, "{error}"),
            }
        }
        let (owned, next, seen) = (&self.owned, &mut self.next, &mut self.seen);
        self.consumer.read(200, |message| {
            let from = TopicPartition {
                topic: Arc::clone(&message.topic),
                partition: message.partition,
            };
            assert!(
                owned.contains(&from),
                "a record of {from:?}, which is not this member's"
            );
            seen.push(number(&message));
            next.insert(from, message.offset + 1);
        });
    }
}

async fn rebalance_under_load(strategy: &str) {
    let kafka = kafka().await;
    let topic = topic(&kafka, "rebalanced", 4).await;
    let mut records = numbered(&topic, 0..200_000);
    records
        .iter_mut()
        .for_each(|record| record.partition = i32::try_from(record.token % 4).ok());
    deliver(&mut producer(&kafka).lane().unwrap(), &records).await;
    let mut config = consumer_config(&kafka, &unique(strategy));
    config.set("partition.assignment.strategy", strategy);
    let member = || Member::new(BatchConsumer::new(&config).unwrap(), &topic);
    let mut members = vec![member()];
    let total = |members: &[Member]| members.iter().map(|member| member.seen.len()).sum::<usize>();
    let reading = async {
        while total(&members) < records.len() {
            // New members join in the middle.
            if members.len() < 4 && total(&members) > members.len() * 20_000 {
                members.push(member());
            }
            for member in &mut members {
                member.turn().await;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(DEADLINE, reading)
        .await
        .expect("every record is read");
    let mut seen: Vec<u64> = members
        .iter()
        .flat_map(|member| member.seen.iter().copied())
        .collect();
    seen.sort_unstable();
    assert!(
        seen.into_iter().eq(0..200_000),
        "each record once, since offsets are committed before partitions go"
    );
    assert!(members.len() > 1, "there was a rebalance");
    for member in members {
        member.consumer.close(DEADLINE).await;
    }
}

#[tokio::test]
async fn an_eager_rebalance_under_load_loses_and_repeats_nothing() {
    rebalance_under_load("range").await;
}

#[tokio::test]
async fn a_cooperative_rebalance_under_load_loses_and_repeats_nothing() {
    rebalance_under_load("cooperative-sticky").await;
}

#[tokio::test]
async fn a_member_that_closes_gives_its_partitions_away_at_once() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "closing", 2).await;
    let group = unique("closing");
    let mut first = consumer(&kafka, &group);
    assert_eq!(join(&mut first, &[&topic]).await.len(), 2);
    let mut second = consumer(&kafka, &group);
    second.subscribe([&*topic]).unwrap();
    assert!(matches!(
        event(&mut first).await,
        GroupEvent::Revoked { lost: false, .. }
    ));
    first.release().unwrap();
    first.close(DEADLINE).await;
    // Far less than the session's time-out of 45 s, which is what it would take if the first had just gone.
    let assigned =
        tokio::time::timeout(std::time::Duration::from_secs(20), join(&mut second, &[&topic])).await;
    assert!(!assigned.unwrap().is_empty());
}
