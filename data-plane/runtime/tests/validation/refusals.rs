//! When there is nothing to list, and the messages that refuse a configuration: rest-api.md sections 6 and 13.

use serde_json::{Value, json};
use towpath_connect::PluginKind;
use towpath_runtime::validation::check_requested_type;

use crate::fixture::{check, config, plugins_with_odd_ones, sink, source, worker};

fn refused(config: Value) -> (u16, String) {
    let refusal = check(&config, &worker()).unwrap_err();
    (refusal.status(), refusal.to_string())
}

#[test]
fn a_configuration_without_a_class_is_printed() {
    for (config, message) in [
        (
            json!({"name": "x"}),
            "Connector config {name=x} contains no connector type",
        ),
        (
            json!({"name": "x", "connector.class": null, "topic": "t"}),
            "Connector config {name=x, connector.class=null, topic=t} contains no connector type",
        ),
        (json!({}), "Connector config {} contains no connector type"),
    ] {
        assert_eq!(refused(config), (400, message.to_owned()));
    }
}

#[test]
fn a_class_that_is_no_connector_is_answered_with_those_that_are() {
    for class in [
        "nope.Nope",
        "",
        "JsonConverter",
        " FileStreamSource",
        "FileStream",
    ] {
        let (status, message) = refused(json!({"name": "x", "connector.class": class}));
        let start = format!(
            "Failed to find any class that implements Connector and which name matches {class}, available connectors are: PluginDesc{{klass=class org.apache.kafka.connect.file.FileStreamSinkConnector, "
        );
        assert_eq!(status, 400);
        assert!(message.starts_with(&start), "{message}");
    }
}

#[test]
fn the_class_behind_an_alias_and_its_kind_are_told() {
    let set = plugins_with_odd_ones();
    for (name, kind) in [
        ("FileStreamSource", PluginKind::Source),
        ("FileStreamSinkConnector", PluginKind::Sink),
    ] {
        let validation = check(
            &json!({"name": "x", "connector.class": name, "topic": "t"}),
            &worker(),
        )
        .unwrap();
        assert_eq!(
            (validation.class, validation.kind),
            (set.find_connector(name).unwrap().class, kind)
        );
    }
}

#[test]
fn the_refusal_lists_every_error_in_order() {
    let answer = sink(json!({"tasks.max": "abc", "errors.tolerance": "some"}));
    assert_eq!(
        answer.0.refusal().unwrap(),
        "Connector configuration is invalid and contains the following 5 error(s):\n\
         Invalid value abc for configuration tasks.max: Not a number of type INT\n\
         Invalid value null for configuration tasks.max: Value must be non-null\n\
         Invalid value some for configuration errors.tolerance: String must be one of: none, all\n\
         Must configure one of topics or topics.regex\n\
         Must configure one of topics or topics.regex\n\
         You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`"
    );
    assert_eq!(source(json!({})).0.refusal(), None);
}

#[test]
fn the_class_must_end_with_the_requested_type() {
    let full = "org.apache.kafka.connect.file.FileStreamSourceConnector";
    for (included, requested, fits) in [
        ("FileStreamSource", "FileStreamSource", true),
        ("FileStreamSource", "FileStreamSourceConnector", true),
        (full, "FileStreamSource", true),
        (full, full, true),
        ("FileStreamSource", full, false),
        ("FileStreamSink", "FileStreamSource", false),
        (" FileStreamSource", "FileStreamSource", true),
        ("FileStreamSource ", "FileStreamSource", false),
        ("Connector", "Connector", true),
    ] {
        let result = check_requested_type(&config(&json!({"connector.class": included})), requested);
        match result {
            Ok(()) => assert!(fits, "{included} {requested}"),
            Err(error) => {
                assert!(!fits, "{included} {requested}");
                assert_eq!(error.status(), 400);
                assert_eq!(
                    error.to_string(),
                    format!("Included connector type {included} does not match request type {requested}")
                );
            }
        }
    }
    assert!(
        check_requested_type(&config(&json!({})), "x").is_ok(),
        "refused by the validation itself"
    );
}
