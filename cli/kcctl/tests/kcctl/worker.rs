//! `get workers`, `describe worker`, `worker drain` and `worker undrain`.

use crate::grpc_server::GrpcServer;
use crate::kcctl::Kcctl;
use crate::rest_server::RestServer;

#[test]
fn workers_are_listed() {
    let server = GrpcServer::start();
    let kcctl = Kcctl::at(&server.url());
    kcctl.run(&["get", "workers"]).succeeds(
        "\n NAME      VERSION   STATE    UNITS   LABELS\n \
         w1:8083   0.1.0     LIVE     2       disk=ssd,zone=a\n \
         w2:8083   0.1.0     LIVE     1       zone=b\n \
         w3:8083   0.1.0     SILENT   0\n\n",
    );
    let output = kcctl.run(&["get", "workers", "-o", "json"]);
    let workers: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        workers[1],
        serde_json::json!({"name": "w2:8083", "version": "0.1.0", "state": "LIVE", "labels": {"zone": "b"}, "units": 1})
    );
    let output = kcctl.run(&["get", "workers", "-o", "yaml"]);
    assert!(output.stdout.contains("name: w3:8083"), "{output:?}");
}

#[test]
fn a_worker_is_described_with_its_units() {
    let server = GrpcServer::start();
    let kcctl = Kcctl::at(&server.url());
    kcctl.run(&["describe", "worker", "w1:8083"]).succeeds(
        "Name:     w1:8083\nVersion:  0.1.0\nState:    LIVE\nLabels:   disk=ssd,zone=a\nUnits:\n  \
         orders:    RUNNING\n  orders/0:  RUNNING\n",
    );
    let output = kcctl.run(&["describe", "worker", "w2:8083", "-o", "json"]);
    let worker: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(
        worker["units"],
        serde_json::json!([{"connector": "files", "task": 3, "state": "RUNNING"}])
    );
    kcctl
        .run(&["describe", "worker", "nope"])
        .fails(1, "error: Worker nope not found\n");
}

#[test]
fn a_drain_is_waited_for_and_says_how_far_it_is() {
    let server = GrpcServer::start();
    let kcctl = Kcctl::at(&server.url());
    kcctl
        .run(&["worker", "drain", "w1:8083"])
        .succeeds("2 units left on worker w1:8083\n1 unit left on worker w1:8083\nDrained worker w1:8083\n");
    kcctl
        .run(&["worker", "undrain", "w1:8083"])
        .succeeds("Worker w1:8083 takes units again\n");
    assert_eq!(server.asked(), ["drain w1:8083", "undrain w1:8083"]);
}

#[test]
fn a_drain_is_not_waited_for_when_nobody_wants_to() {
    let server = GrpcServer::start();
    Kcctl::at(&server.url())
        .run(&["worker", "drain", "w2:8083", "--no-wait"])
        .succeeds("Worker w2:8083 is draining\n");
}

#[test]
fn units_that_cannot_go_anywhere_fail_the_drain_with_the_reason() {
    let server = GrpcServer::start();
    let output = Kcctl::at(&server.url()).run(&["worker", "drain", "w2:8083"]);
    assert_eq!(output.code, 1);
    assert_eq!(output.stdout, "1 unit left on worker w2:8083\n");
    assert_eq!(
        output.stderr,
        "error: worker \"w2:8083\" is not empty: 1 cannot leave or did not leave in time\n  files/3: no worker has the \
         plugin `F`: start one that has it\nhint: what is left goes on running there, and moves when somebody can take it; \
         `kcctl worker undrain w2:8083` takes the drain back\n"
    );
}

#[test]
fn over_rest_workers_are_refused_with_what_to_do() {
    let rest = RestServer::golden(&[]);
    for command in [
        "get workers",
        "describe worker w",
        "worker drain w",
        "worker undrain w",
    ] {
        let args: Vec<&str> = command.split(' ').collect();
        let output = Kcctl::of(&rest).run(&args);
        assert_eq!(output.code, 1, "{command}");
        assert!(
            output.stderr.contains("needs Towpath's gRPC API, but http://CLUSTER is a REST API\nhint: use `--cluster grpc://HOST:7083`"),
            "{command}: {}",
            output.stderr
        );
    }
}
