//! The same commands over gRPC.

use crate::grpc_server::GrpcServer;
use crate::kcctl::Kcctl;
use crate::rest_server::{RestServer, recorded};

#[test]
fn grpc_and_rest_print_the_same() {
    let grpc = GrpcServer::start();
    let lines = [
        7, 9, 15, 87, 88, 93, 95, 96, 97, 98, 103, 105, 106, 107, 113, 115, 117,
    ];
    let rest = RestServer::golden(
        &[
            &lines[..],
            &[128, 135, 136, 140, 143, 145, 149, 150, 152, 156, 159, 180, 219],
        ]
        .concat(),
    );
    for (tasks, n) in [("false", 153), ("true", 154)] {
        let request = format!("POST /connectors/src/restart?includeTasks=true&onlyFailed={tasks}");
        rest.answer(&request, 202, &recorded(n).2.to_string());
    }
    let commands = [
        "info",
        "info -o json",
        "get connectors",
        "get connectors -o json",
        "get connectors -o yaml",
        "get plugins",
        "get plugins -t source -o json",
        "get offsets src snk",
        "get offsets src snk -o table",
        "describe connector src snk --tasks-config",
        "describe connector src -o json --tasks-config",
        "describe connectors -e s.* -o yaml",
        "describe connector nope",
        "describe plugin FileStreamSource",
        "describe plugin FileStreamSource -o json",
        "describe plugin nope.Nope",
        "pause connector src",
        "pause connector src nope",
        "resume connector src",
        "stop connector src",
        "restart connector src",
        "restart connector src -t all",
        "restart connector src -t failed -o json",
        "restart task src/0",
        "restart task src/9",
        "restart task nope/0",
        "patch connector src -s y=2 -r x",
        "delete connector src",
        "delete connector brandnew-not",
        "task-name-completions",
        "plugin-name-completions",
    ];
    rest.answer(
        "DELETE /connectors/brandnew-not",
        404,
        r#"{"error_code":404,"message":"Connector brandnew-not not found"}"#,
    );
    for command in commands {
        let args: Vec<&str> = command.split(' ').collect();
        let (over_grpc, over_rest) = (Kcctl::at(&grpc.url()).run(&args), Kcctl::of(&rest).run(&args));
        assert!(
            !over_rest.stdout.is_empty() || !over_rest.stderr.is_empty(),
            "{command}: {over_rest:?}"
        );
        assert_eq!(over_grpc, over_rest, "{command}");
    }
}

#[test]
fn documents_are_applied_over_grpc() {
    let server = GrpcServer::start();
    let kcctl = Kcctl::at(&server.url());
    let file = kcctl.write(
        "all.yaml",
        "name: new\nconfig: {connector.class: X}\ninitial_state: paused\n---\nname: src\nconfig: {connector.class: X}\n",
    );
    kcctl
        .run(&["apply", "-f", &file])
        .succeeds("Created connector new\nUpdated connector src\n");
    assert_eq!(
        server.asked(),
        ["list", "create new TARGET_STATE_PAUSED", "put_config src"]
    );
    let file = kcctl.write(
        "nope.json",
        r#"{"name":"x","config":{"connector.class":"nope.Nope"}}"#,
    );
    let output = kcctl.run(&["apply", "-f", &file]);
    assert_eq!(output.code, 1);
    assert!(
        output
            .stderr
            .contains("Specified class isn't a valid connector type."),
        "{}",
        output.stderr
    );
    let output = kcctl.run(&["apply", "-f", &file, "--dry-run"]);
    assert!(
        output
            .stdout
            .starts_with("The configuration is not valid! Found 4 errors.\n"),
        "{output:?}"
    );
    assert_eq!(server.asked().last().unwrap(), "validate Nope");
}

#[test]
fn a_patch_keeps_removals_over_grpc() {
    let server = GrpcServer::start();
    assert_eq!(
        Kcctl::at(&server.url())
            .run(&["patch", "connector", "src", "-s", "a=1", "-r", "b"])
            .code,
        0
    );
    assert_eq!(server.asked()[0], "patch_config a=1,b=<removed> src");
}

#[test]
fn a_conflicting_change_is_waited_for_over_grpc() {
    let server = GrpcServer::start();
    server.refuse(2);
    Kcctl::at(&server.url())
        .run(&["pause", "connector", "src"])
        .succeeds("Paused connector src\n");
    assert_eq!(server.asked(), ["pause src"; 3]);
}

#[test]
fn credentials_go_along_over_grpc() {
    let server = GrpcServer::start();
    let url = server.url().replace("grpc://", "grpc://Aladdin:open%20sesame@");
    assert_eq!(Kcctl::at(&url).run(&["info"]).code, 0);
    assert_eq!(
        server.authorization().as_deref(),
        Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
    );
}

#[test]
fn a_rest_port_that_is_asked_for_grpc_is_an_error_and_no_hang() {
    let rest = RestServer::golden(&[]);
    let output = Kcctl::at(&rest.url().replace("http://", "grpc://")).run(&["info"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""), "{output:?}");
    assert!(
        output.stderr.starts_with("error: ") && output.stderr.contains("hint: "),
        "{}",
        output.stderr
    );
}
