//! Group consumers, against real Kafka.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use towpath_librdkafka::{
    BatchConsumer, BatchProducer, ErrorCode, GroupEvent, Message, Timestamp, TimestampKind,
};

use crate::support::{
    BUFFER, DEADLINE, Record, consumer, consumer_config, create_topic, deliver, event, join, kafka, number,
    numbered, numbers, partition, producer, producer_config, read, take_over, topic, unique,
};

#[tokio::test]
async fn records_arrive_as_they_were_sent() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "as-sent", 1).await;
    let plain = Record {
        value: None,
        ..Record::numbered(&topic, 0)
    };
    let empty = Record {
        key: Some(vec![]),
        value: Some(vec![]),
        ..plain.clone()
    };
    let headers: Vec<_> = [("a", Some("1")), ("a", Some("")), ("ü", None)]
        .map(|(name, value)| {
            (
                Arc::from(name),
                value.map(|value| Bytes::from_static(value.as_bytes())),
            )
        })
        .into();
    let large = Some(vec![b'x'; 500_000]);
    let full = Record {
        key: Some(b"k".to_vec()),
        value: large,
        timestamp: Some(1_234_567),
        headers,
        ..plain.clone()
    };
    deliver(
        &mut producer(&kafka).lane().unwrap(),
        &[plain, empty, full.clone()],
    )
    .await;

    let mut reader = consumer(&kafka, &unique("as-sent"));
    assert_eq!(join(&mut reader, &[&topic]).await, [partition(&topic, 0)]);
    let got = read(&mut reader, 3, 2).await;
    let bytes: Vec<_> = got
        .iter()
        .map(|message| (message.key.as_deref(), message.value.as_deref()))
        .collect();
    assert_eq!(
        bytes,
        [
            (None, None),
            (Some(&b""[..]), Some(&b""[..])),
            (full.key.as_deref(), full.value.as_deref())
        ]
    );
    assert_eq!(got[2].headers, full.headers);
    assert_eq!(
        got[2].timestamp,
        Some(Timestamp {
            kind: TimestampKind::Create,
            millis: 1_234_567
        })
    );
    assert!(
        got[0]
            .timestamp
            .is_some_and(|timestamp| timestamp.millis > 1_700_000_000_000),
        "the time of sending"
    );
    assert_eq!(
        got.iter().map(|message| message.offset).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    assert!(Arc::ptr_eq(&got[0].topic, &got[2].topic), "one name for all");
}

/// Whether a record has headers is read from its bytes: every shape, in every encoding.
#[tokio::test]
async fn headers_are_found_whatever_the_shape_of_the_record_and_its_compression() {
    let kafka = kafka().await;
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let topic = topic(&kafka, codec, 1).await;
        let payloads = [
            None,
            Some(vec![]),
            Some(vec![0]),
            Some(vec![1]),
            Some(b"text".to_vec()),
        ];
        let headers = [
            vec![],
            vec![("h".into(), None)],
            vec![("a".into(), Some(Bytes::from_static(b"1"))); 70],
        ];
        let mut records = Vec::new();
        for key in &payloads {
            for value in &payloads {
                for headers in &headers {
                    let (key, value, headers) = (key.clone(), value.clone(), headers.clone());
                    let token = u64::try_from(records.len()).unwrap();
                    records.push(Record {
                        key,
                        value,
                        headers,
                        ..Record::numbered(&topic, token)
                    });
                }
            }
        }
        let mut config = producer_config(&kafka);
        config.set("compression.type", codec);
        let producer = BatchProducer::new(&config, BUFFER).unwrap();
        deliver(&mut producer.lane().unwrap(), &records).await;
        let mut reader = consumer(&kafka, &unique(codec));
        join(&mut reader, &[&topic]).await;
        for (record, message) in records.iter().zip(read(&mut reader, records.len(), 10).await) {
            assert_eq!(message.headers, record.headers, "{codec}: {record:?}");
            assert_eq!(message.key.as_deref(), record.key.as_deref());
            assert_eq!(message.value.as_deref(), record.value.as_deref());
        }
    }
}

#[tokio::test]
async fn three_hundred_thousand_records_are_read_once_and_in_order() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "many", 3).await;
    let mut records = numbered(&topic, 0..300_000);
    records
        .iter_mut()
        .for_each(|record| record.partition = i32::try_from(record.token % 3).ok());
    deliver(&mut producer(&kafka).lane().unwrap(), &records).await;
    let mut reader = consumer(&kafka, &unique("many"));
    join(&mut reader, &[&topic]).await;
    let mut by_partition: BTreeMap<i32, Vec<u64>> = BTreeMap::new();
    for message in read(&mut reader, records.len(), 500).await {
        by_partition
            .entry(message.partition)
            .or_default()
            .push(number(&message));
    }
    for (partition, seen) in by_partition {
        let first = u64::try_from(partition).unwrap();
        assert!(
            seen.into_iter().eq((first..300_000).step_by(3)),
            "partition {partition}"
        );
    }
    let positions = reader.position().unwrap();
    assert_eq!(
        positions,
        (0..3)
            .map(|number| (partition(&topic, number), 100_000))
            .collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn committed_offsets_are_where_the_next_member_goes_on() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "committed", 1).await;
    let group = unique("committed");
    deliver(&mut producer(&kafka).lane().unwrap(), &numbered(&topic, 0..1000)).await;
    let zero = [partition(&topic, 0)];
    let mut first = consumer(&kafka, &group);
    join(&mut first, &[&topic]).await;
    assert_eq!(first.committed(&zero, DEADLINE).await.unwrap(), []);
    read(&mut first, 500, 100).await;
    first.commit(&[(zero[0].clone(), 400)]).await.unwrap();
    assert_eq!(
        first.committed(&zero, DEADLINE).await.unwrap(),
        [(zero[0].clone(), 400)]
    );
    first.close(DEADLINE).await;

    let mut second = consumer(&kafka, &group);
    join(&mut second, &[&topic]).await;
    assert!(
        numbers(&read(&mut second, 600, 1000).await)
            .into_iter()
            .eq(400..1000)
    );
}

#[tokio::test]
async fn a_start_offset_given_with_the_assignment_wins_over_the_committed_one() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "start", 1).await;
    deliver(&mut producer(&kafka).lane().unwrap(), &numbered(&topic, 0..100)).await;
    let mut reader = consumer(&kafka, &unique("start"));
    reader.subscribe([&*topic]).unwrap();
    assert!(matches!(event(&mut reader).await, GroupEvent::Assigned(_)));
    reader.take_over(&[(partition(&topic, 0), 90)]).unwrap();
    assert!(numbers(&read(&mut reader, 10, 100).await).into_iter().eq(90..100));
}

#[tokio::test]
async fn a_seek_drops_what_was_fetched_and_goes_on_elsewhere() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "seek", 1).await;
    deliver(
        &mut producer(&kafka).lane().unwrap(),
        &numbered(&topic, 0..50_000),
    )
    .await;
    let mut reader = consumer(&kafka, &unique("seek"));
    join(&mut reader, &[&topic]).await;
    // At once, while the first offset is still being looked up.
    reader.seek(&partition(&topic, 0), 10_000).await.unwrap();
    assert!(
        numbers(&read(&mut reader, 3000, 500).await)
            .into_iter()
            .eq(10_000..13_000)
    );
    for start in [40_000, 100, 0] {
        reader
            .seek(&partition(&topic, 0), i64::try_from(start).unwrap())
            .await
            .unwrap();
        assert!(
            numbers(&read(&mut reader, 2000, 500).await)
                .into_iter()
                .eq(start..start + 2000)
        );
    }
    let elsewhere = reader
        .seek(&partition(&topic, 7), 0)
        .await
        .unwrap_err()
        .to_string();
    assert!(elsewhere.starts_with("could not seek topic"), "{elsewhere}");
}

#[tokio::test]
async fn a_paused_partition_gives_nothing_until_it_is_resumed() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "paused", 2).await;
    let mut records = numbered(&topic, 0..20_000);
    records
        .iter_mut()
        .for_each(|record| record.partition = i32::try_from(record.token % 2).ok());
    deliver(&mut producer(&kafka).lane().unwrap(), &records).await;
    let mut reader = consumer(&kafka, &unique("paused"));
    join(&mut reader, &[&topic]).await;
    let mut seen = read(&mut reader, 1000, 100).await;
    reader.pause(&[partition(&topic, 0)]).unwrap();
    let before = of_partition(&seen, 0);
    let rest_of_one = 10_000 - of_partition(&seen, 1).len();
    seen.extend(read(&mut reader, rest_of_one, 100).await);
    assert_eq!(of_partition(&seen, 0), before, "nothing of the paused partition");
    reader.resume(&[partition(&topic, 0)]).unwrap();
    seen.extend(read(&mut reader, 20_000 - seen.len(), 500).await);
    for number in [0, 1] {
        assert!(
            of_partition(&seen, number)
                .into_iter()
                .eq((u64::from(number)..20_000).step_by(2))
        );
    }
}

fn of_partition(messages: &[Message], partition: u16) -> Vec<u64> {
    messages
        .iter()
        .filter(|message| message.partition == i32::from(partition))
        .map(number)
        .collect()
}

#[tokio::test]
async fn a_topic_that_is_created_after_the_subscription_is_found() {
    let kafka = kafka().await;
    let (here, later) = (topic(&kafka, "here", 1).await, unique("later"));
    let mut config = consumer_config(&kafka, &unique("later"));
    config.set("topic.metadata.refresh.interval.ms", "1000");
    let mut reader = BatchConsumer::new(&config).unwrap();
    join(&mut reader, &[&here, &later]).await;
    create_topic(&kafka, &later, 1).await;
    let found = async {
        loop {
            match event(&mut reader).await {
                GroupEvent::Assigned(partitions) => {
                    take_over(&mut reader, &partitions).await;
                    if partitions.contains(&partition(&later, 0)) {
                        return;
                    }
                }
                GroupEvent::Revoked { .. } => reader.release().unwrap(),
                GroupEvent::Error(error) => assert_eq!(error.code, ErrorCode::UnknownTopicOrPartition),
            }
        }
    };
    tokio::time::timeout(DEADLINE, found)
        .await
        .expect("the new topic is assigned");
}

#[tokio::test]
async fn a_commit_for_a_partition_that_is_not_there_is_an_error() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "bad-commit", 1).await;
    let mut reader = consumer(&kafka, &unique("bad-commit"));
    join(&mut reader, &[&topic]).await;
    let error = reader
        .commit(&[(partition(&unique("nowhere"), 0), 1)])
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("could not commit the offsets of 1 partitions"),
        "{error}"
    );
    reader.commit(&[]).await.unwrap();
}

#[tokio::test]
async fn the_names_of_all_topics_can_be_listed() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "listed", 1).await;
    let reader = consumer(&kafka, &unique("listed"));
    assert!(
        reader
            .topics(DEADLINE)
            .await
            .unwrap()
            .iter()
            .any(|name| **name == *topic)
    );
}
