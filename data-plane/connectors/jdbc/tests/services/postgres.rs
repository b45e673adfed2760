//! Modes, offsets and queries on PostgreSQL.

use std::sync::Arc;

use towpath_connect::Value;

use crate::databases::Postgres;
use crate::pipeline::{Offsets, Pipeline, carried, config, field, ids, shape};

#[tokio::test]
async fn serial_and_identity_columns_are_found_and_reading_goes_on_after_a_restart() {
    for declaration in ["SERIAL PRIMARY KEY", "BIGINT GENERATED ALWAYS AS IDENTITY"] {
        let db = Postgres::create().await;
        db.run(&format!("CREATE TABLE articles (title TEXT, id {declaration})"))
            .await;
        db.run("INSERT INTO articles (title) SELECT 'n' || n FROM generate_series(1, 1500) n")
            .await;
        let config = config(&db.url(), &[("mode", "incrementing")]);
        let offsets: Arc<Offsets> = Arc::default();
        let mut pipeline = Pipeline::resume(&config, &offsets).await;
        let expected: Vec<i64> = (1..=1500).collect();
        assert_eq!(ids(&pipeline.take(1500).await), expected);
        pipeline.stop().await;
        let stored = r#"{"protocol":"1","table":"public.articles"} {"incrementing":1500}"#;
        assert_eq!(offsets.as_json(), [stored]);
        db.run("INSERT INTO articles (title) VALUES ('new')").await;
        let mut pipeline = Pipeline::resume(&config, &offsets).await;
        assert_eq!(ids(&pipeline.take(1).await), [1501]);
        pipeline.stop().await;
    }
}

#[tokio::test]
async fn timestamps_of_both_kinds_tell_new_rows_to_the_microsecond() {
    for kind in ["TIMESTAMP", "TIMESTAMPTZ"] {
        let db = Postgres::create().await;
        db.run(&format!("CREATE TABLE t (id INT, at {kind} NOT NULL)"))
            .await;
        db.run(
            "INSERT INTO t VALUES (1, '2024-01-01 00:00:01.000001+00'), (2, '2024-01-01 00:00:01.000002+00'), \
             (3, '2024-01-01 00:00:01.000002+00')",
        )
        .await;
        let config = config(
            &db.url(),
            &[("mode", "timestamp"), ("timestamp.column.name", "at")],
        );
        let offsets: Arc<Offsets> = Arc::default();
        let mut pipeline = Pipeline::resume(&config, &offsets).await;
        let records = pipeline.take(3).await;
        let at = |nanos| format!(r#"{{"timestamp_nanos":{nanos},"timestamp":1704067201000}}"#);
        assert_eq!(carried(&records), [at(1000), at(1000), at(2000)], "{kind}");
        assert!(pipeline.idle().await.is_empty());
        db.run("UPDATE t SET at = now() WHERE id = 1").await;
        assert_eq!(ids(&pipeline.take(1).await), [1]);
        pipeline.stop().await;
    }
}

#[tokio::test]
async fn timestamp_with_incrementing_goes_on_between_rows_of_one_time() {
    let db = Postgres::create().await;
    db.run("CREATE TABLE t (id NUMERIC(10,0) PRIMARY KEY, created TIMESTAMP NOT NULL, updated TIMESTAMPTZ)")
        .await;
    db.run("INSERT INTO t SELECT n, '2024-01-01', NULL FROM generate_series(1, 5) n")
        .await;
    let entries = [
        ("mode", "timestamp+incrementing"),
        ("incrementing.column.name", "id"),
        ("timestamp.column.name", "updated,created"),
        ("numeric.mapping", "best_fit"),
        ("batch.max.rows", "2"),
    ];
    let config = config(&db.url(), &entries);
    let offsets: Arc<Offsets> = Arc::default();
    let mut pipeline = Pipeline::resume(&config, &offsets).await;
    let records = pipeline.take(5).await;
    assert_eq!(ids(&records), [1, 2, 3, 4, 5]);
    pipeline.stop().await;
    let second = &records[1];
    offsets.store(
        second.source_partition.as_deref().unwrap(),
        second.source_offset.as_ref().unwrap(),
    );
    let mut pipeline = Pipeline::resume(&config, &offsets).await;
    assert_eq!(ids(&pipeline.take(3).await), [3, 4, 5]);
    pipeline.stop().await;
}

#[tokio::test]
async fn integers_of_every_width_and_names_in_any_case_can_be_incrementing_columns() {
    for kind in ["SMALLINT", "INT", "BIGINT", "NUMERIC(15)"] {
        let db = Postgres::create().await;
        db.run(&format!("CREATE TABLE t (\"Id\" {kind} NOT NULL)")).await;
        db.run("INSERT INTO t VALUES (1), (7)").await;
        let entries = [("mode", "incrementing"), ("incrementing.column.name", "ID")];
        let mut pipeline = Pipeline::start(&config(&db.url(), &entries)).await;
        let records = pipeline.take(2).await;
        assert_eq!(carried(&records)[1], r#"{"incrementing":7}"#, "{kind}");
        assert!(pipeline.idle().await.is_empty(), "{kind}");
        pipeline.stop().await;
    }
}

#[tokio::test]
async fn a_query_may_have_conditions_and_joins_in_every_mode() {
    let db = Postgres::create().await;
    db.run("CREATE TABLE a (id INT, at TIMESTAMP NOT NULL); CREATE TABLE b (id INT, x TEXT)")
        .await;
    db.run(
        "INSERT INTO a SELECT n, '2024-01-01'::timestamp + n * interval '1 s' FROM generate_series(1, 6) n",
    )
    .await;
    db.run("INSERT INTO b SELECT n, 'x' || n FROM generate_series(1, 6) n")
        .await;
    let query = "select a.*, b.x from a join b using (id) where a.id > 2 order by b.x desc";
    for mode in ["bulk", "incrementing", "timestamp", "timestamp+incrementing"] {
        let entries = [
            ("mode", mode),
            ("query", query),
            ("incrementing.column.name", "id"),
            ("timestamp.column.name", "at"),
            ("topic.prefix", "q"),
        ];
        let mut pipeline = Pipeline::start(&config(&db.url(), &entries)).await;
        let records = pipeline.take(4).await;
        let expected = if mode == "bulk" {
            [6, 5, 4, 3]
        } else {
            [3, 4, 5, 6]
        };
        assert_eq!(ids(&records), expected, "{mode}");
        assert_eq!(
            field(&records[0], "x"),
            &Value::string(format!("x{}", expected[0]))
        );
        assert_eq!(
            shape(&records[0], "at"),
            "INT64:Timestamp",
            "a column keeps that it is NOT NULL"
        );
        pipeline.stop().await;
    }
}

#[tokio::test]
async fn a_changed_table_is_seen_at_the_next_read() {
    let db = Postgres::create().await;
    db.run("CREATE TABLE t (id SERIAL, a TEXT); INSERT INTO t (a) VALUES ('x')")
        .await;
    let mut pipeline = Pipeline::start(&config(&db.url(), &[("mode", "incrementing")])).await;
    pipeline.take(1).await;
    db.run("ALTER TABLE t DROP COLUMN a, ADD COLUMN b INT NOT NULL DEFAULT 5; INSERT INTO t (b) VALUES (6)")
        .await;
    let records = pipeline.take(1).await;
    assert_eq!(
        (field(&records[0], "b"), shape(&records[0], "b").as_str()),
        (&Value::Int32(6), "INT32")
    );
    pipeline.stop().await;
}

#[tokio::test]
async fn a_timestamp_column_of_another_type_is_refused_by_name() {
    let db = Postgres::create().await;
    db.run("CREATE TABLE t (id INT, at TEXT NOT NULL); INSERT INTO t VALUES (1, 'x')")
        .await;
    let entries = [("mode", "timestamp"), ("timestamp.column.name", "at")];
    let mut pipeline = Pipeline::start(&config(&db.url(), &entries)).await;
    let error = pipeline.failure().await;
    let text = towpath_connect::error::Chain(&error).to_string();
    assert!(
        text.contains("public.t") && text.contains("of type `text`"),
        "{text}"
    );
    pipeline.stop().await;
}

#[tokio::test]
async fn the_isolation_level_and_the_search_path_are_set() {
    let db = Postgres::create().await;
    db.run("CREATE SCHEMA other; CREATE TABLE other.t (id INT); INSERT INTO other.t VALUES (1)")
        .await;
    let query = "SELECT id, current_setting('transaction_isolation') AS level FROM t";
    let entries = [
        ("query", query),
        ("topic.prefix", "q"),
        ("transaction.isolation.mode", "REPEATABLE_READ"),
    ];
    let url = db.url_with("&currentSchema=other&ssl=false");
    let mut pipeline = Pipeline::start(&config(&url, &entries)).await;
    assert_eq!(
        field(&pipeline.take(1).await[0], "level"),
        &Value::from("repeatable read")
    );
    pipeline.stop().await;
}
