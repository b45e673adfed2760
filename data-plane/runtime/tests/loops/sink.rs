//! Sink tasks: nothing lost, order kept, commits never ahead of what is written.

use towpath_connect::ConnectorError;
use towpath_types::{TargetState, UnitState};

use crate::harness::Harness;

fn appended(harness: &Harness, values: std::ops::Range<i32>) {
    for n in values {
        harness.kafka.append("in", n.to_string());
    }
}

fn numbers(range: std::ops::Range<i32>) -> String {
    range.map(|n| n.to_string()).collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn records_are_put_in_order_and_committed_at_the_end() {
    let mut harness = Harness::new("sink-all");
    harness.kafka.limit_batches(7);
    appended(&harness, 0..40);
    harness.start_sink();
    harness
        .until("all are taken", |h| h.taken() == numbers(0..40))
        .await;
    harness
        .until("all are committed", |h| {
            h.kafka.committed("connect-sink-all", "in") == Some(40)
        })
        .await;
    harness.stop().await;
    let events = harness.events();
    assert_eq!(events.first().map(String::as_str), Some("open 1"));
    assert_eq!(events[events.len() - 2..], ["close 1", "stop"]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_the_sink_cannot_take_comes_again_as_it_was() {
    let mut harness = Harness::new("sink-again");
    harness.kafka.limit_batches(3);
    harness
        .script
        .with(|s| s.put_errors = (0..4).map(|_| ConnectorError::retriable("away")).collect());
    appended(&harness, 0..9);
    harness.start_sink();
    harness
        .until("all are taken", |h| h.taken() == numbers(0..9))
        .await;
    let puts: Vec<String> = harness
        .events()
        .into_iter()
        .filter(|e| e.starts_with("put"))
        .collect();
    assert_eq!(
        puts,
        ["put 0 1 2"; 5]
            .iter()
            .chain(&["put 3 4 5", "put 6 7 8"])
            .copied()
            .collect::<Vec<_>>()
    );
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_revoked_partition_is_committed_before_it_is_closed() {
    let mut harness = Harness::new("sink-revoked");
    appended(&harness, 0..5);
    harness.start_sink();
    harness
        .until("all are taken", |h| h.taken() == numbers(0..5))
        .await;
    harness.script.with(|s| s.events.clear());
    harness.kafka.rebalance();
    harness
        .until("it is opened again", |h| {
            h.events().contains(&"open 1".to_owned())
        })
        .await;
    let events: Vec<String> = harness.events();
    assert_eq!(events[..3], ["pre_commit", "close 1", "open 1"]);
    assert_eq!(harness.kafka.committed("connect-sink-revoked", "in"), Some(5));
    harness.stop().await;
    assert_eq!(harness.taken(), numbers(0..5), "nothing came twice");
}

#[tokio::test(start_paused = true)]
async fn no_more_is_committed_than_the_sink_says_is_written() {
    let mut harness = Harness::new("sink-written");
    harness.script.with(|s| s.written_up_to = Some(3));
    appended(&harness, 0..10);
    harness.start_sink();
    harness
        .until("all are taken", |h| h.taken() == numbers(0..10))
        .await;
    harness
        .until("the written part is committed", |h| {
            h.kafka.committed("connect-sink-written", "in") == Some(3)
        })
        .await;
    harness.crash().await;
    harness.script.with(|s| {
        s.written_up_to = None;
        s.taken.clear();
    });
    harness.start_sink();
    harness
        .until("the rest comes again", |h| h.taken() == numbers(3..10))
        .await;
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn records_come_again_from_the_last_commit_when_the_sink_cannot_say_what_is_written() {
    let mut harness = Harness::new("sink-rewind");
    appended(&harness, 0..4);
    harness.start_sink();
    harness
        .until("a commit is made", |h| {
            h.kafka.committed("connect-sink-rewind", "in") == Some(4)
        })
        .await;
    harness.script.with(|s| {
        s.pre_commit_errors
            .push(ConnectorError::retriable("flush failed"));
    });
    appended(&harness, 4..6);
    harness
        .until("they came again", |h| {
            h.taken() == format!("{} 4 5", numbers(0..6))
        })
        .await;
    harness
        .until("all is committed", |h| {
            h.kafka.committed("connect-sink-rewind", "in") == Some(6)
        })
        .await;
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_can_neither_take_nor_flush_for_a_while_goes_on() {
    let mut harness = Harness::new("sink-rewind-paused");
    appended(&harness, 0..2);
    harness.start_sink();
    harness
        .until("a commit is made", |h| {
            h.kafka.committed("connect-sink-rewind-paused", "in") == Some(2)
        })
        .await;
    harness.script.with(|s| {
        s.put_errors = (0..9).map(|_| ConnectorError::retriable("away")).collect();
        s.pre_commit_errors
            .push(ConnectorError::retriable("flush failed"));
    });
    appended(&harness, 2..4);
    harness
        .until("all is committed", |h| {
            h.kafka.committed("connect-sink-rewind-paused", "in") == Some(4)
        })
        .await;
    assert!(harness.script.with(|s| s.pre_commit_errors.is_empty()));
    assert_eq!(harness.taken(), numbers(0..4));
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn records_come_again_from_the_begin_when_nothing_was_ever_committed() {
    let mut harness = Harness::new("sink-rewind-begin");
    harness.script.with(|s| {
        s.pre_commit_errors
            .push(ConnectorError::retriable("flush failed"));
    });
    appended(&harness, 0..4);
    harness.start_sink();
    harness
        .until("they came again", |h| {
            h.taken() == format!("{0} {0}", numbers(0..4))
        })
        .await;
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_refuses_for_good_fails_with_its_trace_and_loses_nothing() {
    let mut harness = Harness::new("sink-fails");
    appended(&harness, 0..3);
    harness.start_sink();
    harness
        .until("all are committed", |h| {
            h.kafka.committed("connect-sink-fails", "in") == Some(3)
        })
        .await;
    harness.script.with(|s| {
        s.put_errors
            .push(ConnectorError::external("the index is read-only"));
    });
    appended(&harness, 3..6);
    harness
        .until("the task has failed", |h| {
            h.last_state() == Some(UnitState::Failed)
        })
        .await;
    assert!(
        harness
            .trace()
            .starts_with("org.apache.kafka.connect.errors.ConnectException: Exiting WorkerSinkTask")
    );
    assert!(harness.trace().contains("the index is read-only"));
    assert_eq!(harness.kafka.committed("connect-sink-fails", "in"), Some(3));
    harness.stop().await;
    harness.start_sink();
    harness
        .until("a restart takes them", |h| h.taken() == numbers(0..6))
        .await;
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_fenced_task_whose_run_still_holds_starts_over() {
    let mut harness = Harness::new("sink-fenced");
    appended(&harness, 0..3);
    harness.start_sink();
    harness
        .until("all are committed", |h| {
            h.kafka.committed("connect-sink-fenced", "in") == Some(3)
        })
        .await;
    harness.kafka.fence_members();
    appended(&harness, 3..6);
    harness
        .until("the others are committed", |h| {
            h.kafka.committed("connect-sink-fenced", "in") == Some(6)
        })
        .await;
    assert_eq!(harness.taken(), numbers(0..6));
    assert_eq!(harness.trace(), "");
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_fenced_while_its_partitions_are_opened_starts_over() {
    let mut harness = Harness::new("sink-fenced-opening");
    appended(&harness, 0..3);
    harness.start_sink();
    harness
        .until("all are committed", |h| {
            h.kafka.committed("connect-sink-fenced-opening", "in") == Some(3)
        })
        .await;
    harness.kafka.fence_at_rebalance();
    appended(&harness, 3..6);
    harness
        .until("the others are committed", |h| {
            h.kafka.committed("connect-sink-fenced-opening", "in") == Some(6)
        })
        .await;
    assert_eq!(harness.trace(), "");
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_fenced_task_whose_run_is_over_leaves_the_place_to_the_other() {
    let mut harness = Harness::new("sink-over");
    appended(&harness, 0..3);
    harness.start_sink();
    harness
        .until("all are committed", |h| {
            h.kafka.committed("connect-sink-over", "in") == Some(3)
        })
        .await;
    harness.store.refuse_commits();
    harness.kafka.fence_members();
    appended(&harness, 3..6);
    harness
        .until("the task has failed", |h| {
            h.last_state() == Some(UnitState::Failed)
        })
        .await;
    let trace = harness.trace();
    assert!(
        trace.contains("Cannot start sink task sink-over-0 as it has already been revoked from this worker"),
        "{trace}"
    );
    assert_eq!(harness.taken(), numbers(0..3));
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn partitions_wait_until_it_is_known_where_the_group_is_and_begin_there() {
    let mut harness = Harness::new("sink-unknown");
    appended(&harness, 0..3);
    harness.start_sink();
    harness
        .until("all are committed", |h| {
            h.kafka.committed("connect-sink-unknown", "in") == Some(3)
        })
        .await;
    harness.kafka.hide_committed(true);
    harness.kafka.rebalance();
    appended(&harness, 3..6);
    harness
        .until("the partition has gone", |h| {
            h.events().iter().any(|e| e == "close 1")
        })
        .await;
    harness.units.set_target(&harness.unit(), TargetState::Paused);
    harness
        .until("it is paused meanwhile", |h| {
            h.last_state() == Some(UnitState::Paused)
        })
        .await;
    harness.units.set_target(&harness.unit(), TargetState::Running);
    harness
        .until("it goes on waiting", |h| {
            h.last_state() == Some(UnitState::Running)
        })
        .await;
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(harness.taken(), numbers(0..3));
    let opened = |h: &Harness| h.events().iter().filter(|e| *e == "open 1").count();
    assert_eq!(opened(&harness), 1, "a task is told when they can be read");
    harness.kafka.hide_committed(false);
    harness
        .until("the others are committed", |h| {
            h.kafka.committed("connect-sink-unknown", "in") == Some(6)
        })
        .await;
    assert_eq!(harness.taken(), numbers(0..6));
    assert_eq!(opened(&harness), 2);
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_whose_group_does_not_answer_can_be_stopped() {
    let mut harness = Harness::new("sink-no-answer");
    appended(&harness, 0..3);
    harness.kafka.hide_committed(true);
    harness.start_sink();
    harness
        .until("it runs", |h| h.last_state() == Some(UnitState::Running))
        .await;
    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
    harness.stop().await;
    assert_eq!(harness.trace(), "");
    assert_eq!(harness.events(), ["close 0", "stop"]);
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_keeps_its_own_offsets_says_where_partitions_begin() {
    let mut harness = Harness::new("sink-own-offsets");
    harness.script.with(|s| s.goes_on_at = Some(2));
    appended(&harness, 0..6);
    harness.start_sink();
    harness
        .until("all are committed", |h| {
            h.kafka.committed("connect-sink-own-offsets", "in") == Some(6)
        })
        .await;
    assert_eq!(harness.taken(), numbers(2..6));
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_fails_is_made_up_for_later() {
    let mut harness = Harness::new("sink-commit");
    harness.kafka.fail_commits(true);
    appended(&harness, 0..3);
    harness.start_sink();
    harness
        .until("all are taken", |h| h.taken() == numbers(0..3))
        .await;
    harness
        .until("a commit was tried", |h| {
            h.events().iter().filter(|e| *e == "pre_commit").count() > 2
        })
        .await;
    assert_eq!(harness.kafka.committed("connect-sink-commit", "in"), None);
    harness.kafka.fail_commits(false);
    harness
        .until("it is made up for", |h| {
            h.kafka.committed("connect-sink-commit", "in") == Some(3)
        })
        .await;
    assert_eq!(harness.last_state(), Some(UnitState::Running));
    harness.stop().await;
}
