//! Source tasks: invariants 1 to 4.

use std::sync::atomic::Ordering;

use towpath_connect::ConnectorError;
use towpath_types::{TargetState, UnitState};

use crate::harness::Harness;

#[tokio::test(start_paused = true)]
async fn every_record_arrives_in_order_and_the_last_offset_is_committed() {
    let mut harness = Harness::new("source-all");
    harness.script.with(|s| s.numbers = 5000);
    harness.start_source(&[]);
    harness
        .until("all records are there", |h| h.produced().len() == 5000)
        .await;
    assert_eq!(harness.produced(), (0..5000).collect::<Vec<i64>>());
    harness
        .until("the last offset is stored", |h| h.stored() == Some(4999))
        .await;
    assert_eq!(harness.last_state(), Some(UnitState::Running));
    assert_eq!(
        harness
            .seen
            .topics
            .lock()
            .unwrap()
            .iter()
            .map(AsRef::as_ref)
            .collect::<Vec<&str>>(),
        ["numbers"]
    );
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_committed_that_kafka_has_not_acknowledged_and_nothing_is_lost_in_a_crash() {
    let mut harness = Harness::new("source-crash");
    harness.script.with(|s| s.numbers = 100);
    harness.start_source(&[]);
    harness
        .until("the first offsets are stored", |h| h.stored() == Some(99))
        .await;

    harness.kafka.hold_acks(true);
    harness.script.with(|s| s.numbers = 500);
    let polls = harness.script.with(|s| s.polls);
    harness
        .until("records are in flight and a commit was due", |h| {
            h.script.with(|s| s.polls) > polls + 100
        })
        .await;
    assert_eq!(harness.stored(), Some(99), "Kafka has not acknowledged more");

    harness.crash().await;
    harness.kafka.hold_acks(false);
    harness.start_source(&[]);
    harness
        .until("the rest is there", |h| h.stored() == Some(499))
        .await;
    assert_eq!(harness.produced(), (0..500).collect::<Vec<i64>>());
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_task_is_told_only_of_offsets_that_are_durable() {
    let mut harness = Harness::new("source-durable");
    harness.store.is_down.store(true, Ordering::SeqCst);
    harness.script.with(|s| s.numbers = 50);
    harness.start_source(&[]);
    harness
        .until("all records are there", |h| h.produced().len() == 50)
        .await;
    let polls = harness.script.with(|s| s.polls);
    harness
        .until("several commits were due", |h| {
            h.script.with(|s| s.polls) > polls + 100
        })
        .await;
    assert!(
        harness.script.with(|s| s.durable.is_empty()),
        "nothing is durable while the store is down"
    );
    harness.store.is_down.store(false, Ordering::SeqCst);
    harness
        .until("the task is told", |h| h.script.with(|s| s.durable == [49]))
        .await;
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_starts_while_its_offsets_are_out_of_reach_waits_for_them() {
    let mut harness = Harness::new("source-unreadable");
    harness.script.with(|s| s.numbers = 10);
    harness.store.is_unreadable.store(true, Ordering::SeqCst);
    harness.start_source(&[]);
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    assert_eq!(harness.trace(), "");
    assert!(harness.produced().is_empty());
    harness.store.is_unreadable.store(false, Ordering::SeqCst);
    harness.until("all are there", |h| h.produced().len() == 10).await;
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_lost_producer_had_in_flight_is_read_again_and_not_skipped() {
    let mut harness = Harness::new("source-lost");
    harness.script.with(|s| s.numbers = 20);
    harness.start_source(&[("errors.tolerance", "all")]);
    harness
        .until("the first are committed", |h| h.stored() == Some(19))
        .await;
    harness.kafka.hold_acks(true);
    harness.script.with(|s| s.numbers = 50);
    let polls = harness.script.with(|s| s.polls);
    harness
        .until("the others are in flight", |h| {
            h.script.with(|s| s.polls) > polls + 10
        })
        .await;
    harness.kafka.lose_producers();
    harness.kafka.hold_acks(false);
    harness
        .until("the others are committed", |h| h.stored() == Some(49))
        .await;
    assert_eq!(harness.produced(), (0..50).collect::<Vec<i64>>());
    assert_eq!(harness.trace(), "");
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_producer_that_takes_nothing_any_more_is_replaced_at_once() {
    let mut harness = Harness::new("source-replaced");
    harness.script.with(|s| s.numbers = 20);
    harness.start_source(&[]);
    harness
        .until("the first are committed", |h| h.stored() == Some(19))
        .await;
    harness.kafka.lose_producers();
    let lost = tokio::time::Instant::now();
    harness.script.with(|s| s.numbers = 50);
    harness
        .until("the others are there", |h| h.produced().len() == 50)
        .await;
    let waited = lost.elapsed();
    assert!(
        waited < std::time::Duration::from_secs(2),
        "nothing was in flight: {waited:?}"
    );
    assert_eq!(harness.produced(), (0..50).collect::<Vec<i64>>());
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_record_that_kafka_refuses_fails_the_task_and_its_offset_stays_uncommitted() {
    let mut harness = Harness::new("source-refused");
    harness.kafka.refuse_value("25");
    harness.script.with(|s| s.numbers = 100);
    harness.start_source(&[]);
    harness
        .until("the task has failed", |h| {
            h.last_state() == Some(UnitState::Failed)
        })
        .await;
    assert!(
        harness
            .trace()
            .contains("Unrecoverable exception from producer send callback"),
        "{}",
        harness.trace()
    );
    assert_eq!(
        harness.stored(),
        Some(24),
        "the last before the one that was refused"
    );
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_record_is_skipped_when_errors_are_tolerated() {
    let mut harness = Harness::new("source-tolerated");
    harness.kafka.refuse_value("25");
    harness.script.with(|s| s.numbers = 100);
    harness.start_source(&[("errors.tolerance", "all")]);
    harness
        .until("the rest is committed", |h| h.stored() == Some(99))
        .await;
    assert_eq!(
        harness.produced(),
        (0..100).filter(|n| *n != 25).collect::<Vec<i64>>()
    );
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_cannot_be_polled_for_a_while_is_waited_for() {
    let mut harness = Harness::new("source-away");
    harness.script.with(|s| {
        s.numbers = 20;
        s.poll_errors = (0..5)
            .map(|_| ConnectorError::retriable("the database is away"))
            .collect();
    });
    harness.start_source(&[]);
    harness
        .until("all records are there", |h| h.produced().len() == 20)
        .await;
    assert_eq!(harness.last_state(), Some(UnitState::Running));
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_fails_only_its_own_task() {
    let mut healthy = Harness::new("source-healthy");
    let mut harness = Harness::new("source-panic");
    harness.script.with(|s| s.poll_panics = true);
    harness.start_source(&[]);
    harness
        .until("the task has failed", |h| {
            h.last_state() == Some(UnitState::Failed)
        })
        .await;
    assert!(
        harness.trace().contains("the script says so"),
        "{}",
        harness.trace()
    );
    healthy.script.with(|s| s.numbers = 10);
    healthy.start_source(&[]);
    healthy
        .until("the other works", |h| h.produced().len() == 10)
        .await;
    harness.stop().await;
    healthy.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_paused_task_polls_nothing_and_goes_on_when_resumed() {
    let mut harness = Harness::new("source-paused");
    harness.start_source(&[]);
    harness
        .until("it runs", |h| h.last_state() == Some(UnitState::Running))
        .await;
    let unit = harness.unit();
    harness.units.set_target(&unit, TargetState::Paused);
    harness
        .until("it is paused", |h| h.last_state() == Some(UnitState::Paused))
        .await;
    let polls = harness.script.with(|s| {
        s.numbers = 10;
        s.polls
    });
    tokio::time::advance(std::time::Duration::from_secs(30)).await;
    tokio::task::yield_now().await;
    assert_eq!(harness.script.with(|s| s.polls), polls);
    harness.units.set_target(&unit, TargetState::Running);
    harness.until("it goes on", |h| h.produced().len() == 10).await;
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_commits_what_was_acknowledged_after_the_last_commit() {
    let mut harness = Harness::new("source-stop");
    harness.script.with(|s| s.numbers = 30);
    harness.start_source(&[]);
    harness
        .until("all records are there", |h| h.produced().len() == 30)
        .await;
    harness.stop().await;
    assert_eq!(harness.stored(), Some(29));
}
