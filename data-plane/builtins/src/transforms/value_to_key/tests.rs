//! ValueToKey, row by row of the contract.

use towpath_connect::{Schema, Topic, Type};

use super::*;
use crate::describe;

fn row() -> (SchemaRef, Value) {
    let with_default = SchemaBuilder::new(Type::Int32)
        .optional()
        .default_value(Value::Int32(7))
        .build()
        .unwrap();
    let schema = SchemaBuilder::new_struct()
        .name("row")
        .field("id", Schema::required(Type::Int64))
        .field("name", Schema::optional(Type::String))
        .field("d", with_default)
        .build()
        .unwrap();
    let row = Struct::of(
        SchemaRef::clone(&schema),
        vec![Value::Int64(1), "x".into(), Value::Null],
    )
    .unwrap();
    (schema, Value::Struct(row))
}

fn map() -> Value {
    Value::Map(
        [("id".into(), Value::Int64(1)), ("a.b".into(), "x".into())]
            .into_iter()
            .collect(),
    )
}

fn key(
    config: &[(&str, &str)],
    schema: Option<SchemaRef>,
    value: Value,
) -> std::result::Result<String, String> {
    let config = config.iter().copied().collect();
    let before = ConnectRecord::of_value(Topic::from("t"), schema, value);
    let mut transform = ValueToKey::new(&config).unwrap();
    let after = transform
        .apply(before.clone(), RecordOrigin::Source)
        .map_err(|error| error.message().to_owned())?
        .unwrap();
    assert_eq!(
        (&after.value, &after.value_schema),
        (&before.value, &before.value_schema)
    );
    let schema = describe::schema(after.key_schema.as_ref());
    Ok(format!("{schema} {}", describe::value(&after.key)))
}

#[test]
fn a_key_has_the_fields_in_the_configured_order() {
    let of_row = |config: &[(&str, &str)]| {
        let (schema, value) = row();
        key(config, Some(schema), value)
    };
    assert_eq!(
        of_row(&[("fields", "id")]).unwrap(),
        "STRUCT(id:INT64) struct{id=i64:1}"
    );
    assert_eq!(
        of_row(&[("fields", "d, id")]).unwrap(),
        "STRUCT(d:INT32?/default=i32:7,id:INT64) struct{d=i32:7,id=i64:1}"
    );
    assert_eq!(
        of_row(&[("fields", "d"), ("replace.null.with.default", "false")]).unwrap(),
        "STRUCT(d:INT32?/default=i32:7) struct{d=null}"
    );
    assert_eq!(
        of_row(&[("fields", "zz")]),
        Err("Field does not exist: zz".to_owned())
    );
    assert_eq!(
        key(&[("fields", "id,zz")], None, map()).unwrap(),
        "none {\"id\"=i64:1,\"zz\"=null}"
    );
    assert_eq!(
        key(&[("fields", "a.b")], None, map()).unwrap(),
        "none {\"a.b\"=\"x\"}"
    );
}

#[test]
fn a_value_that_has_no_fields_makes_no_key() {
    let config = [("fields", "a")];
    let without = |found: &str| {
        Err(format!(
            "Only Map objects supported in absence of schema for [copying fields from value to key], found: {found}"
        ))
    };
    let with = |found: &str| {
        Err(format!(
            "Only Struct objects supported for [copying fields from value to key], found: {found}"
        ))
    };
    assert_eq!(key(&config, None, Value::Null), without("null"));
    assert_eq!(key(&config, None, Value::Int32(5)), without("java.lang.Integer"));
    assert_eq!(key(&config, Some(row().0), Value::Null), with("null"));
    assert_eq!(
        key(&config, Some(Schema::required(Type::Int32)), Value::Int32(5)),
        with("java.lang.Integer")
    );
}

#[test]
fn equal_schemas_make_one_key_schema() {
    let mut transform = ValueToKey::new(&[("fields", "id")].into_iter().collect()).unwrap();
    let mut keys = Vec::new();
    for _ in 0..3 {
        let (schema, value) = row();
        let record = ConnectRecord::of_value(Topic::from("t"), Some(schema), value);
        let record = transform.apply(record, RecordOrigin::Source).unwrap().unwrap();
        keys.push(record.key_schema.unwrap());
    }
    assert!(Arc::ptr_eq(&keys[0], &keys[1]) && Arc::ptr_eq(&keys[1], &keys[2]));
}

#[test]
fn bad_configurations_are_refused_with_kafka_connects_words() {
    let message = |config: &ConfigMap| ValueToKey::new(config).unwrap_err().message().to_owned();
    let fields = |list| [("fields", list)].into_iter().collect::<ConfigMap>();
    assert_eq!(
        message(&fields("")),
        "Configuration 'fields' must not be empty. Valid values include: any non-empty value"
    );
    assert_eq!(
        message(&fields("a,,b")),
        "Configuration 'fields' values must not be empty."
    );
    assert!(
        message(&ConfigMap::new())
            .starts_with("Missing required configuration \"fields\" which has no default value.")
    );
}
