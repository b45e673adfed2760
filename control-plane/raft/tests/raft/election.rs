//! Who stands for election.

use std::time::Duration;

use towpath_raft::ClusterStore as _;

use crate::group::Group;
use crate::support::{must_put, wait_until};

/// Three of the times after which a node that hears nothing looks for another leader.
const LONG: Duration = Duration::from_secs(6);

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_alone_in_hearing_nothing_disturbs_nobody() {
    let mut group = Group::of_three(|_| {}).await;
    let leader = group.leader().await;
    must_put(group.store(leader), "orders", "1").await;
    let term = group.store(leader).metrics().borrow().term;
    let deaf = group.others(leader)[0];
    group.deafen(deaf).await;
    tokio::time::sleep(LONG).await;
    for id in [leader, deaf] {
        assert_eq!(group.store(id).metrics().borrow().term, term, "node {id}");
    }
    assert!(group.store(leader).metrics().borrow().is_leader());
    must_put(group.store(leader), "orders", "2").await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_with_less_of_the_log_leaves_the_lead_to_the_other() {
    let mut group = Group::of_three(|_| {}).await;
    let leader = group.leader().await;
    let [behind, ahead] = group.others(leader)[..] else {
        panic!("three nodes")
    };
    must_put(group.store(leader), "orders", "1").await;
    group.everywhere("orders", "1").await;
    group.deafen(behind).await;
    for number in 0..20 {
        must_put(group.store(leader), "orders", &number.to_string()).await;
    }
    group.kill(leader).await;
    group.hear_again(behind).await;
    wait_until("the node that has everything to lead", async || {
        group.store(ahead).metrics().borrow().is_leader()
    })
    .await;
    must_put(group.store(ahead), "orders", "last").await;
    group.everywhere("orders", "last").await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_that_do_not_know_the_question_vote_as_ever() {
    let mut group = Group::of_mixed(3, |_| {}, |id| if id == 1 { &[] } else { &["Canvass"] }).await;
    for _ in 0..2 {
        let leader = group.leader().await;
        let config = group.take(leader).await;
        assert_ne!(group.leader().await, leader);
        group.put("orders", "1").await;
        group.restart(config).await;
    }
    group.stop().await;
}
