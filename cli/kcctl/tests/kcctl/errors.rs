//! What goes wrong, and what is said about it.

use crate::kcctl::Kcctl;
use crate::rest_server::RestServer;

const OLD: &str = r#"{"version":"2.8.1","commit":"c","kafka_cluster_id":"k"}"#;

/// An address that nobody listens at.
fn nobody(scheme: &str) -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("{scheme}://{}", listener.local_addr().unwrap())
}

#[test]
fn a_cluster_that_is_not_there_is_named() {
    for scheme in ["http", "grpc"] {
        let output = Kcctl::at(&nobody(scheme)).run(&["info"]);
        assert_eq!((output.code, output.stdout.as_str()), (1, ""));
        let expected =
            "error: Couldn't connect to Kafka Connect API at http://CLUSTER.\nhint: Connection refused";
        assert!(output.stderr.starts_with(expected), "{scheme}: {}", output.stderr);
    }
}

#[test]
fn a_user_who_is_not_let_in_is_told_so() {
    let server = RestServer::start();
    server.answer("GET /", 401, "User cannot access the resource.");
    let output = Kcctl::of(&server).run(&["info"]);
    assert_eq!(output.code, 1);
    assert!(
        output
            .stderr
            .starts_with("error: The configured user is unauthorized to run this command.\nhint: set user")
    );
}

#[test]
fn a_rebalance_is_waited_for() {
    let server = RestServer::golden(&[]);
    let conflict =
        r#"{"error_code":409,"message":"Cannot complete request momentarily due to stale configuration"}"#;
    let expected =
        r#"{"error_code":500,"message":"Request cannot be completed because a rebalance is expected"}"#;
    server.answer("PUT /connectors/src/pause", 409, conflict);
    server.answer("PUT /connectors/src/pause", 500, expected);
    server.answer("PUT /connectors/src/pause", 202, "");
    Kcctl::of(&server)
        .run(&["pause", "connector", "src"])
        .succeeds("Paused connector src\n");
    assert_eq!(server.changes().len(), 3);
}

#[test]
fn a_rebalance_that_does_not_end_is_reported_when_the_time_is_over() {
    let server = RestServer::golden(&[]);
    server.answer(
        "PUT /connectors/src/pause",
        409,
        r#"{"error_code":409,"message":"no leader"}"#,
    );
    let output = Kcctl::of(&server).run(&["pause", "connector", "src", "--timeout", "1s"]);
    output.fails(1, "error: connector \"src\" was not paused: no leader\n");
    assert!(server.changes().len() > 1);
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let kcctl = Kcctl::at(&format!("http://{}", listener.local_addr().unwrap()));
    kcctl.run(&["--timeout", "200ms", "info"]).fails(
        1,
        "error: http://CLUSTER did not answer within 200ms\n\
         hint: give it more time with `--timeout`, for example `--timeout 5m`\n",
    );
}

#[test]
fn a_server_that_is_no_kafka_connect_is_recognized() {
    let server = RestServer::start();
    server.answer("GET /", 200, "<html>welcome</html>").answer(
        "GET /connectors?expand=status",
        404,
        "<html>no</html>",
    );
    let kcctl = Kcctl::of(&server);
    for command in [&["info"][..], &["get", "connectors"]] {
        let output = kcctl.run(command);
        assert_eq!(output.code, 1);
        assert!(
            output
                .stderr
                .starts_with("error: http://CLUSTER does not answer as Kafka Connect does ("),
            "{output:?}"
        );
    }
}

#[test]
fn what_an_old_server_cannot_do_is_refused_before_it_is_asked() {
    let server = RestServer::start();
    server.answer("GET /", 200, OLD);
    let kcctl = Kcctl::of(&server);
    let refused: [(&[&str], &str); 5] = [
        (
            &["stop", "connector", "a"],
            "Stopping connectors requires at least Kafka Connect 3.5. Current version: 2.8",
        ),
        (
            &["get", "offsets", "a"],
            "Reading connector offsets requires at least Kafka Connect 3.5. Current version: 2.8",
        ),
        (
            &["get", "plugins", "-t", "converter"],
            "Listing plugins other than source and sink requires at least Kafka Connect 3.2. Current version: 2.8",
        ),
        (
            &["describe", "plugin", "a"],
            "This command requires at least Kafka Connect 3.2. Current version: 2.8",
        ),
        (
            &["restart", "connector", "-t", "all", "a"],
            "Restarting tasks en masse requires at least Kafka Connect 3.0. Current version: 2.8",
        ),
    ];
    for (command, message) in refused {
        let output = kcctl.run(command);
        assert_eq!((output.code, output.stdout.as_str()), (1, ""));
        assert!(
            output.stderr.starts_with(&format!("error: {message}\n")),
            "{}",
            output.stderr
        );
    }
    assert_eq!(server.changes(), [""; 0]);
}

#[test]
fn what_cannot_be_understood_is_a_usage_error() {
    let kcctl = Kcctl::at("http://localhost:1");
    let commands: [&[&str]; 12] = [
        &[],
        &["nonsense"],
        &["get"],
        &["get", "nonsense"],
        &["get", "connectors", "-o", "xml"],
        &["get", "plugins", "-t", "nonsense"],
        &["pause", "connector"],
        &["delete", "connector"],
        &["restart", "connector", "-t", "some", "a"],
        &["describe", "connector", "-e"],
        &["--timeout", "soon", "info"],
        &["apply"],
    ];
    for command in commands {
        let output = kcctl.run(command);
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (2, ""),
            "{command:?}: {output:?}"
        );
    }
    let output = kcctl.run(&["pause", "connector", "-e", "("]);
    assert_eq!(output.code, 2, "{output:?}");
    assert!(
        output
            .stderr
            .starts_with("error: the pattern `(` cannot be used: "),
        "{}",
        output.stderr
    );
    let output = Kcctl::at("ftp://localhost").run(&["info"]);
    assert_eq!(output.code, 2, "{output:?}");
}

#[test]
fn help_and_version_go_to_standard_output() {
    let kcctl = Kcctl::bare();
    kcctl
        .run(&["--version"])
        .succeeds(concat!("kcctl ", env!("CARGO_PKG_VERSION"), "\n"));
    kcctl
        .run(&["-V"])
        .succeeds(concat!("kcctl ", env!("CARGO_PKG_VERSION"), "\n"));
    let commands: [&[&str]; 5] = [
        &["-h"],
        &["help"],
        &["help", "get", "connectors"],
        &["apply", "--help"],
        &["config", "set-context", "-h"],
    ];
    for command in commands {
        let output = kcctl.run(command);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{command:?}");
        assert!(
            output.stdout.contains("Usage: kcctl"),
            "{command:?}: {}",
            output.stdout
        );
        assert!(
            !output.stdout.contains("-name-completions"),
            "hidden: {}",
            output.stdout
        );
    }
}

#[test]
fn the_reader_of_the_output_may_leave_early() {
    use std::process::{Command, Stdio};
    let server = RestServer::golden(&[7]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_kcctl"))
        .args(["--cluster", &server.url(), "get", "plugins"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).as_ref()
        ),
        (Some(0), "")
    );
}
