//! What is written where, and how.

use serde_json::json;
use towpath_connect::data::logical;
use towpath_connect::{Decimal, Schema, SchemaBuilder, SinkRecord, Struct, Type, Value};

use crate::harness::{AIVEN, Search, Sink, numbered, object, record};

#[tokio::test]
async fn a_record_becomes_the_document_of_its_key_and_the_newest_wins() {
    let search = Search::shared("newest").await;
    let topic = &search.index;
    let mut sink =
        Sink::start(&search.config(&[("batch.size", "50"), ("connection.compression", "true")])).await;
    sink.put(&numbered(topic, 0..500)).await.unwrap();
    let again = |n: i64| {
        record(
            topic,
            n,
            Value::string(format!("k{}", n - 500)),
            object(&[("n", Value::Int64(n))]),
        )
    };
    sink.put(&(500..1000).map(again).collect::<Vec<_>>())
        .await
        .unwrap();
    sink.finish().await.unwrap();
    assert_eq!(search.count().await, 500);
    assert_eq!(search.document("k7").await, json!({ "n": 507 }));
    sink.task.stop().await;
}

#[tokio::test]
async fn an_older_record_that_comes_again_changes_nothing_and_is_no_failure() {
    let search = Search::shared("again").await;
    let topic = &search.index;
    let mut sink = Sink::start(&search.config(&[])).await;
    let version = |offset| record(topic, offset, "k".into(), object(&[("at", Value::Int64(offset))]));
    sink.put(&[version(5), version(9)]).await.unwrap();
    sink.finish().await.unwrap();
    sink.put(&[version(5)]).await.unwrap();
    sink.put(&[version(9)]).await.unwrap();
    sink.finish().await.unwrap();
    assert_eq!(search.document("k").await, json!({ "at": 9 }));
}

#[tokio::test]
async fn records_without_keys_are_documents_of_their_place_and_never_twice() {
    let search = Search::shared("places").await;
    let topic = &search.index;
    let config = search.config(&[("key.ignore", "true")]);
    let without_keys: Vec<SinkRecord> = (0..100)
        .map(|n| record(topic, n, Value::Null, object(&[("n", Value::Int64(n))])))
        .collect();
    for _ in 0..2 {
        let mut sink = Sink::start(&config).await;
        sink.put(&without_keys).await.unwrap();
        sink.finish().await.unwrap();
    }
    assert_eq!(search.count().await, 100);
    assert_eq!(
        search.document(&format!("{topic}+0+42")).await,
        json!({ "n": 42 })
    );
}

#[tokio::test]
async fn a_null_value_deletes_the_document_of_its_key() {
    let search = Search::shared("deletes").await;
    let topic = &search.index;
    let mut sink = Sink::start(&search.config(&[("behavior.on.null.values", "delete")])).await;
    sink.put(&numbered(topic, 0..10)).await.unwrap();
    sink.put(&[
        record(topic, 10, "k3".into(), Value::Null),
        record(topic, 11, "never-there".into(), Value::Null),
        record(topic, 12, Value::Null, Value::Null),
    ])
    .await
    .unwrap();
    sink.finish().await.unwrap();
    assert_eq!(search.count().await, 9);
    assert_eq!(search.document("k3").await, json!(null));
}

#[tokio::test]
async fn a_transform_that_renames_the_topic_names_the_index_and_offsets_are_committed() {
    let search = Search::shared("renamed").await;
    let mut sink = Sink::start(&search.config(&[("key.ignore", "true")])).await;
    let renamed = |n: i64| {
        let mut record = record("source-topic", n, Value::Null, object(&[("n", Value::Int64(n))]));
        record.record.topic = search.index.to_uppercase().into();
        record
    };
    sink.put(&(0..20).map(renamed).collect::<Vec<_>>()).await.unwrap();
    sink.finish().await.unwrap();
    assert_eq!(
        sink.delivered
            .iter()
            .next()
            .map(|(place, next)| (&*place.topic, *next)),
        Some(("source-topic", 20))
    );
    assert_eq!(search.document("source-topic+0+7").await, json!({ "n": 7 }));
}

#[tokio::test]
async fn topics_can_be_given_the_index_the_user_wants() {
    let search = Search::shared("mapped").await;
    let map = format!("Orders:{}", search.index);
    let mut sink = Sink::start(&search.config(&[("topic.index.map", &map), ("type.name", "_doc")])).await;
    sink.put(&numbered("Orders", 0..3)).await.unwrap();
    sink.finish().await.unwrap();
    assert_eq!(search.ids().await, ["k0", "k1", "k2"]);
}

#[tokio::test]
async fn the_mapping_is_made_of_the_schema_once() {
    let search = Search::shared("schema").await;
    let schema = SchemaBuilder::new_struct()
        .field("id", Schema::required(Type::Int32))
        .field("title", Schema::optional(Type::String))
        .field("price", logical::decimal(2).build().unwrap())
        .field("at", logical::timestamp().build().unwrap())
        .field("blob", Schema::optional(Type::Bytes))
        .build()
        .unwrap();
    let fields = vec![
        Value::Int32(1),
        "grün 😀 \"quoted\"".into(),
        Value::Decimal(Decimal::new(1999, 2)),
        Value::Instant(1_700_000_000_123),
        Value::Bytes(vec![1, 2].into()),
    ];
    let mut record = record(
        &search.index,
        0,
        "a".into(),
        Value::Struct(Struct::of(schema.clone(), fields).unwrap()),
    );
    record.record.value_schema = Some(schema);
    let mut sink = Sink::start(&search.config(&[("schema.ignore", "false")])).await;
    sink.put(&[record]).await.unwrap();
    sink.finish().await.unwrap();
    assert_eq!(
        search.document("a").await,
        json!({ "id": 1, "title": "grün 😀 \"quoted\"", "price": 19.99, "at": 1_700_000_000_123_i64, "blob": "AQI=" })
    );
    let mapping = search.get(&format!("/{}/_mapping", search.index)).await;
    let properties = &mapping[&search.index]["mappings"]["properties"];
    let kinds = ["id", "title", "price", "at", "blob"].map(|name| properties[name]["type"].clone());
    assert_eq!(
        json!(kinds),
        json!(["integer", "text", "double", "date", "binary"])
    );
    assert_eq!(
        properties["title"]["fields"]["keyword"]["ignore_above"],
        json!(256)
    );
}

#[tokio::test]
async fn upserts_merge_documents_in_the_order_of_the_records() {
    let search = Search::shared("upserts").await;
    let topic = &search.index;
    let config = search.config(&[
        ("write.method", "upsert"),
        ("batch.size", "20"),
        ("max.retries", "0"),
    ]);
    let mut sink = Sink::start(&config).await;
    // Each document gets a field of its own now and then, and `last` every time.
    let update = |n: i64| {
        let field = format!("f{}", n / 300);
        record(
            topic,
            n,
            Value::string(format!("k{}", n % 7)),
            object(&[(&field, Value::Int64(n)), ("last", Value::Int64(n))]),
        )
    };
    let updates: Vec<SinkRecord> = (0..900).map(update).collect();
    for batch in updates.chunks(100) {
        sink.put(batch).await.unwrap();
    }
    sink.finish().await.unwrap();
    assert_eq!(search.count().await, 7);
    for key in 0..7 {
        let newest = |limit: i64| (0..limit).rev().find(|n| n % 7 == key).unwrap();
        let expected =
            json!({ "f0": newest(300), "f1": newest(600), "f2": newest(900), "last": newest(900) });
        assert_eq!(search.document(&format!("k{key}")).await, expected);
    }
}

#[tokio::test]
async fn a_data_stream_takes_records_once_however_often_they_come() {
    let search = Search::shared("stream").await;
    let stream = format!("logs-{}-orders", search.index.replace('-', ""));
    let template = json!({ "index_patterns": [stream], "data_stream": {} });
    search
        .request("PUT", &format!("/_index_template/{stream}"), Some(template))
        .await;
    let dataset = search.index.replace('-', "");
    let config = search.config(&[
        ("data.stream.type", "LOGS"),
        ("data.stream.dataset", &dataset),
        ("key.ignore", "true"),
        ("topics", "Orders"),
    ]);
    for _ in 0..2 {
        let mut sink = Sink::start(&config).await;
        sink.put(&numbered("Orders", 0..25)).await.unwrap();
        sink.finish().await.unwrap();
    }
    search.get(&format!("/{stream}/_refresh")).await;
    let found = search.get(&format!("/{stream}/_search?q=n:3")).await;
    let hits = &found["hits"]["hits"];
    assert_eq!(hits.as_array().map(Vec::len), Some(1), "{found}");
    assert_eq!(
        hits[0]["_source"],
        json!({ "n": 3, "@timestamp": 1_700_000_000_003_i64 })
    );
    assert_eq!(search.get(&format!("/{stream}/_count")).await["count"], json!(25));
    search
        .request("DELETE", &format!("/_data_stream/{stream}"), None)
        .await;
}

#[tokio::test]
async fn an_aiven_configuration_makes_the_template_of_its_data_stream() {
    let search = Search::shared("aiven").await;
    let config = search.config(&[
        ("data.stream.enabled", "true"),
        ("data.stream.prefix", &search.index),
        ("key.ignore", "true"),
    ]);
    let mut sink = Sink::of_class(AIVEN, &config).await;
    sink.put(&numbered("Orders", 0..5)).await.unwrap();
    sink.finish().await.unwrap();
    let stream = format!("{}-orders", search.index);
    search.get(&format!("/{stream}/_refresh")).await;
    assert_eq!(search.get(&format!("/{stream}/_count")).await["count"], json!(5));
    search
        .request("DELETE", &format!("/_data_stream/{stream}"), None)
        .await;
}

#[tokio::test]
async fn what_exists_is_written_to_and_nothing_is_made() {
    let search = Search::shared("exists").await;
    search.request("PUT", &format!("/{}", search.index), None).await;
    let alias = format!("{}-alias", search.index);
    let body = json!({ "actions": [{ "add": { "index": search.index, "alias": alias } }] });
    search.request("POST", "/_aliases", Some(body)).await;
    let mapping = format!("Orders:{alias}");
    let config = search.config(&[
        ("topics", "Orders"),
        ("external.resource.usage", "ALIAS_INDEX"),
        ("topic.to.external.resource.mapping", &mapping),
    ]);
    let mut sink = Sink::start(&config).await;
    sink.put(&numbered("Orders", 0..3)).await.unwrap();
    sink.finish().await.unwrap();
    assert_eq!(search.ids().await, ["k0", "k1", "k2"]);
}

#[tokio::test]
async fn bulks_keep_to_their_limits_and_everything_is_written() {
    let search = Search::shared("limits").await;
    let topic = &search.index;
    let limits = [
        ("bulk.size.bytes", "4096"),
        ("batch.size", "1000"),
        ("max.in.flight.requests", "3"),
        ("max.buffered.records", "3000"),
    ];
    let mut sink = Sink::start(&search.config(&limits)).await;
    // Most documents are small; every hundredth is larger than a bulk may be.
    let sized = |n: i64| {
        let length = if n % 100 == 0 { 10_000 } else { 50 };
        record(
            topic,
            n,
            Value::string(format!("k{n}")),
            object(&[("text", Value::string("x".repeat(length)))]),
        )
    };
    sink.put(&(0..1000).map(sized).collect::<Vec<_>>()).await.unwrap();
    sink.finish().await.unwrap();
    assert_eq!(search.count().await, 1000);
}
