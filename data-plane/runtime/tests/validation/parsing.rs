//! How texts are read, key by key: connector-config.md section 1.

use serde_json::{Value, json};

use crate::fixture::{Answer, sink, source};

const NULL_VALUE: &str = "Null value can not be supplied as the configuration value.";

/// Key, value, the value in the answer, the errors.
fn assert_rows(answer: fn(Value) -> Answer, rows: &[(&str, Value, Option<&str>, &[&str])]) {
    for (key, value, shown, errors) in rows {
        let answer = answer(json!({*key: value}));
        assert_eq!(answer.value(key), *shown, "value of {key}={value}");
        assert_eq!(answer.errors(key), *errors, "errors of {key}={value}");
        assert_eq!(answer.count(), errors.len(), "{:?}", answer.all_errors());
    }
}

#[test]
fn the_verified_vectors_hold() {
    let null_tasks = "Invalid value null for configuration tasks.max: Value must be non-null";
    assert_rows(
        source,
        &[
            (
                "tasks.max",
                json!("abc"),
                None,
                &[
                    "Invalid value abc for configuration tasks.max: Not a number of type INT",
                    null_tasks,
                ],
            ),
            (
                "tasks.max",
                json!("5.0"),
                None,
                &[
                    "Invalid value 5.0 for configuration tasks.max: Not a number of type INT",
                    null_tasks,
                ],
            ),
            (
                "tasks.max",
                json!(""),
                None,
                &[
                    "Invalid value  for configuration tasks.max: Not a number of type INT",
                    null_tasks,
                ],
            ),
            (
                "tasks.max",
                json!("99999999999"),
                None,
                &[
                    "Invalid value 99999999999 for configuration tasks.max: Not a number of type INT",
                    null_tasks,
                ],
            ),
            (
                "tasks.max",
                json!("0"),
                Some("0"),
                &["Invalid value 0 for configuration tasks.max: Value must be at least 1"],
            ),
            ("tasks.max", json!(" 5 "), Some("5"), &[]),
            ("tasks.max", json!("+3"), Some("3"), &[]),
            ("tasks.max", json!(2), Some("2"), &[]),
            ("tasks.max", Value::Null, None, &[null_tasks, NULL_VALUE]),
            ("name", Value::Null, None, &[NULL_VALUE]),
            ("name", json!("  x  "), Some("x"), &[]),
            (
                "name",
                json!(""),
                Some(""),
                &["Invalid value  for configuration name: String may not be empty"],
            ),
            ("errors.retry.delay.max.ms", json!("-1"), Some("-1"), &[]),
            ("errors.retry.timeout", Value::Null, None, &[NULL_VALUE]),
            (
                "errors.tolerance",
                json!("ALL"),
                Some("ALL"),
                &["Invalid value ALL for configuration errors.tolerance: String must be one of: none, all"],
            ),
            (
                "errors.tolerance",
                Value::Null,
                None,
                &[
                    "Invalid value null for configuration errors.tolerance: String must be one of: none, all",
                    NULL_VALUE,
                ],
            ),
            (
                "config.action.reload",
                json!("x"),
                Some("x"),
                &[
                    "Invalid value x for configuration config.action.reload: String must be one of: none, restart",
                ],
            ),
            ("transaction.boundary", json!("POLL"), Some("POLL"), &[]),
            ("errors.log.enable", json!(" TRUE "), Some("true"), &[]),
            ("errors.log.enable", json!(true), Some("true"), &[]),
            (
                "errors.log.enable",
                json!("yes"),
                None,
                &[
                    "Invalid value yes for configuration errors.log.enable: Expected value to be either true or false",
                ],
            ),
            (
                "errors.retry.timeout",
                json!("x"),
                None,
                &["Invalid value x for configuration errors.retry.timeout: Not a number of type LONG"],
            ),
            (
                "batch.size",
                json!("x"),
                None,
                &["Invalid value x for configuration batch.size: Not a number of type INT"],
            ),
            (
                "topic",
                json!(""),
                Some(""),
                &["Invalid value  for configuration topic: String must be non-empty"],
            ),
            (
                "key.converter",
                json!(""),
                None,
                &["Invalid value  for configuration key.converter: Class  could not be found."],
            ),
        ],
    );
    assert_rows(
        sink_of_t,
        &[
            (
                "errors.deadletterqueue.topic.replication.factor",
                json!("40000"),
                None,
                &[
                    "Invalid value 40000 for configuration errors.deadletterqueue.topic.replication.factor: Not a number of type SHORT",
                ],
            ),
            (
                "errors.deadletterqueue.context.headers.enable",
                json!("TRUE"),
                Some("true"),
                &[],
            ),
        ],
    );
}

fn sink_of_t(mut more: Value) -> Answer {
    more["topics"] = json!("t");
    sink(more)
}

#[test]
fn control_characters_in_a_name_are_listed_by_their_codes() {
    let answer = source(json!({"name": "a\u{7}b\u{1b}c\u{85}d"}));
    assert_eq!(
        answer.errors("name"),
        [
            "Invalid value a\u{7}b\u{1b}c\u{85}d for configuration name: String may not contain control sequences but \
             had the following ASCII chars: 7, 27, 133"
        ]
    );
    // At the ends they are blanks, as in Java.
    assert_eq!(source(json!({"name": "\u{1b} a\n"})).value("name"), Some("a"));
}

#[test]
fn lists_keep_empty_items_and_lose_blanks() {
    let groups = |text: &str| source(json!({"topic.creation.groups": text}));
    assert_eq!(
        groups(" a , b ,,c ").value("topic.creation.groups"),
        Some("a,b,,c")
    );
    assert_eq!(groups("  ").value("topic.creation.groups"), Some(""));
}

#[test]
fn a_list_of_aliases_must_be_unique_and_not_null() {
    for key in ["transforms", "predicates", "topic.creation.groups"] {
        let answer = source(json!({key: "a, a"}));
        assert_eq!(
            answer.errors(key),
            [format!(
                "Invalid value [a, a] for configuration {key}: Duplicate alias provided."
            )]
        );
        let answer = source(json!({key: null}));
        assert_eq!(
            answer.errors(key),
            [
                format!("Invalid value null for configuration {key}: entry must be non null"),
                NULL_VALUE.to_owned()
            ]
        );
    }
    assert_eq!(source(json!({"topic.creation.groups": "a,,b"})).count(), 0);
}

#[test]
fn case_insensitive_choices_are_listed_in_upper_case() {
    for (key, choices) in [
        ("transaction.boundary", "INTERVAL, POLL, CONNECTOR"),
        ("exactly.once.support", "REQUIRED, REQUESTED"),
    ] {
        for (value, text) in [(json!("x"), "x"), (Value::Null, "null")] {
            let answer = source(json!({key: value}));
            assert_eq!(
                answer.errors(key).first().unwrap(),
                &format!(
                    "Invalid value {text} for configuration {key}: String must be one of (case insensitive): {choices}"
                )
            );
        }
    }
}

#[test]
fn nulls_of_unknown_keys_are_listed_first_without_a_definition() {
    let answer = source(json!({"a.x": null, "b.y": null, "c": null, "zz": null, "known": "1"}));
    assert_eq!(
        answer.names().iter().take(5).collect::<Vec<_>>(),
        [&"zz", &"c", &"a.x", &"b.y", &"name"]
    );
    assert_eq!(answer.count(), 4);
    assert!(answer.key("zz").definition.is_none());
    assert_eq!(answer.errors("zz"), [NULL_VALUE]);
    assert!(!answer.is_listed("known"));
}

#[test]
fn nulls_of_the_connectors_own_keys_pass() {
    let answer = source(json!({"topic": null, "file": null, "batch.size": null}));
    assert_eq!(
        (answer.count(), answer.value("topic"), answer.value("batch.size")),
        (0, None, None)
    );
}

#[test]
fn a_missing_required_key_has_one_error() {
    let answer = sink(json!({"topics": "t", "transforms": "a", "transforms.a.type": "RegexRouter"}));
    assert_eq!(
        answer.all_errors(),
        [
            (
                "transforms.a.regex",
                "Missing required configuration \"transforms.a.regex\" which has no default value."
            ),
            (
                "transforms.a.replacement",
                "Missing required configuration \"transforms.a.replacement\" which has no default value."
            ),
        ]
    );
}

#[test]
fn numbers_with_limits_name_them() {
    let validate = |value: &str| {
        crate::fixture::odd("good", json!({"tasks.max": value}))
            .unwrap()
            .infos
            .errors()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        validate("10"),
        ["Invalid value 10 for configuration tasks.max: Value must be no more than 9"]
    );
    assert_eq!(
        validate("0"),
        ["Invalid value 0 for configuration tasks.max: Value must be at least 1"]
    );
    assert_eq!(
        validate("x"),
        [
            "Invalid value x for configuration tasks.max: Not a number of type INT",
            "Invalid value null for configuration tasks.max: Value must be non-null"
        ]
    );
}
