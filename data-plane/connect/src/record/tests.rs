//! Headers.

use super::*;
use crate::data::{Schema, Type};

fn names(headers: &Headers) -> Vec<(&str, Value)> {
    headers
        .iter()
        .map(|h| (h.key.as_ref(), h.value.clone()))
        .collect()
}

#[test]
fn headers_keep_their_order_and_may_repeat() {
    let mut headers = Headers::new();
    assert!(headers.is_empty());
    headers.add("a", None, Value::Int8(1));
    headers.add("b", None, Value::Int8(2));
    headers.add("a", None, Value::Int8(3));
    let expected = [
        ("a", Value::Int8(1)),
        ("b", Value::Int8(2)),
        ("a", Value::Int8(3)),
    ];
    assert_eq!(names(&headers), expected);
    assert_eq!(
        headers.last_with_name("a").map(|h| &h.value),
        Some(&Value::Int8(3))
    );
    headers.remove("a");
    assert_eq!(names(&headers), [("b", Value::Int8(2))]);
    assert!(headers.last_with_name("a").is_none());
}

#[test]
fn a_checked_header_fits_its_schema() {
    let mut headers = Headers::new();
    let string = Schema::required(Type::String);
    let int32 = Schema::required(Type::Int32);
    let error = headers.add_checked("a", Some(string), Value::Null).unwrap_err();
    assert_eq!(
        error.message(),
        "A null value requires an optional schema but was Schema{STRING}"
    );
    let error = headers
        .add_checked("a", Some(Arc::clone(&int32)), "x".into())
        .unwrap_err();
    assert_eq!(
        error.message(),
        "The value x is not compatible with the schema Schema{INT32}"
    );
    assert!(headers.is_empty());
    headers.add_checked("a", Some(int32), Value::Int32(1)).unwrap();
    headers
        .add_checked("a", Some(Schema::optional(Type::String)), Value::Null)
        .unwrap();
    headers.add_checked("a", None, Value::Null).unwrap();
    assert_eq!(headers.iter().count(), 3);
}

#[test]
fn a_sink_record_remembers_where_it_was_read() {
    let record = ConnectRecord::of_value("t".into(), None, Value::Null);
    assert_eq!(
        (record.partition, record.timestamp, record.headers.is_empty()),
        (None, None, true)
    );
}
