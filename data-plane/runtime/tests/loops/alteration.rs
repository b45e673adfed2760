//! Offsets that the user alters and resets.

use std::time::Duration;

use serde_json::{Value, json};
use towpath_connect::ConfigMap;
use towpath_runtime::alteration::{Alteration, Altered, Change, Entry, Refused, alter};
use towpath_runtime::worker_config::ExactlyOnceSource::{Disabled, Enabled, Preparing};
use towpath_types::Epoch;

use crate::harness::Harness;

const NUMBERS: &str = "test.NumberSourceConnector";
const LIST: &str = "test.ListSinkConnector";

async fn change(harness: &Harness, class: &str, change: Change) -> Result<Altered, Refused> {
    let name = harness.name();
    let config: ConfigMap = [("name", name), ("connector.class", class), ("topics", "in")]
        .into_iter()
        .collect();
    let request = Alteration {
        connector: name,
        config: &config,
        change,
        kept: harness.store.inner.kept(name),
        epoch: Epoch(harness.epoch()),
        fence_below: 2,
        deadline: tokio::time::Instant::now() + Duration::from_secs(60),
    };
    alter(&harness.environment, request).await
}

fn to(partition: Value, offset: Value) -> Change {
    Change::Alter(vec![Entry { partition, offset }])
}

fn numbers_to(n: i64) -> Change {
    to(json!({"source": "numbers"}), json!({"n": n}))
}

/// A run of the source up to this number.
async fn run_to(harness: &mut Harness, count: i64) {
    harness.script.with(|s| s.numbers = count);
    harness.start_source(&[]);
    harness
        .until("the last number is there", |h| {
            h.produced().last() == Some(&(count - 1)) && h.stored() == Some(count - 1)
        })
        .await;
    harness.stop().await;
}

#[tokio::test(start_paused = true)]
async fn an_exactly_once_source_goes_on_from_the_offset_that_was_set_in_kafka() {
    let mut harness = Harness::exactly_once("alter-eos");
    run_to(&mut harness, 10).await;
    let altered = change(&harness, NUMBERS, numbers_to(4)).await.unwrap();
    assert_eq!(altered.in_kafka, ["offsets"]);
    assert!(
        !altered.is_complete,
        "the connector does not say that it has done everything"
    );
    let n = |altered: &Altered| altered.changes[0].1.as_ref().unwrap().get_long("n");
    assert_eq!(n(&altered), Some(4));
    assert_eq!(harness.kafka.take_overs("g-alter-eos-0"), 2);
    assert_eq!(harness.kafka.take_overs("g-alter-eos-1"), 1);
    run_to(&mut harness, 12).await;
    assert_eq!(&harness.produced()[10..], [5, 6, 7, 8, 9, 10, 11]);
}

#[tokio::test(start_paused = true)]
async fn a_reset_leaves_nothing_in_kafka_whichever_runtime_has_written_it() {
    let mut harness = Harness::exactly_once("reset-eos");
    // Java's order of members, and a partition that is no more.
    let java = r#"["reset-eos",{"z":1,"a":2}]"#;
    harness
        .kafka
        .append_keyed("offsets", java, Some("{\"n\":1}".into()));
    harness.script.with(|s| s.numbers = 10);
    harness.start_source(&[]);
    harness
        .until("the numbers are there", |h| h.produced().len() == 10)
        .await;
    harness.stop().await;
    let reset = change(&harness, NUMBERS, Change::Reset).await.unwrap();
    assert_eq!(
        (reset.changes, reset.in_kafka),
        (Vec::new(), vec!["offsets".to_owned()])
    );
    let left = harness.kafka.values("offsets");
    assert_eq!(left[left.len() - 2..], [None, None]);
    let again = change(&harness, NUMBERS, Change::Reset).await.unwrap();
    assert_eq!(again.in_kafka, ["offsets"]);
    assert_eq!(
        harness.kafka.values("offsets").len(),
        left.len(),
        "what is not there is not removed"
    );
}

#[tokio::test(start_paused = true)]
async fn the_offsets_of_an_at_least_once_source_are_the_control_planes_alone() {
    let mut harness = Harness::exactly_once("alter-alo");
    harness.support(Disabled);
    run_to(&mut harness, 10).await;
    let altered = change(&harness, NUMBERS, numbers_to(4)).await.unwrap();
    assert!(altered.in_kafka.is_empty());
    assert!(harness.kafka.values("offsets").is_empty());
    harness.support(Preparing);
    let altered = change(&harness, NUMBERS, numbers_to(4)).await.unwrap();
    assert_eq!(
        altered.in_kafka,
        ["offsets"],
        "a worker that prepares writes them already"
    );
    assert_eq!(harness.kafka.values("offsets").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_earlier_runs_have_left_in_kafka_is_changed_though_the_worker_has_no_exactly_once_sources() {
    let mut harness = Harness::exactly_once("alter-back");
    run_to(&mut harness, 10).await;
    harness.support(Disabled);
    let altered = change(&harness, NUMBERS, numbers_to(7)).await.unwrap();
    assert_eq!(altered.in_kafka, ["offsets"]);
    harness.support(Enabled);
    run_to(&mut harness, 11).await;
    assert_eq!(&harness.produced()[10..], [8, 9, 10]);
}

#[tokio::test(start_paused = true)]
async fn kafka_is_waited_for_until_the_request_is_over() {
    let mut harness = Harness::exactly_once("alter-late");
    run_to(&mut harness, 1).await;
    harness
        .kafka
        .fail_next_commit(towpath_runtime::memory::CommitFault::Hangs);
    let refused = change(&harness, NUMBERS, numbers_to(4)).await.unwrap_err();
    assert_eq!(
        (refused.status, refused.to_string().as_str()),
        (
            500,
            "Timed out while attempting to modify offsets for source connector alter-late"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_sinks_group_is_altered_and_deleted() {
    let mut harness = Harness::new("alter-sink");
    harness.kafka.append("in", "a");
    harness.kafka.append("in", "b");
    harness.start_sink();
    harness
        .until("all is committed", |h| {
            h.kafka.committed("connect-alter-sink", "in") == Some(2)
        })
        .await;
    harness.stop().await;
    let partition = json!({"kafka_topic": "in", "kafka_partition": 0});
    let altered = change(&harness, LIST, to(partition.clone(), json!({"kafka_offset": 1}))).await;
    let expected = Altered {
        changes: Vec::new(),
        in_kafka: Vec::new(),
        is_complete: false,
    };
    assert_eq!(altered.unwrap(), expected);
    assert_eq!(harness.kafka.committed("connect-alter-sink", "in"), Some(1));
    change(&harness, LIST, to(partition, Value::Null)).await.unwrap();
    assert_eq!(harness.kafka.committed("connect-alter-sink", "in"), None);
    change(&harness, LIST, Change::Reset).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_sinks_group_that_is_in_use_or_has_no_such_partition_is_refused_in_the_words_of_kafka_connect() {
    let harness = Harness::new("alter-used");
    harness.kafka.append("in", "a");
    let partition = json!({"kafka_topic": "in", "kafka_partition": 0});
    let unknown = json!({"kafka_topic": "in", "kafka_partition": 7});
    let refused = change(&harness, LIST, to(unknown, json!({"kafka_offset": 1})))
        .await
        .unwrap_err();
    assert_eq!(
        (refused.status, refused.to_string().as_str()),
        (
            500,
            "Failed to alter consumer group offsets for connector alter-used: there is no partition 7 of topic \"in\""
        )
    );
    harness.kafka.use_groups(true);
    for (change_to, verb) in [
        (to(partition, json!({"kafka_offset": 1})), "alter"),
        (Change::Reset, "reset"),
    ] {
        let refused = change(&harness, LIST, change_to).await.unwrap_err();
        let expected = format!(
            "Failed to {verb} consumer group offsets for connector alter-used either because its tasks haven't stopped \
             completely yet or the connector was resumed before the request to {verb} its offsets could be successfully \
             completed."
        );
        assert!(refused.to_string().starts_with(&expected), "{refused}");
    }
}
