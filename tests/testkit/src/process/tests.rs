//! Processes that are shells: what is started, seen and ended is the same for our own binaries.

use std::os::unix::process::ExitStatusExt;

use super::*;

const DEADLINE: Duration = Duration::from_secs(20);

fn shell(script: &str, folder: &Path) -> Process {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script);
    Process::spawn(command, folder.join("output")).unwrap()
}

#[tokio::test]
async fn a_line_of_either_stream_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = shell("echo one; echo two >&2; exec sleep 100", folder.path());
    assert_eq!(process.wait_for_line("tw", DEADLINE).await.unwrap(), "two");
    assert_eq!(process.wait_for_line("one", DEADLINE).await.unwrap(), "one");
}

#[tokio::test]
async fn what_a_process_before_it_printed_is_not_taken_for_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = shell("echo ready", folder.path());
    first.wait_for_line("ready", DEADLINE).await.unwrap();
    let mut second = shell("echo other", folder.path());
    second.wait(DEADLINE).await.unwrap();
    assert_eq!(second.output().unwrap(), "other\n");
}

#[tokio::test]
async fn a_process_that_ends_without_the_line_is_reported_with_its_output() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = shell("echo no such file; exit 3", folder.path());
    let error = process.wait_for_line("ready", DEADLINE).await.unwrap_err();
    assert!(
        matches!(&error, ProcessError::EndedEarly { status, .. } if status.code() == Some(3)),
        "{error}"
    );
    assert!(error.to_string().contains("no such file"), "{error}");
}

#[tokio::test]
async fn a_process_that_is_asked_to_end_may_clean_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = shell(
        "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.05; done",
        folder.path(),
    );
    process.wait_for_line("ready", DEADLINE).await.unwrap();
    assert_eq!(process.terminate(DEADLINE).await.unwrap().code(), Some(7));
    assert!(process.output().unwrap().ends_with("bye\n"));
}

#[tokio::test]
async fn a_killed_process_may_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = shell(
        "trap 'echo bye' EXIT TERM; echo ready; while :; do sleep 0.05; done",
        folder.path(),
    );
    process.wait_for_line("ready", DEADLINE).await.unwrap();
    assert_eq!(process.kill().unwrap().signal(), Some(9));
    assert_eq!(process.output().unwrap(), "ready\n");
}

#[tokio::test]
async fn a_paused_process_uses_no_processor_until_it_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let mut process = shell("echo ready; while :; do :; done", folder.path());
    process.wait_for_line("ready", DEADLINE).await.unwrap();
    let spent = |process: &Process| process.usage().unwrap().cpu;
    wait_until("processor time", DEADLINE, || async {
        spent(&process) > Duration::ZERO
    })
    .await
    .unwrap();

    process.pause().unwrap();
    let state = || std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    wait_until("the stopped state", DEADLINE, || async {
        state().contains("State:\tT")
    })
    .await
    .unwrap();
    let when_paused = spent(&process);

    process.resume().unwrap();
    wait_until("more processor time", DEADLINE, || async {
        spent(&process) > when_paused
    })
    .await
    .unwrap();
    assert!(process.usage().unwrap().resident_bytes > 0);
}

#[test]
fn a_dropped_process_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let process = shell("exec sleep 100", folder.path());
    let proc_folder = PathBuf::from(format!("/proc/{}", process.id()));
    assert!(proc_folder.exists());
    drop(process);
    assert!(!proc_folder.exists());
}

#[test]
fn a_binary_that_was_not_built_is_an_error_that_says_what_to_do() {
    let error = binary("no-such-binary").unwrap_err();
    assert!(
        error.to_string().contains("cargo build --workspace --bins"),
        "{error}"
    );
}
