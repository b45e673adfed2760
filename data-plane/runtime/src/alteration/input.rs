//! What users write as partitions and offsets.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use towpath_connect::{OffsetMap, OffsetValue, TopicPartition};

use super::{Entry, Refused, SourceChange};

const TOPIC: &str = "kafka_topic";
const PARTITION: &str = "kafka_partition";
const OFFSET: &str = "kafka_offset";

/// Of a source. The last of several entries of one partition counts.
pub(super) fn source_changes(entries: &[Entry]) -> Result<Vec<SourceChange>, Refused> {
    let mut changes: Vec<SourceChange> = Vec::with_capacity(entries.len());
    for entry in entries {
        let partition = offset_map(&entry.partition)?;
        let offset = offset_map(&entry.offset)?;
        match changes.iter_mut().find(|(known, _)| *known == partition) {
            Some((_, earlier)) => *earlier = offset,
            None => changes.push((partition, offset)),
        }
    }
    Ok(changes)
}

fn offset_map(value: &Value) -> Result<Option<OffsetMap>, Refused> {
    let Some(members) = object(value)? else {
        return Ok(None);
    };
    let mut map = OffsetMap::new();
    for (key, value) in members {
        map.insert(key.as_str(), primitive(key, value)?);
    }
    Ok(Some(map))
}

fn primitive(key: &str, value: &Value) -> Result<OffsetValue, Refused> {
    let java_type = match value {
        Value::Array(_) => "ARRAY",
        Value::Object(_) => "MAP",
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return serde_json::from_value(value.clone())
                .map_err(|cause| Refused::failed(format!("`{key}` of an offset cannot be read"), cause));
        }
    };
    Err(Refused::new(
        500,
        format!("Offsets may only contain primitive types as values, but field {key} contains {java_type}"),
    ))
}

/// Of a sink. The last of several entries of one partition counts.
pub(super) fn sink_changes(entries: &[Entry]) -> Result<Vec<(TopicPartition, Option<i64>)>, Refused> {
    let changes: Result<BTreeMap<_, _>, _> = entries
        .iter()
        .map(|entry| Ok((topic_partition(&entry.partition)?, group_offset(&entry.offset)?)))
        .collect();
    Ok(changes?.into_iter().collect())
}

fn topic_partition(value: &Value) -> Result<TopicPartition, Refused> {
    let bad = |message: &str| Err(Refused::new(400, message));
    let Some(members) = object(value)? else {
        return bad("The partition for a sink connector offset cannot be null or missing");
    };
    let (Some(topic), Some(partition)) = (members.get(TOPIC), members.get(PARTITION)) else {
        return bad(
            "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'",
        );
    };
    if topic.is_null() {
        return bad("Kafka topic names must be valid strings and may not be null");
    }
    if partition.is_null() {
        return bad("Kafka partitions must be valid numbers and may not be null");
    }
    let partition = text(partition);
    match partition.parse() {
        Ok(number) => Ok(TopicPartition {
            topic: text(topic).into(),
            partition: number,
        }),
        Err(_) => bad(&format!(
            "Failed to parse the following Kafka partition value in the provided offsets: '{partition}'. Partition values \
             for sink connectors need to be integers."
        )),
    }
}

fn group_offset(value: &Value) -> Result<Option<i64>, Refused> {
    let Some(members) = object(value)? else {
        return Ok(None);
    };
    let Some(offset) = members.get(OFFSET) else {
        let message =
            "The offset for a sink connector should either be null or contain the key 'kafka_offset'";
        return Err(Refused::new(400, message));
    };
    let offset = text(offset);
    let wrong = |wanted: &str| {
        Err(Refused::new(
            400,
            format!(
                "Failed to parse the following Kafka offset value in the provided offsets: '{offset}'. Offset values for \
                 sink connectors need to be {wanted}."
            ),
        ))
    };
    match offset.parse::<i64>() {
        Ok(number) if number >= 0 => Ok(Some(number)),
        Ok(_) => wrong("non-negative integers"),
        Err(_) => wrong("integers"),
    }
}

fn object(value: &Value) -> Result<Option<&Map<String, Value>>, Refused> {
    match value {
        Value::Null => Ok(None),
        Value::Object(members) => Ok(Some(members)),
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Err(Refused::new(
            400,
            "Cannot deserialize value: a partition and an offset are JSON objects or null",
        )),
    }
}

/// As Java shows a value.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(partition: Value, offset: Value) -> Entry {
        Entry { partition, offset }
    }

    fn sink_refusal(partition: Value, offset: Value) -> (u16, String) {
        let refused = sink_changes(&[entry(partition, offset)]).unwrap_err();
        (refused.status, refused.to_string())
    }

    #[test]
    fn a_sinks_numbers_may_be_texts_and_further_keys_do_not_matter() {
        let partition = |partition: Value| json!({"kafka_topic": "t", "kafka_partition": partition, "x": 1});
        let changes = sink_changes(&[
            entry(partition(json!("1")), json!({"kafka_offset": "2", "y": 0})),
            entry(partition(json!(0)), Value::Null),
            entry(partition(json!(1)), json!({"kafka_offset": 3})),
        ])
        .unwrap();
        let of = |number| TopicPartition {
            topic: "t".into(),
            partition: number,
        };
        assert_eq!(
            changes,
            [(of(0), None), (of(1), Some(3))],
            "the last of two counts"
        );
    }

    #[test]
    fn a_sinks_mistakes_have_the_words_of_kafka_connect() {
        let fine = json!({"kafka_topic": "t", "kafka_partition": 0});
        for (partition, offset, message) in [
            (
                Value::Null,
                Value::Null,
                "The partition for a sink connector offset cannot be null or missing",
            ),
            (
                json!({}),
                Value::Null,
                "The partition for a sink connector offset must contain the keys 'kafka_topic' and 'kafka_partition'",
            ),
            (
                json!({"kafka_topic": null, "kafka_partition": 0}),
                Value::Null,
                "Kafka topic names must be valid strings and may not be null",
            ),
            (
                json!({"kafka_topic": "t", "kafka_partition": null}),
                Value::Null,
                "Kafka partitions must be valid numbers and may not be null",
            ),
            (
                json!({"kafka_topic": "t", "kafka_partition": 1.5}),
                Value::Null,
                "Failed to parse the following Kafka partition value in the provided offsets: '1.5'. Partition values for \
                 sink connectors need to be integers.",
            ),
            (
                fine.clone(),
                json!({"offset": 1}),
                "The offset for a sink connector should either be null or contain the key 'kafka_offset'",
            ),
            (
                fine.clone(),
                json!({"kafka_offset": null}),
                "Failed to parse the following Kafka offset value in the provided offsets: 'null'. Offset values for sink \
                 connectors need to be integers.",
            ),
            (
                fine,
                json!({"kafka_offset": -2}),
                "Failed to parse the following Kafka offset value in the provided offsets: '-2'. Offset values for sink \
                 connectors need to be non-negative integers.",
            ),
        ] {
            assert_eq!(sink_refusal(partition, offset), (400, message.to_owned()));
        }
    }

    #[test]
    fn a_sources_maps_hold_primitive_values_only() {
        let refusal = |partition: Value| {
            let refused = source_changes(&[entry(partition, Value::Null)]).unwrap_err();
            (refused.status, refused.to_string())
        };
        let expected = |java_type: &str| {
            let message = format!(
                "Offsets may only contain primitive types as values, but field f contains {java_type}"
            );
            (500, message)
        };
        assert_eq!(refusal(json!({"f": {}})), expected("MAP"));
        assert_eq!(refusal(json!({"f": []})), expected("ARRAY"));
    }

    #[test]
    fn of_two_entries_of_one_source_partition_the_last_counts() {
        let changes = source_changes(&[
            entry(json!({"a": 1, "b": "x"}), json!({"n": 1})),
            entry(Value::Null, json!({"n": 9})),
            entry(json!({"b": "x", "a": 1}), Value::Null),
        ])
        .unwrap();
        let partition = OffsetMap::new().with("a", 1).with("b", "x");
        assert_eq!(
            changes,
            [
                (Some(partition), None),
                (None, Some(OffsetMap::new().with("n", 9)))
            ]
        );
    }
}
