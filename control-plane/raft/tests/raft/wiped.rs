//! A node whose data directory is lost is not taken back under its number, and loses nothing that it acknowledged.

use std::collections::BTreeMap;
use std::time::Duration;

use tempfile::TempDir;
use towpath_raft::{ClusterStore as _, Member, OpenError, RaftConfig, RaftStore, StoreError};
use towpath_types::NodeId;

use crate::group::Group;
use crate::support::{must_put, value, wait_until};

/// Long enough for a leader to be elected or a node to be filled several times over.
const LONG: Duration = Duration::from_secs(6);

/// The same number and addresses, with nothing on its disk.
async fn emptied(group: &mut Group, id: u64) -> (RaftConfig, TempDir) {
    let mut config = group.take(id).await;
    let dir = TempDir::new().unwrap();
    config.dir = dir.path().to_owned();
    (config, dir)
}

fn members(store: &RaftStore) -> BTreeMap<NodeId, Member> {
    let listed = store.members().into_iter();
    listed.map(|known| (known.node, known.member)).collect()
}

fn assert_told(text: &str, node: u64) {
    assert!(
        text.contains(&format!("the data directory of node {node} is another one")),
        "{text}"
    );
    assert!(text.contains("under a new number with `--join`"), "{text}");
    assert!(text.contains(&format!("`kcctl cluster remove {node}`")), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_wiped_node_had_acknowledged_is_not_lost_with_the_other_that_has_it() {
    let mut group = Group::of_three(|_| {}).await;
    let first = group.leader().await;
    must_put(group.store(first), "orders", "1").await;
    group.everywhere("orders", "1").await;
    let [wiped, behind] = group.others(first)[..] else {
        panic!("three nodes")
    };
    let behind_config = group.take(behind).await;
    must_put(group.store(first), "orders", "2").await;
    // Two have it. One of them loses its disk, the other one dies.
    let (config, _dir) = emptied(&mut group, wiped).await;
    let dead = group.take(first).await;
    group.restart(config).await;
    group.restart(behind_config).await;
    tokio::time::sleep(LONG).await;
    for id in [wiped, behind] {
        let metrics = group.store(id).metrics().borrow().clone();
        assert!(
            !metrics.is_leader(),
            "elected without what is acknowledged: {metrics:?}"
        );
    }
    // Nothing is lost when it is back.
    group.restart(dead).await;
    for id in [first, behind] {
        wait_until("what was acknowledged", async || {
            value(group.store(id), "orders").as_deref() == Some("2")
        })
        .await;
    }
    assert_eq!(value(group.store(wiped), "orders"), None, "it is not taken back");
    group.stop().await;
}

/// Nobody who is left has ever heard of its disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_a_log_elects_nobody_who_may_lack_what_it_has_lost() {
    let mut group = Group::of_none();
    let nodes = [
        group.prepare(1).await,
        group.prepare(2).await,
        group.prepare(3).await,
    ];
    let members = nodes
        .each_ref()
        .map(|(config, _)| (config.node, config.member.clone()));
    let [first, second, third] = nodes;
    group.start(first).await;
    group.start(third).await;
    group.store(1).form_group(members.into()).await.unwrap();
    group.put("orders", "1").await;
    group.everywhere("orders", "1").await;
    let behind = group.take(3).await;
    group.start(second).await;
    group.put("orders", "2").await;
    group.everywhere("orders", "2").await;
    let (config, _dir) = emptied(&mut group, 2).await;
    let term = group.store(1).metrics().borrow().term;
    group.kill(1).await;
    group.restart(config).await;
    group.restart(behind).await;
    tokio::time::sleep(LONG).await;
    let metrics = group.store(3).metrics().borrow().clone();
    assert!(
        !metrics.is_leader() && metrics.term == term,
        "elected without what is acknowledged: {metrics:?}"
    );
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_was_taken_out_can_be_given_to_an_empty_node() {
    let mut group = Group::of_three(|_| {}).await;
    let leader = group.leader().await;
    must_put(group.store(leader), "orders", "1").await;
    group.everywhere("orders", "1").await;
    let again = group.others(leader)[0];
    let (config, _dir) = emptied(&mut group, again).await;
    let member = config.member.clone();
    group.store(leader).remove_member(NodeId(again)).await.unwrap();
    group.restart(config).await;
    group
        .store(leader)
        .add_member(NodeId(again), member)
        .await
        .unwrap();
    group.put("orders", "2").await;
    group.everywhere("orders", "2").await;
    // Also for the others.
    group.kill(leader).await;
    group.put("orders", "3").await;
    group.everywhere("orders", "3").await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_does_not_fill_a_wiped_node_and_goes_on() {
    let mut group = Group::of_three(|_| {}).await;
    let leader = group.leader().await;
    must_put(group.store(leader), "orders", "1").await;
    group.everywhere("orders", "1").await;
    let wiped = group.others(leader)[0];
    let (config, _dir) = emptied(&mut group, wiped).await;
    group.restart(config).await;
    for number in 0..10 {
        must_put(group.store(leader), "orders", &number.to_string()).await;
    }
    tokio::time::sleep(LONG).await;
    must_put(group.store(leader), "orders", "last").await;
    let metrics = group.store(wiped).metrics().borrow().clone();
    assert_eq!(metrics.last_log_index, None, "{metrics:?}");
    assert!(group.store(leader).metrics().borrow().is_leader());
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_node_finds_out_at_its_start_and_says_what_to_do() {
    let mut group = Group::of_three(|_| {}).await;
    let leader = group.leader().await;
    must_put(group.store(leader), "orders", "1").await;
    group.everywhere("orders", "1").await;
    // The one that formed the group: it must not form another one.
    let known = members(group.store(leader));
    let (config, _dir) = emptied(&mut group, 1).await;
    group.leader().await;
    let store = RaftStore::open(config).await.unwrap();
    let refused = store.form_group(known.clone()).await.unwrap_err();
    assert!(matches!(refused, OpenError::Replaced { .. }), "{refused}");
    assert_told(&refused.to_string(), 1);
    assert!(!store.is_in_group().await.unwrap());
    store.shutdown().await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wiped_node_that_asks_to_join_under_its_old_number_is_refused_and_under_a_new_one_taken_in() {
    let mut group = Group::of_three(|_| {}).await;
    let leader = group.leader().await;
    must_put(group.store(leader), "orders", "1").await;
    group.everywhere("orders", "1").await;
    let wiped = group.others(leader)[0];
    let (mut config, _dir) = emptied(&mut group, wiped).await;
    let member = config.member.clone();
    group.restart(config).await;
    let refused = group
        .store(leader)
        .add_member(NodeId(wiped), member)
        .await
        .unwrap_err();
    assert!(matches!(refused, StoreError::Membership { .. }), "{refused}");
    assert_told(&refused.to_string(), wiped);

    (config, _) = emptied(&mut group, wiped).await;
    let dir = TempDir::new().unwrap();
    config.dir = dir.path().to_owned();
    config.node = NodeId(4);
    let member = config.member.clone();
    group.restart(config).await;
    let store = group.store(leader);
    store.add_member(NodeId(4), member).await.unwrap();
    store.remove_member(NodeId(wiped)).await.unwrap();
    group.put("orders", "2").await;
    group.everywhere("orders", "2").await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_starts_for_the_first_time_when_the_group_is_old_is_taken_in() {
    let mut group = Group::of_none();
    let nodes = [
        group.prepare(1).await,
        group.prepare(2).await,
        group.prepare(3).await,
    ];
    let members = nodes
        .each_ref()
        .map(|(config, _)| (config.node, config.member.clone()));
    let [first, second, late] = nodes;
    group.start(first).await;
    group.start(second).await;
    group.store(1).form_group(members.into()).await.unwrap();
    let leader = group.leader().await;
    for number in 0..10 {
        must_put(group.store(leader), "orders", &number.to_string()).await;
    }
    must_put(group.store(leader), "orders", "1").await;
    group.start(late).await;
    group.everywhere("orders", "1").await;
    group.stop().await;
}
