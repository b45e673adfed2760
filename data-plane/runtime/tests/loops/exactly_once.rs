//! Exactly-once source tasks: records and offsets are there together or not at all, whatever happens in between.

use bytes::Bytes;
use towpath_connect::{ConnectorError, OffsetMap, TransactionEnd};
use towpath_runtime::memory::CommitFault;
use towpath_runtime::unit::FenceOrder;
use towpath_types::{Epoch, TargetState, UnitState};

use crate::harness::Harness;

/// The offset in Kafka, as written last.
fn written(harness: &Harness) -> Option<String> {
    let value = harness.kafka.values("offsets").pop()?;
    Some(String::from_utf8(value?.to_vec()).unwrap())
}

fn offset(n: i64) -> Option<String> {
    Some(format!(r#"{{"n":{n}}}"#))
}

fn numbers(n: i64) -> Vec<i64> {
    (0..n).collect()
}

#[tokio::test(start_paused = true)]
async fn records_and_offsets_are_written_together_and_a_copy_reaches_the_control_plane() {
    let mut harness = Harness::exactly_once("eos-all");
    harness.script.with(|s| s.numbers = 500);
    harness.start_source(&[]);
    harness
        .until("the copy is stored", |h| h.stored() == Some(499))
        .await;
    assert_eq!(harness.produced(), numbers(500));
    assert_eq!(written(&harness), offset(499));
    let durable = harness.script.with(|s| s.durable.clone());
    assert_eq!(durable.last(), Some(&499));
    assert_eq!(harness.last_state(), Some(UnitState::Running));
    harness.stop().await;
    assert_eq!(harness.kafka.take_overs("g-eos-all-0"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_crash_before_the_commit_leaves_neither_records_nor_offsets() {
    let mut harness = Harness::exactly_once("eos-crash");
    harness.kafka.fail_next_commit(CommitFault::Hangs);
    harness.script.with(|s| s.numbers = 25);
    harness.start_source(&[]);
    harness
        .until("the first batch is polled", |h| h.script.with(|s| s.polls) == 1)
        .await;
    tokio::time::sleep(std::time::Duration::from_secs(30)).await;
    assert_eq!((harness.produced(), written(&harness)), (numbers(0), None));

    harness.crash().await;
    harness.start_source(&[]);
    harness.until("all is there", |h| written(h) == offset(24)).await;
    assert_eq!(harness.produced(), numbers(25));
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_after_the_commit_repeats_nothing_though_nobody_heard_of_it() {
    let mut harness = Harness::exactly_once("eos-unheard");
    harness.kafka.fail_next_commit(CommitFault::HangsAfterward);
    harness.script.with(|s| s.numbers = 25);
    harness.start_source(&[]);
    harness
        .until("the first batch is there", |h| h.produced().len() == 10)
        .await;
    harness.crash().await;
    assert_eq!(harness.stored(), None, "the control plane has no copy");
    harness.start_source(&[]);
    harness.until("all is there", |h| written(h) == offset(24)).await;
    assert_eq!(harness.produced(), numbers(25));
    harness
        .until("the copy is stored", |h| h.stored() == Some(24))
        .await;
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_fenced_task_whose_run_still_holds_starts_over() {
    let mut harness = Harness::exactly_once("eos-fenced");
    harness.script.with(|s| s.numbers = 30);
    harness.start_source(&[]);
    harness
        .until("the first records are there", |h| h.produced().len() == 30)
        .await;
    harness.kafka.fence("g-eos-fenced-0");
    harness.script.with(|s| s.numbers = 60);
    harness
        .until("the others are there", |h| h.produced().len() == 60)
        .await;
    assert_eq!(harness.produced(), numbers(60));
    assert_eq!(harness.trace(), "");
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_fenced_task_whose_run_is_over_ends_without_writing() {
    let mut harness = Harness::exactly_once("eos-over");
    harness.script.with(|s| s.numbers = 10);
    harness.start_source(&[]);
    harness
        .until("the first records are there", |h| h.produced().len() == 10)
        .await;
    harness.store.refuse_commits();
    harness.kafka.fence("g-eos-over-0");
    harness.script.with(|s| s.numbers = 20);
    harness
        .until("the task has failed", |h| {
            h.last_state() == Some(UnitState::Failed)
        })
        .await;
    assert!(
        harness
            .trace()
            .contains("Cannot start source task eos-over-0 as it has already been revoked from this worker"),
        "{}",
        harness.trace()
    );
    assert_eq!(harness.produced(), numbers(10));
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_takes_too_long_fails_the_task_with_advice() {
    let mut harness = Harness::exactly_once("eos-slow");
    harness.kafka.fail_next_commit(CommitFault::Expired);
    harness.script.with(|s| s.numbers = 10);
    harness.start_source(&[]);
    harness
        .until("the task has failed", |h| {
            h.last_state() == Some(UnitState::Failed)
        })
        .await;
    let advice = "The task eos-slow-0 was unable to finish writing records to Kafka before its producer transaction expired.";
    assert!(harness.trace().contains(advice), "{}", harness.trace());
    assert_eq!((harness.produced(), written(&harness)), (numbers(0), None));
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_record_that_kafka_refuses_fails_the_task_and_takes_its_transaction_along() {
    let mut harness = Harness::exactly_once("eos-refused");
    harness.kafka.refuse_value("7");
    harness.script.with(|s| s.numbers = 10);
    // Not even a tolerant task may leave it out: the others would claim to be complete.
    harness.start_source(&[("errors.tolerance", "all")]);
    harness
        .until("the task has failed", |h| {
            h.last_state() == Some(UnitState::Failed)
        })
        .await;
    let text = "Failed to flush offsets and/or records for task eos-refused-0";
    assert!(harness.trace().contains(text), "{}", harness.trace());
    assert_eq!((harness.produced(), written(&harness)), (numbers(0), None));
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_may_not_write_to_its_own_offsets_topic() {
    let mut harness = Harness::exactly_once("eos-own");
    harness.script.with(|s| s.numbers = 10);
    harness.start_source(&[("offsets.storage.topic", "numbers")]);
    harness
        .until("the task has failed", |h| {
            h.last_state() == Some(UnitState::Failed)
        })
        .await;
    let text =
        "Source tasks may not produce to their own offsets topics when exactly-once support is enabled";
    assert!(harness.trace().contains(text), "{}", harness.trace());
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_connectors_own_offsets_topic_comes_before_the_workers_and_both_are_written() {
    let mut harness = Harness::exactly_once("eos-topics");
    let key = r#"["eos-topics",{"source":"numbers"}]"#;
    let value = |n: i64| Some(Bytes::from(offset(n).unwrap()));
    harness.kafka.append_keyed("own", key, value(4));
    harness.kafka.append_keyed("offsets", key, value(8));
    harness.script.with(|s| s.numbers = 7);
    harness.start_source(&[("offsets.storage.topic", "own")]);
    harness
        .until("the rest is there", |h| h.produced() == [5, 6])
        .await;
    assert_eq!(written(&harness), offset(6));
    assert_eq!(harness.kafka.values("own").pop(), Some(value(6)));
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_connector_that_delivered_at_least_once_goes_on_from_the_control_planes_offsets() {
    let mut harness = Harness::exactly_once("eos-grown");
    let partition = OffsetMap::new().with("source", "numbers");
    harness
        .store
        .inner
        .put("eos-grown", &partition, Some(OffsetMap::new().with("n", 2)));
    harness.script.with(|s| s.numbers = 5);
    harness.start_source(&[]);
    harness
        .until("the rest is there", |h| h.produced() == [3, 4])
        .await;
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn with_an_interval_many_batches_are_one_transaction() {
    let mut harness = Harness::exactly_once("eos-interval");
    harness.script.with(|s| s.numbers = 95);
    harness.start_source(&[
        ("transaction.boundary", "interval"),
        ("transaction.boundary.interval.ms", "3000"),
    ]);
    harness
        .until("all batches are polled", |h| h.script.with(|s| s.polls) > 20)
        .await;
    assert_eq!(harness.produced(), numbers(0), "the interval is not over");
    harness
        .until("the interval is over", |h| h.produced().len() == 95)
        .await;
    assert_eq!(harness.kafka.values("offsets").len(), 1);
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_pause_and_a_clean_stop_commit_what_is_open() {
    let mut harness = Harness::exactly_once("eos-pause");
    let interval = [
        ("transaction.boundary", "interval"),
        ("transaction.boundary.interval.ms", "3600000"),
    ];
    harness.script.with(|s| s.numbers = 10);
    harness.start_source(&interval);
    harness
        .until("all is polled", |h| h.script.with(|s| s.polls) > 3)
        .await;
    assert_eq!(harness.produced(), numbers(0));
    harness.units.set_target(&harness.unit(), TargetState::Paused);
    harness
        .until("it is paused", |h| h.last_state() == Some(UnitState::Paused))
        .await;
    assert_eq!(harness.produced(), numbers(10));

    harness.script.with(|s| s.numbers = 15);
    harness.units.set_target(&harness.unit(), TargetState::Running);
    let polls = harness.script.with(|s| s.polls);
    harness
        .until("the others are polled", |h| {
            h.script.with(|s| s.polls) > polls + 3
        })
        .await;
    assert_eq!(harness.produced(), numbers(10));
    harness.stop().await;
    assert_eq!((harness.produced(), written(&harness)), (numbers(15), offset(14)));
    assert_eq!(harness.stored(), Some(14), "the last copy is sent");
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_commits_nothing_more() {
    let mut harness = Harness::exactly_once("eos-fails");
    harness.script.with(|s| s.numbers = 10);
    harness.start_source(&[
        ("transaction.boundary", "interval"),
        ("transaction.boundary.interval.ms", "3600000"),
    ]);
    harness
        .until("all is polled", |h| h.script.with(|s| s.polls) > 3)
        .await;
    harness
        .script
        .with(|s| s.poll_errors.push(ConnectorError::external("the source is gone")));
    harness
        .until("the task has failed", |h| {
            h.last_state() == Some(UnitState::Failed)
        })
        .await;
    harness.stop().await;
    assert_eq!((harness.produced(), written(&harness)), (numbers(0), None));
}

#[tokio::test(start_paused = true)]
async fn the_connector_decides_where_transactions_end_if_it_was_asked() {
    let mut harness = Harness::exactly_once("eos-connector");
    // Commit after record 3; drop 4 to 6; the rest of the batch is left open.
    harness.script.with(|s| {
        s.numbers = 10;
        s.ends_after = vec![(3, TransactionEnd::Commit), (6, TransactionEnd::Abort)];
    });
    harness.start_source(&[("transaction.boundary", "connector")]);
    harness
        .until("the abort is through", |h| written(h) == offset(6))
        .await;
    assert_eq!(harness.produced(), numbers(4));
    let polls = harness.script.with(|s| s.polls);
    harness
        .until("it goes on", |h| h.script.with(|s| s.polls) > polls + 3)
        .await;
    assert_eq!(harness.produced(), numbers(4));
    harness.stop().await;
    assert_eq!(
        (harness.produced(), written(&harness)),
        (numbers(4), offset(6)),
        "a stop does not end the connector's transaction"
    );
    harness.script.with(|s| {
        s.ends_after.clear();
        s.end_after_batches = Some(TransactionEnd::Commit);
    });
    harness.start_source(&[("transaction.boundary", "connector")]);
    harness
        .until("the rest is there", |h| written(h) == offset(9))
        .await;
    assert_eq!(harness.produced(), [0, 1, 2, 3, 7, 8, 9]);
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_first_task_of_a_new_set_fences_all_that_an_earlier_set_had() {
    let mut harness = Harness::exactly_once("eos-set");
    harness.fence = Some(FenceOrder {
        task_set: Epoch(7),
        below: 3,
    });
    harness.script.with(|s| s.numbers = 10);
    harness.start_source(&[]);
    harness
        .until("the records are there", |h| h.produced().len() == 10)
        .await;
    let take_overs = |h: &Harness| [0, 1, 2, 3].map(|n| h.kafka.take_overs(&format!("g-eos-set-{n}")));
    assert_eq!(take_overs(&harness), [2, 1, 1, 0]);
    harness.stop().await;
    harness.start_source(&[]);
    harness
        .until("it runs", |h| h.kafka.take_overs("g-eos-set-0") == 3)
        .await;
    assert_eq!(take_overs(&harness), [3, 1, 1, 0], "a set is fenced once");
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_control_plane_that_is_away_holds_up_nothing_that_runs() {
    let mut harness = Harness::exactly_once("eos-static");
    harness.script.with(|s| s.numbers = 10);
    harness.start_source(&[]);
    harness
        .until("the copy is stored", |h| h.stored() == Some(9))
        .await;
    harness
        .store
        .is_down
        .store(true, std::sync::atomic::Ordering::SeqCst);
    harness.script.with(|s| s.numbers = 500);
    harness.until("all is there", |h| h.produced().len() == 500).await;
    assert_eq!(harness.stored(), Some(9));
    harness
        .store
        .is_down
        .store(false, std::sync::atomic::Ordering::SeqCst);
    harness
        .until("the copy is stored", |h| h.stored() == Some(499))
        .await;
    harness.stop().await;
}
