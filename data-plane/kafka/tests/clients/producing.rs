//! Producers of source tasks.

use std::time::Duration;

use bytes::Bytes;
use rdkafka_sys::RDKafkaApiKey;
use rdkafka_sys::types::RDKafkaRespErr;
use towpath_kafka::MockBroker;
use towpath_runtime::clients::{ClientError, KafkaClients};

use crate::support::{
    DEADLINE, assigned, clients, consumer, create, deliver, deliveries, kafka, numbered, numbers, owner,
    read, send, topic, topics, unique,
};

#[tokio::test]
async fn records_arrive_in_order_with_everything_they_carry() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "carried", 1).await;
    let mut records = numbered(&topic, 0..20_000);
    records[7].key = Some(Bytes::from_static(b"k"));
    records[7].timestamp = Some(12345);
    records[7].headers = vec![("h".into(), Some(Bytes::from_static(b"1"))), ("n".into(), None)];
    records[8].partition = Some(0);
    let mut producer = clients(&kafka, &[])
        .producer(&owner("carried", &[]))
        .await
        .unwrap();
    deliver(producer.as_mut(), &records).await;

    let mut reader = consumer(&kafka, "carried", &topics(&[&topic])).await;
    assigned(reader.as_mut(), &[&topic]).await;
    let got = read(reader.as_mut(), records.len()).await;
    assert!(numbers(&got).into_iter().eq(0..20_000));
    assert_eq!((&got[7].key, got[7].timestamp), (&records[7].key, Some(12345)));
    assert_eq!(got[7].headers, records[7].headers);
    reader.close().await;
}

#[tokio::test]
async fn tasks_with_equal_settings_share_a_producer_which_ends_with_the_last() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "shared", 1).await;
    let clients = clients(&kafka, &[("producer.linger.ms", "1")]);
    let mut one = clients.producer(&owner("a", &[])).await.unwrap();
    let mut two = clients.producer(&owner("b", &[])).await.unwrap();
    assert_eq!(clients.producer_count(), 1);
    let mut other = clients
        .producer(&owner("c", &[("linger.ms", "2")]))
        .await
        .unwrap();
    assert_eq!(clients.producer_count(), 2);
    for producer in [&mut one, &mut two, &mut other] {
        deliver(producer.as_mut(), &numbered(&topic, 0..1000)).await;
    }
    drop(one);
    assert_eq!(clients.producer_count(), 2);
    deliver(two.as_mut(), &numbered(&topic, 0..1000)).await;
    drop((two, other));
    assert_eq!(clients.producer_count(), 0);
    let mut again = clients.producer(&owner("a", &[])).await.unwrap();
    deliver(again.as_mut(), &numbered(&topic, 0..1000)).await;
}

#[tokio::test]
async fn a_topic_that_the_broker_creates_by_itself_needs_no_preparation() {
    let kafka = kafka().await;
    let topic = unique("by-itself");
    let mut producer = clients(&kafka, &[])
        .producer(&owner("by-itself", &[]))
        .await
        .unwrap();
    deliver(producer.as_mut(), &numbered(&topic, 0..10)).await;
}

#[tokio::test]
async fn records_wait_for_a_topic_that_does_not_exist_without_taking_room() {
    let (missing, there) = (unique("missing"), unique("there"));
    let broker = MockBroker::start().unwrap();
    broker.create_topic(&there, 1).unwrap();
    let unknown = RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    broker.cluster().topic_error(&missing, unknown).unwrap();
    let clients = clients(&broker.bootstrap_servers(), &[]);
    let mut waiting = clients.producer(&owner("waiting", &[])).await.unwrap();
    let records = numbered(&missing, 0..10);
    let sending = tokio::time::timeout(Duration::from_secs(1), waiting.send(&records)).await;
    assert!(sending.is_err(), "it waits");
    let mut other = clients.producer(&owner("other", &[])).await.unwrap();
    deliver(other.as_mut(), &numbered(&there, 0..10_000)).await;
    // What comes before is sent.
    let both = [numbered(&there, 0..3), numbered(&missing, 3..5)].concat();
    assert_eq!(waiting.send(&both).await.unwrap(), 3);

    broker
        .cluster()
        .topic_error(&missing, RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR)
        .unwrap();
    send(waiting.as_mut(), &records).await;
    deliveries(waiting.as_mut(), 13)
        .await
        .into_iter()
        .for_each(|delivery| delivery.result.unwrap());
}

#[tokio::test]
async fn waiting_for_a_topic_ends_with_max_block() {
    let missing = unique("missing");
    let broker = MockBroker::start().unwrap();
    let unknown = RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    broker.cluster().topic_error(&missing, unknown).unwrap();
    let clients = clients(&broker.bootstrap_servers(), &[]);
    let mut producer = clients
        .producer(&owner("blocked", &[("max.block.ms", "200")]))
        .await
        .unwrap();
    let sent = tokio::time::timeout(DEADLINE, producer.send(&numbered(&missing, 0..1)))
        .await
        .unwrap();
    let Err(ClientError::Retriable(text)) = sent else {
        panic!("unexpected {sent:?}")
    };
    assert!(
        text.starts_with(&format!("Topic {missing} not present in metadata after ")),
        "{text}"
    );
}

#[tokio::test]
async fn a_topic_that_may_not_be_written_is_an_error_at_once() {
    let forbidden = unique("forbidden");
    let broker = MockBroker::start().unwrap();
    let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    broker.cluster().topic_error(&forbidden, error).unwrap();
    let clients = clients(&broker.bootstrap_servers(), &[]);
    let mut producer = clients.producer(&owner("forbidden", &[])).await.unwrap();
    let sent = tokio::time::timeout(DEADLINE, producer.send(&numbered(&forbidden, 0..1)))
        .await
        .unwrap();
    let Err(ClientError::Fatal(text)) = sent else {
        panic!("unexpected {sent:?}")
    };
    assert!(text.contains(&*forbidden), "{text}");
}

#[tokio::test]
async fn a_record_that_is_too_large_is_reported_with_what_to_do() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "large", 1).await;
    let mut producer = clients(&kafka, &[]).producer(&owner("large", &[])).await.unwrap();
    let mut records = numbered(&topic, 0..3);
    records[1].value = Some(Bytes::from(vec![0; 2 << 20]));
    send(producer.as_mut(), &records).await;
    for delivery in deliveries(producer.as_mut(), 3).await {
        match (delivery.token, delivery.result) {
            (1, Err(ClientError::Fatal(text))) => assert!(text.contains("max.request.size"), "{text}"),
            (0 | 2, Ok(())) => {}
            other => panic!("unexpected {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_producer_beyond_repair_is_replaced_for_those_who_lose_nothing() {
    let topic = unique("replaced");
    let broker = MockBroker::start().unwrap();
    broker.create_topic(&topic, 1).unwrap();
    let clients = clients(&broker.bootstrap_servers(), &[]);
    let mut unlucky = clients.producer(&owner("unlucky", &[])).await.unwrap();
    let mut lucky = clients.producer(&owner("lucky", &[])).await.unwrap();
    for producer in [&mut unlucky, &mut lucky] {
        deliver(producer.as_mut(), &numbered(&topic, 0..10)).await;
    }
    let lost = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    broker.cluster().request_errors(RDKafkaApiKey::Produce, &[lost]);
    send(unlucky.as_mut(), &numbered(&topic, 10..20)).await;
    let failed = deliveries(unlucky.as_mut(), 10).await;
    assert!(
        failed
            .iter()
            .all(|delivery| matches!(delivery.result, Err(ClientError::Fenced(_)))),
        "another producer may write them"
    );
    deliver(lucky.as_mut(), &numbered(&topic, 20..30)).await;
    assert_eq!(clients.producer_count(), 1);
    drop((unlucky, lucky));
    assert_eq!(clients.producer_count(), 0);
}

#[tokio::test]
async fn what_became_of_records_is_told_before_a_producer_beyond_repair_is_replaced() {
    let topic = unique("told");
    let broker = MockBroker::start().unwrap();
    broker.create_topic(&topic, 1).unwrap();
    let clients = clients(&broker.bootstrap_servers(), &[]);
    let mut producer = clients.producer(&owner("told", &[])).await.unwrap();
    deliver(producer.as_mut(), &numbered(&topic, 0..10)).await;
    let lost = RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
    broker.cluster().request_errors(RDKafkaApiKey::Produce, &[lost]);
    send(producer.as_mut(), &numbered(&topic, 10..20)).await;
    // They are told of, but not asked for.
    producer.delivered().await;
    let refused = producer.send(&numbered(&topic, 20..30)).await;
    assert!(matches!(refused, Err(ClientError::Fenced(_))), "{refused:?}");
    let told = deliveries(producer.as_mut(), 10).await;
    assert!(told.iter().all(|delivery| delivery.result.is_err()));
    deliver(producer.as_mut(), &numbered(&topic, 20..30)).await;
}

#[tokio::test]
async fn flush_sends_what_lingers() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "lingering", 1).await;
    let overrides = [("linger.ms", "600000"), ("delivery.timeout.ms", "700000")];
    let mut producer = clients(&kafka, &[])
        .producer(&owner("lingering", &overrides))
        .await
        .unwrap();
    send(producer.as_mut(), &numbered(&topic, 0..10)).await;
    let waiting = tokio::time::timeout(Duration::from_millis(300), producer.delivered()).await;
    assert!(waiting.is_err(), "it lingers");
    producer.flush();
    deliveries(producer.as_mut(), 10)
        .await
        .into_iter()
        .for_each(|delivery| delivery.result.unwrap());
}

#[tokio::test]
async fn what_is_in_flight_when_a_task_ends_disturbs_nobody() {
    let kafka = kafka().await;
    let topic = unique("left");
    create(&kafka, &topic, 1).await;
    let clients = clients(&kafka, &[]);
    let mut stays = clients.producer(&owner("stays", &[])).await.unwrap();
    for round in 0..20 {
        let mut leaves = clients.producer(&owner("leaves", &[])).await.unwrap();
        send(leaves.as_mut(), &numbered(&topic, 0..2000)).await;
        drop(leaves);
        deliver(stays.as_mut(), &numbered(&topic, round..round + 10)).await;
    }
}
