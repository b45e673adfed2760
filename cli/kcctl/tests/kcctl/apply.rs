//! `apply`.

use serde_json::{Value, json};

use crate::kcctl::{Kcctl, Output};
use crate::rest_server::{RestServer, recorded};

fn document(name: &str) -> String {
    json!({"name": name, "config": {"connector.class": "X", "tasks.max": "1"}}).to_string()
}

/// Nobody is there yet, and everybody may be made.
fn empty_server() -> RestServer {
    let server = RestServer::golden(&[2]);
    server.answer("POST /connectors", 201, "{}");
    server
}

fn bodies(server: &RestServer, request: &str) -> Vec<Value> {
    let asked = server
        .asked()
        .into_iter()
        .filter(|asked| asked.request == request);
    asked
        .map(|asked| serde_json::from_str(&asked.body).unwrap())
        .collect()
}

#[test]
fn a_connector_is_created_once_and_updated_after_that() {
    let server = RestServer::golden(&[2, 38, 123]);
    server.answer("GET /connectors", 200, r#"["src"]"#);
    let kcctl = Kcctl::of(&server);
    let file = kcctl.write(
        "src.json",
        r#"{"name":"src","config":{"connector.class":"X","tasks.max":2},"initial_state":"STOPPED"}"#,
    );
    kcctl
        .run(&["apply", "-f", &file])
        .succeeds("Created connector src\n");
    kcctl
        .run(&["apply", "-f", &file])
        .succeeds("Updated connector src\n");
    let config = json!({"connector.class": "X", "tasks.max": "2"});
    let created = json!({"name": "src", "config": config, "initial_state": "STOPPED"});
    assert_eq!(bodies(&server, "POST /connectors"), [created]);
    assert_eq!(bodies(&server, "PUT /connectors/src/config"), [config]);
}

#[test]
fn files_directories_and_standard_input_are_applied_in_their_order() {
    let server = empty_server();
    let kcctl = Kcctl::of(&server);
    let first = kcctl.write("first.json", &document("first"));
    kcctl.write(
        "directory/b.yaml",
        "name: b\nconfig:\n  connector.class: X\n---\nname: c\nconfig: {connector.class: X}\n",
    );
    kcctl.write("directory/a.json", &document("a"));
    kcctl.write("directory/ignored.txt", "nonsense");
    let directory = kcctl.home("directory");
    let directory = directory.to_str().unwrap();
    let output = kcctl.run_with(
        &["apply", "-f", &first, directory, "-f", "-"],
        &document("last"),
        &[],
    );
    let lines = ["first", "a", "b", "c", "last"].map(|name| format!("Created connector {name}\n"));
    output.succeeds(&lines.concat());
}

#[test]
fn a_configuration_alone_needs_a_name() {
    let server = empty_server();
    let kcctl = Kcctl::of(&server);
    let file = kcctl.write("bare.yml", "connector.class: X\nversion: 1.50\n");
    kcctl
        .run(&["apply", "-f", &file, "-n", "given"])
        .succeeds("Created connector given\n");
    let config = json!({"connector.class": "X", "version": "1.50"});
    assert_eq!(
        bodies(&server, "POST /connectors"),
        [json!({"name": "given", "config": config})]
    );
    let output = kcctl.run(&["apply", "-f", &file]);
    assert_eq!(output.code, 1);
    let expected =
        "error: Connector name must be specified either via --name or in the given file\nhint: file `";
    assert!(output.stderr.starts_with(expected), "{}", output.stderr);
    let named = kcctl.write("named.json", r#"{"name":"own","connector.class":"X"}"#);
    kcctl
        .run(&["apply", "-f", &named])
        .succeeds("Created connector own\n");
}

#[test]
fn one_name_is_not_for_several_documents() {
    let server = empty_server();
    let kcctl = Kcctl::of(&server);
    let (a, b) = (
        kcctl.write("a.json", &document("a")),
        kcctl.write("b.json", &document("b")),
    );
    kcctl.run(&["apply", "-f", &a, "-f", &b, "-n", "test name"]).fails(
        2,
        "error: It is not possible to use -n when multiple files are given. Please provide the connector names in the \
         connector configuration files.\n",
    );
    assert_eq!(server.changes(), [""; 0]);
}

#[test]
fn a_name_that_is_not_used_is_warned_about() {
    let server = empty_server();
    let kcctl = Kcctl::of(&server);
    let file = kcctl.write("a.json", &document("a"));
    let output = kcctl.run(&["apply", "-f", &file, "-n", "b"]);
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (0, "Created connector a\n")
    );
    assert_eq!(
        output.stderr,
        "warning: --name is not used: the document itself says \"a\"\n"
    );
}

#[test]
fn nothing_is_applied_when_a_file_cannot_be_read() {
    let server = empty_server();
    let kcctl = Kcctl::of(&server);
    let good = kcctl.write("good.json", &document("good"));
    let bad = kcctl.write("bad.json", "{bad json");
    kcctl
        .run(&[
            "apply",
            "-f",
            &good,
            "-f",
            kcctl.home("none.json").to_str().unwrap(),
        ])
        .fails(2, "error: Given file does not exist: HOME/none.json\n");
    let output = kcctl.run(&["apply", "-f", &good, &bad]);
    assert_eq!(output.code, 2);
    assert!(
        output
            .stderr
            .starts_with("error: file `HOME/bad.json` is not valid JSON: key must be"),
        "{}",
        output.stderr
    );
    assert_eq!(server.changes(), [""; 0]);
}

#[test]
fn the_first_failure_stops_and_says_what_was_applied() {
    let server = RestServer::golden(&[2]);
    server.answer("POST /connectors", 201, "{}");
    server.answer("POST /connectors", 400, &recorded(53).2.to_string());
    let kcctl = Kcctl::of(&server);
    let file = kcctl.write("all.json", &["a", "b", "c", "d"].map(document).concat());
    let output = kcctl.run(&["apply", "-f", &file]);
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (1, "Created connector a\n")
    );
    assert_eq!(
        output.stderr,
        "error: connector \"b\" was not applied: Connector configuration is invalid and contains the following 1 \
         error(s):\nMissing required configuration \"topic\" which has no default value.\n\
         applied: 1 (a); not applied: 3 (b, c, d)\n"
    );
    assert_eq!(server.changes().len(), 2);
}

#[test]
fn an_unknown_class_is_answered_with_those_that_there_are() {
    let server = RestServer::golden(&[2, 7, 52]);
    let kcctl = Kcctl::of(&server);
    let file = kcctl.write(
        "x.json",
        r#"{"name":"x","config":{"connector.class":"nope.Nope"}}"#,
    );
    let output = kcctl.run(&["apply", "-f", &file]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    let expected = "error: connector \"x\" was not applied: Specified class isn't a valid connector type. The following \
                    connector type(s) are available:\n\n TYPE     CLASS";
    assert!(output.stderr.starts_with(expected), "{}", output.stderr);
    assert!(
        output
            .stderr
            .contains("\n source   org.apache.kafka.connect.mirror.MirrorSourceConnector       4.3.1\n")
    );
    assert!(!output.stderr.contains("transformation"), "{}", output.stderr);
}

#[test]
fn a_connector_that_somebody_else_made_meanwhile_is_updated() {
    let server = RestServer::golden(&[2, 39, 123]);
    let kcctl = Kcctl::of(&server);
    let file = kcctl.write("src.json", &document("src"));
    kcctl
        .run(&["apply", "-f", &file])
        .succeeds("Updated connector src\n");
    assert_eq!(
        server.changes(),
        ["POST /connectors", "PUT /connectors/src/config"],
        "asked once, not for 30 seconds"
    );
}

#[test]
fn a_thousand_connectors_are_applied_side_by_side_and_told_in_order() {
    let server = empty_server();
    server.answer(
        "PUT /connector-plugins/X/config/validate",
        200,
        r#"{"error_count":0,"configs":[]}"#,
    );
    server.gate(8);
    let kcctl = Kcctl::of(&server);
    let documents: String = (0..1000).map(|number| document(&format!("c{number}"))).collect();
    let file = kcctl.write("all.json", &documents);
    let lines: String = (0..1000)
        .map(|number| format!("Created connector c{number}\n"))
        .collect();
    kcctl.run(&["apply", "-f", &file]).succeeds(&lines);
    assert_eq!(bodies(&server, "POST /connectors").len(), 1000);
    let at_once = server.most_in_flight();
    assert!((8..=16).contains(&at_once), "{at_once} at once");
}

/// Of forty documents the server finds the one at `invalid` not valid.
fn one_invalid_of_forty(server: &RestServer, invalid: usize) -> (Kcctl, Output) {
    server.answer(
        "PUT /connector-plugins/X/config/validate",
        200,
        r#"{"error_count":0}"#,
    );
    server.answer(
        "PUT /connector-plugins/Bad/config/validate",
        200,
        r#"{"error_count":1}"#,
    );
    let kcctl = Kcctl::of(server);
    let config = |number| if number == invalid { "Bad" } else { "X" };
    let document = |number| {
        json!({"name": format!("c{number}"), "config": {"connector.class": config(number)}}).to_string()
    };
    let file = kcctl.write("all.json", &(0..40).map(document).collect::<String>());
    let output = kcctl.run(&["apply", "-f", &file]);
    (kcctl, output)
}

#[test]
fn of_many_connectors_those_after_an_invalid_one_are_not_touched() {
    let server = RestServer::golden(&[2]);
    for _ in 0..30 {
        server.answer("POST /connectors", 201, "{}");
    }
    server.answer(
        "POST /connectors",
        400,
        r#"{"error_code":400,"message":"not valid"}"#,
    );
    let (_kcctl, output) = one_invalid_of_forty(&server, 30);
    assert_eq!((output.code, output.stdout.lines().count()), (1, 30));
    assert!(
        output
            .stderr
            .starts_with("error: connector \"c30\" was not applied: not valid\n"),
        "{}",
        output.stderr
    );
    assert!(
        output.stderr.contains("applied: 30 (c0, c1") && output.stderr.contains("not applied: 10 (c30, c31")
    );
    assert_eq!(bodies(&server, "POST /connectors").len(), 31);
}

#[test]
fn an_invalid_connector_that_the_server_takes_all_the_same_stops_nothing() {
    let server = empty_server();
    let (_kcctl, output) = one_invalid_of_forty(&server, 3);
    let lines: String = (0..40)
        .map(|number| format!("Created connector c{number}\n"))
        .collect();
    output.succeeds(&lines);
}

#[test]
fn the_same_name_twice_is_applied_one_after_the_other() {
    let server = empty_server();
    server.answer("PUT /connectors/c0/config", 200, "{}");
    let kcctl = Kcctl::of(&server);
    let names = (0..40)
        .map(|number| format!("c{number}"))
        .chain(["c0".to_owned()]);
    let file = kcctl.write("all.json", &names.map(|name| document(&name)).collect::<String>());
    let output = kcctl.run(&["apply", "-f", &file]);
    assert!(
        output
            .stdout
            .ends_with("Created connector c39\nUpdated connector c0\n"),
        "{}",
        output.stdout
    );
    assert_eq!(server.most_in_flight(), 1);
}

#[test]
fn a_dry_run_changes_nothing_and_lists_what_is_wrong() {
    let server = RestServer::golden(&[20, 28]);
    let kcctl = Kcctl::of(&server);
    let good = kcctl.write(
        "good.json",
        r#"{"name":"g","config":{"connector.class":"a.b.FileStreamSource"}}"#,
    );
    let bad = kcctl.write("bad.json", r#"{"connector.class":"FileStreamSink"}"#);
    kcctl
        .run(&["apply", "-f", &good, "--dry-run"])
        .succeeds("The configuration is valid!\n");
    let errors = "The configuration is not valid! Found 4 errors.
Errors
  tasks.max
    Invalid value abc for configuration tasks.max: Not a number of type INT
    Invalid value null for configuration tasks.max: Value must be non-null
  config.action.reload
    Invalid value x for configuration config.action.reload: String must be one of: none, restart
  errors.tolerance
    Invalid value some for configuration errors.tolerance: String must be one of: none, all
";
    let output = kcctl.run(&["apply", "-f", &bad, "--dry-run"]);
    assert_eq!(
        output,
        Output {
            code: 1,
            stdout: errors.into(),
            stderr: String::new()
        }
    );
    let names: Vec<Value> = server
        .asked()
        .iter()
        .filter(|asked| asked.request.starts_with("PUT"))
        .map(|asked| serde_json::from_str::<Value>(&asked.body).unwrap()["name"].clone())
        .collect();
    assert_eq!(names, ["g", "dummy-name"]);
    let both = kcctl.run(&["apply", "-f", &bad, &good, "--dry-run"]);
    assert!(
        both.stdout.ends_with("\ng: The configuration is valid!\n"),
        "{}",
        both.stdout
    );
    assert_eq!(both.code, 1);
    assert_eq!(server.changes(), [""; 0]);
}

#[test]
fn a_dry_run_as_json_has_the_errors_by_key() {
    let server = RestServer::golden(&[19]);
    let kcctl = Kcctl::of(&server);
    let file = kcctl.write(
        "x.json",
        r#"{"name":"x","config":{"connector.class":"FileStreamSource"}}"#,
    );
    let output = kcctl.run(&["apply", "-f", &file, "--dry-run", "-o", "json"]);
    assert_eq!(output.code, 1);
    let errors = json!({"name": ["Missing required configuration \"name\" which has no default value."]});
    let report: Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(report, json!([{"name": "x", "valid": false, "errors": errors}]));
}

#[test]
fn a_dry_run_of_what_cannot_be_validated_says_why() {
    let server = RestServer::golden(&[7]);
    let unreadable =
        "org.apache.kafka.common.config.ConfigException: Invalid value abc for configuration linger.ms";
    server.answer(
        "PUT /connector-plugins/X/config/validate",
        500,
        &json!({"error_code": 500, "message": unreadable}).to_string(),
    );
    server.answer(
        "PUT /connector-plugins/Nope/config/validate",
        500,
        &recorded(25).2.to_string(),
    );
    let kcctl = Kcctl::of(&server);
    let file = |name: &str, config: &str| kcctl.write(name, config);
    let output = kcctl.run(&[
        "apply",
        "--dry-run",
        "-f",
        &file("a.json", r#"{"name":"a","config":{"connector.class":"X"}}"#),
    ]);
    let expected = "The configuration is not valid! Found 1 error.\nErrors\n  Invalid value abc for configuration linger.ms\n";
    assert_eq!((output.code, output.stdout.as_str()), (1, expected));
    let output = kcctl.run(&[
        "apply",
        "--dry-run",
        "-f",
        &file("b.json", r#"{"name":"b","config":{}}"#),
    ]);
    assert!(
        output
            .stdout
            .contains("\n  The configuration must contain the 'connector.class' field.\n"),
        "{output:?}"
    );
    let output = kcctl.run(&[
        "apply",
        "--dry-run",
        "-f",
        &file("c.json", r#"{"connector.class":"nope.Nope"}"#),
    ]);
    assert!(
        output
            .stderr
            .contains("The following connector type(s) are available:\n\n TYPE "),
        "{output:?}"
    );
    assert_eq!(output.code, 1);
}
