//! The type table of PostgreSQL, value by value.

use bytes::Bytes;
use towpath_connect::{Decimal, Value};

use crate::databases::Postgres;
use crate::pipeline::{Pipeline, config, field, shape, value};

const DAY: i64 = 86_400_000;

fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse().unwrap())
}

fn bytes(bytes: &'static [u8]) -> Value {
    Value::Bytes(Bytes::from_static(bytes))
}

/// Declaration, literal, shape and value of a column.
type Typed = (&'static str, &'static str, &'static str, Value);

fn numbers() -> Vec<Typed> {
    vec![
        ("BOOLEAN", "true", "BOOLEAN?", Value::Boolean(true)),
        ("BIT(1)", "B'1'", "BOOLEAN?", Value::Boolean(true)),
        ("BIT(3)", "B'101'", "INT8?", Value::Int8(5)),
        (
            "BIT(10)",
            "B'1010000001'",
            "BYTES?",
            bytes(&[0b1010_0000, 0b0100_0000]),
        ),
        ("SMALLINT", "-32768", "INT16?", Value::Int16(-32_768)),
        ("INT", "-2147483648", "INT32?", Value::Int32(i32::MIN)),
        ("BIGINT", "9223372036854775807", "INT64?", Value::Int64(i64::MAX)),
        ("OID", "4294967295", "INT64?", Value::Int64(4_294_967_295)),
        ("REAL", "1.5", "FLOAT32?", Value::Float32(1.5)),
        ("DOUBLE PRECISION", "-0.1", "FLOAT64?", Value::Float64(-0.1)),
        ("MONEY", "'$1,234.56'", "FLOAT64?", Value::Float64(1234.56)),
        ("NUMERIC(10,2)", "19.9", "BYTES:Decimal?", decimal("19.90")),
        (
            "NUMERIC(30,5)",
            "-12345678901234567890.00001",
            "BYTES:Decimal?",
            decimal("-12345678901234567890.00001"),
        ),
    ]
}

fn texts_and_times() -> Vec<Typed> {
    let uuid = "123e4567-e89b-12d3-a456-426655440000";
    let timestamp = Value::Instant(1_709_251_198_123);
    vec![
        ("CHAR(5)", "'ab'", "STRING?", Value::from("ab   ")),
        (
            "VARCHAR(20)",
            "'it''s \"🚀\"'",
            "STRING?",
            Value::from("it's \"🚀\""),
        ),
        ("TEXT", "'Grüße'", "STRING?", Value::from("Grüße")),
        ("NAME", "'n'", "STRING?", Value::from("n")),
        ("\"char\"", "'c'", "STRING?", Value::from("c")),
        ("mood", "'happy'", "STRING?", Value::from("happy")),
        ("positive", "7", "INT32?", Value::Int32(7)),
        ("JSON", "'{\"k\": [1]}'", "STRING?", Value::from("{\"k\": [1]}")),
        ("JSONB", "'{\"k\":[1]}'", "STRING?", Value::from("{\"k\": [1]}")),
        (
            "UUID",
            "'123e4567-e89b-12d3-a456-426655440000'",
            "STRING?",
            Value::from(uuid),
        ),
        ("XML", "'<a>1</a>'", "STRING?", Value::from("<a>1</a>")),
        ("BYTEA", "'\\x00ff'", "BYTES?", bytes(&[0, 255])),
        (
            "DATE",
            "'2024-02-29'",
            "INT32:Date?",
            Value::Instant(19_782 * DAY),
        ),
        (
            "DATE",
            "'0001-01-01'",
            "INT32:Date?",
            Value::Instant(-719_164 * DAY),
        ),
        (
            "TIME",
            "'23:59:58.123456'",
            "INT32:Time?",
            Value::Instant(DAY - 1877),
        ),
        (
            "TIMETZ",
            "'10:00:00+02'",
            "INT32:Time?",
            Value::Instant(8 * 3_600_000),
        ),
        (
            "TIMESTAMP",
            "'2024-02-29 23:59:58.123456'",
            "INT64:Timestamp?",
            timestamp.clone(),
        ),
        (
            "TIMESTAMPTZ",
            "'2024-03-01 01:59:58.123456+02'",
            "INT64:Timestamp?",
            timestamp,
        ),
        (
            "TIMESTAMP",
            "'infinity'",
            "INT64:Timestamp?",
            Value::Instant(9_223_372_036_825_200_000),
        ),
        ("INT NOT NULL", "7", "INT32", Value::Int32(7)),
    ]
}

#[tokio::test]
async fn every_type_becomes_what_the_contract_says() {
    let db = Postgres::create().await;
    db.run("CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE DOMAIN positive AS INT CHECK (VALUE > 0)")
        .await;
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
    db.run(&format!("CREATE TABLE t ({})", columns.join(", "))).await;
    db.run(&format!("INSERT INTO t VALUES ({})", literals.join(", ")))
        .await;
    db.run(&format!("INSERT INTO t VALUES ({})", nulls.join(", ")))
        .await;
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
    value(&records[0]).validate().unwrap();
    pipeline.stop().await;
}

#[tokio::test]
async fn types_without_a_counterpart_are_left_out() {
    let db = Postgres::create().await;
    db.run(
        "CREATE TABLE t (id INT, a INT[], i INTERVAL, n INET, m MACADDR, p POINT, v VARBIT(3), r INT4RANGE, \
         ts TSVECTOR, c t_composite)"
            .replace("c t_composite", "z INT")
            .as_str(),
    )
    .await;
    db.run("INSERT INTO t (id, a, z) VALUES (1, '{1,2}', 3)").await;
    let mut pipeline = Pipeline::start(&config(&db.url(), &[])).await;
    let records = pipeline.take(1).await;
    let names: Vec<&str> = value(&records[0])
        .schema()
        .fields()
        .iter()
        .map(|field| &*field.name)
        .collect();
    assert_eq!(names, ["id", "z"]);
    pipeline.stop().await;
}

#[tokio::test]
async fn numeric_columns_become_what_the_mapping_says() {
    let db = Postgres::create().await;
    db.run("CREATE TABLE t (tiny NUMERIC(2), whole NUMERIC(9), price NUMERIC(10,2), any_size NUMERIC)")
        .await;
    db.run("INSERT INTO t VALUES (7, 123456789, 19.90, 1.5)").await;
    let any = |text: &str| {
        let exact: Decimal = text.parse().unwrap();
        let power = num_bigint::BigInt::from(10).pow(u32::try_from(127 - exact.scale()).unwrap());
        Value::Decimal(Decimal::new(exact.unscaled() * power, 127))
    };
    let exact = [decimal("7"), decimal("123456789"), decimal("19.90"), any("1.5")];
    let [tiny, whole, price] = [Value::Int8(7), Value::Int32(123_456_789), Value::Float64(19.9)];
    let precision_only = [tiny.clone(), whole.clone(), decimal("19.90"), any("1.5")];
    let best_fit = [tiny.clone(), whole.clone(), price.clone(), any("1.5")];
    let eager = [tiny, whole, price, Value::Float64(1.5)];
    for (mapping, expected) in [
        ("none", exact),
        ("precision_only", precision_only),
        ("best_fit", best_fit),
        ("best_fit_eager_double", eager),
    ] {
        let mut pipeline = Pipeline::start(&config(&db.url(), &[("numeric.mapping", mapping)])).await;
        let records = pipeline.take(1).await;
        let names = ["tiny", "whole", "price", "any_size"];
        assert_eq!(
            names.map(|name| field(&records[0], name).clone()),
            expected,
            "{mapping}"
        );
        pipeline.stop().await;
    }
}
