//! A group of one.

use std::sync::Arc;
use std::time::Instant;

use tempfile::TempDir;
use tokio::task::JoinSet;
use towpath_raft::{ClusterStore, MemoryStore, Reads as _, Role, StoreError};
use towpath_state::{Applied, Detail, Refusal};
use towpath_types::{ConnectorName, NodeId, Revision};

use crate::support::{config, must_put, open, put, value, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_is_applied_and_its_outcome_answered() {
    let dir = TempDir::new().unwrap();
    let stores: [Arc<dyn ClusterStore>; 2] =
        [Arc::new(open(dir.path()).await), Arc::new(MemoryStore::default())];
    for store in stores {
        let mut revision = store.subscribe();
        let applied = store.propose(put("orders", "1")).await.unwrap();
        assert_eq!(
            applied,
            Ok(Applied {
                revision: Revision(1),
                detail: Detail::Created
            })
        );
        assert_eq!(*revision.borrow_and_update(), Revision(1));
        let name = ConnectorName::new("unknown").unwrap();
        let delete = towpath_state::Command::DeleteConnector { name: name.clone() };
        let refused = store.propose(delete).await.unwrap();
        assert_eq!(refused, Err(Refusal::ConnectorNotFound { connector: name }));
        assert!(!revision.has_changed().unwrap(), "a refusal changes nothing");
        let count = store.read(|state| state.list().len()).await.unwrap();
        assert_eq!(count, 1);
        store.shutdown().await;
        assert!(matches!(
            store.propose(put("late", "1")).await,
            Err(StoreError::Stopped { .. })
        ));
        assert!(matches!(
            store.ensure_linearizable().await,
            Err(StoreError::Stopped { .. })
        ));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_node_knows_what_it_knew_and_leads_again() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path()).await;
    for number in 0..20 {
        must_put(&store, &format!("c{number}"), "1").await;
    }
    let before = store.read(Clone::clone).await.unwrap();
    store.shutdown().await;
    drop(store);
    let store = open(dir.path()).await;
    assert!(store.read(|state| *state == before).await.unwrap());
    must_put(&store, "c20", "1").await;
    store.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_purged_after_a_snapshot_and_both_together_are_the_state() {
    let dir = TempDir::new().unwrap();
    let mut config = config(dir.path());
    config.log.snapshot_every = 50;
    config.log.keep = 5;
    let store = towpath_raft::RaftStore::open_single(config.clone())
        .await
        .unwrap();
    let metrics = store.metrics();
    let mut number = 0;
    wait_until("a second snapshot and a purge", async || {
        must_put(&store, &format!("c{}", number % 7), &number.to_string()).await;
        number += 1;
        let metrics = metrics.borrow();
        metrics.snapshot_index >= Some(100) && metrics.purged_index >= Some(90)
    })
    .await;
    let (before, last) = (
        store.read(Clone::clone).await.unwrap(),
        metrics.borrow().last_log_index,
    );
    assert!(
        metrics.borrow().snapshot_index < last,
        "some entries are in the log only"
    );
    store.shutdown().await;
    drop(store);
    let store = towpath_raft::RaftStore::open_single(config).await.unwrap();
    assert!(store.read(|state| *state == before).await.unwrap());
    let metrics = store.metrics().borrow().clone();
    assert!(
        metrics.purged_index >= Some(90) && metrics.last_log_index >= last,
        "{metrics:?}"
    );
    store.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proposals_that_wait_together_share_entries_of_the_log() {
    const PROPOSALS: u64 = 500;
    let dir = TempDir::new().unwrap();
    let store = Arc::new(open(dir.path()).await);
    let mut writers = JoinSet::new();
    for number in 0..PROPOSALS {
        let store = store.clone();
        writers.spawn(async move { store.propose(put(&format!("c{number}"), "1")).await });
    }
    while let Some(written) = writers.join_next().await {
        let applied = written.unwrap().unwrap().unwrap();
        assert_eq!(applied.detail, Detail::Created);
    }
    assert_eq!(store.read(|state| state.list().len()).await.unwrap(), 500);
    let entries = store.metrics().borrow().last_log_index.unwrap();
    assert!(
        entries < PROPOSALS / 2,
        "{entries} entries for {PROPOSALS} proposals"
    );
    store.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_connectors_are_created_one_after_the_other() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path()).await;
    let start = Instant::now();
    for number in 0..200 {
        must_put(&store, &format!("c{number}"), "1").await;
    }
    println!("200 writes one after the other: {:?}", start.elapsed());
    assert_eq!(store.read(|state| state.list().len()).await.unwrap(), 200);
    store.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_commands_survive_and_leave_no_files_beside_the_log() {
    let dir = TempDir::new().unwrap();
    let mut config = config(dir.path());
    config.log.snapshot_every = 8;
    config.log.keep = 2;
    let store = towpath_raft::RaftStore::open_single(config.clone())
        .await
        .unwrap();
    let megabyte = "ü".repeat(512 * 1024);
    for number in 0..12 {
        must_put(
            &store,
            &format!("c{}", number % 3),
            &format!("{number}{megabyte}"),
        )
        .await;
    }
    let metrics = store.metrics();
    wait_until("a snapshot", async || metrics.borrow().snapshot_index.is_some()).await;
    store.shutdown().await;
    drop(store);
    // sled syncs its log, but not the files of its own into which it puts large pages.
    let blobs = std::fs::read_dir(dir.path().join("blobs")).unwrap().count();
    assert_eq!(blobs, 0);
    let store = towpath_raft::RaftStore::open_single(config).await.unwrap();
    store.ensure_linearizable().await.unwrap();
    assert_eq!(value(&store, "c2"), Some(format!("11{megabyte}")));
    let too_large = store
        .propose(put("c", &"x".repeat(9 * 1024 * 1024)))
        .await
        .unwrap_err();
    assert!(matches!(too_large, StoreError::TooLarge { .. }), "{too_large}");
    store.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_belongs_to_one_node_at_a_time() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path()).await;
    let error = towpath_raft::RaftStore::open_single(config(dir.path()))
        .await
        .unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("no other process may use it"), "{cause}");
    store.shutdown().await;
}

#[tokio::test]
async fn a_memory_store_in_trouble_looks_like_a_follower() {
    let store = MemoryStore::default();
    let metrics = store.metrics();
    assert!(metrics.borrow().is_leader());
    let elsewhere = StoreError::NotLeader {
        node: NodeId(1),
        leader: None,
    };
    store.set_trouble(Some(elsewhere.clone()));
    assert_eq!(metrics.borrow().role, Role::Follower);
    assert_eq!(store.propose(put("orders", "1")).await, Err(elsewhere));
    store.set_trouble(None);
    must_put(&store, "orders", "1").await;
}
