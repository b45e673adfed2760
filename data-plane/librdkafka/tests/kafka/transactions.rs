//! Transactions, on real Kafka.

use std::time::Duration;

use towpath_librdkafka::{BatchConsumer, BatchProducer, ErrorCode};

use crate::support::{
    BUFFER, DEADLINE, consumer_config, deliver, join, kafka, numbered, numbers, producer_config, read, topic,
    unique,
};

fn transactional(bootstrap: &str, id: &str) -> BatchProducer {
    let mut config = producer_config(bootstrap);
    config.remove("message.timeout.ms");
    config.set("transactional.id", id);
    BatchProducer::new(&config, BUFFER).unwrap()
}

#[tokio::test]
async fn many_transactions_are_seen_whole_or_not_at_all() {
    const TRANSACTIONS: u64 = 60;
    const RECORDS: u64 = 2_000;
    let kafka = kafka().await;
    let topic = topic(&kafka, "many", 1).await;
    let producer = transactional(&kafka, &unique("many"));
    let mut lane = producer.lane().unwrap();
    producer.init_transactions(DEADLINE).await.unwrap();
    let mut expected = Vec::new();
    for transaction in 0..TRANSACTIONS {
        let tokens = transaction * RECORDS..(transaction + 1) * RECORDS;
        let records = numbered(&topic, tokens.clone());
        producer.begin_transaction().await.unwrap();
        deliver(&mut lane, &records).await;
        if transaction % 3 == 2 {
            producer.abort_transaction(DEADLINE).await.unwrap();
        } else {
            producer.commit_transaction(DEADLINE).await.unwrap();
            expected.extend(tokens);
        }
    }
    let mut config = consumer_config(&kafka, &unique("many-readers"));
    config.set("isolation.level", "read_committed");
    let mut consumer = BatchConsumer::new(&config).unwrap();
    join(&mut consumer, &[&topic]).await;
    let seen = read(&mut consumer, expected.len(), 500).await;
    assert_eq!(numbers(&seen), expected);
}

#[tokio::test]
async fn whoever_lost_its_id_is_told_so_at_every_step() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "lost", 1).await;
    let id = unique("lost");
    let loser = transactional(&kafka, &id);
    let mut lane = loser.lane().unwrap();
    loser.init_transactions(DEADLINE).await.unwrap();
    loser.begin_transaction().await.unwrap();
    deliver(&mut lane, &numbered(&topic, 0..10)).await;
    let winner = transactional(&kafka, &id);
    winner.init_transactions(DEADLINE).await.unwrap();
    let refused = loser.commit_transaction(DEADLINE).await.unwrap_err();
    assert!(refused.is_fatal, "{refused}");
    assert_eq!(loser.fatal_code(), Some(ErrorCode::Fenced));
    assert!(loser.begin_transaction().await.unwrap_err().is_fatal);
}

#[tokio::test]
async fn a_step_that_finds_no_broker_may_be_tried_again() {
    let producer = transactional("127.0.0.1:1", "nobody");
    let error = producer
        .init_transactions(Duration::from_millis(100))
        .await
        .unwrap_err();
    assert!(error.is_retriable && !error.is_fatal, "{error:?}");
}
