//! What was acknowledged survives a SIGKILL, and a full disk.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use towpath_raft::{ClusterStore as _, Reads as _};

use crate::support::open;

/// The example of this crate that writes until it is killed. `cargo test` builds it beside this test.
fn writer() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let path = this.parent().unwrap().parent().unwrap().join("examples/writer");
    assert!(
        path.exists(),
        "{} is missing: run `cargo build -p towpath-raft --examples`",
        path.display()
    );
    path
}

async fn check(dir: &Path, acknowledged: &[u64]) {
    let store = open(dir).await;
    store.ensure_linearizable().await.unwrap();
    let lost: Vec<u64> = store.read_local(|state| {
        let is_lost = |number: &u64| state.connector(&format!("connector-{number}")).is_none();
        acknowledged.iter().copied().filter(is_lost).collect()
    });
    assert!(lost.is_empty(), "acknowledged, but lost: {lost:?}");
    store.shutdown().await;
}

fn acknowledged(child: &mut Child, count: usize) -> Vec<String> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    lines.map_while(Result::ok).take(count).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_acknowledged_is_lost_by_a_sigkill() {
    const ROUNDS: u64 = 5;
    let dir = TempDir::new().unwrap();
    let mut all = Vec::new();
    for round in 0..ROUNDS {
        let first = round * 100_000;
        let mut command = Command::new(writer());
        command
            .arg(dir.path())
            .arg(first.to_string())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Different points of the life of a log: before, at and after snapshots and purges.
        let lines = acknowledged(&mut child, 60 + 37 * usize::try_from(round).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        all.extend(lines.iter().map(|line| line.parse::<u64>().expect(line)));
        check(dir.path(), &all).await;
    }
    assert!(all.len() > 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_the_node_with_a_reason_and_loses_nothing_acknowledged() {
    let dir = TempDir::new().unwrap();
    // A limit on the size of files, in blocks of 512 bytes, stands for a full disk: writes fail in the same way.
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"trap "" XFSZ; ulimit -f 16000; exec "$0" "$@""#])
        .arg(writer());
    let mut child = command
        .arg(dir.path())
        .arg("0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = acknowledged(&mut child, usize::MAX);
    let status = child.wait().unwrap();
    let reason = lines.pop().unwrap();
    assert_eq!(status.code(), Some(3), "{reason}");
    assert!(reason.starts_with("stopped: node 1 has stopped: "), "{reason}");
    assert!(reason.contains("File too large"), "{reason}");
    let numbers: Vec<u64> = lines.iter().map(|line| line.parse().expect(line)).collect();
    assert!(!numbers.is_empty());
    check(dir.path(), &numbers).await;
}
