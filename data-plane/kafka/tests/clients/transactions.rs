//! Producers of exactly-once source tasks, and the topic they keep their offsets in.

use bytes::Bytes;
use rdkafka_sys::RDKafkaApiKey;
use rdkafka_sys::types::RDKafkaRespErr;
use towpath_connect::{ConfigMap, Topic};
use towpath_kafka::{MockBroker, RdKafkaClients};
use towpath_runtime::clients::{
    ClientError, KafkaClients, NewTopic, OutgoingRecord, RecordProducer, TransactionalProducer,
};

use crate::support::{DEADLINE, clients, deliver, deliveries, kafka, numbered, owner, send, topic, unique};

fn record(topic: &Topic, key: &str, value: Option<&str>) -> OutgoingRecord {
    OutgoingRecord {
        key: Some(Bytes::from(key.to_owned())),
        value: value.map(|value| Bytes::from(value.to_owned())),
        ..numbered(topic, 0..1).remove(0)
    }
}

async fn committed(clients: &RdKafkaClients, topic: &Topic) -> Vec<(String, String)> {
    let reader = owner("reader", &[]);
    let read = clients.read_compacted(&reader, topic, &|key| key != b"other");
    let found = tokio::time::timeout(DEADLINE, read)
        .await
        .expect("it can be read");
    let text = |bytes: &Bytes| std::str::from_utf8(bytes).unwrap().to_owned();
    let mut found: Vec<_> = found
        .unwrap()
        .iter()
        .map(|(key, record)| (text(key), text(&record.value)))
        .collect();
    found.sort();
    found
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    expected.iter().map(pair).collect()
}

/// A broker that can be told to refuse, with a topic.
struct Misbehaving {
    broker: MockBroker,
    topic: Topic,
    clients: RdKafkaClients,
}

impl Misbehaving {
    fn new(name: &str) -> Self {
        let (broker, topic) = (MockBroker::start().unwrap(), unique(name));
        broker.create_topic(&topic, 1).unwrap();
        let clients = clients(&broker.bootstrap_servers(), &[]);
        Self {
            broker,
            topic,
            clients,
        }
    }
}

/// Takes the id over.
async fn open(clients: &RdKafkaClients, id: &str) -> Box<dyn TransactionalProducer> {
    let owner = owner("c", &[]);
    clients.transactional_producer(&owner, id).await.unwrap()
}

async fn offsets_topic(clients: &RdKafkaClients, name: &str) -> Topic {
    let name = unique(name);
    let topic = NewTopic {
        name: name.to_string(),
        partitions: 3,
        replication_factor: 1,
        configs: ConfigMap::new(),
    };
    clients.ensure_topic(&owner("maker", &[]), &topic).await.unwrap();
    name
}

async fn in_transaction(producer: &mut dyn TransactionalProducer, records: &[OutgoingRecord]) {
    producer.begin().await.unwrap();
    deliver_in(producer, records).await;
    producer.commit().await.unwrap();
}

async fn deliver_in(producer: &mut dyn TransactionalProducer, records: &[OutgoingRecord]) {
    let producer: &mut dyn RecordProducer = producer;
    deliver(producer, records).await;
}

#[tokio::test]
async fn what_is_committed_is_read_and_what_is_aborted_is_not() {
    let kafka = kafka().await;
    let clients = clients(&kafka, &[]);
    let topic = offsets_topic(&clients, "committed").await;
    let id = unique("committed");
    let mut producer = clients
        .transactional_producer(&owner("c", &[]), &id)
        .await
        .unwrap();
    let producer = producer.as_mut();
    assert_eq!(committed(&clients, &topic).await, pairs(&[]));
    let first = [
        record(&topic, "a", Some("1")),
        record(&topic, "b", Some("1")),
        record(&topic, "other", Some("1")),
    ];
    in_transaction(producer, &first).await;
    producer.begin().await.unwrap();
    deliver_in(producer, &[record(&topic, "a", Some("aborted"))]).await;
    producer.abort().await.unwrap();
    in_transaction(
        producer,
        &[record(&topic, "a", Some("2")), record(&topic, "b", None)],
    )
    .await;
    assert_eq!(committed(&clients, &topic).await, pairs(&[("a", "2")]));
}

#[tokio::test]
async fn an_abort_waits_for_what_is_on_its_way_and_drops_it() {
    let kafka = kafka().await;
    let clients = clients(&kafka, &[("producer.linger.ms", "600000")]);
    let topic = topic(&kafka, "abort", 1).await;
    let mut producer = clients
        .transactional_producer(&owner("c", &[]), &unique("abort"))
        .await
        .unwrap();
    for _ in 0..3 {
        producer.begin().await.unwrap();
        let records = numbered(&topic, 0..5000);
        send(producer.as_mut(), &records).await;
        tokio::time::timeout(DEADLINE, producer.abort())
            .await
            .expect("the abort ends")
            .unwrap();
    }
    assert_eq!(committed(&clients, &topic).await, pairs(&[]));
}

#[tokio::test]
async fn whoever_takes_the_id_over_fences_the_one_before_and_drops_what_it_left_open() {
    let kafka = kafka().await;
    let clients = clients(&kafka, &[]);
    let topic = offsets_topic(&clients, "fenced").await;
    let id = unique("fenced");
    let mut zombie = open(&clients, &id).await;
    in_transaction(zombie.as_mut(), &[record(&topic, "a", Some("1"))]).await;
    zombie.begin().await.unwrap();
    deliver_in(zombie.as_mut(), &[record(&topic, "a", Some("zombie"))]).await;
    let mut successor = open(&clients, &id).await;
    assert_eq!(committed(&clients, &topic).await, pairs(&[("a", "1")]));
    let refused = tokio::time::timeout(DEADLINE, zombie.commit()).await.unwrap();
    assert!(matches!(refused, Err(ClientError::Fenced(_))), "{refused:?}");
    let refused = zombie.begin().await;
    assert!(matches!(refused, Err(ClientError::Fenced(_))), "{refused:?}");
    in_transaction(successor.as_mut(), &[record(&topic, "a", Some("2"))]).await;
    assert_eq!(committed(&clients, &topic).await, pairs(&[("a", "2")]));
}

#[tokio::test]
async fn a_transaction_that_is_open_for_too_long_is_told_from_one_that_was_fenced() {
    let kafka = kafka().await;
    let clients = clients(&kafka, &[]);
    let topic = offsets_topic(&clients, "expired").await;
    let short = owner("c", &[("transaction.timeout.ms", "1000")]);
    let mut producer = clients
        .transactional_producer(&short, &unique("expired"))
        .await
        .unwrap();
    producer.begin().await.unwrap();
    deliver_in(producer.as_mut(), &[record(&topic, "a", Some("late"))]).await;
    // Reading waits for the open transaction, which Kafka aborts when it looks for such.
    assert_eq!(committed(&clients, &topic).await, pairs(&[]));
    let refused = tokio::time::timeout(DEADLINE, producer.commit()).await.unwrap();
    assert!(
        matches!(refused, Err(ClientError::TransactionExpired(_))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_offsets_topic_that_is_not_compacted_is_refused() {
    let kafka = kafka().await;
    let clients = clients(&kafka, &[]);
    let existing = NewTopic {
        name: topic(&kafka, "deleting", 1).await.to_string(),
        partitions: 1,
        replication_factor: 1,
        configs: ConfigMap::new(),
    };
    let refused = clients.ensure_topic(&owner("maker", &[]), &existing).await;
    let Err(ClientError::Config(text)) = refused else {
        panic!("unexpected {refused:?}")
    };
    assert!(
        text.contains("found the topic currently has 'cleanup.policy=delete'"),
        "{text}"
    );
}

/// An id that was not used for long is forgotten, which the first record of the next transaction finds out.
#[tokio::test]
async fn a_transactional_id_that_kafka_has_forgotten_is_for_the_next_run_to_take() {
    let Misbehaving {
        broker,
        topic,
        clients,
    } = Misbehaving::new("forgotten");
    let id = unique("forgotten");
    let mut producer = open(&clients, &id).await;
    in_transaction(producer.as_mut(), &numbered(&topic, 0..10)).await;
    let forgotten = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING];
    broker
        .cluster()
        .request_errors(RDKafkaApiKey::AddPartitionsToTxn, &forgotten);
    producer.begin().await.unwrap();
    send(producer.as_mut(), &numbered(&topic, 10..20)).await;
    for delivery in deliveries(producer.as_mut(), 10).await {
        let Err(ClientError::Fenced(text)) = delivery.result else {
            panic!("unexpected {delivery:?}")
        };
        assert_eq!(text, format!("Kafka has forgotten the transactional id \"{id}\""));
    }
    drop(producer);
    in_transaction(open(&clients, &id).await.as_mut(), &numbered(&topic, 10..20)).await;
}

/// After an unclean election, or when a coordinator moves in between, brokers miss what came before.
#[tokio::test]
async fn a_transaction_of_which_brokers_have_lost_a_part_is_for_the_next_run_to_repeat() {
    let Misbehaving {
        broker,
        topic,
        clients,
    } = Misbehaving::new("part");
    let id = unique("part");
    let mut producer = open(&clients, &id).await;
    producer.begin().await.unwrap();
    deliver_in(producer.as_mut(), &numbered(&topic, 0..10)).await;
    let lost = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER];
    broker.cluster().request_errors(RDKafkaApiKey::Produce, &lost);
    send(producer.as_mut(), &numbered(&topic, 10..20)).await;
    for delivery in deliveries(producer.as_mut(), 10).await {
        assert!(
            matches!(delivery.result, Err(ClientError::Fenced(_))),
            "{delivery:?}"
        );
    }
    let refused = producer.commit().await;
    assert!(matches!(refused, Err(ClientError::Fenced(_))), "{refused:?}");
    drop(producer);
    in_transaction(open(&clients, &id).await.as_mut(), &numbered(&topic, 0..20)).await;
}

/// Its partition has no end that a reader could come to.
#[tokio::test]
async fn an_offsets_topic_that_is_written_all_the_time_is_read_to_where_it_was() {
    let kafka = kafka().await;
    let clients = clients(&kafka, &[]);
    let topic = topic(&kafka, "busy", 1).await;
    let mut producer = clients
        .transactional_producer(&owner("c", &[]), &unique("busy"))
        .await
        .unwrap();
    in_transaction(producer.as_mut(), &[record(&topic, "a", Some("1"))]).await;
    let writing = async {
        loop {
            in_transaction(producer.as_mut(), &[record(&topic, "other", Some("x"))]).await;
        }
    };
    let reading = async {
        for _ in 0..5 {
            assert_eq!(committed(&clients, &topic).await, pairs(&[("a", "1")]));
        }
    };
    tokio::select! {
        () = reading => {}
        () = writing => panic!("it is written all the time"),
    }
}

#[tokio::test]
async fn a_topic_that_a_transaction_may_not_write_is_named_as_the_reason() {
    let Misbehaving {
        broker,
        topic,
        clients,
    } = Misbehaving::new("not-allowed");
    let mut producer = open(&clients, &unique("not-allowed")).await;
    let refused = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED];
    broker
        .cluster()
        .request_errors(RDKafkaApiKey::AddPartitionsToTxn, &refused);
    producer.begin().await.unwrap();
    send(producer.as_mut(), &numbered(&topic, 0..10)).await;
    for delivery in deliveries(producer.as_mut(), 10).await {
        let Err(ClientError::Fatal(text)) = delivery.result else {
            panic!("unexpected {delivery:?}")
        };
        assert!(text.contains("TopicAuthorizationFailed"), "{text}");
    }
}
