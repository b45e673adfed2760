//! The connector files of a standalone worker: the table in worker-config.md section 4.

use towpath_connect::error::Chain;
use towpath_runtime::connector_file::{ConnectorFile, parse};
use towpath_types::TargetState;

fn read(content: &str) -> ConnectorFile {
    parse("c.properties", content.as_bytes()).unwrap()
}

fn refused(content: &str) -> String {
    Chain(&parse("c.json", content.as_bytes()).unwrap_err()).to_string()
}

fn entries(file: &ConnectorFile) -> Vec<(&str, Option<&str>)> {
    file.config.iter().collect()
}

const NO_NAME: &str = "Connector configuration at 'c.json' is missing the mandatory 'name' configuration";

#[test]
fn properties_are_a_configuration_with_a_name() {
    let file = read(
        "# a source\nname=local-file-source\nconnector.class=FileStreamSource\ntasks.max=1\nfile=test.txt\n",
    );
    assert_eq!(
        (file.name.as_str(), file.initial_state),
        ("local-file-source", None)
    );
    assert_eq!(
        entries(&file),
        [
            ("name", Some("local-file-source")),
            ("connector.class", Some("FileStreamSource")),
            ("tasks.max", Some("1")),
            ("file", Some("test.txt")),
        ]
    );
    assert_eq!(refused("connector.class=FileStreamSource"), NO_NAME);
    assert_eq!(refused(""), NO_NAME);
    assert!(refused("name=\\u1").contains("line 1"));
}

#[test]
fn a_flat_json_object_is_a_configuration_with_a_name() {
    let file = read(
        r#" {"name": "j", "tasks.max": 2, "x": 1e5, "errors.log.enable": true, "n": null, "initial_state": "PAUSED"}"#,
    );
    assert_eq!((file.name.as_str(), file.initial_state), ("j", None));
    assert_eq!(
        entries(&file),
        [
            ("name", Some("j")),
            ("tasks.max", Some("2")),
            ("x", Some("1e5")),
            ("errors.log.enable", Some("true")),
            ("n", None),
            ("initial_state", Some("PAUSED")),
        ]
    );
    for content in ["{}", r#"{"connector.class": "x"}"#, r#"{"name": null}"#] {
        assert_eq!(refused(content), NO_NAME, "{content}");
    }
}

#[test]
fn a_creation_request_is_a_name_and_a_configuration() {
    let file = read(
        r#"{"name": "j", "config": {"connector.class": "x", "tasks.max": 2}, "initial_state": "stopped", "extra": [1]}"#,
    );
    assert_eq!(
        (file.name.as_str(), file.initial_state),
        ("j", Some(TargetState::Stopped))
    );
    assert_eq!(
        entries(&file),
        [
            ("connector.class", Some("x")),
            ("tasks.max", Some("2")),
            ("name", Some("j"))
        ]
    );
    let file = read(r#"{"name": "j", "config": {"name": "j"}}"#);
    assert_eq!(
        (entries(&file), file.initial_state),
        (vec![("name", Some("j"))], None)
    );
}

#[test]
fn a_creation_request_that_contradicts_itself_is_refused() {
    assert_eq!(
        refused(r#"{"name": "j", "config": {"name": "other"}}"#),
        "Connector name configuration in 'config' doesn't match the one specified in 'name' at 'c.json'"
    );
    assert_eq!(refused(r#"{"config": {"connector.class": "x"}}"#), NO_NAME);
    assert_eq!(
        refused(r#"{"name": "j", "config": {}, "initial_state": "stoped"}"#),
        "Connector configuration at 'c.json' has an unknown initial_state 'stoped': must be one of RUNNING, PAUSED, STOPPED"
    );
}

#[test]
fn other_json_is_refused_with_what_would_be_right() {
    for content in [
        r#"{"name": "j", "config": {"a": {}}}"#,
        r#"{"name": "j", "nested": []}"#,
        r#"{"name": "j", "config": []}"#,
    ] {
        assert!(
            refused(content).contains("neither an object of texts nor"),
            "{content}"
        );
    }
    assert!(refused("{\"name\": ").starts_with("Connector configuration at 'c.json' is malformed JSON: "));
}

#[test]
fn the_format_does_not_depend_on_the_name_of_the_file() {
    let file = parse("c.json", b"name=p").unwrap();
    assert_eq!(file.name, "p");
    let file = parse("c.properties", br#"{"name": "j"}"#).unwrap();
    assert_eq!(file.name, "j");
}
