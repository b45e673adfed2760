//! Records and search engines that do not go together, and what may be committed then.

use serde_json::json;
use towpath_connect::error::Chain;
use towpath_connect::{ErrorKind, SinkRecord, Value};

use crate::harness::{AIVEN, Search, Sink, numbered, object, place, record};

/// Ten documents, of which the fifth does not fit the mapping that the first makes.
fn one_malformed(topic: &str) -> Vec<SinkRecord> {
    let mut records = numbered(topic, 0..10);
    records[4].record.value = object(&[("n", "tell-nobody".into())]);
    records
}

#[tokio::test]
async fn a_malformed_document_fails_the_task_and_its_value_is_not_told() {
    let search = Search::shared("malformed-fail").await;
    let mut sink = Sink::start(&search.config(&[])).await;
    let error = sink.put_fails(&one_malformed(&search.index)).await;
    let text = Chain(&error).to_string();
    assert_eq!(error.kind(), ErrorKind::External);
    assert!(
        text.contains("mapper_parsing_exception: failed to parse field [n] of type [long]"),
        "{text}"
    );
    assert!(text.contains("offset 4"), "{text}");
    assert!(!text.contains("tell-nobody") && !text.contains("k4"), "{text}");
    let committable = sink.commit().await;
    assert!(
        committable.values().all(|next| *next <= 4),
        "nothing beyond the failure: {committable:?}"
    );
}

#[tokio::test]
async fn a_malformed_document_is_left_out_if_the_user_wants_that() {
    for behavior in ["warn", "IGNORE"] {
        let search = Search::shared("malformed-out").await;
        let mut sink = Sink::start(&search.config(&[("behavior.on.malformed.documents", behavior)])).await;
        let mut records = one_malformed(&search.index);
        // Not even an object: every search engine would refuse the whole bulk.
        records[6].record.value = "plain text".into();
        sink.put(&records).await.unwrap();
        sink.finish().await.unwrap();
        assert_eq!(
            search.ids().await,
            ["k0", "k1", "k2", "k3", "k5", "k7", "k8", "k9"]
        );
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_converted_fails_or_is_dropped() {
    let search = Search::shared("invalid").await;
    let topic = &search.index;
    let mut records = numbered(topic, 0..3);
    records[1].record.key = Value::Float64(1.5);
    let mut sink = Sink::start(&search.config(&[])).await;
    let error = sink.put(&records).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(
        Chain(&error)
            .to_string()
            .contains("the record's key is a FLOAT64")
    );
    let mut sink = Sink::start(&search.config(&[("drop.invalid.message", "true")])).await;
    sink.put(&records).await.unwrap();
    sink.finish().await.unwrap();
    assert_eq!(search.ids().await, ["k0", "k2"]);
}

#[tokio::test]
async fn a_value_without_a_schema_makes_no_mapping() {
    let search = Search::shared("no-schema").await;
    let mut sink = Sink::start(&search.config(&[("schema.ignore", "false")])).await;
    let error = sink.put(&numbered(&search.index, 0..3)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Data);
    assert!(
        error.to_string().contains("set `schema.ignore` to `true`"),
        "{error}"
    );
}

#[tokio::test]
async fn a_null_value_fails_the_task_unless_it_is_said_what_to_do() {
    let search = Search::shared("null").await;
    let topic = &search.index;
    let tombstone = [record(topic, 0, "k".into(), Value::Null)];
    let error = Sink::start(&search.config(&[]))
        .await
        .put(&tombstone)
        .await
        .unwrap_err();
    assert!(
        Chain(&error).to_string().contains("`behavior.on.null.values`"),
        "{error}"
    );
    let mut sink = Sink::start(&search.config(&[("behavior.on.null.values", "IGNORE")])).await;
    sink.put(&tombstone).await.unwrap();
    sink.finish().await.unwrap();
    assert_eq!(search.count().await, 0);
}

#[tokio::test]
async fn an_index_that_takes_nothing_fails_the_task() {
    let search = Search::shared("read-only").await;
    let settings = json!({ "settings": { "index.blocks.write": true } });
    search
        .request("PUT", &format!("/{}", search.index), Some(settings))
        .await;
    let mut sink = Sink::start(&search.config(&[("behavior.on.malformed.documents", "ignore")])).await;
    let error = sink.put_fails(&numbered(&search.index, 0..3)).await;
    assert!(error.to_string().contains("cluster_block_exception"), "{error}");
}

#[tokio::test]
async fn a_busy_search_engine_is_asked_again_as_often_as_allowed() {
    let search = Search::shared("busy").await;
    let topic = &search.index;
    search.request("PUT", &format!("/{topic}"), None).await;
    search.block(true).await;
    let mut sink = Sink::start(&search.config(&[("max.retries", "2"), ("retry.backoff.ms", "10")])).await;
    let error = sink.put_fails(&numbered(topic, 0..3)).await;
    assert!(
        error.to_string().contains("did not take 3 documents in 3 tries"),
        "{error}"
    );

    let patient = search.config(&[("max.retries", "1000"), ("retry.backoff.ms", "10")]);
    let mut sink = Sink::start(&patient).await;
    sink.put(&numbered(topic, 0..3)).await.unwrap();
    let committable = sink.commit().await;
    assert_eq!(
        committable.values().copied().collect::<Vec<_>>(),
        [0],
        "nothing is written yet"
    );
    search.block(false).await;
    sink.finish().await.unwrap();
    assert_eq!(search.ids().await, ["k0", "k1", "k2"]);
}

#[tokio::test]
async fn a_partition_that_cannot_be_written_does_not_hold_up_the_commits_of_another() {
    let blocked = Search::shared("prefix-blocked").await;
    let free = Search::at(&blocked.url, "prefix-free");
    blocked.request("PUT", &format!("/{}", blocked.index), None).await;
    blocked.block(true).await;
    let mut sink = Sink::start(&blocked.config(&[("max.retries", "1000"), ("retry.backoff.ms", "50")])).await;
    let (stuck, fine) = (numbered(&blocked.index, 0..10), numbered(&free.index, 0..10));
    sink.put(&stuck).await.unwrap();
    sink.put(&fine).await.unwrap();
    sink.commits(&place(&fine[0]), 10).await;
    assert_eq!(sink.commit().await[&place(&stuck[0])], 0);
    blocked.block(false).await;
    sink.finish().await.unwrap();
}

#[tokio::test]
async fn what_was_not_sent_of_a_partition_is_dropped_when_it_goes_to_another_task() {
    let search = Search::shared("closed").await;
    let topic = &search.index;
    search.request("PUT", &format!("/{topic}"), None).await;
    search.block(true).await;
    let mut sink = Sink::start(&search.config(&[("max.retries", "1000"), ("retry.backoff.ms", "10")])).await;
    let records = numbered(topic, 0..5);
    sink.put(&records).await.unwrap();
    sink.task.close(&[place(&records[0])]).await;
    sink.delivered.clear();
    search.block(false).await;
    let other = Search::at(&search.url, "closed-other");
    sink.put(&numbered(&other.index, 0..5)).await.unwrap();
    sink.finish().await.unwrap();
    assert_eq!(search.count().await, 0, "another task writes these");
}

#[tokio::test]
async fn a_version_conflict_is_what_an_aiven_configuration_makes_of_it() {
    let search = Search::shared("conflict").await;
    let topic = &search.index;
    let version = |offset| record(topic, offset, "k".into(), object(&[("at", Value::Int64(offset))]));
    let mut sink = Sink::of_class(AIVEN, &search.config(&[])).await;
    sink.put(&[version(9)]).await.unwrap();
    sink.finish().await.unwrap();
    sink.put(&[version(9)]).await.unwrap();
    sink.finish()
        .await
        .expect("the very record, once more, is no conflict");
    let error = sink.put_fails(&[version(5)]).await;
    assert!(
        error.to_string().contains("`behavior.on.version.conflict`"),
        "{error}"
    );
    let mut sink = Sink::of_class(
        AIVEN,
        &search.config(&[("behavior.on.version.conflict", "ignore")]),
    )
    .await;
    sink.put(&[version(5)]).await.unwrap();
    sink.finish().await.unwrap();
    assert_eq!(search.document("k").await, json!({ "at": 9 }));
}

#[tokio::test]
async fn a_synchronous_flush_waits_for_everything() {
    let search = Search::shared("synchronous").await;
    let config = search.config(&[("flush.synchronously", "true"), ("linger.ms", "60000")]);
    let mut sink = Sink::start(&config).await;
    sink.put(&numbered(&search.index, 0..100)).await.unwrap();
    assert_eq!(sink.commit().await, sink.delivered);
    assert_eq!(search.count().await, 100);
}
