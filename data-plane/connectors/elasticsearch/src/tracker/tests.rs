//! What may be committed.

use proptest::prelude::*;
use towpath_connect::{ConnectRecord, TimestampType, Value};

use super::*;

fn record(topic: &str, partition: i32, offset: i64) -> SinkRecord {
    let record = ConnectRecord::of_value(topic.into(), None, Value::Null);
    SinkRecord::new(record, partition, offset, TimestampType::CreateTime)
}

fn place(partition: i32) -> TopicPartition {
    TopicPartition {
        topic: "t".into(),
        partition,
    }
}

fn delivered(offsets: &[(i32, i64)]) -> TopicPartitionOffsets {
    offsets
        .iter()
        .map(|&(partition, next)| (place(partition), next))
        .collect()
}

#[test]
fn only_what_lies_before_the_first_unwritten_record_is_committable() {
    let mut tracker = Tracker::default();
    let partition = tracker.partition(&record("t", 0, 10));
    for offset in [10, 11, 15] {
        partition.taken(offset);
    }
    let all = delivered(&[(0, 16), (1, 4)]);
    assert_eq!(tracker.committable(&all), delivered(&[(0, 10), (1, 4)]));
    partition.done(11);
    assert_eq!(tracker.committable(&all), delivered(&[(0, 10), (1, 4)]));
    partition.done(10);
    assert_eq!(tracker.committable(&all), delivered(&[(0, 15), (1, 4)]));
    partition.done(15);
    assert_eq!(tracker.committable(&all), all);
}

#[test]
fn a_closed_partition_starts_over_when_it_comes_back() {
    let mut tracker = Tracker::default();
    let before = tracker.partition(&record("t", 0, 1));
    before.taken(1);
    tracker.close(&[place(0)]);
    assert!(before.is_closed());
    let after = tracker.partition(&record("t", 0, 1));
    assert!(!after.is_closed() && !Arc::ptr_eq(&before, &after));
    assert_eq!(tracker.committable(&delivered(&[(0, 2)])), delivered(&[(0, 2)]));
}

proptest! {
    #[test]
    fn no_committable_offset_lies_beyond_an_unwritten_record(
        taken in prop::collection::btree_set(0i64..200, 1..100),
        done in prop::collection::vec(any::<prop::sample::Index>(), 0..100),
    ) {
        let mut tracker = Tracker::default();
        let partition = tracker.partition(&record("t", 0, 0));
        taken.iter().for_each(|&offset| partition.taken(offset));
        let offsets: Vec<i64> = taken.iter().copied().collect();
        let mut open = taken.clone();
        for index in done {
            let offset = offsets[index.index(offsets.len())];
            partition.done(offset);
            open.remove(&offset);
        }
        let committable = tracker.committable(&delivered(&[(0, 200)]))[&place(0)];
        prop_assert_eq!(committable, open.first().copied().unwrap_or(200));
    }
}
