//! Source partitions and offsets as JSON.

use proptest::prelude::*;

use super::*;

fn read(json: &str) -> OffsetMap {
    serde_json::from_str(json).unwrap()
}

fn written(map: &OffsetMap) -> String {
    serde_json::to_string(map).unwrap()
}

#[test]
fn the_json_is_that_of_kafka_connect() {
    for json in [
        r#"{"filename":"in.txt"}"#,
        r#"{"position":30}"#,
        r#"{"incrementing":5,"timestamp":1566570894346}"#,
        r#"{"a":null,"b":true,"c":false,"d":1.5,"e":"é\"","f":-9223372036854775808}"#,
        "{}",
    ] {
        assert_eq!(written(&read(json)), json);
    }
}

#[test]
fn whole_numbers_are_long_and_others_double() {
    let map = read(r#"{"a":1,"b":1.0,"c":1e3,"d":9223372036854775807}"#);
    assert_eq!(map.get("a"), Some(&OffsetValue::Long(1)));
    assert_eq!(map.get("b"), Some(&OffsetValue::Double(1.0)));
    assert_eq!(map.get("c"), Some(&OffsetValue::Double(1000.0)));
    assert_eq!(map.get_long("d"), Some(i64::MAX));
    assert_eq!((map.get_long("b"), map.get_long("zz")), (None, None));
}

#[test]
fn nested_values_and_other_json_are_refused() {
    for json in [r#"{"a":[1]}"#, r#"{"a":{}}"#, "[]", "5", "null", r#"{"a":}"#] {
        assert!(serde_json::from_str::<OffsetMap>(json).is_err(), "{json}");
    }
}

#[test]
fn the_order_of_keys_does_not_matter() {
    assert_eq!(read(r#"{"a":1,"b":2}"#), read(r#"{"b":2,"a":1}"#));
    assert_ne!(read(r#"{"a":1,"b":2}"#), read(r#"{"a":1}"#));
    assert_ne!(read(r#"{"a":1}"#), read(r#"{"a":2}"#));
    assert_eq!(read(r#"{"a":1,"a":2}"#), read(r#"{"a":2}"#));
}

#[test]
fn entries_are_replaced_in_their_place() {
    let mut map = OffsetMap::single("a".into(), OffsetValue::Null)
        .with("b", 2)
        .with("c", "x");
    map.insert("a", 1);
    let entries: Vec<_> = map.iter().collect();
    let expected = [
        ("a", &OffsetValue::Long(1)),
        ("b", &OffsetValue::Long(2)),
        ("c", &OffsetValue::String("x".into())),
    ];
    assert_eq!(entries, expected);
    assert!(OffsetMap::new().is_empty() && !map.is_empty());
}

fn value() -> impl Strategy<Value = OffsetValue> {
    prop_oneof![
        Just(OffsetValue::Null),
        any::<bool>().prop_map(OffsetValue::Boolean),
        any::<i64>().prop_map(OffsetValue::Long),
        (-1e300..1e300).prop_map(OffsetValue::Double),
        any::<String>().prop_map(|text| OffsetValue::String(text.into())),
    ]
}

proptest! {
    #[test]
    fn any_map_reads_back(entries in prop::collection::vec((any::<String>(), value()), 0..8)) {
        let mut map = OffsetMap::new();
        for (key, value) in entries {
            map.insert(key, value);
        }
        prop_assert_eq!(read(&written(&map)), map);
    }
}
