//! How texts are read, key by key: connector-config.md section 1.

use serde_json::{Value, json};

use crate::fixture::{Answer, sink, source};

const NULL_VALUE: &str = "Null value can not be supplied as the configuration value.";

/// Key | value as JSON | value in the answer | what is wrong with the value; with null; `NULL` for the message about it.
const OF_A_SOURCE: [&str; 25] = [
    r#"tasks.max | "abc" | - | Not a number of type INT; null: Value must be non-null"#,
    r#"tasks.max | "5.0" | - | Not a number of type INT; null: Value must be non-null"#,
    r#"tasks.max | "" | - | Not a number of type INT; null: Value must be non-null"#,
    r#"tasks.max | "99999999999" | - | Not a number of type INT; null: Value must be non-null"#,
    r#"tasks.max | "0" | 0 | Value must be at least 1"#,
    r#"tasks.max | " 5 " | 5"#,
    r#"tasks.max | "+3" | 3"#,
    r#"tasks.max | 2 | 2"#,
    r#"tasks.max | null | - | null: Value must be non-null; NULL"#,
    r#"name | null | - | NULL"#,
    r#"name | "  x  " | x"#,
    r#"name | "" |  | String may not be empty"#,
    r#"errors.retry.delay.max.ms | "-1" | -1"#,
    r#"errors.retry.timeout | null | - | NULL"#,
    r#"errors.retry.timeout | "x" | - | Not a number of type LONG"#,
    r#"errors.tolerance | "ALL" | ALL | String must be one of: none, all"#,
    r#"errors.tolerance | null | - | null: String must be one of: none, all; NULL"#,
    r#"config.action.reload | "x" | x | String must be one of: none, restart"#,
    r#"transaction.boundary | "POLL" | POLL"#,
    r#"errors.log.enable | " TRUE " | true"#,
    r#"errors.log.enable | true | true"#,
    r#"errors.log.enable | "yes" | - | Expected value to be either true or false"#,
    r#"batch.size | "x" | - | Not a number of type INT"#,
    r#"topic | "" |  | String must be non-empty"#,
    r#"key.converter | "" | - | Class  could not be found."#,
];

const OF_A_SINK: [&str; 2] = [
    r#"errors.deadletterqueue.topic.replication.factor | "40000" | - | Not a number of type SHORT"#,
    r#"errors.deadletterqueue.context.headers.enable | "TRUE" | true"#,
];

fn assert_row(row: &str, answer: fn(Value) -> Answer) {
    let mut fields = row.split(" | ");
    let (key, value, shown) = (
        fields.next().unwrap(),
        fields.next().unwrap(),
        fields.next().unwrap(),
    );
    let value: Value = serde_json::from_str(value).unwrap();
    let problems = fields
        .next()
        .into_iter()
        .flat_map(|problems| problems.split("; "));
    let errors: Vec<String> = problems
        .map(|problem| match problem.split_once("null: ") {
            Some((_, problem)) => format!("Invalid value null for configuration {key}: {problem}"),
            None if problem == "NULL" => NULL_VALUE.to_owned(),
            None => format!(
                "Invalid value {} for configuration {key}: {problem}",
                value.as_str().unwrap()
            ),
        })
        .collect();
    let answer = answer(json!({key: value}));
    assert_eq!(
        answer.value(key),
        Some(shown).filter(|shown| *shown != "-"),
        "{row}"
    );
    assert_eq!(answer.errors(key), errors, "{row}");
    assert_eq!(answer.count(), errors.len(), "{:?}", answer.all_errors());
}

#[test]
fn the_verified_vectors_hold() {
    for row in OF_A_SOURCE {
        assert_row(row, source);
    }
    for row in OF_A_SINK {
        assert_row(row, |mut more| {
            more["topics"] = json!("t");
            sink(more)
        });
    }
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
