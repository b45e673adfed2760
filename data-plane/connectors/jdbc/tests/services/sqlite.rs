//! SQLite: modes, types by declaration, and files that change under the reader.

use std::sync::Arc;

use bytes::Bytes;
use towpath_connect::Value;

use crate::databases::Sqlite;
use crate::pipeline::{Offsets, Pipeline, carried, config, field, ids, shape};

const DAY: i64 = 86_400_000;

/// Declaration, literal, shape and value of a column.
type Typed = (&'static str, &'static str, &'static str, Value);

fn numbers() -> Vec<Typed> {
    let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
    vec![
        ("BOOLEAN", "1", "BOOLEAN?", Value::Boolean(true)),
        ("TINYINT", "200", "INT16?", Value::Int16(200)),
        ("SMALLINT", "40000", "INT32?", Value::Int32(40_000)),
        ("INT2", "1", "INT32?", Value::Int32(1)),
        ("INTEGER", "-5", "INT32?", Value::Int32(-5)),
        ("INTEGER", "5000000000", "INT64?", Value::Int64(5_000_000_000)),
        ("INT", "5", "INT64?", Value::Int64(5)),
        ("MEDIUMINT", "5", "INT64?", Value::Int64(5)),
        ("BIGINT", "9223372036854775807", "INT64?", Value::Int64(i64::MAX)),
        ("INT8", "5", "INT64?", Value::Int64(5)),
        ("REAL", "1.5", "FLOAT32?", Value::Float32(1.5)),
        ("FLOAT", "0.1", "FLOAT64?", Value::Float64(0.1)),
        ("DOUBLE PRECISION", "3", "FLOAT64?", Value::Float64(3.0)),
        ("DECIMAL(10,2)", "19.9", "BYTES:Decimal?", decimal("19.90")),
        ("NUMERIC(10,2)", "5", "BYTES:Decimal?", decimal("5.00")),
    ]
}

fn texts_and_times() -> Vec<Typed> {
    let timestamp = Value::Instant(1_709_251_198_123);
    vec![
        ("CHAR(5)", "'ab'", "STRING?", Value::from("ab")),
        ("VARCHAR(20)", "'it''s 🚀'", "STRING?", Value::from("it's 🚀")),
        ("TEXT", "'Grüße'", "STRING?", Value::from("Grüße")),
        ("CLOB", "'x'", "STRING?", Value::from("x")),
        (
            "BLOB",
            "x'00ff'",
            "BYTES?",
            Value::Bytes(Bytes::from_static(&[0, 255])),
        ),
        (
            "DATE",
            "'2024-02-29'",
            "INT32:Date?",
            Value::Instant(19_782 * DAY),
        ),
        (
            "DATETIME",
            "'2024-02-29 23:59:58'",
            "INT32:Date?",
            Value::Instant(19_782 * DAY),
        ),
        (
            "TIMESTAMP",
            "'2024-02-29 23:59:58.123'",
            "INT64:Timestamp?",
            timestamp.clone(),
        ),
        ("TIMESTAMP", "1709251198123", "INT64:Timestamp?", timestamp),
        ("", "'undeclared'", "STRING?", Value::from("undeclared")),
        ("INTEGER NOT NULL", "7", "INT32", Value::Int32(7)),
    ]
}

#[tokio::test]
async fn every_declaration_becomes_what_the_contract_says() {
    let db = Sqlite::create();
    let types = [numbers(), texts_and_times()].concat();
    let columns: Vec<String> = types
        .iter()
        .enumerate()
        .map(|(n, t)| format!("c{n} {}", t.0))
        .collect();
    let literals: Vec<&str> = types.iter().map(|t| t.1).collect();
    let nulls: Vec<&str> = types
        .iter()
        .map(|t| if t.2.ends_with('?') { "NULL" } else { t.1 })
        .collect();
    db.run(&format!("CREATE TABLE t ({})", columns.join(", ")));
    db.run(&format!("INSERT INTO t VALUES ({})", literals.join(", ")));
    db.run(&format!("INSERT INTO t VALUES ({})", nulls.join(", ")));
    let mut pipeline = Pipeline::start(&config(&db.url(), &[])).await;
    let records = pipeline.take(2).await;
    for (index, (declaration, _, expected_shape, expected)) in types.iter().enumerate() {
        let name = format!("c{index}");
        assert_eq!(&shape(&records[0], &name), expected_shape, "{declaration}");
        assert_eq!(field(&records[0], &name), expected, "{declaration}");
        if expected_shape.ends_with('?') {
            assert_eq!(field(&records[1], &name), &Value::Null, "{declaration}");
        }
    }
    pipeline.stop().await;
}

#[tokio::test]
async fn incrementing_follows_a_table_that_another_connection_fills() {
    for journal in ["wal", "delete"] {
        let db = Sqlite::create();
        db.run(&format!("PRAGMA journal_mode = {journal}"));
        db.run("CREATE TABLE articles (id INTEGER PRIMARY KEY, title TEXT)");
        let config = config(&db.url(), &[("mode", "incrementing")]);
        let offsets: Arc<Offsets> = Arc::default();
        let mut pipeline = Pipeline::resume(&config, &offsets).await;
        for round in 0..3i64 {
            db.run("INSERT INTO articles (title) VALUES ('a'), ('b')");
            assert_eq!(
                ids(&pipeline.take(2).await),
                [round * 2 + 1, round * 2 + 2],
                "{journal}"
            );
        }
        pipeline.stop().await;
        assert_eq!(
            offsets.as_json(),
            [r#"{"protocol":"1","table":"articles"} {"incrementing":6}"#]
        );
        db.run("INSERT INTO articles (title) VALUES ('c')");
        let mut pipeline = Pipeline::resume(&config, &offsets).await;
        assert_eq!(ids(&pipeline.take(1).await), [7]);
        pipeline.stop().await;
    }
}

#[tokio::test]
async fn times_of_every_shape_in_one_column_tell_new_rows() {
    let db = Sqlite::create();
    db.run("CREATE TABLE t (id INTEGER NOT NULL, at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)");
    db.run(
        "INSERT INTO t VALUES (1, '2024-01-01 00:00:01'), (2, 1704067202000), (3, '2024-01-01T00:00:03.5Z'), \
         (4, '2024-01-01 00:00:03.500'), (5, '2024-01-01 00:00:03.500001')",
    );
    for mode in ["timestamp", "timestamp+incrementing"] {
        let entries = [
            ("mode", mode),
            ("timestamp.column.name", "at"),
            ("incrementing.column.name", "id"),
        ];
        let config = config(&db.url(), &entries);
        let offsets: Arc<Offsets> = Arc::default();
        let mut pipeline = Pipeline::resume(&config, &offsets).await;
        let records = pipeline.take(5).await;
        assert_eq!(ids(&records), [1, 2, 3, 4, 5], "{mode}");
        assert!(
            carried(&records)[4].contains(r#""timestamp_nanos":500001000"#),
            "{mode}"
        );
        assert!(pipeline.idle().await.is_empty(), "{mode}");
        pipeline.stop().await;
        let third = &records[2];
        offsets.store(
            third.source_partition.as_deref().unwrap(),
            third.source_offset.as_ref().unwrap(),
        );
        let mut pipeline = Pipeline::resume(&config, &offsets).await;
        let again = if mode == "timestamp" {
            vec![3, 4, 5]
        } else {
            vec![4, 5]
        };
        assert_eq!(ids(&pipeline.take(again.len()).await), again, "{mode}");
        pipeline.stop().await;
    }
}

#[tokio::test]
async fn rows_that_share_a_second_are_all_read() {
    let db = Sqlite::create();
    db.run("CREATE TABLE t (id INTEGER PRIMARY KEY, at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP)");
    let entries = [
        ("mode", "timestamp"),
        ("timestamp.column.name", "at"),
        ("poll.interval.ms", "1"),
    ];
    let mut pipeline = Pipeline::start(&config(&db.url(), &entries)).await;
    let mut seen = Vec::new();
    for _ in 0..100 {
        db.run("INSERT INTO t DEFAULT VALUES");
        seen.extend(ids(&pipeline.poll().await.unwrap()));
    }
    let rest = 100 - seen.len();
    seen.extend(ids(&pipeline.take(rest).await));
    seen.sort_unstable();
    assert_eq!(seen, (1..=100).collect::<Vec<i64>>());
    pipeline.stop().await;
}

#[tokio::test]
async fn a_time_that_is_no_time_fails_the_task_and_says_so() {
    let db = Sqlite::create();
    db.run("CREATE TABLE t (id INTEGER, at TIMESTAMP NOT NULL); INSERT INTO t VALUES (1, 'yesterday')");
    let entries = [("mode", "timestamp"), ("timestamp.column.name", "at")];
    let mut pipeline = Pipeline::start(&config(&db.url(), &entries)).await;
    let error = pipeline.failure().await;
    let text = towpath_connect::error::Chain(&error).to_string();
    assert!(
        text.contains("is no date") && !text.contains("yesterday"),
        "{text}"
    );
    pipeline.stop().await;
}

#[tokio::test]
async fn a_query_with_a_join_is_read_in_incremental_modes() {
    let db = Sqlite::create();
    db.run("CREATE TABLE a (id INTEGER PRIMARY KEY, at TEXT); CREATE TABLE b (a_id INTEGER, x TEXT)");
    db.run("INSERT INTO a VALUES (1, '2024-01-01'), (2, '2024-01-02'), (3, '2024-01-03')");
    db.run("INSERT INTO b VALUES (2, 'two'), (3, 'three')");
    let entries = [
        ("mode", "timestamp+incrementing"),
        (
            "query",
            "SELECT a.id, a.at, b.x FROM a JOIN b ON b.a_id = a.id WHERE a.id < 10;",
        ),
        ("timestamp.column.name", "at"),
        ("incrementing.column.name", "id"),
        ("topic.prefix", "q"),
    ];
    let mut pipeline = Pipeline::start(&config(&db.url(), &entries)).await;
    let records = pipeline.take(2).await;
    assert_eq!(ids(&records), [2, 3]);
    assert_eq!(field(&records[1], "x"), &Value::from("three"));
    pipeline.stop().await;
}

#[tokio::test]
async fn a_file_that_is_put_in_the_place_of_another_is_opened_anew() {
    let db = Sqlite::create();
    db.run("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1)");
    let mut pipeline = Pipeline::start(&config(&db.url(), &[("mode", "incrementing")])).await;
    assert_eq!(ids(&pipeline.take(1).await), [1]);
    let path = db.folder.path().join("test.db");
    let away = db.folder.path().join("away.db");
    std::fs::rename(&path, &away).unwrap();
    pipeline
        .poll_until("the loss to be told", |_| Ok::<_, String>(()))
        .await;
    let other = rusqlite::Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (2)")
        .unwrap();
    assert_eq!(ids(&pipeline.take(1).await), [2]);
    pipeline.stop().await;
}
