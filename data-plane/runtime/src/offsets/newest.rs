//! The newest offset of a source partition, of those that Kafka and the control plane have.

use towpath_connect::{OffsetMap, Topic};
use towpath_types::Epoch;

use super::KeptOffsets;
use super::topic_form::TopicOffsets;

/// An offset and where it was found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Newest<'a> {
    pub(crate) offset: &'a OffsetMap,
    pub(crate) is_in_kafka: bool,
}

/// Of topics in the order in which they count: the connector's own, then the worker's.
pub(crate) fn newest<'a>(
    topics: &'a [(Topic, TopicOffsets)],
    kept: &'a KeptOffsets,
    partition: &OffsetMap,
) -> Option<Newest<'a>> {
    let in_kafka = in_topics(topics, partition);
    let here = || {
        let offset = kept.get(partition)?;
        Some(Newest {
            offset,
            is_in_kafka: false,
        })
    };
    let there = |(offset, _): (&'a OffsetMap, Option<Epoch>)| Newest {
        offset,
        is_in_kafka: true,
    };
    let Some(marks) = &kept.in_kafka else {
        // No run of ours has written to Kafka: what is there, the Java runtime left.
        return here().or(in_kafka.map(there));
    };
    let newer_here = marks.newer_here.iter().find(|(known, _)| known == partition);
    match (newer_here, in_kafka) {
        (Some((_, epoch)), Some((offset, Some(written)))) if written >= *epoch => Some(there((offset, None))),
        // Also if it was deleted here.
        (Some(_), _) => here(),
        (None, Some(found)) => Some(there(found)),
        // What is kept is a copy of what Kafka had: a topic that was lost or exchanged starts nothing over.
        (None, None) => here(),
    }
}

/// As the Java runtime looks: what comes first counts. But of two that are ours the later one does, as the connector's own
/// topic may have been out of use for a time.
fn in_topics<'a>(
    topics: &'a [(Topic, TopicOffsets)],
    partition: &OffsetMap,
) -> Option<(&'a OffsetMap, Option<Epoch>)> {
    let found = topics
        .iter()
        .filter_map(|(_, offsets)| offsets.get_with_epoch(partition));
    found.reduce(|first, other| match (first.1, other.1) {
        (Some(before), Some(later)) if later > before => other,
        _ => first,
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::KafkaMarks;
    use super::super::topic_form::{header, key, value};
    use super::*;
    use crate::clients::{CompactedRecord, CompactedTopic};

    fn partition() -> OffsetMap {
        OffsetMap::new().with("p", 1)
    }

    fn offset(n: i64) -> OffsetMap {
        OffsetMap::new().with("n", n)
    }

    /// A topic with one offset; `None`: written by the Java runtime.
    fn topic(n: i64, epoch: Option<u64>) -> (Topic, TopicOffsets) {
        let record = CompactedRecord {
            value: value(&offset(n)),
            headers: epoch.map(|epoch| header(Epoch(epoch))).into_iter().collect(),
        };
        let all: CompactedTopic = [(key("c", Some(&partition())), record)].into();
        ("offsets".into(), TopicOffsets::read("c", &all).unwrap())
    }

    fn kept(n: Option<i64>, newer_here: Option<u64>) -> KeptOffsets {
        KeptOffsets {
            offsets: n.map(|n| (partition(), offset(n))).into_iter().collect(),
            in_kafka: Some(KafkaMarks {
                newer_here: newer_here
                    .map(|epoch| (partition(), Epoch(epoch)))
                    .into_iter()
                    .collect(),
                ..KafkaMarks::default()
            }),
        }
    }

    fn found(topics: &[(Topic, TopicOffsets)], kept: &KeptOffsets) -> Option<i64> {
        newest(topics, kept, &partition()).map(|newest| newest.offset.get_long("n").unwrap())
    }

    #[test]
    fn the_later_run_wins_wherever_it_has_written() {
        let topics = [topic(10, Some(5))];
        assert_eq!(
            found(&topics, &kept(Some(7), Some(4))),
            Some(10),
            "exactly-once came later"
        );
        assert_eq!(
            found(&topics, &kept(Some(7), Some(6))),
            Some(7),
            "at-least-once came later"
        );
        assert_eq!(found(&topics, &kept(None, Some(6))), None, "which has deleted it");
        assert_eq!(
            found(&topics, &kept(Some(7), None)),
            Some(10),
            "a copy is never newer"
        );
    }

    #[test]
    fn what_the_java_runtime_has_written_is_newer_than_copies_and_older_than_the_rest() {
        let topics = [topic(10, None)];
        assert_eq!(found(&topics, &kept(Some(7), None)), Some(10));
        assert_eq!(found(&topics, &kept(Some(7), Some(0))), Some(7));
        let unmarked = KeptOffsets {
            in_kafka: None,
            ..kept(Some(7), None)
        };
        assert_eq!(found(&topics, &unmarked), Some(7));
        assert_eq!(found(&topics, &KeptOffsets::default()), Some(10));
    }

    #[test]
    fn a_copy_helps_when_kafka_has_lost_the_offset() {
        assert_eq!(found(&[], &kept(Some(7), None)), Some(7));
    }

    #[test]
    fn the_connectors_own_topic_comes_first_unless_it_was_out_of_use() {
        let nothing = kept(None, None);
        assert_eq!(found(&[topic(1, Some(5)), topic(2, Some(5))], &nothing), Some(1));
        assert_eq!(found(&[topic(1, None), topic(2, Some(5))], &nothing), Some(1));
        assert_eq!(found(&[topic(1, Some(4)), topic(2, Some(5))], &nothing), Some(2));
        let empty = ("own".into(), TopicOffsets::default());
        assert_eq!(found(&[empty, topic(2, None)], &nothing), Some(2));
        assert_eq!(Bytes::from("7"), header(Epoch(7)).1.unwrap());
    }
}
