//! A group that begins with a state which was saved.

use std::collections::BTreeMap;

use tempfile::TempDir;
use towpath_raft::{ClusterStore as _, OpenError, RaftStore, Reads as _};
use towpath_state::ClusterState;
use towpath_types::NodeId;

use crate::support::{config, must_put, open, put};

fn saved() -> ClusterState {
    let mut state = ClusterState::new();
    for number in 0..3 {
        state.apply(&put(&format!("c{number}"), "1")).unwrap();
    }
    state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_begins_with_the_state_and_goes_on_from_there() {
    let dir = TempDir::new().unwrap();
    let config = config(dir.path());
    let members = BTreeMap::from([(NodeId(1), config.member.clone())]);
    RaftStore::restore(&config, &members, saved()).await.unwrap();
    for restart in 0..3 {
        let store = open(dir.path()).await;
        let state = store.read(Clone::clone).await.unwrap();
        assert_eq!(state.list().len(), 3 + restart);
        assert_eq!(state.revision().get(), 3 + u64::try_from(restart).unwrap());
        must_put(&store, &format!("new-{restart}"), "1").await;
        store.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_is_restored_into_an_empty_directory_only() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path()).await;
    must_put(&store, "orders", "1").await;
    store.shutdown().await;
    drop(store);
    let config = config(dir.path());
    let members = BTreeMap::from([(NodeId(1), config.member.clone())]);
    let refused = RaftStore::restore(&config, &members, saved()).await.unwrap_err();
    assert!(matches!(refused, OpenError::NotEmpty { .. }), "{refused}");
    let text = refused.to_string();
    assert!(
        text.contains(&*dir.path().to_string_lossy()) && text.contains("empty one"),
        "{text}"
    );
    let store = open(dir.path()).await;
    let names = store.read(|state| state.list().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!(names.await.unwrap(), ["orders"], "nothing was touched");
    store.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_none_of_the_members_is_refused() {
    let dir = TempDir::new().unwrap();
    let config = config(dir.path());
    let others = BTreeMap::from([(NodeId(2), config.member.clone())]);
    let refused = RaftStore::restore(&config, &others, saved()).await.unwrap_err();
    assert!(matches!(refused, OpenError::NotAMember { .. }), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_for_the_first_of_the_members_only() {
    let dir = TempDir::new().unwrap();
    let mut config = config(dir.path());
    config.node = NodeId(2);
    let members = [1, 2, 3].map(|node| (NodeId(node), config.member.clone()));
    let refused = RaftStore::restore(&config, &BTreeMap::from(members), saved()).await;
    let refused = refused.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "node 2 cannot begin the group with a backup, because node 1 is the first of the initial members and would begin \
         another one: start node 1 with `--restore`, and the others with empty data directories and without it"
    );
    // Nothing was written: the node can still be one of those that begin empty.
    config.node = NodeId(1);
    let alone = BTreeMap::from([(NodeId(1), config.member.clone())]);
    RaftStore::restore(&config, &alone, saved()).await.unwrap();
}
