//! The `*.plugin.version` keys: each row of the table in connector-config.md section 2.

use serde_json::json;

use crate::fixture::{JSON, ROUTER, check, source, source_config, worker};

const UNMET_9: &str = "not found that matches the version range [9,9], available versions: [4.3.1]";
const FILE_SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";

#[test]
fn versions_that_are_there_are_shown_as_submitted() {
    for version in ["4.3.1", "[4,5)", "latest", "(,5]"] {
        let answer = source(json!({
            "connector.plugin.version": version, "key.converter": "JsonConverter", "key.converter.plugin.version": version,
            "transforms": "a", "transforms.a.type": ROUTER, "transforms.a.plugin.version": version,
            "transforms.a.regex": "x", "transforms.a.replacement": "y",
        }));
        assert_eq!(answer.count(), 0, "{:?}", answer.all_errors());
        for key in [
            "connector.plugin.version",
            "key.converter.plugin.version",
            "transforms.a.plugin.version",
        ] {
            assert_eq!(answer.value(key), Some(version));
            assert_eq!(
                (answer.default(key), answer.recommended(key)),
                (Some("4.3.1"), &["4.3.1".to_owned()][..])
            );
        }
        assert!(answer.is_listed("transforms.a.regex"));
    }
}

#[test]
fn a_version_that_is_not_there_is_an_error_of_two_keys() {
    let answer = source(json!({"key.converter": "JsonConverter", "key.converter.plugin.version": "9"}));
    let unmet = format!(
        "Plugin {JSON} not found that matches the version range [9,9], available versions: [4.3.1, 4.3.1]"
    );
    assert_eq!(
        answer.all_errors(),
        [
            ("key.converter", unmet.as_str()),
            ("key.converter.plugin.version", unmet.as_str())
        ]
    );
    assert!(!answer.is_listed("key.converter.schemas.enable"));

    let answer =
        source(json!({"transforms": "a", "transforms.a.type": ROUTER, "transforms.a.plugin.version": "9"}));
    let unmet = format!("Plugin {ROUTER} {UNMET_9}");
    assert_eq!(
        answer.all_errors(),
        [
            ("transforms.a.type", unmet.as_str()),
            ("transforms.a.plugin.version", unmet.as_str())
        ]
    );
    assert!(!answer.is_listed("transforms.a.regex"));
}

#[test]
fn without_the_connectors_version_only_the_common_keys_are_checked() {
    // Twice: the second answer is the same.
    for _ in 0..2 {
        let answer = source(json!({
            "connector.plugin.version": "9", "tasks.max": "abc", "transforms": "a", "transforms.a.type": ROUTER,
            "key.converter": "nope", "value.converter": "JsonConverter", "value.converter.plugin.version": "8",
            "topic": null, "producer.override.linger.ms": "abc", "zz": null,
        }));
        let unmet = format!("Plugin {FILE_SOURCE} {UNMET_9}");
        let null = "Null value can not be supplied as the configuration value.";
        assert_eq!(
            answer.all_errors(),
            [
                ("zz", null),
                ("topic", null),
                ("connector.class", unmet.as_str()),
                ("connector.plugin.version", unmet.as_str()),
                (
                    "tasks.max",
                    "Invalid value abc for configuration tasks.max: Not a number of type INT"
                ),
                (
                    "tasks.max",
                    "Invalid value null for configuration tasks.max: Value must be non-null"
                ),
                (
                    "key.converter",
                    "Invalid value nope for configuration key.converter: Class nope could not be found."
                ),
            ]
        );
        assert_eq!(
            answer.0.groups,
            ["Common", "Transforms", "Predicates", "Error Handling"]
        );
        assert_eq!(answer.names().len(), 2 + 19);
        for (converter, value, version, visible) in [
            ("key.converter", None, None, false),
            ("value.converter", Some(JSON), Some("8"), true),
            ("header.converter", None, None, false),
        ] {
            let version_key = format!("{converter}.plugin.version");
            assert_eq!(
                (answer.value(converter), answer.value(&version_key)),
                (value, version)
            );
            assert_eq!(
                (answer.default(converter), answer.default(&version_key)),
                (None, None)
            );
            assert!(answer.recommended(converter).is_empty());
            assert!(answer.is_visible(converter));
            assert_eq!(answer.is_visible(&version_key), visible, "{converter}");
        }
    }
}

#[test]
fn an_empty_version_is_never_there() {
    let answer = source(json!({"connector.plugin.version": ""}));
    let unmet = format!(
        "Plugin {FILE_SOURCE} not found that matches the version range [,], available versions: [4.3.1]"
    );
    assert_eq!(answer.errors("connector.plugin.version"), [unmet]);
}

#[test]
fn a_text_that_is_no_range_is_refused_where_it_stands() {
    let answer = source(json!({"key.converter": "JsonConverter", "key.converter.plugin.version": "[4,"}));
    assert_eq!(
        answer.all_errors(),
        [("key.converter.plugin.version", "Unbounded range: [4,")]
    );
    assert!(!answer.is_listed("key.converter.schemas.enable"));

    let answer =
        source(json!({"transforms": "a", "transforms.a.type": ROUTER, "transforms.a.plugin.version": "[4,"}));
    assert_eq!(
        answer.all_errors(),
        [
            ("transforms.a.type", "Unbounded range: [4,"),
            ("transforms.a.plugin.version", "Unbounded range: [4,")
        ]
    );

    let refusal = check(
        &source_config(&json!({"connector.plugin.version": "[4,"})),
        &worker(),
    )
    .unwrap_err();
    assert_eq!(
        (refusal.status(), refusal.to_string()),
        (400, "Unbounded range: [4,".to_owned())
    );
}

#[test]
fn the_version_of_the_workers_converter_cannot_be_asked_for() {
    let answer = source(json!({"key.converter.plugin.version": "9"}));
    assert_eq!(
        (answer.count(), answer.value("key.converter.plugin.version")),
        (0, Some("9"))
    );
}

#[test]
fn a_null_version_is_only_a_null_value() {
    let answer = source(json!({
        "connector.plugin.version": null, "key.converter": "JsonConverter", "key.converter.plugin.version": null,
    }));
    assert_eq!(answer.count(), 2);
    assert!(!answer.is_listed("key.converter.converter.type"));
    assert_eq!(answer.value("connector.plugin.version"), None);
    assert_eq!(
        answer.errors("key.converter.plugin.version"),
        ["Null value can not be supplied as the configuration value."]
    );
}

#[test]
fn a_class_that_is_not_there_or_of_another_kind_has_no_version() {
    for (class, visible) in [("nope", false), (ROUTER, true)] {
        let answer = source(json!({"key.converter": class}));
        let key = "key.converter.plugin.version";
        assert_eq!(
            (answer.default(key), answer.value(key), answer.is_visible(key)),
            (None, None, visible),
            "{class}"
        );
        assert!(answer.recommended(key).is_empty());
    }
    let answer = source(json!({"key.converter": null}));
    let key = "key.converter.plugin.version";
    assert_eq!(
        (answer.default(key), answer.value(key), answer.is_visible(key)),
        (Some("4.3.1"), Some("4.3.1"), false)
    );
    assert!(answer.recommended(key).is_empty());
}
