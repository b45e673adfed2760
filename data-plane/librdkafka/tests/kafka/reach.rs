//! Clients whose cluster names no broker for a while, as the only broker of a KRaft cluster does when it stops. Kafka does so
//! for a few milliseconds only, and librdkafka's mock cluster never does.

use std::time::Duration;

use tokio::net::TcpListener;
use towpath_librdkafka::{BatchConsumer, BatchProducer};

use crate::fake_broker::{FakeBroker, TOPIC};
use crate::support::{BUFFER, consumer_config, producer_config};

/// Within this a question that somebody hears is answered.
const ANSWER: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_producer_finds_back_to_a_cluster_that_named_no_broker() {
    let broker = FakeBroker::start().await;
    let mut config = producer_config(&broker.address());
    config.set("enable.idempotence", "false");
    let producer = BatchProducer::new(&config, BUFFER).unwrap();
    let partitions = || producer.partition_count(TOPIC, ANSWER);
    assert_eq!(partitions().await, Ok(Some(1)));
    broker.advertise(0);
    assert!(partitions().await.is_ok(), "it is still answered");
    broker.advertise(broker.port);
    assert_eq!(partitions().await, Ok(Some(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_producer_finds_a_cluster_that_has_moved_by_its_bootstrap_servers() {
    let broker = FakeBroker::start().await;
    let mut config = producer_config(&broker.address());
    config.set("enable.idempotence", "false");
    let producer = BatchProducer::new(&config, BUFFER).unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = nobody.local_addr().unwrap().port();
    drop(nobody);
    broker.advertise(dead);
    let partitions = || producer.partition_count(TOPIC, ANSWER);
    assert_eq!(partitions().await, Ok(Some(1)));
    broker.advertise(broker.port);
    assert_eq!(partitions().await, Ok(Some(1)), "see .cargo/config.toml");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_finds_back_to_a_cluster_that_named_no_broker() {
    let broker = FakeBroker::start().await;
    let consumer = BatchConsumer::new(&consumer_config(&broker.address(), "fenced")).unwrap();
    let is_there = || consumer.has_topic(TOPIC, ANSWER);
    assert!(is_there().await.unwrap());
    broker.advertise(0);
    assert!(is_there().await.unwrap(), "it is still answered");
    broker.advertise(broker.port);
    assert!(is_there().await.unwrap());
}
