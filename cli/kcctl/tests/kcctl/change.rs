//! `pause`, `resume`, `stop`, `delete`, `restart` and `patch`.

use crate::kcctl::Kcctl;
use crate::rest_server::RestServer;

#[test]
fn connectors_are_paused_resumed_stopped_and_deleted() {
    let server = RestServer::golden(&[135, 140, 143, 159, 181, 220]);
    let kcctl = Kcctl::of(&server);
    kcctl
        .run(&["pause", "connector", "src"])
        .succeeds("Paused connector src\n");
    kcctl
        .run(&["resume", "connectors", "src"])
        .succeeds("Resumed connector src\n");
    kcctl
        .run(&["stop", "connectors", "src", "snk", "src"])
        .succeeds("Stopped connector src\nStopped connector snk\n");
    kcctl
        .run(&["delete", "connector", "brandnew"])
        .succeeds("Deleted connector brandnew\n");
    let expected = [
        "PUT /connectors/src/pause",
        "PUT /connectors/src/resume",
        "PUT /connectors/src/stop",
        "PUT /connectors/snk/stop",
        "DELETE /connectors/brandnew",
    ];
    assert_eq!(server.changes(), expected);
}

#[test]
fn patterns_choose_what_is_deleted() {
    let server = RestServer::golden(&[87, 219, 220]);
    let kcctl = Kcctl::of(&server);
    kcctl
        .run(&["delete", "connectors", "--reg-exp", "s..", "snk"])
        .succeeds("Deleted connector snk\nDeleted connector src\n");
    let output = kcctl.run(&["delete", "connectors", "-e", "x+"]);
    assert_eq!(
        (output.code, output.stderr.as_str()),
        (0, "warning: no connector matches `x+`\n")
    );
}

#[test]
fn names_are_encoded_in_the_path() {
    let server = RestServer::golden(&[64]);
    Kcctl::of(&server)
        .run(&["delete", "connector", "with space"])
        .succeeds("Deleted connector with space\n");
}

#[test]
fn a_name_that_plain_connect_cannot_take_is_explained() {
    let server = RestServer::golden(&[67]);
    let output = Kcctl::of(&server).run(&["delete", "connector", "with/slash"]);
    assert_eq!(output.code, 1);
    assert!(
        output.stderr.contains("takes no `/`, `%` or `\\` in a name"),
        "{}",
        output.stderr
    );
}

#[test]
fn the_first_failure_ends_the_command_and_the_rest_is_named() {
    let server = RestServer::golden(&[140, 145]);
    let output = Kcctl::of(&server).run(&["pause", "connectors", "src", "nope", "snk"]);
    assert_eq!(
        (output.code, output.stdout.as_str()),
        (1, "Paused connector src\n")
    );
    assert_eq!(
        output.stderr,
        "error: connector \"nope\" was not paused: Unknown connector nope\n\
         paused: 1 (src); not paused: 2 (nope, snk)\n\
         hint: `kcctl get connectors` lists those that there are\n"
    );
    assert_eq!(
        server.changes(),
        ["PUT /connectors/src/pause", "PUT /connectors/nope/pause"]
    );
}

#[test]
fn an_unknown_connector_is_not_deleted() {
    let server = RestServer::golden(&[136]);
    Kcctl::of(&server)
        .run(&["delete", "connector", "brandnew"])
        .fails(
            1,
            "error: connector \"brandnew\" was not deleted: Connector brandnew not found\n\
         hint: `kcctl get connectors` lists those that there are\n",
        );
}

#[test]
fn delete_needs_its_noun() {
    let kcctl = Kcctl::at("http://localhost:1");
    let expected = "error: To delete a connector, use 'delete connector' instead of 'delete'\n";
    kcctl.run(&["delete"]).fails(2, expected);
    kcctl.run(&["delete", "orders"]).fails(2, expected);
}

#[test]
fn restarts_count_the_tasks_they_took_along() {
    let server = RestServer::golden(&[152, 156]);
    let restarting = crate::rest_server::recorded(153).2.to_string();
    server.answer(
        "POST /connectors/src/restart?includeTasks=true&onlyFailed=false",
        202,
        &restarting,
    );
    let nothing_failed = crate::rest_server::recorded(154).2.to_string();
    server.answer(
        "POST /connectors/src/restart?includeTasks=true&onlyFailed=true",
        202,
        &nothing_failed,
    );
    let kcctl = Kcctl::of(&server);
    kcctl
        .run(&["restart", "connector", "src"])
        .succeeds("Restarted connector src\n");
    kcctl
        .run(&["restart", "connectors", "-t", "all", "src"])
        .succeeds("Restarted connector src and 1 task(s)\n");
    kcctl
        .run(&["restart", "connector", "--tasks=FAILED", "src"])
        .succeeds("Restarted connector src and 0 task(s)\n");
    kcctl
        .run(&["restart", "task", "src/0"])
        .succeeds("Restarted task src/0\n");
}

#[test]
fn unknown_tasks_and_odd_names_of_tasks_are_refused() {
    let server = RestServer::golden(&[150]);
    let kcctl = Kcctl::of(&server);
    kcctl
        .run(&["restart", "task", "src/9"])
        .fails(1, "error: Unknown task: src-9\n");
    let output = kcctl.run(&["restart", "task", "src"]);
    assert_eq!(output.code, 2);
    assert!(
        output
            .stderr
            .contains("Invalid connector/task name, expecting format 'connector-name/task-id'")
    );
}

#[test]
fn a_patch_is_sent_as_one_and_the_new_connector_is_described() {
    let server = RestServer::golden(&[93, 95, 97, 128]);
    let output = Kcctl::of(&server).run(&[
        "patch",
        "connector",
        "src",
        "-s",
        "y=2",
        "--set",
        "z=a=b",
        "-r",
        "x",
    ]);
    assert_eq!(output.code, 0, "{output:?}");
    assert!(
        output
            .stdout
            .starts_with("New connector configuration:\nName:       src\n"),
        "{}",
        output.stdout
    );
    let patch = server
        .asked()
        .into_iter()
        .find(|asked| asked.request.starts_with("PATCH"))
        .unwrap();
    assert_eq!(patch.body, r#"{"y":"2","z":"a=b","x":null}"#);
}

#[test]
fn a_server_without_patch_gets_the_whole_configuration() {
    let server = RestServer::golden(&[93, 94, 95, 97, 123]);
    server.answer(
        "PATCH /connectors/src/config",
        405,
        r#"{"error_code":405,"message":"HTTP 405 Method Not Allowed"}"#,
    );
    let output = Kcctl::of(&server).run(&["patch", "connector", "src", "-s", "file=/x", "-r", "topic"]);
    assert_eq!(output.code, 0, "{output:?}");
    let put = server
        .asked()
        .into_iter()
        .find(|asked| asked.request.starts_with("PUT"))
        .unwrap();
    let body: serde_json::Value = serde_json::from_str(&put.body).unwrap();
    assert_eq!((body["file"].as_str(), body.get("topic")), (Some("/x"), None));
    assert_eq!(body["connector.class"], "FileStreamSource");
}

#[test]
fn a_patch_without_a_change_is_a_usage_error() {
    Kcctl::at("http://localhost:1")
        .run(&["patch", "connector", "src"])
        .fails(
            2,
            "error: Missing required arguments: please enter at least one parameter to set or remove\n",
        );
}

#[test]
fn outcomes_come_as_one_json_list_also_when_something_failed() {
    let server = RestServer::golden(&[140, 145]);
    let output = Kcctl::of(&server).run(&["pause", "connectors", "src", "nope", "-o", "json"]);
    assert_eq!(output.code, 1);
    assert_eq!(
        output.stdout,
        "[ {\n  \"name\" : \"src\",\n  \"action\" : \"paused\"\n} ]\n"
    );
    assert!(
        output
            .stderr
            .starts_with("error: connector \"nope\" was not paused")
    );
}

#[test]
fn quiet_says_nothing_when_all_is_well() {
    let server = RestServer::golden(&[88, 140]);
    let kcctl = Kcctl::of(&server);
    kcctl.run(&["-q", "pause", "connector", "src"]).succeeds("");
    assert!(
        kcctl
            .run(&["get", "connectors", "--quiet"])
            .stdout
            .contains("NAME"),
        "data is not noise"
    );
}
