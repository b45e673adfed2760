//! Which places sink tasks have in their groups, and who may take one.

use std::sync::Arc;
use std::time::Duration;

use towpath_connect::Topic;
use towpath_runtime::clients::{ClientError, ClientOwner, ConsumerEvent, GroupConsumer, KafkaClients};

use crate::support::{
    DEADLINE, assigned, clients, create, event, kafka, map, numbered, numbers, owner, read, shared_out,
    topic, topics, unique, write,
};

/// Longer than a test waits: whatever happens does not happen because a session has timed out.
const NEVER_MS: &str = "600000";

/// The consumer of a task.
async fn member(kafka: &str, connector: &Topic, (task, topic): (u32, &Topic)) -> Box<dyn GroupConsumer> {
    let owner = ClientOwner {
        connector: Arc::clone(connector),
        task,
        overrides: map(&[
            ("session.timeout.ms", NEVER_MS),
            ("max.poll.interval.ms", NEVER_MS),
        ]),
    };
    let clients = clients(kafka, &[]);
    clients.consumer(&owner, &topics(&[topic])).await.unwrap()
}

#[tokio::test]
async fn a_task_takes_its_place_over_from_a_run_that_hangs_and_that_run_is_fenced() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "taken-over", 1).await;
    let connector = unique("taken-over");
    write(&kafka, &numbered(&topic, 0..10)).await;
    let mut old = member(&kafka, &connector, (0, &topic)).await;
    assigned(old.as_mut(), &[&topic]).await;
    assert_eq!(read(old.as_mut(), 10).await.len(), 10);

    // The old one is asked nothing, so it neither confirms a rebalance nor leaves.
    let mut new = member(&kafka, &connector, (0, &topic)).await;
    assigned(new.as_mut(), &[&topic]).await;
    assert!(numbers(&read(new.as_mut(), 10).await).into_iter().eq(0..10));

    let fenced = tokio::time::timeout(DEADLINE, async {
        loop {
            match old.next(Duration::from_secs(1), &mut Vec::new()).await {
                Ok(ConsumerEvent::Lost(_) | ConsumerEvent::Revoked(_)) => {
                    old.complete_revocation().await.unwrap();
                }
                Ok(_) => {}
                Err(error) => return error,
            }
        }
    });
    let error = fenced.await.expect("it is told that it is over");
    assert!(matches!(error, ClientError::Fenced(_)), "{error}");
    // It does not take the new one's place with it.
    old.close().await;
    write(&kafka, &numbered(&topic, 10..20)).await;
    assert!(numbers(&read(new.as_mut(), 10).await).into_iter().eq(10..20));
    new.close().await;
}

/// The broker gives the place's partitions without a rebalance, so nobody sees what is new.
#[tokio::test]
async fn a_task_that_takes_its_place_over_reads_topics_that_were_created_meanwhile() {
    let kafka = kafka().await;
    let (here, later) = (topic(&kafka, "here-before", 1).await, unique("created-later"));
    let connector = unique("meanwhile");
    let overrides = [
        ("max.poll.interval.ms", NEVER_MS),
        ("session.timeout.ms", NEVER_MS),
        ("allow.auto.create.topics", "false"),
    ];
    let owner = owner(&connector, &overrides);
    let (clients, both) = (clients(&kafka, &[]), topics(&[&here, &later]));
    let mut old = clients.consumer(&owner, &both).await.unwrap();
    let first = assigned(old.as_mut(), &[&here]).await;
    assert_eq!(first.len(), 1);
    // The old one is asked nothing any more, as if its worker was dead.
    create(&kafka, &later, 1).await;
    write(&kafka, &numbered(&later, 0..10)).await;

    let mut new = clients.consumer(&owner, &both).await.unwrap();
    let partitions = assigned(new.as_mut(), &[&here, &later]).await;
    assert_eq!(partitions.len(), 2);
    assert!(numbers(&read(new.as_mut(), 10).await).into_iter().eq(0..10));
    new.close().await;
}

#[tokio::test]
async fn a_task_that_stops_leaves_its_partitions_to_the_others_at_once() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "left", 2).await;
    let connector = unique("left");
    let mut first = member(&kafka, &connector, (0, &topic)).await;
    assert_eq!(assigned(first.as_mut(), &[&topic]).await.len(), 2);
    let mut second = member(&kafka, &connector, (1, &topic)).await;
    let mut nothing = Vec::new();
    let (revoked, _) = tokio::join!(
        event(first.as_mut()),
        // It joins while it is polled.
        second.next(Duration::from_secs(1), &mut nothing)
    );
    assert!(matches!(revoked.0, ConsumerEvent::Revoked(_)), "{revoked:?}");
    first.complete_revocation().await.unwrap();
    shared_out([first.as_mut(), second.as_mut()], &topic).await;

    let ((), all) = tokio::join!(first.close(), async {
        loop {
            let partitions = assigned(second.as_mut(), &[&topic]).await;
            if partitions.len() == 2 {
                return partitions;
            }
        }
    });
    assert_eq!(all.len(), 2);
    second.close().await;
}

#[tokio::test]
async fn a_task_that_stops_before_it_has_joined_leaves_no_place_behind() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "unseen", 1).await;
    let connector = unique("unseen");
    for _ in 0..5 {
        let mut first = member(&kafka, &connector, (0, &topic)).await;
        first.close().await;
    }
    // It would wait for whoever is in the group, and for ever.
    let mut second = member(&kafka, &connector, (1, &topic)).await;
    assert_eq!(assigned(second.as_mut(), &[&topic]).await.len(), 1);
    second.close().await;
}

#[tokio::test]
async fn a_task_whose_topic_does_not_exist_has_nothing_to_leave() {
    let kafka = kafka().await;
    let absent = unique("absent");
    let clients = clients(&kafka, &[]);
    let owner = owner(&unique("absent"), &[("allow.auto.create.topics", "false")]);
    let mut consumer = clients.consumer(&owner, &topics(&[&absent])).await.unwrap();
    let began = consumer.next(Duration::from_secs(2), &mut Vec::new()).await;
    assert!(matches!(began, Ok(ConsumerEvent::Idle)), "{began:?}");
    let closed = tokio::time::timeout(Duration::from_secs(4), consumer.close()).await;
    assert!(
        closed.is_ok(),
        "it does not wait for a place that it has not asked for"
    );
}

#[tokio::test]
async fn a_consumer_that_the_group_will_never_take_fails() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "no-assignor", 1).await;
    let owner = owner(
        &unique("no-assignor"),
        &[
            ("group.protocol", "consumer"),
            ("group.remote.assignor", "nosuch"),
        ],
    );
    let mut consumer = clients(&kafka, &[])
        .consumer(&owner, &topics(&[&topic]))
        .await
        .unwrap();
    let failed = tokio::time::timeout(DEADLINE, async {
        loop {
            if let Err(error) = consumer.next(Duration::from_secs(1), &mut Vec::new()).await {
                return error;
            }
        }
    });
    let error = failed.await.expect("it does not wait for ever");
    assert!(matches!(error, ClientError::Fatal(_)), "{error}");
    assert!(error.to_string().contains("UnsupportedAssignor"), "{error}");
    consumer.close().await;
}
