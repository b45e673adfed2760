//! A leader that is about to stop has another node lead.

use std::time::Duration;

use towpath_raft::{ClusterStore as _, RaftConfig, StoreError};

use crate::group::Group;
use crate::support::{must_put, put, wait_until};

/// Longer than any test: who leads after this has not waited for a time-out, neither its own nor one of a lease.
const NEVER: Duration = Duration::from_secs(600);

fn without_timeouts(config: &mut RaftConfig) {
    config.timing.silence = NEVER;
}

async fn hands_over(nodes: u64) {
    let mut group = Group::of(nodes, without_timeouts).await;
    let first = group.leader().await;
    for number in 0..20 {
        must_put(group.store(first), &format!("c{number}"), "1").await;
    }
    let term = group.store(first).metrics().borrow().term;

    group.store(first).hand_over().await;
    let second = group.leader().await;
    assert_ne!(second, first);
    assert_eq!(
        group.store(second).metrics().borrow().term,
        term + 1,
        "one election"
    );
    must_put(group.store(second), "c0", "2").await;
    let refused = group.store(first).propose(put("c0", "3")).await.unwrap_err();
    let StoreError::NotLeader {
        leader: Some(leader), ..
    } = &refused
    else {
        panic!("{refused}")
    };
    assert_eq!(leader.node.get(), second);

    group.kill(first).await;
    must_put(group.store(second), "c0", "4").await;
    group.everywhere("c0", "4").await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_of_three_hands_over_without_anybody_waiting_for_a_timeout() {
    hands_over(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_of_five_hands_over_without_anybody_waiting_for_a_timeout() {
    hands_over(5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_hands_over_though_one_follower_is_dead() {
    let mut group = Group::of(3, without_timeouts).await;
    let first = group.leader().await;
    must_put(group.store(first), "orders", "1").await;
    let dead = group.others(first)[0];
    group.kill(dead).await;
    must_put(group.store(first), "orders", "2").await;
    group.store(first).hand_over().await;
    let second = group.leader().await;
    assert_ne!(second, first);
    must_put(group.store(second), "orders", "3").await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn proposals_that_were_made_before_a_hand_over_are_decided_and_later_ones_refused_undone() {
    let group = Group::of(3, without_timeouts).await;
    let first = group.leader().await;
    let store = group.store(first);
    let mut decided = Vec::new();
    let mut refused = Vec::new();
    let write = async {
        for number in 0.. {
            let name = format!("c{number}");
            match store.propose(put(&name, "1")).await {
                Ok(_) => decided.push(name),
                Err(StoreError::NotLeader { .. }) => {
                    refused.push(name);
                    return;
                }
                Err(other) => panic!("{other}"),
            }
        }
    };
    let hand_over = async {
        wait_until("some changes", async || {
            store.metrics().borrow().applied_index > Some(20)
        })
        .await;
        store.hand_over().await;
    };
    tokio::join!(write, hand_over);
    let second = group.leader().await;
    group.put("last", "1").await;
    let known = towpath_raft::Reads::read(group.store(second), |state| {
        let is_there = |name: &String| state.connector(name).is_some();
        (decided.iter().all(is_there), refused.iter().any(is_there))
    });
    assert_eq!(known.await.unwrap(), (true, false));
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_has_nobody_to_hand_over_to_goes_on_until_its_shutdown() {
    let group = Group::of_one().await;
    group.store(1).hand_over().await;
    must_put(group.store(1), "orders", "1").await;
    group.stop().await;
}
