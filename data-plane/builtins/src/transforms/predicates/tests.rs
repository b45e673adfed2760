//! The predicates, row by row of the contract.

use towpath_connect::{Schema, Type, Value};

use super::*;

fn config(key: &str, value: &str) -> ConfigMap {
    [(key, value)].into_iter().collect()
}

fn record(topic: &str) -> ConnectRecord {
    ConnectRecord::of_value(topic.into(), None, Value::Int8(1))
}

#[test]
fn a_header_is_found_by_its_exact_name() {
    let mut predicate = HasHeaderKey::new(&config(NAME, "h")).unwrap();
    let mut record = record("t");
    assert!(!predicate.test(&record).unwrap());
    record.headers.add("H", None, Value::Null);
    record.headers.add("hh", None, Value::Null);
    assert!(!predicate.test(&record).unwrap());
    record.headers.add("h", None, Value::Null);
    assert!(predicate.test(&record).unwrap());
}

#[test]
fn a_null_value_is_a_tombstone_whatever_its_schema() {
    let mut record = record("t");
    assert!(!RecordIsTombstone.test(&record).unwrap());
    record.value = Value::Null;
    assert!(RecordIsTombstone.test(&record).unwrap());
    record.value_schema = Some(Schema::optional(Type::String));
    assert!(RecordIsTombstone.test(&record).unwrap());
}

#[test]
fn a_topic_matches_as_a_whole() {
    let mut predicate = TopicNameMatches::new(&config(PATTERN, "orders-.*")).unwrap();
    assert!(predicate.test(&record("orders-1")).unwrap());
    assert!(!predicate.test(&record("my-orders-1")).unwrap());
    assert!(!predicate.test(&record("orders")).unwrap());
}

#[test]
fn bad_configurations_are_refused_with_kafka_connects_words() {
    let message = |result: Result<()>| result.unwrap_err().message().to_owned();
    for (key_and_value, expected) in [
        (
            None,
            "Missing required configuration \"name\" which has no default value.",
        ),
        (
            Some(""),
            "Invalid value  for configuration name: String must be non-empty",
        ),
    ] {
        let config = key_and_value.map_or_else(ConfigMap::new, |value| config(NAME, value));
        assert_eq!(message(HasHeaderKey::new(&config).map(|_| ())), expected);
    }
    for (value, expected) in [
        (
            None,
            "Missing required configuration \"pattern\" which has no default value.",
        ),
        (
            Some(""),
            "Invalid value  for configuration pattern: String must be non-empty",
        ),
        (
            Some("["),
            "Invalid value [ for configuration pattern: Invalid regex: Unclosed character class near index 0\n[\n^",
        ),
    ] {
        let config = value.map_or_else(ConfigMap::new, |value| config(PATTERN, value));
        assert_eq!(message(TopicNameMatches::new(&config).map(|_| ())), expected);
    }
}
