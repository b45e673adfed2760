//! What must hold between the keys of a sink: each row of the table in connector-config.md section 3.

use serde_json::{Value, json};
use towpath_runtime::validation::{Mode, WorkerDefaults};

use crate::fixture::{GROUP, sink, sink_on, worker};

const NEITHER: &str = "Must configure one of topics or topics.regex";
const BOTH: &str = "topics and topics.regex are mutually exclusive options, but both are set.";
const NULL_VALUE: &str = "Null value can not be supplied as the configuration value.";
const DLQ: &str = "errors.deadletterqueue.topic.name";

fn assert_errors(more: Value, expected: &[(&str, &str)]) {
    let answer = sink(more.clone());
    assert_eq!(answer.all_errors(), expected, "{more}");
    assert_eq!(answer.count(), expected.len(), "{more}");
}

#[test]
fn topics_are_named_in_one_of_two_ways() {
    assert_errors(
        json!({"topics": "a", "topics.regex": "b"}),
        &[("topics", BOTH), ("topics.regex", BOTH)],
    );
    assert_errors(json!({}), &[("topics", NEITHER), ("topics.regex", NEITHER)]);
    assert_errors(
        json!({"topics": " ", "topics.regex": ""}),
        &[("topics", NEITHER), ("topics.regex", NEITHER)],
    );
    assert_errors(json!({"topics": "a, b"}), &[]);
    assert_errors(json!({"topics.regex": "a.*"}), &[]);
}

#[test]
fn a_list_of_topics_has_no_doubles_and_no_gaps() {
    let duplicated = "Configuration 'topics' values must not be duplicated.";
    let empty = "Configuration 'topics' values must not be empty.";
    for (topics, problem) in [
        ("a,a", duplicated),
        (",", duplicated),
        ("a,,b", empty),
        ("a,", empty),
    ] {
        assert_errors(json!({"topics": topics}), &[("topics", problem)]);
    }
    assert_errors(
        json!({"topics": null}),
        &[
            ("topics", "Configuration 'topics' values must not be null."),
            ("topics", NEITHER),
            ("topics", NULL_VALUE),
            ("topics.regex", NEITHER),
        ],
    );
}

#[test]
fn a_pattern_of_topics_must_compile() {
    assert_errors(
        json!({"topics.regex": "["}),
        &[(
            "topics.regex",
            "Invalid value [ for configuration topics.regex: Invalid regex: Unclosed character class near index 0\n[\n^",
        )],
    );
    assert_errors(
        json!({"topics": "t", "topics.regex": null}),
        &[("topics.regex", NULL_VALUE)],
    );
}

#[test]
fn dead_letters_must_not_be_read_again() {
    assert_errors(
        json!({"topics": "a, d", DLQ: " d "}),
        &[(
            "topics",
            "The DLQ topic 'd' may not be included in the list of topics ('topics=[a, d]') consumed by the connector",
        )],
    );
    assert_errors(
        json!({"topics.regex": "d.*", DLQ: "dlq"}),
        &[(
            "topics.regex",
            "The DLQ topic 'dlq' may not be matched by the regex for the topics ('topics.regex=d.*') consumed by the connector",
        )],
    );
    assert_errors(json!({"topics.regex": "d", DLQ: "dlq"}), &[]);
    assert_errors(json!({"topics": "a", DLQ: "d"}), &[]);
    assert_errors(json!({"topics": "a", DLQ: null}), &[(DLQ, NULL_VALUE)]);
    let answer = sink(json!({"topics.regex": "[", DLQ: "d"}));
    assert_eq!(
        answer.count(),
        1,
        "a pattern that does not compile matches nothing"
    );
}

#[test]
fn a_consumer_group_must_not_be_the_workers() {
    let clash = format!("Consumer group {GROUP} conflicts with Connect worker group {GROUP}");
    let answer = sink(json!({"topics": "t", "consumer.override.group.id": GROUP}));
    assert_eq!(
        answer.all_errors(),
        [("consumer.override.group.id", clash.as_str())]
    );
    assert_eq!(
        answer.names().first(),
        Some(&"consumer.override.group.id"),
        "without a definition, before all others"
    );
    assert_eq!(
        answer.names().last(),
        Some(&"consumer.override.group.id"),
        "and among the overrides"
    );

    let answer = sink(json!({"topics": "t", "consumer.override.group.id": "other"}));
    assert_eq!(
        (answer.count(), answer.names().first()),
        (0, Some(&"consumer.override.group.id"))
    );

    let derived = format!(
        "Consumer group for sink connector named cluster conflicts with Connect worker group {GROUP}"
    );
    assert_errors(json!({"topics": "t", "name": "cluster"}), &[("name", &derived)]);
    assert_errors(json!({"topics": "t", "name": GROUP}), &[]);
}

#[test]
fn a_standalone_worker_has_no_group_to_clash_with() {
    let worker = WorkerDefaults {
        mode: Mode::Standalone,
        ..worker()
    };
    let answer = sink_on(
        &worker,
        json!({"topics": "t", "name": "cluster", "consumer.override.group.id": GROUP}),
    );
    assert_eq!(answer.count(), 0);
    assert_ne!(answer.names().first(), Some(&"consumer.override.group.id"));
}
