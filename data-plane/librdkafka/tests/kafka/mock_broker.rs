//! The built-in broker as `towpath dev` uses it.

use towpath_librdkafka::MockBroker;

use crate::support::{consumer, deliver, join, numbered, numbers, producer, read, unique};

#[tokio::test]
async fn records_go_through_the_built_in_broker_in_order() {
    let broker = MockBroker::start().unwrap();
    let topic = unique("dev");
    broker.create_topic(&topic, 1).unwrap();
    let producer = producer(&broker.bootstrap_servers());
    deliver(&mut producer.lane().unwrap(), &numbered(&topic, 0..5000)).await;
    let mut reader = consumer(&broker.bootstrap_servers(), "dev");
    join(&mut reader, &[&topic]).await;
    assert!(
        numbers(&read(&mut reader, 5000, 500).await)
            .into_iter()
            .eq(0..5000)
    );
}

#[tokio::test]
async fn a_topic_is_created_once() {
    let broker = MockBroker::start().unwrap();
    broker.create_topic("a", 3).unwrap();
    let error = broker.create_topic("a", 3).unwrap_err().to_string();
    assert_eq!(error, "could not create topic \"a\" on the built-in broker");
    let producer = producer(&broker.bootstrap_servers());
    assert_eq!(
        producer.partition_count("a", crate::support::DEADLINE).await,
        Ok(Some(3))
    );
}
