//! Headers as text and back, against what Kafka Connect answered.

use bytes::Bytes;
use towpath_connect::{
    ConfigMap, HeaderConverter, Schema, SchemaAndValue, SchemaBuilder, Struct, Type, Value,
};

use super::SimpleHeaderConverter;
use crate::describe;

const READ: &str = include_str!("../../../testdata/header_read.tsv");

fn converter() -> SimpleHeaderConverter {
    SimpleHeaderConverter::new(&ConfigMap::new()).unwrap()
}

fn read(text: &str) -> String {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    let read = converter().to_connect_header("t", "h", Some(&bytes)).unwrap();
    format!(
        "{}\t{}",
        describe::schema(read.schema.as_ref()),
        describe::value(&read.value)
    )
}

#[test]
fn text_is_guessed_as_kafka_connect_does() {
    let mut wrong = Vec::new();
    for vector in READ.lines().filter(|line| !line.starts_with('#')) {
        let (text, expected) = vector.split_once('\t').unwrap();
        let got = read(&text.replace("\\n", "\n").replace("\\t", "\t"));
        if got != expected {
            wrong.push(format!("{text:?}: {got:?}, Kafka Connect: {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_null_header_is_a_null_and_an_empty_one_is_empty_text() {
    let mut converter = converter();
    let null = converter.to_connect_header("t", "h", None).unwrap();
    assert_eq!(null, SchemaAndValue::default());
    assert_eq!(read(""), "STRING\t\"\"");
    let written = converter
        .from_connect_header("t", "h", None, &Value::Null)
        .unwrap();
    assert_eq!(written, None);
}

#[test]
fn malformed_text_is_read_with_replacement_characters() {
    let bytes = Bytes::from_static(b"a\xff");
    let read = converter().to_connect_header("t", "h", Some(&bytes)).unwrap();
    assert_eq!(read.value, Value::string("a\u{fffd}"));
}

#[test]
fn a_broken_array_after_a_blank_stays_as_it_is() {
    assert_eq!(read(" [1,{"), "STRING\t\" [1,{\"");
}

#[test]
fn text_nested_without_end_is_just_text() {
    let deep = "[".repeat(100_000);
    assert_eq!(read(&deep), format!("STRING\t\"{deep}\""));
    let closed = format!("{}1{}", "[".repeat(300), "]".repeat(300));
    assert_eq!(read(&closed), format!("STRING\t\"{closed}\""));
}

#[test]
fn a_number_of_huge_exponent_is_read_at_once() {
    assert!(read("1e2000000000").contains("scale=-2000000000"));
    assert_eq!(read("1e-2000000000"), "FLOAT32\tf32:0.0");
}

fn map(entries: Vec<(Value, Value)>) -> Value {
    Value::Map(entries.into_iter().collect())
}

#[test]
fn values_are_written_as_kafka_connect_does() {
    let defaulted = SchemaBuilder::new(Type::String)
        .optional()
        .default_value("dy".into())
        .build()
        .unwrap();
    let schema = SchemaBuilder::new_struct()
        .field("a", Schema::required(Type::Int32))
        .field("b", defaulted)
        .build()
        .unwrap();
    let mut inner = Struct::new(schema).unwrap();
    inner.put("a", Value::Int32(1)).unwrap();
    let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
    let bytes = || Value::Bytes(Bytes::from_static(&[1, 2]));
    for (value, expected) in [
        ("abc".into(), "abc"),
        ("a\"b\\".into(), "a\"b\\"),
        (Value::Int32(5), "5"),
        (Value::Int8(5), "5"),
        (Value::Float64(1.0e10), "1.0E10"),
        (Value::Float64(f64::NAN), "NaN"),
        (Value::Float32(1.5), "1.5"),
        (Value::Boolean(true), "true"),
        (decimal("1.50"), "1.50"),
        (decimal("1E+3"), "1E+3"),
        (bytes(), "AQI="),
        (
            Value::Array(vec![Value::Int32(1), "x".into(), Value::Null]),
            "[1,\"x\",null]",
        ),
        (Value::Array(vec!["a\"b\\c\n".into()]), "[\"a\\\"b\\\\c\n\"]"),
        (Value::Array(vec![bytes(), decimal("1.50")]), "[\"AQI=\",1.50]"),
        (
            map(vec![
                ("a".into(), Value::Int32(1)),
                (Value::Int32(3), Value::Null),
                ("q\"".into(), bytes()),
            ]),
            "{\"a\":1,3:null,\"q\\\"\":\"AQI=\"}",
        ),
        (Value::Struct(inner), "{\"a\":1,\"b\":\"dy\"}"),
        (Value::Array(Vec::new()), "[]"),
        (map(Vec::new()), "{}"),
        (Value::Instant(0), "00:00:00.000Z"),
        (Value::Instant(86_399_999), "23:59:59.999Z"),
        (Value::Instant(86_400_000), "1970-01-02"),
        (Value::Instant(-86_400_000), "00:00:00.000Z"),
        (Value::Instant(-1), "23:59:59.999Z"),
        (Value::Instant(1_566_570_894_346), "2019-08-23T14:34:54.346Z"),
        (
            Value::Array(vec![Value::Instant(0), Value::Instant(86_400_000)]),
            "[00:00:00.000Z,1970-01-02]",
        ),
        ("😀é".into(), "😀é"),
    ] {
        let written = converter().from_connect_header("t", "h", None, &value).unwrap();
        assert_eq!(written.as_deref(), Some(expected.as_bytes()), "{value:?}");
    }
}
