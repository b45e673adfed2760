//! Several lanes of one producer.

use std::num::NonZeroUsize;

use rdkafka::mocking::MockCluster;
use tokio::task::JoinSet;
use towpath_librdkafka::{BatchProducer, MockBroker, Stop};

use crate::support::{DEADLINE, Record, deliver, deliveries, numbered, producer, producer_config, unique};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_lanes_at_once_get_their_own_reports() {
    let broker = MockBroker::start().unwrap();
    let producer = producer(&broker.bootstrap_servers());
    let mut lanes = JoinSet::new();
    for index in 0..50 {
        let topic = unique("lanes");
        broker.create_topic(&topic, 2).unwrap();
        let mut lane = producer.lane().unwrap();
        lanes.spawn(async move {
            // The same tokens in every lane; values of different sizes.
            let mut records = numbered(&topic, 0..4000);
            records
                .iter_mut()
                .for_each(|record| record.value = Some(vec![7; 10 * index]));
            for batch in records.chunks(500) {
                deliver(&mut lane, batch).await;
            }
        });
    }
    assert_eq!(producer.lane_count(), 50);
    while let Some(lane) = tokio::time::timeout(DEADLINE, lanes.join_next()).await.unwrap() {
        lane.unwrap();
    }
    assert_eq!(producer.lane_count(), 0);
}

#[tokio::test]
async fn reports_of_a_dropped_lane_reach_nobody() {
    let topic = unique("dropped");
    let broker = MockBroker::start().unwrap();
    broker.create_topic(&topic, 1).unwrap();
    let producer = producer(&broker.bootstrap_servers());
    let mut warm = producer.lane().unwrap();
    deliver(&mut warm, &numbered(&topic, 0..1)).await;
    broker.cluster().broker_down(1).unwrap();

    let mut dropped = producer.lane().unwrap();
    dropped
        .try_send(&numbered(&topic, 100..600), Record::view)
        .unwrap();
    drop(dropped);
    let mut lanes: Vec<_> = (0..3).map(|_| producer.lane().unwrap()).collect();
    for lane in &mut lanes {
        lane.try_send(&numbered(&topic, 0..10), Record::view).unwrap();
    }
    broker.cluster().broker_up(1).unwrap();
    for lane in &mut lanes {
        let mut tokens: Vec<u64> = deliveries(lane, 10)
            .await
            .iter()
            .map(|delivery| delivery.token)
            .collect();
        tokens.sort_unstable();
        assert_eq!(tokens, (0..10).collect::<Vec<_>>());
        assert_eq!(lane.in_flight(), 0);
    }
}

#[tokio::test]
async fn a_lane_whose_partition_is_stuck_does_not_stop_the_others() {
    let (stuck, fine) = (unique("stuck"), unique("fine"));
    let cluster = MockCluster::new(2).unwrap();
    for (topic, leader) in [(&stuck, 2), (&fine, 1)] {
        cluster.create_topic(topic, 1, 1).unwrap();
        cluster.partition_leader(topic, 0, Some(leader)).unwrap();
    }
    let buffer = NonZeroUsize::new(1 << 20).unwrap();
    let producer = BatchProducer::new(&producer_config(&cluster.bootstrap_servers()), buffer).unwrap();
    let mut blocked = producer.lane().unwrap();
    deliver(&mut blocked, &numbered(&stuck, 0..1)).await;
    cluster.broker_down(2).unwrap();
    let records = numbered(&stuck, 0..10_000);
    let sent = blocked.try_send(&records, Record::view).unwrap();
    assert_eq!(sent.stop, Stop::Full);
    let mut lane = producer.lane().unwrap();
    for batch in numbered(&fine, 0..20_000).chunks(1000) {
        tokio::time::timeout(DEADLINE, deliver(&mut lane, batch))
            .await
            .unwrap();
    }
    assert_eq!(blocked.in_flight(), sent.count);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lane_without_room_goes_on_when_another_lane_is_done() {
    let topic = unique("room");
    let broker = MockBroker::start().unwrap();
    broker.create_topic(&topic, 1).unwrap();
    let buffer = NonZeroUsize::new(32 << 10).unwrap();
    let producer = BatchProducer::new(&producer_config(&broker.bootstrap_servers()), buffer).unwrap();
    let mut lanes = JoinSet::new();
    for _ in 0..8 {
        let (topic, mut lane) = (topic.clone(), producer.lane().unwrap());
        lanes.spawn(async move { deliver(&mut lane, &numbered(&topic, 0..5000)).await.len() });
    }
    while let Some(lane) = tokio::time::timeout(DEADLINE, lanes.join_next()).await.unwrap() {
        assert_eq!(lane.unwrap(), 5000);
    }
}

#[tokio::test]
async fn waiting_for_deliveries_can_be_given_up_and_taken_up_again() {
    let topic = unique("cancelled");
    let broker = MockBroker::start().unwrap();
    broker.create_topic(&topic, 1).unwrap();
    let producer = producer(&broker.bootstrap_servers());
    let (mut one, mut two) = (producer.lane().unwrap(), producer.lane().unwrap());
    for round in 0..200u64 {
        let records = numbered(&topic, round..round + 1);
        assert_eq!(one.try_send(&records, Record::view).unwrap().stop, Stop::Done);
        assert_eq!(two.try_send(&records, Record::view).unwrap().stop, Stop::Done);
        // Whoever is woken first hands out both reports; the other's wait is dropped half-way.
        tokio::time::timeout(DEADLINE, async {
            tokio::select! {
                () = one.delivered() => {}
                () = two.delivered() => {}
            }
        })
        .await
        .unwrap();
        assert_eq!(deliveries(&mut one, 1).await[0].token, round);
        assert_eq!(deliveries(&mut two, 1).await[0].token, round);
    }
}
