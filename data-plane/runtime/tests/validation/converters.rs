//! Converters that a connector names itself: their keys, and the rules of rest-api.md section 9 about them.

use serde_json::json;
use towpath_runtime::validation::WorkerDefaults;

use crate::fixture::{JSON, ROUTER, SIMPLE_HEADER, STRING, source, source_on, worker};

const JSON_ORDER: [&str; 6] = [
    "decimal.format",
    "converter.type",
    "schemas.cache.size",
    "replace.null.with.default",
    "schemas.enable",
    "schema.content",
];

fn with_prefix(prefix: &str) -> Vec<String> {
    JSON_ORDER.iter().map(|key| format!("{prefix}{key}")).collect()
}

#[test]
fn header_key_and_value_converters_are_listed_in_this_order_at_the_end() {
    let answer = source(
        json!({"key.converter": "Json", "value.converter": "JsonConverter", "header.converter": JSON, "producer.override.acks": "1"}),
    );
    let listed = answer.names().split_off(27);
    let mut expected = vec!["producer.override.acks".to_owned()];
    for prefix in ["header.converter.", "key.converter.", "value.converter."] {
        expected.extend(with_prefix(prefix));
    }
    assert_eq!(listed, expected);
    assert_eq!(answer.0.groups.split_at(7).1, ["Serialization", "Schemas"]);
    for (key, role) in [("header", "header"), ("key", "key"), ("value", "value")] {
        assert_eq!(
            answer.value(&format!("{key}.converter.converter.type")),
            Some(role)
        );
        assert_eq!(
            answer.value(&format!("{key}.converter")),
            Some(JSON),
            "the full name, whatever was given"
        );
    }
}

#[test]
fn the_type_of_a_converter_can_be_set() {
    let answer = source(json!({"key.converter": "Json", "key.converter.converter.type": "value"}));
    assert_eq!(answer.value("key.converter.converter.type"), Some("value"));
}

#[test]
fn keys_that_the_converter_does_not_define_are_not_listed() {
    let answer = source(
        json!({"key.converter": STRING, "key.converter.schemas.enable": "x", "value.converter.schemas.enable": "x"}),
    );
    assert_eq!(answer.count(), 0);
    let keys = [
        "key.converter",
        "key.converter.plugin.version",
        "key.converter.converter.type",
        "key.converter.converter.encoding",
    ];
    assert_eq!(answer.names_with("key.converter"), keys);
    assert!(
        answer.names_with("value.converter.s").is_empty(),
        "the worker's converter takes no keys of a connector"
    );
}

#[test]
fn errors_of_a_converters_keys_count_once_a_key_and_name_the_bare_key() {
    let answer = source(
        json!({"key.converter": "test.StrictConverter", "key.converter.size": "x", "key.converter.key": "s3cret"}),
    );
    assert_eq!(
        answer.errors("key.converter.size"),
        [
            "Invalid value x for configuration size: Not a number of type INT",
            "Invalid value null for configuration size: Value must be non-null"
        ]
    );
    assert_eq!(answer.count(), 1);
    assert_eq!(answer.value("key.converter.key"), Some("[hidden]"));
    assert_eq!(answer.0.groups.last().unwrap(), "Safety");
}

#[test]
fn every_converter_is_offered_in_the_order_of_the_plugin_list() {
    let answer = source(json!({}));
    for key in ["key.converter", "value.converter"] {
        let offered = answer.recommended(key);
        assert!(offered.iter().any(|class| class == JSON) && offered.is_sorted());
        assert!(!offered.iter().any(|class| class == SIMPLE_HEADER));
    }
    assert!(
        answer
            .recommended("header.converter")
            .iter()
            .any(|class| class == SIMPLE_HEADER)
    );
}

#[test]
fn a_class_that_is_no_converter_says_so() {
    for (key, class, value, error) in [
        (
            "key.converter",
            "nope.Conv",
            None,
            "Invalid value nope.Conv for configuration key.converter: Class nope.Conv could not be found."
                .to_owned(),
        ),
        (
            "key.converter",
            " nope ",
            None,
            "Invalid value  nope  for configuration key.converter: Class  nope  could not be found."
                .to_owned(),
        ),
        (
            "key.converter",
            "RegexRouter",
            Some(ROUTER),
            format!("Class class {ROUTER} does not implement the Converter interface"),
        ),
        (
            "value.converter",
            "Simple",
            Some(SIMPLE_HEADER),
            format!("Class class {SIMPLE_HEADER} does not implement the Converter interface"),
        ),
        (
            "header.converter",
            "RegexRouter",
            Some(ROUTER),
            format!("Class class {ROUTER} does not implement the HeaderConverter interface"),
        ),
        (
            "header.converter",
            " Json ",
            Some(JSON),
            "Failed to load class  Json :  Json ".to_owned(),
        ),
    ] {
        let answer = source(json!({key: class}));
        assert_eq!(answer.value(key), value, "{key}={class}");
        assert_eq!(answer.errors(key), [error], "{key}={class}");
        assert_eq!(answer.names_with(&format!("{key}.")).len(), 1, "only the version");
    }
}

#[test]
fn the_workers_converters_are_defaults_by_their_full_names() {
    let worker = WorkerDefaults {
        key_converter: "StringConverter".to_owned(),
        ..worker()
    };
    let answer = source_on(&worker, json!({}));
    assert_eq!(
        (answer.default("key.converter"), answer.value("key.converter")),
        (Some(STRING), Some(STRING))
    );
    assert!(
        answer.names_with("key.converter.").len() == 1,
        "its keys are the worker's business"
    );
}
