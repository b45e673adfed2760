//! The type table of MySQL and MariaDB, value by value.

use bytes::Bytes;
use towpath_connect::Value;

use crate::databases::MariaDb;
use crate::pipeline::{Pipeline, config, field, shape, value};

fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse().unwrap())
}

fn bytes(bytes: &'static [u8]) -> Value {
    Value::Bytes(Bytes::from_static(bytes))
}

const DAY: i64 = 86_400_000;

/// Declaration, literal, shape and value of a column.
type Typed = (&'static str, &'static str, &'static str, Value);

fn numbers() -> Vec<Typed> {
    vec![
        ("TINYINT(1)", "2", "INT8?", Value::Int8(2)),
        ("BOOLEAN", "TRUE", "INT8?", Value::Int8(1)),
        ("BIT(1)", "b'1'", "INT8?", Value::Int8(1)),
        ("BIT(10)", "b'1010000001'", "INT8?", Value::Int8(-127)),
        ("TINYINT", "-128", "INT8?", Value::Int8(-128)),
        ("TINYINT UNSIGNED", "255", "INT16?", Value::Int16(255)),
        ("SMALLINT", "-32768", "INT16?", Value::Int16(-32_768)),
        ("SMALLINT UNSIGNED", "65535", "INT32?", Value::Int32(65_535)),
        ("MEDIUMINT", "-8388608", "INT32?", Value::Int32(-8_388_608)),
        (
            "MEDIUMINT UNSIGNED",
            "16777215",
            "INT64?",
            Value::Int64(16_777_215),
        ),
        ("INT", "-2147483648", "INT32?", Value::Int32(i32::MIN)),
        (
            "INT UNSIGNED",
            "4294967295",
            "INT64?",
            Value::Int64(4_294_967_295),
        ),
        ("BIGINT", "-9223372036854775808", "INT64?", Value::Int64(i64::MIN)),
        (
            "BIGINT UNSIGNED",
            "9223372036854775807",
            "INT64?",
            Value::Int64(i64::MAX),
        ),
        ("FLOAT", "1.5", "FLOAT32?", Value::Float32(1.5)),
        ("DOUBLE", "-0.1", "FLOAT64?", Value::Float64(-0.1)),
        ("DECIMAL(10,2)", "19.90", "BYTES:Decimal?", decimal("19.90")),
        (
            "NUMERIC(38,10) UNSIGNED",
            "1234567890123456789012345678.0123456789",
            "BYTES:Decimal?",
            decimal("1234567890123456789012345678.0123456789"),
        ),
    ]
}

fn texts_and_times() -> Vec<Typed> {
    let timestamp = Value::Instant(1_709_251_198_123);
    vec![
        ("CHAR(5)", "'ab'", "STRING?", Value::from("ab")),
        (
            "VARCHAR(20)",
            "'it''s \"🚀\" \\\\'",
            "STRING?",
            Value::from("it's \"🚀\" \\"),
        ),
        ("LONGTEXT", "'Grüße'", "STRING?", Value::from("Grüße")),
        (
            "TEXT CHARACTER SET latin1",
            "'Grüße'",
            "STRING?",
            Value::from("Grüße"),
        ),
        ("ENUM('a','b')", "'b'", "STRING?", Value::from("b")),
        ("SET('a','b','c')", "'a,c'", "STRING?", Value::from("a,c")),
        ("JSON", "'{\"k\": [1]}'", "STRING?", Value::from("{\"k\": [1]}")),
        (
            "UUID",
            "'123e4567-e89b-12d3-a456-426655440000'",
            "STRING?",
            Value::from("123e4567-e89b-12d3-a456-426655440000"),
        ),
        ("BINARY(3)", "x'0102'", "BYTES?", bytes(&[1, 2, 0])),
        ("VARBINARY(10)", "x'00ff'", "BYTES?", bytes(&[0, 255])),
        ("MEDIUMBLOB", "x'ff'", "BYTES?", bytes(&[255])),
        (
            "DATE",
            "'2024-02-29'",
            "INT32:Date?",
            Value::Instant(19_782 * DAY),
        ),
        (
            "DATE",
            "'1000-01-01'",
            "INT32:Date?",
            Value::Instant(-354_280 * DAY),
        ),
        ("YEAR", "2024", "INT32:Date?", Value::Instant(19_723 * DAY)),
        (
            "TIME(3)",
            "'23:59:58.123'",
            "INT32:Time?",
            Value::Instant(DAY - 1877),
        ),
        (
            "DATETIME(6)",
            "'2024-02-29 23:59:58.123456'",
            "INT64:Timestamp?",
            timestamp.clone(),
        ),
        (
            "TIMESTAMP(3) NULL",
            "'2024-02-29 23:59:58.123'",
            "INT64:Timestamp?",
            timestamp,
        ),
        ("INT NOT NULL", "7", "INT32", Value::Int32(7)),
        (
            "DATETIME NOT NULL",
            "'1970-01-01 00:00:01'",
            "INT64:Timestamp",
            Value::Instant(1000),
        ),
    ]
}

#[tokio::test]
async fn every_type_becomes_what_the_contract_says() {
    let db = MariaDb::create().await;
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
        value(&records[0]).validate().unwrap();
    }
    pipeline.stop().await;
}

#[tokio::test]
async fn decimals_tell_scale_and_precision_and_may_become_numbers() {
    let db = MariaDb::create().await;
    db.run("CREATE TABLE t (price DECIMAL(10,2), units DECIMAL(5,0) UNSIGNED)")
        .await;
    db.run("INSERT INTO t VALUES (19.90, 12345)").await;
    let mut pipeline = Pipeline::start(&config(&db.url(), &[("numeric.mapping", "best_fit")])).await;
    let record = &pipeline.take(1).await[0];
    let parameters = |name: &str| {
        let schema = &value(record).schema().field(name).unwrap().schema;
        let text = |key| schema.parameter(key).unwrap().to_owned();
        (text("scale"), text("connect.decimal.precision"))
    };
    assert_eq!(parameters("price"), ("2".to_owned(), "10".to_owned()));
    assert_eq!(parameters("units"), ("0".to_owned(), "5".to_owned()));
    pipeline.stop().await;
    let mapped = [
        ("numeric.mapping", "best_fit"),
        ("numeric.mapping.includes.decimal", "true"),
    ];
    let mut pipeline = Pipeline::start(&config(&db.url(), &mapped)).await;
    let record = &pipeline.take(1).await[0];
    assert_eq!(field(record, "price"), &Value::Float64(19.9));
    assert_eq!(field(record, "units"), &Value::Int32(12_345));
    pipeline.stop().await;
}

#[tokio::test]
async fn properties_of_the_driver_change_types_and_zero_dates() {
    let db = MariaDb::create().await;
    db.run("CREATE TABLE t (flag TINYINT(1), y YEAR, zero DATETIME)")
        .await;
    db.run("SET SESSION sql_mode = ''; INSERT INTO t VALUES (1, 2024, '0000-00-00 00:00:00')")
        .await;
    let mut pipeline = Pipeline::start(&config(&db.url(), &[])).await;
    let text = towpath_connect::error::Chain(&pipeline.failure().await).to_string();
    assert!(
        text.contains("\"zero\"") && text.contains("zeroDateTimeBehavior"),
        "{text}"
    );
    pipeline.stop().await;

    let url = db.url_with("&transformedBitIsBoolean=true&yearIsDateType=false");
    let property = [("connection.zeroDateTimeBehavior", "CONVERT_TO_NULL")];
    let mut pipeline = Pipeline::start(&config(&url, &property)).await;
    let record = &pipeline.take(1).await[0];
    assert_eq!(field(record, "flag"), &Value::Boolean(true));
    assert_eq!(field(record, "y"), &Value::Int32(2024));
    assert_eq!(field(record, "zero"), &Value::Null);
    pipeline.stop().await;
}

#[tokio::test]
async fn timestamps_keep_their_microseconds_if_asked() {
    let db = MariaDb::create().await;
    db.run("CREATE TABLE t (at DATETIME(6))").await;
    db.run("INSERT INTO t VALUES ('2024-02-29 23:59:58.123456')")
        .await;
    for (granularity, kind, expected) in [
        ("micros_long", "INT64?", Value::Int64(1_709_251_198_123_456)),
        ("nanos_string", "STRING?", Value::from("1709251198123456000")),
        (
            "micros_iso_datetime_string",
            "STRING?",
            Value::from("2024-02-29T23:59:58.123456"),
        ),
    ] {
        let mut pipeline =
            Pipeline::start(&config(&db.url(), &[("timestamp.granularity", granularity)])).await;
        let record = &pipeline.take(1).await[0];
        assert_eq!(
            (shape(record, "at").as_str(), field(record, "at")),
            (kind, &expected)
        );
        pipeline.stop().await;
    }
}
