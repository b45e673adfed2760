//! The text of values against Java's `toString`.

use bytes::Bytes;

use super::*;
use crate::data::{Decimal, Map};

const VECTORS: &str = include_str!("../../../testdata/java_numbers.tsv");

fn vectors(kind: &str) -> Vec<Vec<&str>> {
    let lines = VECTORS.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    lines.filter(|columns| columns[0] == kind).collect()
}

#[test]
fn doubles_are_written_as_in_java() {
    for vector in vectors("D") {
        let bits = u64::from_str_radix(vector[1], 16).unwrap();
        assert_eq!(float64(f64::from_bits(bits)), vector[2], "{vector:?}");
    }
}

#[test]
fn floats_are_written_as_in_java() {
    for vector in vectors("F") {
        let bits = u32::from_str_radix(vector[1], 16).unwrap();
        assert_eq!(float32(f32::from_bits(bits)), vector[2], "{vector:?}");
    }
}

#[test]
fn values_are_written_as_in_java() {
    let map: Map = [
        ("a".into(), Value::Int32(1)),
        ("b".into(), Value::Array(vec!["x".into(), Value::Null])),
    ]
    .into_iter()
    .collect();
    for (value, expected) in [
        (Value::Null, "null"),
        (Value::Int8(-1), "-1"),
        (Value::Int16(300), "300"),
        (Value::Int64(i64::MIN), "-9223372036854775808"),
        (Value::Boolean(true), "true"),
        ("é\"".into(), "é\""),
        (Value::Map(map), "{a=1, b=[x, null]}"),
        (Value::Map(Map::new()), "{}"),
        (Value::Array(Vec::new()), "[]"),
        (Value::Decimal(Decimal::new(150, 2)), "1.50"),
        (Value::Float32(0.1), "0.1"),
        (Value::Instant(0), "Thu Jan 01 00:00:00 UTC 1970"),
        (Value::Instant(-1), "Wed Dec 31 23:59:59 UTC 1969"),
        (Value::Instant(1_566_570_894_346), "Fri Aug 23 14:34:54 UTC 2019"),
        (Value::Instant(951_782_400_000), "Tue Feb 29 00:00:00 UTC 2000"),
        (Value::Bytes(Bytes::from_static(&[1, 2])), "[B@2"),
    ] {
        assert_eq!(to_string(&value), expected);
    }
}
