//! `patch offsets` and `reset offsets`.

use crate::grpc_server::GrpcServer;
use crate::kcctl::Kcctl;
use crate::rest_server::RestServer;

const ONE: &str = r#"{"offsets":[{"partition":{"filename":"/data/in.txt"},"offset":{"position":4}}]}"#;

#[test]
fn offsets_are_changed_with_what_get_offsets_prints() {
    let server = RestServer::golden(&[98, 163, 172]);
    let kcctl = Kcctl::of(&server);
    let shown = kcctl.run(&["get", "offsets", "src"]).stdout.replace("14", "4");
    let file = kcctl.write("offsets.json", &shown);
    kcctl
        .run(&["patch", "offsets", "src", "-f", &file])
        .succeeds("The offsets for this connector have been altered successfully\n");
    kcctl
        .run(&["reset", "offsets", "src", "src"])
        .succeeds("src: The offsets for this connector have been reset successfully\n");
    let expected = ["PATCH /connectors/src/offsets", "DELETE /connectors/src/offsets"];
    assert_eq!(server.changes(), expected);
}

#[test]
fn grpc_is_told_the_same() {
    let server = GrpcServer::start();
    let kcctl = Kcctl::at(&server.url());
    let removal = r#"{"offsets":[{"partition":{"a":1},"offset":null},{"partition":{"a":2}}]}"#;
    for text in [ONE, removal] {
        let file = kcctl.write("offsets.json", text);
        let output = kcctl.run(&["patch", "offsets", "src", "-f", &file, "-o", "json"]);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""));
        assert!(
            output.stdout.contains(r#""action" : "altered""#),
            "{}",
            output.stdout
        );
    }
    kcctl
        .run(&["reset", "offsets", "src"])
        .succeeds("src: The offsets for this connector have been reset successfully\n");
    let asked = server.asked();
    let changes: Vec<&str> = asked
        .iter()
        .map(String::as_str)
        .filter(|what| what.contains("offsets of"))
        .collect();
    let expected = [
        r#"alter offsets of src: {"filename":"/data/in.txt"} to {"position":4}"#,
        r#"alter offsets of src: {"a":1} to nothing, {"a":2} to nothing"#,
        "reset offsets of src",
    ];
    assert_eq!(changes, expected);
}

#[test]
fn a_connector_that_is_not_stopped_is_named_with_the_servers_reason() {
    let server = RestServer::golden(&[158]);
    let output = Kcctl::of(&server).run(&["reset", "offsets", "src", "snk"]);
    assert_eq!(output.code, 1);
    let expected = "error: connector \"src\" was not reset: Connectors must be in the STOPPED state";
    assert!(output.stderr.starts_with(expected), "{}", output.stderr);
}

#[test]
fn a_file_of_another_form_is_refused_before_anything_is_asked() {
    let kcctl = Kcctl::at("http://localhost:1");
    let file = kcctl.write("offsets.json", "[]");
    let output = kcctl.run(&["patch", "offsets", "src", "-f", &file]);
    assert_eq!(output.code, 2);
    assert!(output.stderr.contains("is not valid JSON"), "{}", output.stderr);
}
