//! Nodes that come and go.

use tempfile::TempDir;
use tokio::net::TcpListener;
use towpath_raft::{ClusterStore as _, Member, RaftConfig, RaftStore, StoreError};
use towpath_types::NodeId;

use crate::group::{Group, Node};
use crate::support::{config, must_put, open, wait_until};

/// A node that is in no group yet.
async fn newcomer(group: &mut Group, id: u64) -> Member {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let member = Member {
        peer_address: listener.local_addr().unwrap().to_string(),
        api_address: format!("api-of-node-{id}"),
    };
    let dir = TempDir::new().unwrap();
    let config = RaftConfig::new(NodeId(id), member.clone(), dir.path());
    group.add(Node::start(config, listener).await, dir);
    member
}

fn voters(store: &RaftStore) -> Vec<u64> {
    let members = store.members().into_iter().filter(|member| member.has_vote);
    members.map(|member| member.node.get()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_node_is_replaced_and_its_substitute_counts_for_the_majority() {
    let mut group = Group::of_three(|_| {}).await;
    let leader = group.leader().await;
    must_put(group.store(leader), "orders", "1").await;
    let [dead, other] = group.others(leader)[..] else {
        panic!("three nodes")
    };
    group.kill(dead).await;
    let member = newcomer(&mut group, 4).await;

    let store = group.store(leader);
    store.add_member(NodeId(4), member.clone()).await.unwrap();
    store.add_member(NodeId(4), member).await.unwrap();
    store.remove_member(NodeId(dead)).await.unwrap();
    store.remove_member(NodeId(dead)).await.unwrap();
    let mut expected = vec![leader, other, 4];
    expected.sort_unstable();
    assert_eq!(voters(store), expected);

    // Two of the three that count now, one of them the new one.
    group.kill(other).await;
    group.put("orders", "2").await;
    group.everywhere("orders", "2").await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_one_grows_to_three_and_goes_on_without_its_first_node() {
    let mut group = Group::of_one().await;
    must_put(group.store(1), "orders", "1").await;
    for id in [2, 3] {
        let member = newcomer(&mut group, id).await;
        group.store(1).add_member(NodeId(id), member).await.unwrap();
    }
    group.everywhere("orders", "1").await;
    group.kill(1).await;
    group.put("orders", "2").await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_become_of_the_members_is_refused_with_the_reason() {
    let dir = TempDir::new().unwrap();
    let store = open(dir.path()).await;
    let last = store.remove_member(NodeId(1)).await.unwrap_err();
    assert_eq!(
        last.to_string(),
        "the members of the control plane were not changed: node 1 is the last one with a vote: add another before"
    );
    let elsewhere = Member {
        peer_address: "elsewhere:7084".to_owned(),
        api_address: "elsewhere:7083".to_owned(),
    };
    assert_ne!(elsewhere, config(dir.path()).member);
    let moved = store.add_member(NodeId(1), elsewhere).await.unwrap_err();
    assert!(
        matches!(&moved, StoreError::Membership { reason } if reason.contains("node 1 is a member already")),
        "{moved}"
    );
    store.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn five_nodes_go_on_without_two_and_become_three() {
    let mut group = Group::of(5, |_| {}).await;
    let leader = group.leader().await;
    must_put(group.store(leader), "orders", "1").await;
    group.everywhere("orders", "1").await;
    // The leader among them.
    let [follower, a, b, c] = group.others(leader)[..] else {
        panic!("five nodes")
    };
    group.kill(leader).await;
    group.kill(follower).await;
    group.put("orders", "2").await;

    let second = group.leader().await;
    for dead in [leader, follower] {
        group.store(second).remove_member(NodeId(dead)).await.unwrap();
    }
    assert_eq!(voters(group.store(second)), [a, b, c]);
    // Two of the three are a majority now, which two of five were not.
    let last = group.others(second)[0];
    group.kill(last).await;
    group.put("orders", "3").await;
    group.everywhere("orders", "3").await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_taken_out_whom_the_majority_needs() {
    let mut group = Group::of_three(|_| {}).await;
    let leader = group.leader().await;
    must_put(group.store(leader), "orders", "1").await;
    let [dead, alive] = group.others(leader)[..] else {
        panic!("three nodes")
    };
    group.kill(dead).await;
    let store = group.store(leader);
    for needed in [alive, leader] {
        let refused = store.remove_member(NodeId(needed)).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            format!(
                "the members of the control plane were not changed: without node {needed} there would be 2 with a vote, of \
                 which node {dead} does not answer, and the others are no majority: start what does not answer again, or take \
                 it out first"
            )
        );
    }
    assert_eq!(voters(store), [1, 2, 3]);
    must_put(store, "orders", "2").await;
    store.remove_member(NodeId(dead)).await.unwrap();
    must_put(store, "orders", "3").await;
    // Of two that are there, either can go.
    store.remove_member(NodeId(alive)).await.unwrap();
    must_put(store, "orders", "4").await;
    assert_eq!(voters(store), [leader]);
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_follower_is_taken_out_and_does_not_come_back() {
    let mut group = Group::of_three(|_| {}).await;
    let leader = group.leader().await;
    must_put(group.store(leader), "orders", "1").await;
    group.everywhere("orders", "1").await;
    let gone = group.others(leader)[0];
    group.store(leader).remove_member(NodeId(gone)).await.unwrap();
    group.kill(gone).await;
    group.put("orders", "2").await;
    group.everywhere("orders", "2").await;
    assert_eq!(voters(group.store(leader)).len(), 2);
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_takes_itself_out_is_followed_by_another_one() {
    let mut group = Group::of_three(|_| {}).await;
    let leader = group.leader().await;
    must_put(group.store(leader), "orders", "1").await;
    group.everywhere("orders", "1").await;
    group.store(leader).remove_member(NodeId(leader)).await.unwrap();
    wait_until("it leads no more", async || {
        !group.store(leader).metrics().borrow().is_leader()
    })
    .await;
    group.kill(leader).await;
    group.put("orders", "2").await;
    group.everywhere("orders", "2").await;
    let second = group.leader().await;
    assert_eq!(voters(group.store(second)), group.others(leader));
    group.stop().await;
}
