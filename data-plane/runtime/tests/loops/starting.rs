//! Connectors and tasks whose start does not work, for the moment or for good.

use std::time::Duration;

use towpath_connect::ConnectorError;
use towpath_types::{TargetState, UnitState};

use crate::harness::Harness;

/// The next two starts find that what they need is away.
fn away(harness: &Harness) {
    let error =
        || ConnectorError::retriable("the database does not answer").with_source("connection refused");
    harness.script.with(|s| s.start_errors = vec![error(), error()]);
}

/// All reported states with their traces.
fn told(harness: &Harness) -> Vec<(UnitState, String)> {
    let reports = harness.seen.reports.lock().unwrap();
    let told = reports.iter().map(|report| {
        assert_eq!(report.version.as_deref(), Some("1"), "{report:?}");
        (report.state, report.trace.clone().unwrap_or_default())
    });
    told.collect()
}

fn waiting() -> (UnitState, String) {
    let trace = "org.apache.kafka.connect.errors.RetriableException: the database does not answer\n\
                 Caused by: org.apache.kafka.connect.errors.ConnectException: connection refused\n";
    (UnitState::Restarting, trace.to_owned())
}

fn runs() -> (UnitState, String) {
    (UnitState::Running, String::new())
}

#[tokio::test(start_paused = true)]
async fn a_connector_whose_start_fails_for_the_moment_says_why_and_starts_when_it_can() {
    let mut harness = Harness::new("start-connector");
    away(&harness);
    harness.start_connector();
    harness
        .until("the tasks are known", |h| {
            !h.seen.task_configs.lock().unwrap().is_empty()
        })
        .await;
    assert_eq!(
        told(&harness),
        [waiting(), runs()],
        "the same reason is said once"
    );
    assert_eq!(harness.script.with(|s| s.starts), 3);
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_source_task_whose_start_fails_for_the_moment_says_why_and_starts_when_it_can() {
    let mut harness = Harness::new("start-source");
    source_task_starts_when_it_can(&mut harness).await;
}

#[tokio::test(start_paused = true)]
async fn an_exactly_once_task_whose_start_fails_for_the_moment_starts_when_it_can() {
    let mut harness = Harness::exactly_once("start-exactly-once");
    source_task_starts_when_it_can(&mut harness).await;
}

async fn source_task_starts_when_it_can(harness: &mut Harness) {
    harness.script.with(|s| s.numbers = 10);
    away(harness);
    harness.start_source(&[]);
    harness
        .until("all records are there", |h| h.produced().len() == 10)
        .await;
    assert_eq!(told(harness), [waiting(), runs()], "the same reason is said once");
    assert_eq!(harness.script.with(|s| s.starts), 3);
    harness.stop().await;
    // The next run goes on where this one has left.
    away(harness);
    harness.script.with(|s| s.numbers = 20);
    harness.start_source(&[]);
    harness
        .until("the rest is there", |h| h.produced().len() == 20)
        .await;
    assert_eq!(harness.produced(), (0..20).collect::<Vec<i64>>());
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_sink_task_whose_start_fails_for_the_moment_starts_when_it_can() {
    let mut harness = Harness::new("start-sink");
    away(&harness);
    harness.start_sink();
    harness
        .until("it runs", |h| h.last_state() == Some(UnitState::Running))
        .await;
    assert_eq!(told(&harness), [waiting(), runs()]);
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_start_that_fails_for_good_makes_the_unit_failed_at_once() {
    let mut harness = Harness::new("start-failed");
    let error = || ConnectorError::external("the password is wrong");
    harness.script.with(|s| s.start_errors = vec![error(), error()]);
    harness.start_connector();
    harness
        .until("the connector is FAILED", |h| {
            h.last_state() == Some(UnitState::Failed)
        })
        .await;
    harness.start_source(&[]);
    harness
        .until("the task is FAILED", |h| {
            h.seen.reports.lock().unwrap().len() == 2 && h.last_state() == Some(UnitState::Failed)
        })
        .await;
    assert_eq!(harness.script.with(|s| s.starts), 2);
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_waits_to_start_can_be_stopped() {
    let mut harness = Harness::new("start-stopped");
    for start in [
        Harness::start_connector as fn(&mut Harness),
        |harness: &mut Harness| harness.start_source(&[]),
    ] {
        away(&harness);
        harness.seen.reports.lock().unwrap().clear();
        start(&mut harness);
        harness
            .until("it waits", |h| h.last_state() == Some(UnitState::Restarting))
            .await;
        stops_at_once(&mut harness).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_hangs_in_its_start_can_be_stopped() {
    let mut harness = Harness::new("start-hangs");
    harness.script.with(|s| s.start_hangs = true);
    for (starts, start) in [
        (1, Harness::start_connector as fn(&mut Harness)),
        (2, |harness: &mut Harness| harness.start_source(&[])),
    ] {
        start(&mut harness);
        harness
            .until("it hangs", |h| h.script.with(|s| s.starts) == starts)
            .await;
        stops_at_once(&mut harness).await;
    }
}

async fn stops_at_once(harness: &mut Harness) {
    let units: Vec<_> = harness.units.iter().map(|(unit, _)| unit.clone()).collect();
    units.iter().for_each(|unit| harness.units.stop(unit));
    let ended = tokio::time::timeout(Duration::from_millis(100), harness.units.next_ended()).await;
    assert!(ended.is_ok(), "it stops without waiting for anything");
}

#[tokio::test(start_paused = true)]
async fn a_connector_that_waits_to_start_can_be_stopped_and_tries_at_once_when_it_is_resumed() {
    let mut harness = Harness::new("start-paused");
    away(&harness);
    harness.start_connector();
    let connector = harness.connector();
    harness
        .until("it waits", |h| h.last_state() == Some(UnitState::Restarting))
        .await;
    harness.units.set_target(&connector, TargetState::Stopped);
    harness
        .until("it is STOPPED", |h| h.last_state() == Some(UnitState::Stopped))
        .await;
    harness.script.with(|s| s.start_errors.clear());
    let began = tokio::time::Instant::now();
    harness.units.set_target(&connector, TargetState::Running);
    harness
        .until("it runs", |h| h.last_state() == Some(UnitState::Running))
        .await;
    assert!(began.elapsed() < Duration::from_millis(100));
    assert_eq!(harness.script.with(|s| s.starts), 2);
    harness.stop().await;
}
