//! The partitions of records without a key.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use towpath_librdkafka::{BatchProducer, Delivery, MockBroker, Stop};

use crate::support::{
    BUFFER, DEADLINE, Record, collect_deliveries, deliver, kafka, numbered, producer, producer_config,
    send_all, topic, try_create_topic, unique,
};

/// The partitions of records, in the order of their tokens.
fn partitions(mut delivered: Vec<Delivery>) -> Vec<i32> {
    delivered.sort_unstable_by_key(|delivery| delivery.token);
    let partition = |delivery: &Delivery| delivery.result.expect("it was delivered").partition;
    delivered.iter().map(partition).collect()
}

#[tokio::test]
async fn records_without_a_key_go_to_one_partition_for_a_stretch_and_to_all_in_the_long_run() {
    let topic = unique("stretches");
    let broker = MockBroker::start().unwrap();
    broker.create_topic(&topic, 4).unwrap();
    let mut config = producer_config(&broker.bootstrap_servers());
    config.set("batch.size", "10000");
    let producer = BatchProducer::new(&config, BUFFER).unwrap();
    let mut lane = producer.lane().unwrap();
    // Records that wait for the topic's metadata go to one partition.
    deliver(&mut lane, &numbered(&topic, 0..1)).await;
    let value = Some(vec![b'x'; 100]);
    let mut records = numbered(&topic, 0..40_000);
    records
        .iter_mut()
        .for_each(|record| record.value.clone_from(&value));
    let went = partitions(deliver(&mut lane, &records).await);

    let mut counts = BTreeMap::<i32, usize>::new();
    went.iter()
        .for_each(|partition| *counts.entry(*partition).or_default() += 1);
    assert!(
        counts.len() == 4 && counts.values().all(|count| *count > 5_000),
        "{counts:?}"
    );
    // A hundred records are 10,000 bytes.
    let shortest = went.chunk_by(|a, b| a == b).rev().skip(1).map(<[i32]>::len).min();
    assert!(shortest >= Some(100), "{shortest:?}");
}

#[tokio::test]
async fn keys_and_given_partitions_do_not_disturb_the_stretch() {
    let topic = unique("among");
    let broker = MockBroker::start().unwrap();
    broker.create_topic(&topic, 8).unwrap();
    let producer = producer(&broker.bootstrap_servers());
    let mut lane = producer.lane().unwrap();
    deliver(&mut lane, &numbered(&topic, 0..1)).await;
    let mut records = numbered(&topic, 0..900);
    for record in &mut records {
        match record.token % 3 {
            0 => record.key = Some(record.token.to_string().into_bytes()),
            1 => record.partition = Some(5),
            _ => record.timestamp = Some(1_700_000_000_000),
        }
    }
    let went = partitions(deliver(&mut lane, &records).await);
    let of = |kind: usize| went.iter().skip(kind).step_by(3).copied();
    assert!(of(1).all(|partition| partition == 5));
    assert!(of(2).all(|partition| partition == went[2]), "one stretch");
    assert!(
        (0..8).all(|partition| of(0).any(|other| other == partition)),
        "by the hash of the key"
    );
}

#[tokio::test]
async fn records_that_wait_for_the_topics_metadata_are_in_order_with_those_after() {
    let topic = unique("early");
    let broker = MockBroker::start().unwrap();
    broker.create_topic(&topic, 1).unwrap();
    broker.cluster().broker_down(1).unwrap();
    let producer = producer(&broker.bootstrap_servers());
    let mut lane = producer.lane().unwrap();
    let early = lane.try_send(&numbered(&topic, 0..500), Record::view).unwrap();
    assert_eq!((early.count, early.stop), (500, Stop::Done));
    broker.cluster().broker_up(1).unwrap();
    let mut all = Vec::new();
    for first in (500..20_500).step_by(500) {
        send_all(&mut lane, &numbered(&topic, first..first + 500), &mut all).await;
        tokio::task::yield_now().await;
    }
    collect_deliveries(&mut lane, 20_500, &mut all).await;
    all.sort_unstable_by_key(|delivery| delivery.token);
    let offsets = all.iter().map(|delivery| delivery.result.unwrap().offset);
    assert!(offsets.eq(0..20_500));
}

#[tokio::test]
async fn a_topic_that_is_made_anew_with_fewer_partitions_gets_its_records() {
    let bootstrap = kafka().await;
    let topic = topic(&bootstrap, "fewer", 8).await;
    let mut config = producer_config(&bootstrap);
    config
        .set("batch.size", "1000000")
        .set("topic.metadata.refresh.interval.ms", "200");
    let producer = BatchProducer::new(&config, BUFFER).unwrap();
    let mut lane = producer.lane().unwrap();
    // Until the choice is not the one that will be left.
    let mut records = numbered(&topic, 0..1);
    records[0].value = Some(vec![b'x'; 600_000]);
    while partitions(deliver(&mut lane, &records).await) == [0] {}

    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", &bootstrap)
        .create()
        .unwrap();
    admin
        .delete_topics(&[&*topic], &AdminOptions::new())
        .await
        .unwrap()[0]
        .as_ref()
        .unwrap();
    let made_anew = async {
        // Until the broker has done away with the old one, and the producer has seen the new one. Its questions for the
        // topic may let the broker make it, with one partition too.
        while producer.partition_count(&topic, DEADLINE).await != Ok(Some(1)) {
            let _is_there = try_create_topic(&bootstrap, &topic, 1).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(DEADLINE, made_anew).await.unwrap();
    assert_eq!(
        partitions(deliver(&mut lane, &numbered(&topic, 0..10)).await),
        [0; 10]
    );
}
