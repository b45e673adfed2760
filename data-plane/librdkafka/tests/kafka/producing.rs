//! One lane: reports, order, room, refusals. Against the mock cluster.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rdkafka_sys::RDKafkaApiKey;
use rdkafka_sys::types::RDKafkaRespErr;
use towpath_librdkafka::{BatchProducer, Delivery, ErrorCode, MAX_TOKEN, MockBroker, SendError, Stop};

use crate::support::{
    BUFFER, DEADLINE, Record, collect_deliveries, consumer, deliver, deliveries, join, numbered, numbers,
    producer, producer_config, read, send_all, unique,
};

fn broker(topic: &Arc<str>, partitions: i32) -> MockBroker {
    let broker = MockBroker::start().unwrap();
    broker.create_topic(topic, partitions).unwrap();
    broker
}

/// Records of every shape, in runs and mixed.
fn mixed(topic: &Arc<str>, other: &Arc<str>, count: u64) -> Vec<Record> {
    let shape = |token: u64| {
        let mut record = Record::numbered(topic, token);
        match token % 7 {
            0 => record.key = Some(format!("key-{}", token % 100).into_bytes()),
            1 => record.timestamp = Some(1_700_000_000_000 + i64::try_from(token).unwrap()),
            2 => record.headers = vec![("a".into(), Some(Bytes::from_static(b"1"))), ("b".into(), None)],
            3 => record.partition = Some(1),
            4 => record.topic = Arc::clone(other),
            _ => {}
        }
        record
    };
    (0..count).map(shape).collect()
}

#[tokio::test]
async fn every_record_is_reported_once_whatever_its_shape() {
    let (topic, other) = (unique("mixed"), unique("other"));
    let broker = broker(&topic, 3);
    broker.create_topic(&other, 1).unwrap();
    let producer = producer(&broker.bootstrap_servers());
    let mut lane = producer.lane().unwrap();
    deliver(&mut lane, &mixed(&topic, &other, 100_000)).await;
    assert_eq!(lane.in_flight(), 0);
}

#[tokio::test]
async fn offsets_in_a_partition_follow_the_order_of_sending() {
    let topic = unique("order");
    let broker = broker(&topic, 4);
    let producer = producer(&broker.bootstrap_servers());
    let mut lane = producer.lane().unwrap();
    let mut records = numbered(&topic, 0..100_000);
    for record in &mut records {
        record.key = Some((record.token % 50).to_string().into_bytes());
    }
    let mut delivered = deliver(&mut lane, &records).await;
    delivered.sort_unstable_by_key(|delivery| delivery.token);
    let mut last: HashMap<i32, i64> = HashMap::new();
    for Delivery { token, result } in delivered {
        let position = result.unwrap();
        let before = last.insert(position.partition, position.offset);
        assert!(
            before.is_none_or(|before| before < position.offset),
            "token {token} at {position:?} after {before:?}"
        );
    }
    assert_eq!(last.len(), 4);
}

#[tokio::test]
async fn a_key_goes_to_the_partition_that_java_chooses() {
    let topic = unique("murmur2");
    let broker = broker(&topic, 7);
    let producer = producer(&broker.bootstrap_servers());
    let mut lane = producer.lane().unwrap();
    // Hashes from the tests of Apache Kafka's own `Utils.murmur2`.
    let hashes: [(&str, i32); 6] = [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ("abc", 479_470_107),
    ];
    let record = |(token, (key, _)): (u64, &(&str, i32))| Record {
        key: Some(key.as_bytes().to_vec()),
        ..Record::numbered(&topic, token)
    };
    let records: Vec<_> = (0..).zip(&hashes).map(record).collect();
    for delivery in deliver(&mut lane, &records).await {
        let (key, hash) = hashes[usize::try_from(delivery.token).unwrap()];
        assert_eq!(
            delivery.result.unwrap().partition,
            (hash & i32::MAX) % 7,
            "key {key}"
        );
    }
}

#[tokio::test]
async fn order_and_number_hold_when_requests_fail_and_are_retried() {
    let topic = unique("retried");
    let broker = broker(&topic, 1);
    let producer = producer(&broker.bootstrap_servers());
    let mut lane = producer.lane().unwrap();
    let errors = [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND,
    ];
    broker
        .cluster()
        .request_errors(RDKafkaApiKey::Produce, &errors.repeat(3));
    let records = numbered(&topic, 0..50_000);
    deliver(&mut lane, &records).await;

    let mut reader = consumer(&broker.bootstrap_servers(), "retried");
    join(&mut reader, &[&topic]).await;
    let seen = numbers(&read(&mut reader, records.len(), 1000).await);
    let wrong = (0..50_000).zip(&seen).find(|(expected, got)| expected != *got);
    assert_eq!(wrong, None, "each record once and in order");
}

#[tokio::test]
async fn a_small_buffer_slows_the_sender_down_and_loses_nothing() {
    let topic = unique("small");
    let broker = broker(&topic, 2);
    let small = NonZeroUsize::new(64 << 10).unwrap();
    let producer = BatchProducer::new(&producer_config(&broker.bootstrap_servers()), small).unwrap();
    let mut lane = producer.lane().unwrap();
    let records = numbered(&topic, 0..20_000);
    let first = lane.try_send(&records, Record::view).unwrap();
    assert_eq!(first.stop, Stop::Full);
    assert!(first.count < 300, "64 KiB hold less than {} records", first.count);
    let mut all = Vec::new();
    send_all(&mut lane, &records[first.count..], &mut all).await;
    collect_deliveries(&mut lane, records.len(), &mut all).await;
    assert_eq!(all.len(), records.len());
}

#[tokio::test]
async fn what_waits_for_a_broker_that_is_away_is_sent_when_it_is_back() {
    let topic = unique("away");
    let broker = broker(&topic, 1);
    let producer = producer(&broker.bootstrap_servers());
    let mut lane = producer.lane().unwrap();
    deliver(&mut lane, &numbered(&topic, 0..100)).await;
    broker.cluster().broker_down(1).unwrap();
    let sent = lane.try_send(&numbered(&topic, 100..1100), Record::view).unwrap();
    assert_eq!(sent.stop, Stop::Done);
    let none = tokio::time::timeout(Duration::from_millis(300), lane.delivered()).await;
    assert!(none.is_err(), "nothing can be delivered without a broker");
    broker.cluster().broker_up(1).unwrap();
    let all = deliveries(&mut lane, 1000).await;
    assert_eq!(all.iter().find(|delivery| delivery.result.is_err()), None);
}

#[tokio::test]
async fn a_record_that_is_too_large_is_refused_and_the_others_are_sent() {
    let topic = unique("large");
    let broker = broker(&topic, 1);
    let producer = producer(&broker.bootstrap_servers());
    let mut lane = producer.lane().unwrap();
    for headers in [vec![], vec![("a".into(), None)]] {
        let mut records = numbered(&topic, 0..10);
        records[4].value = Some(vec![0; 1_200_000]);
        records[4].headers = headers;
        let sent = lane.try_send(&records, Record::view).unwrap();
        assert_eq!((sent.count, sent.stop), (10, Stop::Done));
        let all = deliveries(&mut lane, 10).await;
        let refused: Vec<_> = all.iter().filter(|delivery| delivery.result.is_err()).collect();
        assert_eq!(
            refused,
            [&Delivery {
                token: 4,
                result: Err(ErrorCode::MessageSizeTooLarge)
            }]
        );
    }
    assert_eq!(lane.in_flight(), 0);
}

#[tokio::test]
async fn a_partition_that_does_not_exist_is_an_error_of_its_record() {
    let topic = unique("partition");
    let broker = broker(&topic, 1);
    let producer = producer(&broker.bootstrap_servers());
    let mut lane = producer.lane().unwrap();
    deliver(&mut lane, &numbered(&topic, 0..1)).await;
    let mut records = numbered(&topic, 0..4);
    records[1].partition = Some(9);
    records[2].partition = Some(9);
    records[2].timestamp = Some(1);
    lane.try_send(&records, Record::view).unwrap();
    let mut all = deliveries(&mut lane, 4).await;
    all.sort_unstable_by_key(|delivery| delivery.token);
    let outcome: Vec<_> = all.iter().map(|delivery| delivery.result.err()).collect();
    assert_eq!(
        outcome,
        [
            None,
            Some(ErrorCode::UnknownPartition),
            Some(ErrorCode::UnknownPartition),
            None
        ]
    );
}

#[tokio::test]
async fn a_topic_that_does_not_exist_keeps_its_records_with_the_caller() {
    let topic = unique("unknown");
    let broker = MockBroker::start().unwrap();
    broker
        .cluster()
        .topic_error(&topic, RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        .unwrap();
    let mut config = producer_config(&broker.bootstrap_servers());
    config.set("topic.metadata.propagation.max.ms", "0");
    let producer = BatchProducer::new(&config, BUFFER).unwrap();
    assert_eq!(producer.partition_count(&topic, DEADLINE).await, Ok(None));
    let mut lane = producer.lane().unwrap();
    let records = numbered(&topic, 0..10);
    let stopped = async {
        // The answer to the metadata request reaches the topic's state a moment later.
        loop {
            let sent = lane.try_send(&records, Record::view).unwrap();
            if sent.stop == Stop::UnknownTopic(Arc::clone(&topic)) {
                return sent.count;
            }
            let refused = deliveries(&mut lane, 10).await;
            assert!(
                refused
                    .iter()
                    .all(|delivery| delivery.result == Err(ErrorCode::UnknownTopicOrPartition))
            );
        }
    };
    assert_eq!(tokio::time::timeout(DEADLINE, stopped).await.unwrap(), 0);
    assert_eq!(lane.in_flight(), 0);

    broker
        .cluster()
        .topic_error(&topic, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR)
        .unwrap();
    let appears = async {
        while lane.try_send(&records, Record::view).unwrap().stop != Stop::Done {
            assert!(producer.partition_count(&topic, DEADLINE).await.is_ok());
        }
    };
    tokio::time::timeout(DEADLINE, appears).await.unwrap();
    assert!(
        deliveries(&mut lane, 10)
            .await
            .iter()
            .all(|delivery| delivery.result.is_ok())
    );
}

#[tokio::test]
async fn a_name_that_no_topic_can_have_is_an_error_of_its_record() {
    let broker = MockBroker::start().unwrap();
    let producer = producer(&broker.bootstrap_servers());
    let mut lane = producer.lane().unwrap();
    lane.try_send(&numbered(&"with\0nul".into(), 0..3), Record::view)
        .unwrap();
    let all = deliveries(&mut lane, 3).await;
    assert!(
        all.iter()
            .all(|delivery| delivery.result == Err(ErrorCode::InvalidTopic))
    );
}

#[tokio::test]
async fn a_token_that_does_not_fit_is_refused_before_anything_is_sent() {
    let topic = unique("token");
    let broker = broker(&topic, 1);
    let producer = producer(&broker.bootstrap_servers());
    let mut lane = producer.lane().unwrap();
    let records = [
        Record::numbered(&topic, MAX_TOKEN),
        Record::numbered(&topic, MAX_TOKEN + 1),
    ];
    let error = lane.try_send(&records, Record::view).unwrap_err();
    assert!(matches!(error, SendError::Token { token } if token == MAX_TOKEN + 1));
    assert_eq!(lane.in_flight(), 0);
    deliver(&mut lane, &records[..1]).await;
}

#[tokio::test]
async fn a_producer_beyond_repair_says_so() {
    let topic = unique("fatal");
    let broker = broker(&topic, 1);
    let producer = producer(&broker.bootstrap_servers());
    let mut lane = producer.lane().unwrap();
    deliver(&mut lane, &numbered(&topic, 0..10)).await;
    assert_eq!(producer.fatal_error(), None);
    let lost = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    broker.cluster().request_errors(RDKafkaApiKey::Produce, &[lost]);
    let records = numbered(&topic, 0..10);
    lane.try_send(&records, Record::view).unwrap();
    let failed = deliveries(&mut lane, 10).await;
    assert!(failed.iter().all(|delivery| delivery.result.is_err()));
    let error = lane.try_send(&records, Record::view).unwrap_err();
    assert!(
        matches!(&error, SendError::Fatal { reason } if !reason.is_empty()),
        "{error}"
    );
    assert_eq!(lane.in_flight(), 0);
    assert!(producer.fatal_error().is_some());
}

#[tokio::test]
async fn flushed_returns_when_nothing_is_in_flight() {
    let topic = unique("flushed");
    let broker = broker(&topic, 1);
    let producer = producer(&broker.bootstrap_servers());
    let mut lane = producer.lane().unwrap();
    lane.try_send(&numbered(&topic, 0..5000), Record::view).unwrap();
    tokio::time::timeout(DEADLINE, lane.flushed()).await.unwrap();
    let mut all = Vec::new();
    lane.drain_deliveries(&mut all);
    assert_eq!(all.len(), 5000);
}

#[tokio::test]
async fn what_lingers_is_hurried_also_if_its_broker_is_away_when_that_begins() {
    let topic = unique("hurried");
    let broker = broker(&topic, 1);
    let mut config = producer_config(&broker.bootstrap_servers());
    config.set("linger.ms", "600000");
    let producer = BatchProducer::new(&config, BUFFER).unwrap();
    let mut lane = producer.lane().unwrap();
    broker.cluster().broker_down(1).unwrap();
    lane.try_send(&numbered(&topic, 0..10), Record::view).unwrap();
    lane.hurry();
    let none = tokio::time::timeout(Duration::from_millis(500), lane.delivered()).await;
    assert!(none.is_err(), "nothing can be delivered without a broker");
    broker.cluster().broker_up(1).unwrap();
    let all = deliveries(&mut lane, 10).await;
    assert_eq!(all.iter().find(|delivery| delivery.result.is_err()), None);
}

#[test]
fn a_setting_that_is_refused_is_named_without_its_value() {
    let mut config = producer_config("127.0.0.1:1");
    config.set("linger.ms", "hunter2");
    let error = BatchProducer::new(&config, BUFFER).unwrap_err().to_string();
    assert!(
        error.contains("`linger.ms`") && !error.contains("hunter2"),
        "{error}"
    );

    let mut config = producer_config("127.0.0.1:1");
    config
        .set("security.protocol", "sasl_plaintext")
        .set("sasl.mechanism", "PLAIN")
        .set("sasl.password", "hunter2");
    let error = BatchProducer::new(&config, BUFFER).unwrap_err().to_string();
    assert!(
        error.contains("sasl.username") && !error.contains("hunter2"),
        "{error}"
    );
}
