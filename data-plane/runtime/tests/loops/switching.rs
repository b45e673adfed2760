//! Sources that go over from at-least-once to exactly-once and back: each goes on from the newest offset of both stores.

use towpath_connect::OffsetMap;
use towpath_runtime::memory::CommitFault;
use towpath_runtime::unit::FenceOrder;
use towpath_runtime::worker_config::ExactlyOnceSource::{Disabled, Enabled, Preparing};
use towpath_types::Epoch;

use crate::harness::Harness;

fn numbers(n: i64) -> Vec<i64> {
    (0..n).collect()
}

/// One run up to this number, then an orderly stop.
async fn run_to(harness: &mut Harness, count: i64) {
    harness.script.with(|s| s.numbers = count);
    harness.start_source(&[]);
    harness
        .until("the numbers are there", |h| {
            h.produced().last() == Some(&(count - 1)) && h.stored() == Some(count - 1)
        })
        .await;
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_may_change_its_mind_again_and_again() {
    let mut harness = Harness::exactly_once("switch-often");
    let mut count = 0;
    for support in [
        Disabled, Preparing, Enabled, Disabled, Enabled, Enabled, Preparing, Enabled, Disabled,
    ] {
        harness.support(support);
        count += 15;
        run_to(&mut harness, count).await;
    }
    assert_eq!(harness.produced(), numbers(count));
}

#[tokio::test(start_paused = true)]
async fn what_an_exactly_once_run_has_left_in_kafka_only_is_found_by_the_next_at_least_once_run() {
    let mut harness = Harness::exactly_once("switch-killed");
    harness.script.with(|s| s.numbers = 10);
    harness.kafka.fail_next_commit(CommitFault::HangsAfterward);
    harness.start_source(&[]);
    harness
        .until("the transaction is committed", |h| h.produced().len() == 10)
        .await;
    harness.crash().await;
    assert_eq!(harness.stored(), None, "the control plane has no copy");
    harness.support(Disabled);
    run_to(&mut harness, 25).await;
    assert_eq!(harness.produced(), numbers(25));
    // Nothing of the run before the last is newer than what this one has left.
    harness.support(Enabled);
    run_to(&mut harness, 40).await;
    assert_eq!(harness.produced(), numbers(40));
}

#[tokio::test(start_paused = true)]
async fn a_first_exactly_once_run_that_is_killed_before_its_copies_are_sent_is_not_forgotten() {
    let mut harness = Harness::exactly_once("switch-first");
    harness.support(Disabled);
    run_to(&mut harness, 5).await;
    harness.support(Enabled);
    harness.script.with(|s| s.numbers = 15);
    harness.kafka.fail_next_commit(CommitFault::HangsAfterward);
    harness.start_source(&[]);
    harness
        .until("the transaction is committed", |h| h.produced().len() == 15)
        .await;
    harness.crash().await;
    assert_eq!(harness.stored(), Some(4), "no copy was sent");
    run_to(&mut harness, 20).await;
    assert_eq!(harness.produced(), numbers(20));
}

#[tokio::test(start_paused = true)]
async fn an_at_least_once_run_ends_the_transactions_that_a_killed_one_has_left_open() {
    let mut harness = Harness::exactly_once("switch-open");
    run_to(&mut harness, 5).await;
    let take_overs = |h: &Harness| [0, 1, 2].map(|n| h.kafka.take_overs(&format!("g-switch-open-{n}")));
    assert_eq!(take_overs(&harness), [1, 0, 0]);
    harness.support(Disabled);
    harness.fence = Some(FenceOrder {
        task_set: Epoch(9),
        below: 2,
    });
    run_to(&mut harness, 10).await;
    assert_eq!(take_overs(&harness), [3, 1, 0]);
    assert_eq!(harness.produced(), numbers(10));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_never_delivered_exactly_once_looks_at_no_topic() {
    let mut harness = Harness::exactly_once("switch-never");
    harness.support(Disabled);
    let key = r#"["switch-never",{"source":"numbers"}]"#;
    harness
        .kafka
        .append_keyed("offsets", key, Some("{\"n\":3}".into()));
    run_to(&mut harness, 5).await;
    assert_eq!(harness.produced(), numbers(5));
    let partition = OffsetMap::new().with("source", "numbers");
    assert!(harness.store.inner.kept("switch-never").in_kafka.is_none());
    assert!(harness.store.inner.kept("switch-never").get(&partition).is_some());
}
