//! `towpath dev --demo`: the README's first command.

use std::process::Command;
use std::time::Duration;

use towpath_testkit::{Process, Service, Services, binary};

const PATIENCE: Duration = Duration::from_secs(120);

fn demo(folder: &std::path::Path, more: &[&str]) -> Process {
    let mut command = Command::new(binary("towpath").expect("tests/run builds the binaries"));
    command
        .args([
            "dev",
            "--demo",
            "--exit-when-done",
            "--rest-port",
            "0",
            "--grpc-port",
            "0",
        ])
        .args(more);
    Process::spawn(command, folder.join("demo.log")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_runs_on_a_bare_machine_and_ends_when_every_row_is_through() {
    let folder = tempfile::tempdir().unwrap();
    let mut towpath = demo(folder.path(), &["--rows", "1000"]);
    let ended = towpath.wait(PATIENCE).await.unwrap();
    let output = towpath.output().unwrap();
    assert!(ended.success(), "{output}");
    assert!(
        output.contains("all 1000 rows are in the file, each once and in order"),
        "{output}"
    );
    assert!(
        output.contains("in memory"),
        "it says what the built-in broker is: {output}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_written_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(binary("towpath").expect("tests/run builds the binaries"));
    command.env("TOWPATH_LOG", "debug").stderr(full);
    command.args(["dev", "--demo", "--exit-when-done", "--rows", "200"]);
    command.args(["--rest-port", "0", "--grpc-port", "0"]);
    let ended = tokio::task::spawn_blocking(move || command.current_dir(folder.path()).status());
    assert!(ended.await.unwrap().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn more_rows_than_the_built_in_broker_keeps_get_through_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut towpath = demo(folder.path(), &["--rows", "120000"]);
    let ended = towpath.wait(PATIENCE).await.unwrap();
    assert!(ended.success(), "{}", towpath.output().unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_runs_on_a_real_cluster_too() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut towpath = demo(
        folder.path(),
        &[
            "--rows",
            "2000",
            "--bootstrap-servers",
            services.kafka_bootstrap(),
        ],
    );
    let ended = towpath.wait(PATIENCE).await.unwrap();
    let output = towpath.output().unwrap();
    assert!(ended.success(), "{output}");
    assert!(!output.contains("in memory"), "{output}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demo_that_is_stopped_early_says_so_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let mut towpath = demo(folder.path(), &["--rows", "100000000"]);
    towpath.wait_for_line("rows/s", PATIENCE).await.unwrap();
    let ended = towpath.terminate(PATIENCE).await.unwrap();
    assert_eq!(ended.code(), Some(1));
    assert!(
        towpath.output().unwrap().contains("stopped with"),
        "{}",
        towpath.output().unwrap()
    );
}
