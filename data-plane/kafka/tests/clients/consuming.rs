//! Consumers of sink tasks.

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka_sys::RDKafkaApiKey;
use rdkafka_sys::types::RDKafkaRespErr;
use towpath_connect::{TimestampType, TopicPartition, TopicPartitionOffsets};
use towpath_kafka::MockBroker;
use towpath_runtime::clients::{ClientError, ClientOwner, ConsumerEvent, KafkaClients, Subscription};

use crate::support::{
    DEADLINE, assigned, clients, consumer, create, event, kafka, numbered, numbers, owner, read, shared_out,
    topic, topics, unique, write,
};

fn zero(topic: &towpath_connect::Topic) -> TopicPartition {
    TopicPartition {
        topic: topic.clone(),
        partition: 0,
    }
}

fn offset(topic: &towpath_connect::Topic, offset: i64) -> TopicPartitionOffsets {
    [(zero(topic), offset)].into()
}

#[tokio::test]
async fn a_sink_goes_on_where_its_group_has_committed() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "goes-on", 1).await;
    let connector = unique("goes-on");
    write(&kafka, &numbered(&topic, 0..2000)).await;
    let mut first = consumer(&kafka, &connector, &topics(&[&topic])).await;
    assert_eq!(assigned(first.as_mut(), &[&topic]).await, [zero(&topic)]);
    assert_eq!(
        first.committed(&[zero(&topic)]).await.unwrap(),
        TopicPartitionOffsets::new()
    );
    let records = read(first.as_mut(), 1000).await;
    assert_eq!(records[0].timestamp_type, TimestampType::CreateTime);
    first.commit(&offset(&topic, 800)).await.unwrap();
    assert_eq!(
        first.committed(&[zero(&topic)]).await.unwrap(),
        offset(&topic, 800)
    );
    first.close().await;
    assert!(
        first.next(DEADLINE, &mut Vec::new()).await.is_err(),
        "it is closed"
    );

    let owner = owner(&connector, &[]);
    let clients = clients(&kafka, &[]);
    let subscription = topics(&[&topic]);
    assert_eq!(
        clients.group_offsets(&owner, &subscription).await.unwrap(),
        offset(&topic, 800)
    );
    let pattern = Subscription::Pattern(r"goes-on-\d+-.*".to_owned());
    assert_eq!(
        clients.group_offsets(&owner, &pattern).await.unwrap(),
        offset(&topic, 800)
    );
    let nothing = topics(&[&unique("nothing")]);
    assert_eq!(
        clients.group_offsets(&owner, &nothing).await.unwrap(),
        TopicPartitionOffsets::new()
    );

    let mut second = consumer(&kafka, &connector, &subscription).await;
    assigned(second.as_mut(), &[&topic]).await;
    assert!(
        numbers(&read(second.as_mut(), 1200).await)
            .into_iter()
            .eq(800..2000)
    );
    second.close().await;
}

#[tokio::test]
async fn batches_are_as_large_as_max_poll_records_says() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "batches", 1).await;
    write(&kafka, &numbered(&topic, 0..3000)).await;
    let clients = clients(&kafka, &[("consumer.max.poll.records", "9")]);
    for (overrides, most) in [(&[][..], 9), (&[("max.poll.records", "70")][..], 70)] {
        let owner = owner(&unique("batches"), overrides);
        let mut reader = clients.consumer(&owner, &topics(&[&topic])).await.unwrap();
        assigned(reader.as_mut(), &[&topic]).await;
        let (mut sizes, mut total) = (BTreeSet::new(), 0);
        while total < 3000 {
            let (_, batch) = event(reader.as_mut()).await;
            total += batch.len();
            sizes.insert(batch.len());
        }
        assert_eq!(sizes.last(), Some(&most));
        reader.close().await;
    }
}

#[tokio::test]
async fn partitions_can_be_paused_sought_and_resumed() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "paused", 1).await;
    write(&kafka, &numbered(&topic, 0..3000)).await;
    let mut reader = consumer(&kafka, &unique("paused"), &topics(&[&topic])).await;
    assigned(reader.as_mut(), &[&topic]).await;
    read(reader.as_mut(), 1000).await;
    reader.pause(&[zero(&topic)]).unwrap();
    let mut batch = Vec::new();
    let idle = reader.next(Duration::from_millis(300), &mut batch).await.unwrap();
    assert!(matches!(idle, ConsumerEvent::Idle) && batch.is_empty());
    reader.seek(&offset(&topic, 500)).await.unwrap();
    reader.resume(&[zero(&topic)]).unwrap();
    assert!(
        numbers(&read(reader.as_mut(), 2500).await)
            .into_iter()
            .eq(500..3000)
    );
    reader.close().await;
}

#[tokio::test]
async fn topics_that_match_a_java_pattern_are_read_and_so_are_those_that_come_later() {
    let kafka = kafka().await;
    let prefix = unique("matched");
    let name = |suffix: &str| towpath_connect::Topic::from(format!("{prefix}-{suffix}"));
    let (one, not, later) = (name("1"), name("x"), name("22"));
    create(&kafka, &one, 1).await;
    create(&kafka, &not, 1).await;
    // Nothing that librdkafka's own matching knows: a class, a group that does not capture, a look-ahead.
    let pattern = Subscription::Pattern(format!(r"(?:{prefix})-(?!x)\d+"));
    let mut reader = consumer(&kafka, &unique("pattern"), &pattern).await;
    assert_eq!(assigned(reader.as_mut(), &[&one]).await, [zero(&one)]);
    create(&kafka, &later, 1).await;
    let both: BTreeSet<_> = assigned(reader.as_mut(), &[&one, &later])
        .await
        .into_iter()
        .collect();
    assert_eq!(both, [zero(&one), zero(&later)].into());
    write(&kafka, &numbered(&later, 0..10)).await;
    assert_eq!(read(reader.as_mut(), 10).await.len(), 10);
    reader.close().await;
}

#[tokio::test]
async fn a_pattern_that_matches_nothing_waits() {
    let kafka = kafka().await;
    let pattern = Subscription::Pattern(unique("nothing").to_string());
    let mut reader = consumer(&kafka, &unique("waits"), &pattern).await;
    let idle = reader
        .next(Duration::from_secs(2), &mut Vec::new())
        .await
        .unwrap();
    assert!(matches!(idle, ConsumerEvent::Idle));
    reader.close().await;
    let wrong = Subscription::Pattern("(".to_owned());
    let error = clients(&kafka, &[])
        .consumer(&owner("wrong", &[]), &wrong)
        .await
        .err()
        .unwrap();
    assert!(matches!(error, ClientError::Config(_)));
}

#[tokio::test]
async fn a_topic_that_does_not_exist_yet_is_read_when_it_does() {
    let kafka = kafka().await;
    let topic = unique("not-yet");
    // As it is configured by default, but without having the broker create the topic.
    let owner = owner(&unique("not-yet"), &[("allow.auto.create.topics", "false")]);
    let mut reader = clients(&kafka, &[])
        .consumer(&owner, &topics(&[&topic]))
        .await
        .unwrap();
    let idle = reader
        .next(Duration::from_millis(500), &mut Vec::new())
        .await
        .unwrap();
    assert!(matches!(idle, ConsumerEvent::Idle));
    write(&kafka, &numbered(&topic, 0..10)).await;
    let found = tokio::time::timeout(Duration::from_secs(30), assigned(reader.as_mut(), &[&topic])).await;
    assert_eq!(found.unwrap().len(), 1);
    assert_eq!(read(reader.as_mut(), 10).await.len(), 10);
    reader.close().await;
}

#[tokio::test]
async fn a_sink_without_a_topic_has_the_broker_create_it() {
    let kafka = kafka().await;
    let topic = unique("created");
    let owner = owner(&unique("created"), &[]);
    let mut reader = clients(&kafka, &[])
        .consumer(&owner, &topics(&[&topic]))
        .await
        .unwrap();
    assert_eq!(assigned(reader.as_mut(), &[&topic]).await, [zero(&topic)]);
    reader.close().await;
}

#[tokio::test]
async fn a_revocation_is_told_before_the_partition_goes_and_can_be_committed() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "revoked", 2).await;
    write(&kafka, &numbered(&topic, 0..100)).await;
    let connector = unique("revoked");
    let mut first = consumer(&kafka, &connector, &topics(&[&topic])).await;
    assert_eq!(assigned(first.as_mut(), &[&topic]).await.len(), 2);
    read(first.as_mut(), 100).await;
    let other_task = ClientOwner {
        task: 1,
        ..owner(&connector, &[])
    };
    let clients = clients(&kafka, &[]);
    let mut second = clients.consumer(&other_task, &topics(&[&topic])).await.unwrap();
    let mut nothing = Vec::new();
    let (revoked, _) = tokio::join!(
        event(first.as_mut()),
        // It joins while it is polled.
        second.next(Duration::from_secs(1), &mut nothing)
    );
    let (ConsumerEvent::Revoked(partitions), _) = revoked else {
        panic!("unexpected {revoked:?}")
    };
    assert_eq!(partitions.len(), 2);
    first.commit(&offset(&topic, 7)).await.unwrap();
    first.complete_revocation().await.unwrap();
    let [one, _] = shared_out([first.as_mut(), second.as_mut()], &topic).await;
    let owner_of_zero = if one[0].partition == 0 {
        &mut first
    } else {
        &mut second
    };
    assert_eq!(
        owner_of_zero.committed(&[zero(&topic)]).await.unwrap(),
        offset(&topic, 7)
    );
    first.close().await;
    second.close().await;
}

#[tokio::test]
async fn a_group_name_and_a_start_can_be_overridden() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "overridden", 1).await;
    write(&kafka, &numbered(&topic, 0..10)).await;
    let group = unique("my-group");
    let owner = owner(
        "overridden",
        &[("group.id", &group), ("auto.offset.reset", "latest")],
    );
    let clients = clients(&kafka, &[]);
    let mut reader = clients.consumer(&owner, &topics(&[&topic])).await.unwrap();
    assigned(reader.as_mut(), &[&topic]).await;
    reader.commit(&offset(&topic, 10)).await.unwrap();
    let offsets = clients.group_offsets(&owner, &topics(&[&topic])).await.unwrap();
    assert_eq!(offsets, offset(&topic, 10));
    reader.close().await;
}

/// A coordinator that has just moved answers so. Taken for "nothing is committed", everything would come again.
#[tokio::test]
async fn committed_offsets_that_cannot_be_read_are_an_error_and_can_be_asked_for_again() {
    let topic = unique("moved");
    let broker = MockBroker::start().unwrap();
    broker.create_topic(&topic, 1).unwrap();
    let kafka = broker.bootstrap_servers();
    write(&kafka, &numbered(&topic, 0..100)).await;
    let connector = unique("moved");
    let mut first = consumer(&kafka, &connector, &topics(&[&topic])).await;
    assigned(first.as_mut(), &[&topic]).await;
    read(first.as_mut(), 100).await;
    first.commit(&offset(&topic, 70)).await.unwrap();
    first.close().await;

    let mut second = consumer(&kafka, &connector, &topics(&[&topic])).await;
    let (ConsumerEvent::Assigned(partitions), _) = event(second.as_mut()).await else {
        panic!("an assignment comes first")
    };
    let moved = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_COORDINATOR; 10];
    broker
        .cluster()
        .request_errors(RDKafkaApiKey::OffsetFetch, &moved);
    let refused = second.committed(&partitions).await;
    let Err(ClientError::Retriable(text)) = refused else {
        panic!("unexpected {refused:?}")
    };
    assert_eq!(
        text,
        "the committed offsets of 1 partitions could not be read: NotCoordinator (Broker: Not coordinator)"
    );
    broker.cluster().clear_request_errors(RDKafkaApiKey::OffsetFetch);
    let nowhere = second.committed(&[zero(&topic), zero(&unique("nowhere"))]).await;
    assert!(
        matches!(nowhere, Err(ClientError::Retriable(_))),
        "an error of one partition is one of all: {nowhere:?}"
    );

    let start = second.committed(&partitions).await.unwrap();
    assert_eq!(start, offset(&topic, 70));
    second.complete_assignment(&start).await.unwrap();
    assert!(numbers(&read(second.as_mut(), 30).await).into_iter().eq(70..100));
    second.close().await;
}

#[tokio::test]
async fn without_a_reset_a_partition_needs_a_committed_offset() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "no-reset", 1).await;
    write(&kafka, &numbered(&topic, 0..10)).await;
    let owner = owner(&unique("no-reset"), &[("auto.offset.reset", "none")]);
    let clients = clients(&kafka, &[]);
    let mut reader = clients.consumer(&owner, &topics(&[&topic])).await.unwrap();
    let (ConsumerEvent::Assigned(partitions), _) = event(reader.as_mut()).await else {
        panic!("an assignment comes first")
    };
    let start = reader.committed(&partitions).await.unwrap();
    let refused = reader.complete_assignment(&start).await;
    let Err(ClientError::Fatal(text)) = refused else {
        panic!("unexpected {refused:?}")
    };
    assert_eq!(
        text,
        format!(
            "topic \"{topic}\" partition 0 cannot be read: its group has committed no offset, and `auto.offset.reset` is `none`; commit an offset, or set `earliest` or `latest`"
        )
    );
    reader.commit(&offset(&topic, 4)).await.unwrap();
    let start = reader.committed(&partitions).await.unwrap();
    reader.complete_assignment(&start).await.unwrap();
    assert!(numbers(&read(reader.as_mut(), 6).await).into_iter().eq(4..10));
    reader.close().await;
}

/// A member that was away for too long commits nothing: others may have its partitions.
#[tokio::test]
async fn a_member_that_the_group_went_on_without_commits_nothing_and_comes_back() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "away", 1).await;
    write(&kafka, &numbered(&topic, 0..100)).await;
    let limits = [("max.poll.interval.ms", "6000"), ("session.timeout.ms", "6000")];
    let owner = owner(&unique("away"), &limits);
    let clients = clients(&kafka, &[]);
    let mut reader = clients.consumer(&owner, &topics(&[&topic])).await.unwrap();
    assigned(reader.as_mut(), &[&topic]).await;
    read(reader.as_mut(), 100).await;
    tokio::time::sleep(Duration::from_secs(9)).await;
    let refused = reader.commit(&offset(&topic, 100)).await;
    let Err(ClientError::Retriable(text)) = refused else {
        panic!("unexpected {refused:?}")
    };
    assert_eq!(
        text,
        "the offsets of 1 partitions could not be committed: the group went on without this task"
    );
    assert!(matches!(event(reader.as_mut()).await.0, ConsumerEvent::Lost(_)));
    reader.complete_revocation().await.unwrap();
    assigned(reader.as_mut(), &[&topic]).await;
    assert!(numbers(&read(reader.as_mut(), 100).await).into_iter().eq(0..100));
    reader.commit(&offset(&topic, 100)).await.unwrap();
    reader.close().await;
}
