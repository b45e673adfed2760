//! The keys of every connector: connector-config.md sections 2 to 4, each row, and the rules of rest-api.md section 9
//! about groups and order.

use serde_json::json;

use crate::fixture::{Answer, described, odd, sink, source};

const COMMON: [&str; 19] = [
    "name | STRING | required | HIGH | Common/1 | MEDIUM | Connector name",
    "connector.class | STRING | required | HIGH | Common/2 | LONG | Connector class",
    "connector.plugin.version | STRING | =4.3.1 | MEDIUM | Common/3 | MEDIUM | Connector version",
    "tasks.max | INT | =1 | HIGH | Common/4 | SHORT | Tasks max",
    "tasks.max.enforce | BOOLEAN | =true | LOW | Common/5 | SHORT | Enforce tasks max",
    "key.converter | CLASS | =org.apache.kafka.connect.json.JsonConverter | LOW | Common/6 | SHORT | Key converter class",
    "key.converter.plugin.version | STRING | =4.3.1 | LOW | Common/7 | SHORT | Key converter version",
    "value.converter | CLASS | =org.apache.kafka.connect.json.JsonConverter | LOW | Common/8 | SHORT | Value converter class",
    "value.converter.plugin.version | STRING | =4.3.1 | LOW | Common/9 | SHORT | Value converter version",
    "header.converter | CLASS | =org.apache.kafka.connect.storage.SimpleHeaderConverter | LOW | Common/10 | SHORT | Header converter class",
    "header.converter.plugin.version | STRING | =4.3.1 | LOW | Common/11 | SHORT | Header converter version",
    "transforms | LIST | = | LOW | Transforms/12 | LONG | Transforms",
    "predicates | LIST | = | LOW | Predicates/13 | LONG | Predicates",
    "config.action.reload | STRING | =restart | LOW | Common/14 | MEDIUM | Reload Action",
    "errors.retry.timeout | LONG | =0 | MEDIUM | Error Handling/1 | MEDIUM | Retry Timeout for Errors",
    "errors.retry.delay.max.ms | LONG | =60000 | MEDIUM | Error Handling/2 | MEDIUM | Maximum Delay Between Retries for Errors",
    "errors.tolerance | STRING | =none | MEDIUM | Error Handling/3 | SHORT | Error Tolerance",
    "errors.log.enable | BOOLEAN | =false | MEDIUM | Error Handling/4 | SHORT | Log Errors",
    "errors.log.include.messages | BOOLEAN | =false | MEDIUM | Error Handling/5 | SHORT | Log Error Details",
];

const SOURCE: [&str; 5] = [
    "topic.creation.groups | LIST | = | LOW | Topic Creation/1 | LONG | Topic Creation Groups",
    "exactly.once.support | STRING | =requested | MEDIUM | Exactly Once Support/2 | SHORT | Exactly once support",
    "transaction.boundary | STRING | =poll | MEDIUM | Exactly Once Support/3 | SHORT | Transaction Boundary",
    "transaction.boundary.interval.ms | LONG | null | LOW | Exactly Once Support/4 | SHORT | Transaction boundary interval",
    "offsets.storage.topic | STRING | null | LOW | offsets.topic/1 | LONG | Offsets topic",
];

const SINK: [&str; 5] = [
    "topics | LIST | = | HIGH | Common/4 | LONG | Topics",
    "topics.regex | STRING | = | HIGH | Common/4 | LONG | Topics regex",
    "errors.deadletterqueue.topic.name | STRING | = | MEDIUM | Error Handling/6 | MEDIUM | Dead Letter Queue Topic Name",
    "errors.deadletterqueue.topic.replication.factor | SHORT | =3 | MEDIUM | Error Handling/7 | MEDIUM | Dead Letter Queue Topic Replication Factor",
    "errors.deadletterqueue.context.headers.enable | BOOLEAN | =false | MEDIUM | Error Handling/8 | MEDIUM | Enable Error Context Headers",
];

/// The answer begins with these keys; says how many.
fn assert_begins_with(answer: &Answer, rows: impl Iterator<Item = &'static str>) -> usize {
    let mut count = 0;
    for (config, row) in answer.0.configs.iter().zip(rows) {
        let definition = config.definition.as_ref().unwrap();
        assert_eq!(described(definition), row);
        assert!(
            !definition.documentation.is_empty() && definition.dependents.is_empty(),
            "{row}"
        );
        count += 1;
    }
    count
}

#[test]
fn a_source_has_the_common_keys_the_source_keys_and_then_its_own() {
    let answer = source(json!({}));
    let count = assert_begins_with(&answer, COMMON.into_iter().chain(SOURCE));
    assert_eq!(answer.names().split_off(count), ["file", "topic", "batch.size"]);
    assert_eq!(
        answer.0.groups,
        [
            "Common",
            "Transforms",
            "Predicates",
            "Error Handling",
            "Topic Creation",
            "Exactly Once Support",
            "offsets.topic"
        ]
    );
    assert_eq!(answer.count(), 0);
}

#[test]
fn a_sink_has_the_common_keys_the_sink_keys_and_then_its_own() {
    let answer = sink(json!({"topics": "t"}));
    let count = assert_begins_with(&answer, COMMON.into_iter().chain(SINK));
    assert_eq!(answer.names().split_off(count), ["file"]);
    assert_eq!(
        answer.0.groups,
        ["Common", "Transforms", "Predicates", "Error Handling"]
    );
    assert_eq!(answer.count(), 0);
}

#[test]
fn unknown_keys_are_neither_listed_nor_wrong() {
    let answer = source(
        json!({"unknown.key": "1", "topic.creation.default.partitions": "0", "topic.creation.g.include": "["}),
    );
    assert_eq!(answer.count(), 0);
    assert!(answer.names_with("unknown").is_empty());
    assert_eq!(answer.names_with("topic.creation"), ["topic.creation.groups"]);
}

#[test]
fn the_connectors_definition_of_a_framework_key_wins_in_the_frameworks_place() {
    let infos = odd(
        "good",
        json!({"tasks.max": "9", "secret": "s3cret", "inner": "x"}),
    )
    .unwrap()
    .infos;
    let answer = Answer(infos);
    let place = answer.names().iter().position(|name| *name == "tasks.max");
    assert_eq!(place, Some(3));
    assert_eq!(
        (answer.default("tasks.max"), answer.value("tasks.max")),
        (Some("7"), Some("9"))
    );
    assert_eq!(answer.0.groups.last().unwrap(), "Odd");
    assert_eq!(answer.value("secret"), Some("[hidden]"));
    assert!(!answer.is_listed("inner"), "an internal key is not shown");
}

#[test]
fn the_name_is_the_class_as_submitted() {
    for name in [
        "FileStreamSource",
        "FileStreamSourceConnector",
        "org.apache.kafka.connect.file.FileStreamSourceConnector",
    ] {
        assert_eq!(source(json!({"connector.class": name})).0.name, name);
    }
}

#[test]
fn a_selector_is_listed_and_checked_when_it_is_set_and_unknown_to_answers_otherwise() {
    assert!(!source(json!({})).is_listed("worker.selector"));
    let answer = source(json!({"worker.selector": "zone in (a,b), disk!=hdd"}));
    assert_eq!(answer.count(), 0);
    assert_eq!(answer.value("worker.selector"), Some("zone in (a,b), disk!=hdd"));
    assert_eq!(answer.0.groups.last().unwrap(), "Placement");
    for (selector, problem) in [
        (
            "zone",
            "`zone` is no requirement: write zone=a, zone!=a or zone in (a,b), with commas between",
        ),
        (
            "zone in (a",
            "`zone in (a` has no closing parenthesis: write zone in (a,b)",
        ),
        (
            "zone=a b",
            "`a b` is no value of a label: use letters, digits and . _ - /",
        ),
    ] {
        let answer = sink(json!({"topics": "t", "worker.selector": selector}));
        let message = format!("Invalid value {selector} for configuration worker.selector: {problem}");
        assert_eq!(answer.errors("worker.selector"), [message]);
        assert_eq!(answer.count(), 1);
    }
}
