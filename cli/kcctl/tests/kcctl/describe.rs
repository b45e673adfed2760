//! `describe`.

use crate::kcctl::Kcctl;
use crate::rest_server::RestServer;

const SRC: &str = "Name:       src
Type:       source
State:      RUNNING
Worker ID:  worker-1:8083
Config:
  connector.class:  FileStreamSource
  file:             /data/in.txt
  name:             src
  tasks.max:        1
  topic:            rec-topic
  value.converter:  org.apache.kafka.connect.storage.StringConverter
Tasks:
  0:
    State:      RUNNING
    Worker ID:  worker-1:8083
Topics:
  rec-topic
";

#[test]
fn a_connector_is_described_with_sorted_config_tasks_and_topics() {
    let server = RestServer::golden(&[93, 95, 97]);
    Kcctl::of(&server)
        .run(&["describe", "connector", "src"])
        .succeeds(SRC);
    Kcctl::of(&server)
        .run(&["describe", "connectors", "src", "--output-format", "text"])
        .succeeds(SRC);
}

#[test]
fn several_connectors_are_described_in_the_given_order() {
    let server = RestServer::golden(&[93, 95, 97, 103, 105, 107]);
    let output = Kcctl::of(&server).run(&["describe", "connectors", "snk", "src"]);
    assert!(
        output.stdout.starts_with("Name:       snk\n") && output.stdout.ends_with(SRC),
        "{}",
        output.stdout
    );
}

#[test]
fn patterns_choose_connectors_by_their_whole_names() {
    let server = RestServer::golden(&[87, 93, 95, 97]);
    Kcctl::of(&server)
        .run(&["describe", "connectors", "-e", "s.c", "ead"])
        .succeeds(SRC);
}

#[test]
fn configurations_of_tasks_are_shown_when_asked_for() {
    let server = RestServer::golden(&[93, 95, 96, 97]);
    let output = Kcctl::of(&server).run(&["describe", "connector", "src", "--tasks-config"]);
    let tasks = output.stdout.split_once("Tasks:\n").unwrap().1;
    assert_eq!(
        tasks,
        "  0:
    State:            RUNNING
    Worker ID:        worker-1:8083
    Config:
      connector.class:  FileStreamSource
      file:             /data/in.txt
      name:             src
      task.class:       org.apache.kafka.connect.file.FileStreamSourceTask
      tasks.max:        1
      topic:            rec-topic
      value.converter:  org.apache.kafka.connect.storage.StringConverter
Topics:
  rec-topic
"
        .replace("State:            ", "State:              ")
        .replace("Worker ID:        ", "Worker ID:          ")
    );
}

#[test]
fn json_begins_with_what_the_java_client_prints() {
    let server = RestServer::golden(&[93, 95, 97]);
    Kcctl::of(&server)
        .run(&["describe", "connector", "src", "-o", "json"])
        .succeeds(
            r#"{
  "name" : "src",
  "config" : {
    "connector.class" : "FileStreamSource",
    "file" : "/data/in.txt",
    "tasks.max" : "1",
    "name" : "src",
    "topic" : "rec-topic",
    "value.converter" : "org.apache.kafka.connect.storage.StringConverter"
  },
  "tasks" : [ {
    "connector" : "src",
    "task" : 0
  } ],
  "type" : "source",
  "status" : {
    "connector" : {
      "state" : "RUNNING",
      "worker_id" : "worker-1:8083",
      "version" : "4.3.1"
    },
    "tasks" : [ {
      "id" : 0,
      "state" : "RUNNING",
      "worker_id" : "worker-1:8083",
      "version" : "4.3.1"
    } ]
  },
  "topics" : [ "rec-topic" ]
}
"#,
        );
}

#[test]
fn a_failed_task_shows_its_trace_and_a_running_one_does_not() {
    let server = RestServer::golden(&[207, 209]);
    server.answer(
        "GET /connectors/bad-sink",
        200,
        r#"{"name":"bad-sink","config":{"a":null},"tasks":[],"type":"sink"}"#,
    );
    server.answer(
        "GET /connectors/bad-sink/topics",
        403,
        r#"{"error_code":403,"message":"Topic tracking is disabled."}"#,
    );
    let output = Kcctl::of(&server).run(&["describe", "connector", "bad-sink"]);
    assert_eq!(output.code, 0, "{output:?}");
    let trace = "    Trace:      org.apache.kafka.connect.errors.ConnectException: Couldn't find or create file \
                 '/no/such/dir/out.txt' for FileStreamSinkTask\n";
    assert_eq!(output.stdout.matches(trace).count(), 2, "{}", output.stdout);
    assert!(
        output.stdout.contains("Config:\n  a:  null\n"),
        "{}",
        output.stdout
    );
    assert!(
        !output.stdout.contains("Topics"),
        "the server does not track them"
    );
}

#[test]
fn a_connector_made_a_moment_ago_is_unassigned() {
    let server = RestServer::golden(&[93, 97]);
    let output = Kcctl::of(&server).run(&["describe", "connector", "src"]);
    assert!(
        output
            .stdout
            .starts_with("Name:   src\nType:   source\nState:  UNASSIGNED\nConfig:\n"),
        "{output:?}"
    );
}

#[test]
fn an_unknown_connector_is_answered_with_those_that_there_are() {
    let server = RestServer::golden(&[88, 113, 115, 117]);
    let output = Kcctl::of(&server).run(&["describe", "connector", "nope"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    let expected =
        "error: Connector nope not found. The following connector(s) are available:\n\n NAME           TYPE";
    assert!(output.stderr.starts_with(expected), "{}", output.stderr);
    assert!(
        output
            .stderr
            .contains("\n snk            sink     RUNNING   0: RUNNING, 1: RUNNING\n")
    );
}

#[test]
fn the_keys_of_a_plugin_are_described() {
    let server = RestServer::golden(&[9]);
    let kcctl = Kcctl::of(&server);
    let output = kcctl.run(&["describe", "plugin", "FileStreamSource"]);
    let file = "\nName:           file\nType:           STRING\nRequired:       false\nDefault:        null\n\
                Documentation:  …\n\nName:           topic\n";
    assert!(output.stdout.starts_with(file), "{}", output.stdout);

    kcctl
        .run(&[
            "describe",
            "plugin",
            "FileStreamSource",
            "--search-name",
            "(?i)^BATCH",
        ])
        .succeeds(
            "\nName:           batch.size\nType:           INT\nRequired:       false\nDefault:        2000\n\
         Documentation:  …\n\n",
        );
    let json = kcctl
        .run(&[
            "describe",
            "plugin",
            "FileStreamSource",
            "--search",
            "^file$",
            "-o",
            "json",
        ])
        .stdout;
    let keys: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (keys[0]["order_in_group"].as_i64(), keys.as_array().unwrap().len()),
        (Some(-1), 1)
    );
}

#[test]
fn a_plugin_with_a_dollar_is_found_and_an_unknown_one_is_not() {
    let server = RestServer::golden(&[15]);
    server.answer("GET /connector-plugins/a.Cast%24Value/config", 200, "[]");
    let kcctl = Kcctl::of(&server);
    kcctl.run(&["describe", "plugin", "a.Cast$Value"]).succeeds("\n");
    kcctl
        .run(&["describe", "plugin", "nope.Nope"])
        .fails(1, "error: Unknown plugin nope.Nope.\n");
}

#[test]
fn only_one_search_is_possible() {
    let output = Kcctl::at("http://localhost:1").run(&[
        "describe",
        "plugin",
        "x",
        "--search",
        "a",
        "--search-name",
        "b",
    ]);
    assert_eq!(output.code, 2, "{output:?}");
}
