//! What a document may look like.

use super::*;

fn parsed(text: &str) -> Vec<Document> {
    parse(text, "file `x`", true).unwrap_or_else(|error| panic!("{text}: {error:?}"))
}

fn texts(document: &Document) -> Vec<(&str, Option<&str>)> {
    document.config.iter().collect()
}

#[test]
fn json_and_yaml_of_the_same_connector_are_the_same() {
    let json = r#"{"name":"a","config":{"n":1.50,"b":true,"s":"x","z":null},"initial_state":"stopped"}"#;
    let yaml = "name: a\nconfig:\n  n: 1.50\n  b: true\n  s: x\n  z: null\ninitial_state: stopped\n";
    let expected = [
        ("n", Some("1.50")),
        ("b", Some("true")),
        ("s", Some("x")),
        ("z", None),
    ];
    for text in [json, yaml] {
        let [document] = &parsed(text)[..] else {
            panic!("one document: {text}")
        };
        assert_eq!(document.name.as_deref(), Some("a"));
        assert_eq!(document.initial_state, Some(TargetState::Stopped));
        assert_eq!(texts(document), expected, "{text}");
    }
}

#[test]
fn a_configuration_alone_has_no_name_of_its_own() {
    for text in [
        r#"{"connector.class":"X","name":"a"}"#,
        "connector.class: X\nname: a\n",
    ] {
        let [document] = &parsed(text)[..] else {
            panic!("one document: {text}")
        };
        assert_eq!(
            (document.name.as_deref(), document.label(None).as_str()),
            (None, "a")
        );
        assert_eq!(
            texts(document),
            [("connector.class", Some("X")), ("name", Some("a"))]
        );
    }
}

#[test]
fn a_key_named_config_does_not_make_a_configuration_a_connector() {
    let [document] = &parsed(r#"{"connector.class":"X","config":"x.ini"}"#)[..] else {
        panic!("one document")
    };
    assert_eq!(document.config.get("config"), Some("x.ini"));
}

#[test]
fn words_of_yaml_stay_what_they_are() {
    let [document] = &parsed("a: yes\nb: 010\nc: 1e5\nd: ~\ne: 0x1F\nf: 'null'\ng: |\n  two\n  lines\n")[..]
    else {
        panic!("one document")
    };
    let expected = [
        ("a", Some("yes")),
        ("b", Some("010")),
        ("c", Some("1e5")),
        ("d", None),
        ("e", Some("0x1F")),
        ("f", Some("null")),
        ("g", Some("two\nlines\n")),
    ];
    assert_eq!(texts(document), expected);
}

#[test]
fn a_file_may_hold_several_documents() {
    let one = |name: &str| format!(r#"{{"name":"{name}","config":{{"connector.class":"X"}}}}"#);
    let json_stream = format!("{}\n{}", one("a"), one("b"));
    let json_list = format!("[{}, {}]", one("a"), one("b"));
    let yaml = "name: a\nconfig: {connector.class: X}\n---\nname: b\nconfig:\n  connector.class: X\n---\n";
    let yaml_list = "- name: a\n  config: {connector.class: X}\n- name: b\n  config: {connector.class: X}\n";
    for text in [json_stream.as_str(), &json_list, yaml, yaml_list] {
        let documents = parsed(text);
        let names: Vec<_> = documents
            .iter()
            .filter_map(|document| document.name.as_deref())
            .collect();
        assert_eq!(names, ["a", "b"], "{text}");
        assert_eq!(documents[1].origin, "file `x`, document 2");
    }
}

#[test]
fn what_describe_prints_can_be_applied() {
    let [document] = &parsed(
        r#"{"name":"a","config":{"connector.class":"X"},"tasks":[{"connector":"a","task":0}],"type":"source","topics":[]}"#,
    )[..] else {
        panic!("one document")
    };
    assert_eq!(texts(document), [("connector.class", Some("X"))]);
}

#[test]
fn what_is_no_connector_is_refused_with_the_reason() {
    let error = |text: &str, is_yaml| parse(text, "file `x`", is_yaml).unwrap_err();
    assert!(matches!(error("", false), DocumentError::Empty { .. }));
    assert!(matches!(error("# nothing\n", true), DocumentError::Empty { .. }));
    assert!(matches!(error("[1]", false), DocumentError::Shape { .. }));
    assert!(matches!(error("just text", true), DocumentError::Shape { .. }));
    assert!(matches!(
        error(r#"{"name":"a","config":[]}"#, false),
        DocumentError::Shape { .. }
    ));
    assert!(matches!(error("{bad json", false), DocumentError::Json { .. }));
    assert!(matches!(error("a: [unclosed", true), DocumentError::Yaml { .. }));
    assert!(matches!(error("a: 1\na: 2\n", true), DocumentError::Yaml { .. }));
    assert!(matches!(
        error("topics: [a, b]", true),
        DocumentError::Yaml { .. }
    ));
    assert!(matches!(
        error(r#"{"name":"a","config":{},"initial_state":"STOPED"}"#, false),
        DocumentError::State { .. }
    ));
    let nested = error(r#"{"name":"a","config":{"nested":{"a":1}}}"#, false);
    assert_eq!(
        nested.to_string(),
        "file `x`: the value of `nested` must be a text, a number or a boolean"
    );
}
