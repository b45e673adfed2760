//! A damaged log: the node says so and does not start, whatever was hit.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use tempfile::TempDir;
use towpath_raft::{ClusterStore as _, RaftStore, Reads as _};

use crate::support::{config, must_put, open};

const CONNECTORS: usize = 120;

/// Where the file is damaged, spread over its whole length.
const PLACES: u64 = 24;

async fn written() -> TempDir {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path()).await;
    for number in 0..CONNECTORS {
        must_put(&store, &format!("c{number}"), &"x".repeat(3_000)).await;
    }
    store.shutdown().await;
    dir
}

fn copied(from: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
    }
    std::fs::create_dir_all(copy.path().join("blobs")).unwrap();
    copy
}

fn file(dir: &Path) -> File {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(dir.join("db"))
        .unwrap()
}

/// `Ok` with what a started node knows, or why it did not start.
async fn started(dir: &Path) -> Result<usize, String> {
    let store = RaftStore::open_single(config(dir)).await.map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        cause.unwrap_or_else(|| error.to_string())
    })?;
    let count = store
        .read(|state| state.list().len())
        .await
        .map_err(|error| error.to_string());
    store.shutdown().await;
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_log_is_damaged_does_not_start_with_less_than_it_acknowledged() {
    let original = written().await;
    let length = file(original.path()).metadata().unwrap().len();
    let mut refused = 0;
    for place in 0..PLACES {
        let copy = copied(original.path());
        let at = length * place / PLACES + 100;
        let mut bytes = [0; 16];
        file(copy.path()).read_exact_at(&mut bytes, at).unwrap();
        file(copy.path())
            .write_all_at(&bytes.map(|byte| !byte), at)
            .unwrap();
        match started(copy.path()).await {
            // Some of the file is not in use.
            Ok(count) => assert_eq!(count, CONNECTORS, "damaged at {at} of {length}, and not noticed"),
            Err(reason) => {
                assert!(reason.contains("is damaged"), "damaged at {at}: {reason}");
                assert!(reason.contains(&*copy.path().to_string_lossy()), "{reason}");
                assert!(reason.contains("under a new number with `--join`"), "{reason}");
                refused += 1;
            }
        }
    }
    assert!(refused > PLACES / 2, "{refused} of {PLACES} refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_log_was_cut_off_does_not_start() {
    let dir = written().await;
    let length = file(dir.path()).metadata().unwrap().len();
    file(dir.path()).set_len(length / 2).unwrap();
    let reason = started(dir.path()).await.unwrap_err();
    assert!(reason.contains("is damaged (it ended with entry"), "{reason}");
    let file = dir.path().join("db");
    assert!(
        reason.starts_with(&format!("the log in {} is damaged", file.display())),
        "{reason}"
    );
    assert!(reason.contains("under a new number with `--join`"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untouched_copy_starts() {
    let dir = written().await;
    assert_eq!(started(copied(dir.path()).path()).await, Ok(CONNECTORS));
}
