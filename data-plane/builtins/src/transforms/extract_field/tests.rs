//! ExtractField, against what Kafka Connect answered.

use towpath_connect::{Schema, SchemaBuilder, Struct, Topic};

use super::*;
use crate::describe;

fn row() -> (SchemaRef, Value) {
    let inner = SchemaBuilder::new_struct()
        .optional()
        .field("b", Schema::required(Type::Int32))
        .field("c.d", Schema::optional(Type::String))
        .build()
        .unwrap();
    let with_default = SchemaBuilder::new(Type::Int32)
        .optional()
        .default_value(Value::Int32(7))
        .build()
        .unwrap();
    let schema = SchemaBuilder::new_struct()
        .field("a", SchemaRef::clone(&inner))
        .field("a.b", Schema::optional(Type::Int8))
        .field("d", with_default)
        .build()
        .unwrap();
    let inner = Struct::of(inner, vec![Value::Int32(1), "x".into()]).unwrap();
    let values = vec![Value::Struct(inner), Value::Int8(2), Value::Null];
    (
        SchemaRef::clone(&schema),
        Value::Struct(Struct::of(schema, values).unwrap()),
    )
}

fn map() -> Value {
    let inner = [("b".into(), Value::Int32(1)), ("c.d".into(), "x".into())];
    let inner = Value::Map(inner.into_iter().collect());
    Value::Map(
        [("a".into(), inner), ("a.b".into(), Value::Int32(2))]
            .into_iter()
            .collect(),
    )
}

fn extract(
    config: &[(&str, &str)],
    schema: Option<SchemaRef>,
    value: Value,
) -> std::result::Result<String, String> {
    let config = config.iter().copied().collect();
    let extract = || {
        let record = ConnectRecord::of_value(Topic::from("t"), schema, value);
        ExtractField::new(Side::Value, &config)?.apply(record, RecordOrigin::Source)
    };
    let record = extract().map_err(|error| error.message().to_owned())?.unwrap();
    let schema = describe::schema(record.value_schema.as_ref());
    Ok(format!("{schema} {}", describe::value(&record.value)))
}

fn unknown(field: &str) -> std::result::Result<&'static str, String> {
    Err(format!("Unknown field: {field}"))
}

const INNER: &str = "STRUCT(b:INT32,c.d:STRING?)? struct{b=i32:1,c.d=\"x\"}";
const INNER_MAP: &str = "none {\"b\"=i32:1,\"c.d\"=\"x\"}";

#[test]
fn a_field_is_extracted_by_name_or_path() {
    let incomplete = |path: &str, position: usize| {
        Err(format!(
            "Incomplete backtick pair in path: [{path}], consider adding a backslash before backtick at position \
             {position} to escape it"
        ))
    };
    for (field, version, of_struct, of_map) in [
        ("a", "V1", Ok(INNER), Ok(INNER_MAP)),
        ("a", "v2", Ok(INNER), Ok(INNER_MAP)),
        ("a.b", "V1", Ok("INT8? i8:2"), Ok("none i32:2")),
        ("a.b", "V2", Ok("INT32 i32:1"), Ok("none i32:1")),
        ("d", "V1", Ok("INT32?/default=i32:7 i32:7"), Ok("none null")),
        ("d", "V2", Ok("INT32?/default=i32:7 i32:7"), Ok("none null")),
        ("zz", "V1", unknown("zz"), Ok("none null")),
        ("a.zz", "V2", unknown("a.zz"), Ok("none null")),
        ("a.`c.d`", "V1", unknown("a.`c.d`"), Ok("none null")),
        ("a.`c.d`", "V2", Ok("STRING? \"x\""), Ok("none \"x\"")),
        ("`a.b`", "V2", Ok("INT8? i8:2"), Ok("none i32:2")),
        ("`a`", "V2", Ok(INNER), Ok(INNER_MAP)),
        ("a.", "V2", unknown("a."), Ok("none null")),
        ("a..b", "V2", unknown("a..b"), Ok("none null")),
        ("a`b", "V2", unknown("a`b"), Ok("none null")),
        ("``", "V2", unknown("``"), Ok("none null")),
        ("`a`b", "V2", incomplete("`a`b", 0), incomplete("`a`b", 0)),
        ("a.`b", "V2", incomplete("a.`b", 2), incomplete("a.`b", 2)),
        (
            "a.b.c",
            "V2",
            Err("Cannot look up fields on non-struct type".to_owned()),
            Err(
                "Only Map objects supported in absence of schema for [nested field access], found: java.lang.Integer"
                    .to_owned(),
            ),
        ),
    ] {
        let config = [("field", field), ("field.syntax.version", version)];
        let (schema, value) = row();
        let expected = |result: std::result::Result<&str, String>| result.map(str::to_owned);
        assert_eq!(extract(&config, Some(schema), value), expected(of_struct), "{field} {version}");
        assert_eq!(extract(&config, None, map()), expected(of_map), "{field} {version}");
    }
}

#[test]
fn nulls_lead_to_null_with_the_schema_of_the_field() {
    let (schema, _) = row();
    let v2 = [("field", "a.b"), ("field.syntax.version", "V2")];
    let schema_of = |config: &[(&str, &str)]| extract(config, Some(SchemaRef::clone(&schema)), Value::Null);
    assert_eq!(
        schema_of(&[("field", "a")]).unwrap(),
        "STRUCT(b:INT32,c.d:STRING?)? null"
    );
    assert_eq!(schema_of(&v2).unwrap(), "INT32 null");
    assert_eq!(schema_of(&[("field", "d")]).unwrap(), "INT32?/default=i32:7 null");
    assert_eq!(schema_of(&[("field", "zz")]), Err("Unknown field: zz".to_owned()));
    assert_eq!(extract(&v2, None, Value::Null).unwrap(), "none null");
    let null_parent = [("a".into(), Value::Null)].into_iter().collect();
    assert_eq!(extract(&v2, None, Value::Map(null_parent)).unwrap(), "none null");
    let null_field = Value::Struct(Struct::new(SchemaRef::clone(&schema)).unwrap());
    assert_eq!(extract(&v2, Some(schema), null_field).unwrap(), "INT32 null");
}

#[test]
fn a_default_takes_the_place_of_null_unless_told_otherwise() {
    let (schema, value) = row();
    let config = [("field", "d"), ("replace.null.with.default", "false")];
    assert_eq!(
        extract(&config, Some(schema), value).unwrap(),
        "INT32?/default=i32:7 null"
    );
}

#[test]
fn only_structs_and_maps_have_fields() {
    let config = [("field", "a")];
    assert_eq!(
        extract(&config, None, Value::Int32(5)),
        Err("Only Map objects supported in absence of schema for [field extraction], found: java.lang.Integer".to_owned())
    );
    assert_eq!(
        extract(&config, Some(Schema::required(Type::Int32)), Value::Int32(5)),
        Err("Only Struct objects supported for [field extraction], found: java.lang.Integer".to_owned())
    );
}

#[test]
fn the_key_variant_changes_the_key_only() {
    let config = [("field", "a")].into_iter().collect();
    let mut record = ConnectRecord::of_value(Topic::from("t"), None, map());
    record.key = map();
    let mut transform = ExtractField::new(Side::Key, &config).unwrap();
    let record = transform.apply(record, RecordOrigin::Source).unwrap().unwrap();
    assert_eq!((record.key.as_map().unwrap().len(), record.value), (2, map()));
}

#[test]
fn paths_are_divided_at_dots_outside_of_backticks() {
    for (text, steps) in [
        ("a.b", &["a", "b"][..]),
        ("`a.b`.c", &["a.b", "c"]),
        ("`a\\`.b`", &["a`.b"]),
        ("\\`a.b`", &["`a", "b`"]),
        ("a.`b`c`", &["a", "b`c"]),
        ("`a.`b`", &["a.`b"]),
        ("", &[""]),
        (".", &["", ""]),
    ] {
        assert_eq!(path::parse(text).unwrap(), steps, "{text}");
    }
}

#[test]
fn bad_configurations_are_refused_with_kafka_connects_words() {
    let error = ExtractField::new(Side::Value, &ConfigMap::new()).unwrap_err();
    assert_eq!(
        error.message(),
        "Missing required configuration \"field\" which has no default value."
    );
    let config = [("field", "a"), ("field.syntax.version", "V3")]
        .into_iter()
        .collect();
    let error = ExtractField::new(Side::Value, &config).unwrap_err();
    assert_eq!(
        error.message(),
        "Invalid value V3 for configuration field.syntax.version: String must be one of (case insensitive): V1, V2"
    );
}
