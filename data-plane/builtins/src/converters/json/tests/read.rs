//! JSON text as values.

use bytes::Bytes;
use proptest::prelude::*;
use towpath_connect::{Map, Schema, Type};

use super::*;
use crate::describe;

const VECTORS: &str = include_str!("../../../../testdata/json_read.tsv");

fn answer(config: &str, text: &str) -> String {
    let config = config
        .split(';')
        .filter_map(|entry| entry.split_once('='))
        .collect();
    let read = JsonConverter::new(&config, ConverterRole::Value)
        .and_then(|mut converter| converter.to_connect("t", Some(&Bytes::copy_from_slice(text.as_bytes()))));
    match read {
        Ok(read) => format!(
            "{}\t{}",
            describe::schema(read.schema.as_ref()),
            describe::value(&read.value)
        ),
        Err(error) => format!("ERROR {}", error.message()),
    }
}

fn read(converter: &mut JsonConverter, text: &str) -> SchemaAndValue {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    converter.to_connect("t", Some(&bytes)).unwrap()
}

#[test]
fn text_is_read_as_kafka_connect_does() {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for vector in VECTORS.lines().filter(|line| !line.starts_with('#')) {
        // The text may hold a tab itself, which is an error in JSON.
        let (config, rest) = vector.split_once('\t').unwrap();
        let Some((text, expected)) = split_vector(rest) else {
            panic!("a vector without an answer: {vector}");
        };
        seen += 1;
        let got = answer(config, text);
        if got != expected {
            wrong.push(format!("{config} {text}: {got:?}, Kafka Connect: {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(seen > 250, "all vectors were tried");
}

fn split_vector(rest: &str) -> Option<(&str, &str)> {
    if let Some(at) = rest.find("\tERROR ") {
        return Some((rest.get(..at)?, rest.get(at + 1..)?));
    }
    let (before_value, _) = rest.rsplit_once('\t')?;
    let (text, _) = before_value.rsplit_once('\t')?;
    Some((text, rest.get(text.len() + 1..)?))
}

#[test]
fn a_null_is_a_null_with_and_without_schemas() {
    for enable in ["true", "false"] {
        let read = converter(&[("schemas.enable", enable)])
            .to_connect("t", None)
            .unwrap();
        assert_eq!(read, SchemaAndValue::default());
    }
}

#[test]
fn an_error_of_syntax_has_its_place_as_the_cause_and_nothing_of_the_text() {
    let bytes = Bytes::from_static(b"{\"secret\":tru}");
    let error = converter(&[("schemas.enable", "false")])
        .to_connect("t", Some(&bytes))
        .unwrap_err();
    let chain = towpath_connect::error::Chain(&error).to_string();
    assert_eq!(
        chain,
        "Converting byte[] to Kafka Connect data failed due to serialization error: : the text is no JSON from byte 10 \
         on: a word that is neither null, true nor false"
    );
}

#[test]
fn text_without_escapes_is_a_slice_of_the_record() {
    let bytes = Bytes::from_static(b"{\"name\":\"value without escapes\"}");
    let read = converter(&[("schemas.enable", "false")])
        .to_connect("t", Some(&bytes))
        .unwrap();
    let value = read
        .value
        .as_map()
        .unwrap()
        .get("name")
        .unwrap()
        .as_str()
        .unwrap()
        .as_ptr();
    assert!(bytes.as_ptr_range().contains(&value));
}

#[test]
fn equal_schema_texts_are_one_schema() {
    let mut converter = converter(&[]);
    let one = r#"{"schema":{"type":"int32"},"payload":1}"#;
    let other = r#"{"schema":{"type":"string"},"payload":"x"}"#;
    let first = read(&mut converter, one).schema.unwrap();
    assert!(SchemaRef::ptr_eq(
        &first,
        &read(&mut converter, one).schema.unwrap()
    ));
    assert_eq!(read(&mut converter, other).schema.unwrap().kind(), Type::String);
    assert!(SchemaRef::ptr_eq(
        &first,
        &read(&mut converter, one).schema.unwrap()
    ));
}

#[test]
fn more_schemas_than_are_remembered_still_work() {
    let mut converter = converter(&[("schemas.cache.size", "2")]);
    for round in 0..3 {
        for version in 0..5 {
            let text = format!(r#"{{"schema":{{"type":"int32","version":{version}}},"payload":{round}}}"#);
            let read = read(&mut converter, &text);
            assert_eq!(read.schema.unwrap().version(), Some(version));
            assert_eq!(read.value, towpath_connect::Value::Int32(round));
        }
    }
}

#[test]
fn a_text_that_only_begins_like_the_schema_before_is_read_anew() {
    let mut converter = converter(&[]);
    let schema = r#"{"type":"struct","fields":[{"type":"int32","field":"a"}]}"#;
    read(
        &mut converter,
        &format!(r#"{{"schema":{schema},"payload":{{"a":1}}}}"#),
    );
    let error = converter
        .to_connect(
            "t",
            Some(&Bytes::from(format!(
                r#"{{"schema":{schema}5,"payload":{{"a":1}}}}"#
            ))),
        )
        .unwrap_err();
    assert!(error.message().starts_with("Converting byte[]"), "{error}");
}

#[test]
fn malformed_utf8_is_an_error_unless_it_comes_after_the_value() {
    let mut converter = converter(&[("schemas.enable", "false")]);
    for bad in [&b"\"a\xff\""[..], b"[\"\xc3\"]", b"\xff1"] {
        assert!(
            converter.to_connect("t", Some(&Bytes::from_static(bad))).is_err(),
            "{bad:?}"
        );
    }
    let after = converter
        .to_connect("t", Some(&Bytes::from_static(b"1 \xff")))
        .unwrap();
    assert_eq!(after.value, towpath_connect::Value::Int64(1));
}

#[test]
fn nesting_has_a_limit_that_is_no_crash() {
    let mut converter = converter(&[("schemas.enable", "false")]);
    let nested = |depth: usize| Bytes::from(format!("{}{}", "[".repeat(depth), "]".repeat(depth)));
    assert!(converter.to_connect("t", Some(&nested(1000))).is_ok());
    assert!(converter.to_connect("t", Some(&nested(1001))).is_err());
    assert!(
        converter
            .to_connect("t", Some(&Bytes::from("{\"a\":".repeat(1_000_000))))
            .is_err()
    );
    let read = converter.to_connect("t", Some(&nested(1000))).unwrap();
    let written = converter.from_connect("t", None, &read.value).unwrap().unwrap();
    assert_eq!(written, nested(1000));
}

#[test]
fn a_schema_nested_beyond_reason_is_refused() {
    let schema = |depth: usize| {
        let open = r#"{"type":"array","items":"#.repeat(depth);
        format!(
            r#"{{"schema":{open}{{"type":"int8"}}{},"payload":[]}}"#,
            "}".repeat(depth)
        )
    };
    let mut converter = converter(&[]);
    assert!(converter.to_connect("t", Some(&Bytes::from(schema(150)))).is_ok());
    let error = converter
        .to_connect("t", Some(&Bytes::from(schema(400))))
        .unwrap_err();
    assert_eq!(error.message(), "the schema is nested too deep");
}

#[test]
fn an_object_of_very_many_members_is_read_in_time() {
    let members: Vec<String> = (0..100_000).map(|n| format!("\"{n}\":{n}")).collect();
    let text = format!("{{{}}}", members.join(","));
    let read = read(&mut converter(&[("schemas.enable", "false")]), &text);
    assert_eq!(read.value.as_map().map(Map::len), Some(100_000));
}

fn json() -> impl Strategy<Value = towpath_connect::Value> {
    use towpath_connect::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Boolean),
        any::<i64>().prop_map(Value::Int64),
        (-1e300..1e300).prop_map(Value::Float64),
        any::<String>().prop_map(|text| Value::from(text.as_str())),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::Array),
            prop::collection::vec((any::<String>(), inner), 0..20).prop_map(|entries| {
                Value::Map(
                    entries
                        .into_iter()
                        .map(|(k, v)| (Value::from(k.as_str()), v))
                        .collect(),
                )
            }),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_is_written_reads_back(value in json()) {
        for enable in ["true", "false"] {
            let mut converter = converter(&[("schemas.enable", enable)]);
            let written = converter.from_connect("t", None, &value).unwrap();
            let read = converter.to_connect("t", written.as_ref()).unwrap();
            prop_assert_eq!(&read.value, &value);
        }
    }

    #[test]
    fn no_text_is_too_odd_to_be_answered(text in "[\\[\\]{},:\"\\\\a1.eE+-]{0,24}|\\PC{0,24}") {
        let bytes = Bytes::from(text);
        let schemaless = converter(&[("schemas.enable", "false")]).to_connect("t", Some(&bytes));
        let by_serde = serde_json::from_slice::<serde_json::Value>(&bytes);
        // What a strict parser takes, this one takes too.
        prop_assert!(by_serde.is_err() || schemaless.is_ok());
    }

    #[test]
    fn structs_read_back(a in any::<i32>(), b in any::<Option<String>>(), c in any::<bool>()) {
        use towpath_connect::{SchemaBuilder, Struct, Value};
        let schema = SchemaBuilder::new_struct()
            .field("a", Schema::required(Type::Int32))
            .field("b \"é", Schema::optional(Type::String))
            .field("c", Schema::required(Type::Boolean))
            .build()
            .unwrap();
        let values = vec![Value::Int32(a), b.map_or(Value::Null, |b| b.as_str().into()), Value::Boolean(c)];
        let value = Value::Struct(Struct::of(SchemaRef::clone(&schema), values).unwrap());
        let mut converter = converter(&[]);
        let written = converter.from_connect("t", Some(&schema), &value).unwrap();
        let read = converter.to_connect("t", written.as_ref()).unwrap();
        prop_assert_eq!(read, SchemaAndValue { schema: Some(schema), value });
    }
}
