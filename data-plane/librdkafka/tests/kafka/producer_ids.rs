//! When an idempotent producer asks for its id. Until it has one it sends nothing.

use std::time::Duration;

use towpath_librdkafka::BatchProducer;

use crate::fake_broker::{FakeBroker, INIT_PRODUCER_ID, METADATA, TOPIC};
use crate::support::{BUFFER, DEADLINE, producer_config};

/// A broker that has told of the cluster over the connection to the bootstrap servers, and is slow to take the next one.
async fn asked(idempotence: &str) -> Vec<i16> {
    let broker = FakeBroker::slow(Duration::from_millis(100)).await;
    let mut config = producer_config(&broker.address());
    config.set("enable.idempotence", idempotence);
    let producer = BatchProducer::new(&config, BUFFER).unwrap();
    for _ in 0..2 {
        assert_eq!(producer.partition_count(TOPIC, DEADLINE).await, Ok(Some(1)));
    }
    broker.heard()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_producer_asks_for_its_id_as_soon_as_a_broker_is_connected() {
    let heard = asked("true").await;
    let of_id = heard.iter().position(|key| *key == INIT_PRODUCER_ID);
    let last_question = heard.iter().rposition(|key| *key == METADATA);
    assert!(of_id.is_some() && of_id < last_question, "{heard:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_producer_that_needs_no_id_asks_for_none() {
    let heard = asked("false").await;
    assert!(!heard.contains(&INIT_PRODUCER_ID), "{heard:?}");
}
