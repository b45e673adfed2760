//! A group that begins with a state which was saved.

use std::collections::BTreeMap;
use std::time::Duration;

use tempfile::TempDir;
use towpath_raft::{ClusterStore as _, OpenError, RaftStore, Reads as _};
use towpath_state::ClusterState;
use towpath_types::NodeId;

use crate::group::Group;
use crate::support::{config, must_put, open, put, value, wait_until};

/// Several elections and heartbeats.
const SETTLED: Duration = Duration::from_secs(5);

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

#[tokio::test(flavor = "multi_thread")]
async fn the_first_of_three_has_the_backup_and_the_others_get_it_from_there() {
    let mut group = Group::of_none();
    let [first, second, third] = [
        group.prepare(1).await,
        group.prepare(2).await,
        group.prepare(3).await,
    ];
    let members = [&first, &second, &third].map(|(config, _)| (config.node, config.member.clone()));
    RaftStore::restore(&first.0, &members.into(), saved())
        .await
        .unwrap();
    group.start(second).await;
    group.start(third).await;
    group.start(first).await;
    group.everywhere("c2", "1").await;
    group.put("new", "1").await;
    group.everywhere("new", "1").await;
    for id in 1..=3 {
        assert_eq!(group.store(id).read_local(|state| state.list().len()), 4);
    }
    group.stop().await;
}

/// As if the members had not been given the same list.
#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_that_begin_a_group_each_are_not_taken_for_one() {
    let mut group = Group::of_none();
    let [first, second, third] = [
        group.prepare(1).await,
        group.prepare(2).await,
        group.prepare(3).await,
    ];
    let all = [&first, &second, &third].map(|(config, _)| (config.node, config.member.clone()));
    let without_first = BTreeMap::from([all[1].clone(), all[2].clone()]);
    RaftStore::restore(&second.0, &without_first, saved())
        .await
        .unwrap();
    for node in [first, second, third] {
        group.start(node).await;
    }
    // One of them has the third node for its group; it can be either.
    group.store(1).form_group(all.into()).await.unwrap();
    let led_by = async |id: u64| group.store(id).metrics().borrow().is_leader();
    wait_until("a leader", async || led_by(1).await || led_by(2).await).await;
    let leader = if led_by(1).await { 1 } else { 2 };
    must_put(group.store(leader), "new", "1").await;
    tokio::time::sleep(SETTLED).await;
    let has = |id: u64, name: &str| value(group.store(id), name).is_some();
    assert!(!(led_by(1).await && led_by(2).await), "both lead");
    assert_eq!(
        (has(1, "c0"), has(2, "c0")),
        (false, true),
        "neither has become the other"
    );
    assert_eq!((has(1, "new"), has(2, "new")), (leader == 1, leader == 2));
    assert_eq!((has(3, "c0"), has(3, "new")), (leader == 2, true));
    group.stop().await;
}
