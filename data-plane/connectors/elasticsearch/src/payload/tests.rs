//! The JSON of values, with and without their schemas.

use bytes::Bytes;
use proptest::prelude::*;
use towpath_connect::{Decimal, SchemaBuilder, SchemaRef};

use super::*;

const PREPARED: Style = Style::Prepared { compact_maps: true };
const LISTED: Style = Style::Prepared { compact_maps: false };

fn text(schema: Option<&SchemaRef>, value: &Value, style: Style) -> String {
    try_text(schema, value, style).unwrap()
}

fn try_text(schema: Option<&SchemaRef>, value: &Value, style: Style) -> Result<String> {
    let mut out = Vec::new();
    write(&mut out, schema.map(AsRef::as_ref), value, style)?;
    Ok(String::from_utf8(out).unwrap())
}

fn map(entries: Vec<(Value, Value)>) -> Value {
    Value::Map(entries.into_iter().collect())
}

#[test]
fn values_without_schemas_are_json_as_they_are() {
    let cases = [
        (Value::Null, "null"),
        (Value::Int8(-5), "-5"),
        (Value::Int64(i64::MIN), "-9223372036854775808"),
        (Value::Float32(0.1), "0.1"),
        (Value::Float64(1.0), "1.0"),
        (Value::Float64(f64::NAN), "\"NaN\""),
        (Value::Float32(f32::NEG_INFINITY), "\"-Infinity\""),
        (Value::Boolean(true), "true"),
        (Value::from("a\"\\\n\u{1}ä😀/"), "\"a\\\"\\\\\\n\\u0001ä😀/\""),
        (Value::Bytes(Bytes::from_static(&[1, 2, 255])), "\"AQL/\""),
        (Value::Array(vec![Value::Int32(1), Value::Null]), "[1,null]"),
        (
            map(vec![("a".into(), Value::Int64(1)), ("b".into(), "x".into())]),
            "{\"a\":1,\"b\":\"x\"}",
        ),
        (map(vec![(Value::Int32(1), "x".into())]), "[[1,\"x\"]]"),
        (map(vec![]), "{}"),
    ];
    for (value, json) in cases {
        assert_eq!(text(None, &value, PREPARED), json);
        assert_eq!(text(None, &value, Style::Plain), json);
    }
}

#[test]
fn a_logical_value_without_its_schema_has_no_json() {
    let decimal = try_text(None, &Value::Decimal(Decimal::new(1, 0)), PREPARED).unwrap_err();
    assert_eq!(
        decimal.to_string(),
        "Java class class java.math.BigDecimal does not have corresponding schema type."
    );
    let instant = try_text(None, &Value::Instant(0), Style::Plain).unwrap_err();
    assert_eq!(
        instant.to_string(),
        "Java class class java.util.Date does not have corresponding schema type."
    );
}

#[test]
fn decimals_are_numbers_unless_the_schema_is_ignored() {
    let schema = logical::decimal(2).build().unwrap();
    let value = Value::Decimal(Decimal::new(1234, 2));
    assert_eq!(text(Some(&schema), &value, PREPARED), "12.34");
    assert_eq!(text(Some(&schema), &value, Style::Plain), "\"BNI=\"");
    let other_scale = Value::Decimal(Decimal::new(1234, 1));
    assert!(try_text(Some(&schema), &other_scale, Style::Plain).is_err());
}

#[test]
fn dates_and_times_are_numbers() {
    let day = 86_400_000;
    for style in [PREPARED, Style::Plain] {
        assert_eq!(
            text(
                Some(&logical::date().build().unwrap()),
                &Value::Instant(2 * day),
                style
            ),
            "2"
        );
        assert_eq!(
            text(
                Some(&logical::time().build().unwrap()),
                &Value::Instant(61_000),
                style
            ),
            "61000"
        );
        assert_eq!(
            text(
                Some(&logical::timestamp().build().unwrap()),
                &Value::Instant(-1),
                style
            ),
            "-1"
        );
    }
}

#[test]
fn maps_are_objects_or_lists_of_named_entries() {
    let schema = |keys: Type| {
        SchemaBuilder::map(Schema::required(keys), Schema::optional(Type::Int32))
            .build()
            .unwrap()
    };
    let texts = map(vec![("a".into(), Value::Int32(1))]);
    assert_eq!(text(Some(&schema(Type::String)), &texts, PREPARED), "{\"a\":1}");
    assert_eq!(
        text(Some(&schema(Type::String)), &texts, Style::Plain),
        "{\"a\":1}"
    );
    assert_eq!(
        text(Some(&schema(Type::String)), &texts, LISTED),
        "[{\"key\":\"a\",\"value\":1}]"
    );
    let numbers = map(vec![(Value::Int32(7), Value::Null)]);
    assert_eq!(
        text(Some(&schema(Type::Int32)), &numbers, PREPARED),
        "[{\"key\":7,\"value\":null}]"
    );
    assert_eq!(
        text(Some(&schema(Type::Int32)), &numbers, Style::Plain),
        "[[7,null]]"
    );
}

#[test]
fn a_struct_has_all_its_fields_with_defaults_for_nulls() {
    let with_default = SchemaBuilder::new(Type::Int32)
        .default_value(Value::Int32(7))
        .build()
        .unwrap();
    let schema = SchemaBuilder::new_struct()
        .field("id", Schema::required(Type::Int64))
        .field("note", Schema::optional(Type::String))
        .field("q", with_default)
        .build()
        .unwrap();
    let value = Struct::of(schema.clone(), vec![Value::Int64(5), Value::Null, Value::Null]).unwrap();
    assert_eq!(
        text(Some(&schema), &Value::Struct(value), PREPARED),
        "{\"id\":5,\"note\":null,\"q\":7}"
    );
    let missing = Struct::of(schema.clone(), vec![Value::Null, Value::Null, Value::Null]).unwrap();
    let error = try_text(Some(&schema), &Value::Struct(missing), PREPARED).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Conversion error: null value for field that is required and has no default value"
    );
}

#[test]
fn a_field_of_a_document_can_be_skipped() {
    let value = map(vec![
        ("a".into(), Value::Int32(1)),
        ("@timestamp".into(), Value::Int32(2)),
        ("b".into(), Value::Int32(3)),
    ]);
    let mut out = Vec::new();
    write_members(&mut out, None, &value, Style::Plain, Some("@timestamp")).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), "\"a\":1,\"b\":3");
}

#[test]
fn only_structs_and_maps_with_text_keys_are_documents() {
    assert!(is_document(None, &map(vec![]), Style::Plain));
    assert!(!is_document(
        None,
        &map(vec![(Value::Int32(1), Value::Null)]),
        Style::Plain
    ));
    assert!(!is_document(None, &"text".into(), Style::Plain));
    assert!(!is_document(None, &Value::Array(vec![]), PREPARED));
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Int64),
        any::<f64>().prop_map(Value::Float64),
        any::<bool>().prop_map(Value::Boolean),
        any::<String>().prop_map(Value::string),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((any::<String>().prop_map(Value::string), inner), 0..6).prop_map(map),
        ]
    })
}

/// What a JSON reader should make of the text.
fn agrees(value: &Value, json: &serde_json::Value) -> bool {
    match (value, json) {
        (Value::Null, json) => json.is_null(),
        (Value::Int64(n), json) => json.as_i64() == Some(*n),
        (Value::Float64(n), json) if n.is_finite() => json.as_f64() == Some(*n),
        (Value::Float64(_), json) => json.is_string(),
        (Value::Boolean(b), json) => json.as_bool() == Some(*b),
        (Value::String(text), json) => json.as_str() == Some(text),
        (Value::Array(values), serde_json::Value::Array(items)) => {
            values.len() == items.len() && values.iter().zip(items).all(|(v, j)| agrees(v, j))
        }
        (Value::Map(map), serde_json::Value::Object(members)) => {
            map.len() == members.len() && map.iter().all(|(k, v)| agrees(v, &members[k.as_str().unwrap()]))
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn what_is_written_is_one_line_that_reads_back(value in any_value()) {
        let json = text(None, &value, Style::Plain);
        prop_assert!(!json.contains('\n'));
        prop_assert!(agrees(&value, &serde_json::from_str(&json).unwrap()), "{}", json);
    }
}
