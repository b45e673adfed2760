//! What is asked of a cluster, and done to it.

use std::time::Duration;

use rdkafka_sys::RDKafkaApiKey;
use rdkafka_sys::types::RDKafkaRespErr;
use towpath_connect::{ConfigMap, TopicPartition, TopicPartitionOffsets};
use towpath_kafka::MockBroker;
use towpath_kafka::admin::TopicToCreate;
use towpath_runtime::clients::{ClientError, KafkaClients};

use crate::support::{assigned, clients, consumer, kafka, map, owner, topic, topics, unique};

#[tokio::test]
async fn the_cluster_tells_its_id() {
    let kafka = kafka().await;
    let id = clients(&kafka, &[]).cluster_id().await.unwrap();
    // Kafka writes 16 random bytes in Base64.
    assert_eq!(id.len(), 22);
}

#[tokio::test]
async fn a_cluster_that_does_not_answer_is_an_error_in_time() {
    let clients = clients("127.0.0.1:1", &[("default.api.timeout.ms", "300")]);
    let asked = tokio::time::timeout(Duration::from_secs(20), clients.cluster_id()).await;
    let error = asked.expect("it gives up").unwrap_err();
    assert!(
        matches!(&error, ClientError::Retriable(text) if text.contains("the id of the cluster")),
        "{error}"
    );
}

#[tokio::test]
async fn topics_are_created_once_and_listed_with_their_partitions() {
    let kafka = kafka().await;
    let admin = clients(&kafka, &[]).admin(&ConfigMap::new()).unwrap();
    let name = unique("created").to_string();
    let configs = map(&[("cleanup.policy", "compact")]);
    let mut wanted = TopicToCreate {
        name: name.clone(),
        partitions: 3,
        replication_factor: 1,
        configs,
    };
    assert!(admin.create_topic(&wanted).await.unwrap());
    assert!(!admin.create_topic(&wanted).await.unwrap(), "it is there already");
    assert_eq!(admin.topics().await.unwrap().get(&name), Some(&3));
    wanted.name = unique("wrong").to_string();
    wanted.configs.insert("no.such.setting", "1");
    let error = admin.create_topic(&wanted).await.unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("topic \"{}\" could not be created: ", wanted.name)),
        "{error}"
    );
}

#[tokio::test]
async fn a_groups_offsets_can_be_changed_and_deleted_when_nobody_uses_it() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "altered", 2).await;
    let connector = unique("altered");
    let group = format!("connect-{connector}");
    let clients = clients(&kafka, &[]);
    let admin = clients.admin(&ConfigMap::new()).unwrap();
    let partition = |partition| TopicPartition {
        topic: topic.clone(),
        partition,
    };
    let offsets: TopicPartitionOffsets = [(partition(0), 5)].into();
    let both = [(partition(0), Some(5)), (partition(1), Some(7))];
    admin.alter_group_offsets(&group, &both).await.unwrap();
    // Of a partition that has none: nothing to be done.
    for _ in 0..2 {
        let removed = [(partition(1), None)];
        admin.alter_group_offsets(&group, &removed).await.unwrap();
    }
    let unknown = [(partition(2), Some(1))];
    let refused = admin.alter_group_offsets(&group, &unknown).await.unwrap_err();
    let expected = format!("there is no partition 2 of topic \"{topic}\"");
    assert!(
        matches!(&refused, ClientError::Fatal(text) if *text == expected),
        "{refused:?}"
    );
    let owner = owner(&connector, &[]);
    assert_eq!(
        clients.group_offsets(&owner, &topics(&[&topic])).await.unwrap(),
        offsets
    );

    let mut member = consumer(&kafka, &connector, &topics(&[&topic])).await;
    assigned(member.as_mut(), &[&topic]).await;
    for refused in [
        admin.delete_group(&group).await.map(drop),
        admin.alter_group_offsets(&group, &both[..1]).await,
        admin.alter_group_offsets(&group, &[(partition(0), None)]).await,
    ] {
        assert!(matches!(refused, Err(ClientError::GroupInUse(_))), "{refused:?}");
    }
    member.close().await;
    assert!(admin.delete_group(&group).await.unwrap());
    assert!(!admin.delete_group(&group).await.unwrap(), "it is gone");
    let left = clients.group_offsets(&owner, &topics(&[&topic])).await.unwrap();
    assert_eq!(left, TopicPartitionOffsets::new());
}

#[tokio::test]
async fn a_groups_offsets_are_changed_when_its_coordinator_is_there_again() {
    let broker = MockBroker::start().unwrap();
    let topic = unique("moving");
    broker.create_topic(&topic, 1).unwrap();
    let clients = clients(&broker.bootstrap_servers(), &[]);
    let connector = unique("moving");
    let entry = TopicPartition {
        topic: topic.clone(),
        partition: 0,
    };
    let loading = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS; 3];
    broker
        .cluster()
        .request_errors(RDKafkaApiKey::OffsetCommit, &loading);
    let admin = clients.admin(&ConfigMap::new()).unwrap();
    let group = format!("connect-{connector}");
    admin
        .alter_group_offsets(&group, &[(entry.clone(), Some(5))])
        .await
        .unwrap();
    let found = clients
        .group_offsets(&owner(&connector, &[]), &topics(&[&topic]))
        .await
        .unwrap();
    assert_eq!(found, [(entry, 5)].into());
}
