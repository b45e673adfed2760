//! ReplaceField, row by row of the contract.

use towpath_connect::data::logical;
use towpath_connect::{Schema, Topic, Type};

use super::*;

fn transform(config: &[(&str, &str)]) -> ReplaceField {
    ReplaceField::new(Side::Value, &config.iter().copied().collect()).unwrap()
}

fn apply(transform: &mut ReplaceField, schema: Option<SchemaRef>, value: Value) -> Result<ConnectRecord> {
    let mut record = ConnectRecord::of_value(Topic::from("t"), schema, value);
    record.key = "k".into();
    record.key_schema = Some(Schema::optional(Type::String));
    record.partition = Some(3);
    record.timestamp = Some(5);
    record.headers.add("h", None, Value::Int8(1));
    let kept = (
        record.key.clone(),
        record.key_schema.clone(),
        record.headers.clone(),
    );
    let record = transform.apply(record, RecordOrigin::Source)?.unwrap();
    assert_eq!(
        (record.topic.as_ref(), record.partition, record.timestamp),
        ("t", Some(3), Some(5))
    );
    assert_eq!(
        (
            record.key.clone(),
            record.key_schema.clone(),
            record.headers.clone()
        ),
        kept
    );
    Ok(record)
}

fn map(entries: &[(&str, i64)]) -> Value {
    Value::Map(
        entries
            .iter()
            .map(|&(k, v)| (k.into(), Value::Int64(v)))
            .collect(),
    )
}

/// A struct schema of optional INT64 fields.
fn schema(fields: &[&str]) -> SchemaRef {
    let builder = SchemaBuilder::new_struct()
        .name("n")
        .version(2)
        .doc("d")
        .parameter("p", "v");
    fields
        .iter()
        .fold(builder, |builder, &field| {
            builder.field(field, Schema::optional(Type::Int64))
        })
        .build()
        .unwrap()
}

fn structure(fields: &[(&str, i64)]) -> (SchemaRef, Value) {
    let names: Vec<&str> = fields.iter().map(|(name, _)| *name).collect();
    let schema = schema(&names);
    let values = fields.iter().map(|&(_, value)| Value::Int64(value)).collect();
    (
        SchemaRef::clone(&schema),
        Value::Struct(Struct::of(schema, values).unwrap()),
    )
}

type Config = &'static [(&'static str, &'static str)];
type Kept = &'static [(&'static str, i64)];

const CASES: [(Config, Kept); 8] = [
    (&[], &[("a", 1), ("b", 2), ("c", 3)]),
    (&[("exclude", "b")], &[("a", 1), ("c", 3)]),
    (&[("include", "c, a")], &[("a", 1), ("c", 3)]),
    (&[("include", "a,b"), ("exclude", "a")], &[("b", 2)]),
    (&[("renames", "a:x,zz:y")], &[("x", 1), ("b", 2), ("c", 3)]),
    (&[("renames", "a:b,b:a")], &[("b", 1), ("a", 2), ("c", 3)]),
    (
        &[("exclude", "b"), ("renames", "a:b"), ("include", "a,c,x")],
        &[("b", 1), ("c", 3)],
    ),
    (
        &[("whitelist", "a"), ("blacklist", "a")],
        &[("a", 1), ("b", 2), ("c", 3)],
    ),
];

#[test]
fn fields_of_maps_are_dropped_and_renamed() {
    for (config, expected) in CASES {
        let record = apply(&mut transform(config), None, map(&[("a", 1), ("b", 2), ("c", 3)])).unwrap();
        assert_eq!(
            (record.value_schema, record.value),
            (None, map(expected)),
            "{config:?}"
        );
    }
}

#[test]
fn fields_of_structs_are_dropped_and_renamed_and_the_schema_keeps_its_attributes() {
    for (config, expected) in CASES {
        let (schema, value) = structure(&[("a", 1), ("b", 2), ("c", 3)]);
        let record = apply(&mut transform(config), Some(schema), value).unwrap();
        let (expected_schema, expected_value) = structure(expected);
        assert_eq!(record.value_schema, Some(expected_schema), "{config:?}");
        assert_eq!(record.value, expected_value, "{config:?}");
    }
}

#[test]
fn an_optional_struct_becomes_required() {
    let optional = SchemaBuilder::like(&schema(&["a"])).optional().build().unwrap();
    let value = Value::Struct(Struct::of(SchemaRef::clone(&optional), vec![Value::Int64(1)]).unwrap());
    let record = apply(&mut transform(&[]), Some(optional), value).unwrap();
    assert!(!record.value_schema.unwrap().is_optional());
}

#[test]
fn a_null_is_left_alone_with_its_schema() {
    let optional = SchemaBuilder::like(&schema(&["a"])).optional().build().unwrap();
    for schema in [None, Some(optional)] {
        let record = apply(&mut transform(&[("exclude", "a")]), schema.clone(), Value::Null).unwrap();
        assert_eq!((record.value_schema, record.value), (schema, Value::Null));
    }
}

#[test]
fn the_key_variant_changes_the_key_only() {
    let mut transform = ReplaceField::new(Side::Key, &[("exclude", "a")].into_iter().collect()).unwrap();
    let mut record = ConnectRecord::of_value(Topic::from("t"), None, map(&[("a", 1)]));
    record.key = map(&[("a", 1), ("b", 2)]);
    let record = transform
        .apply(record, RecordOrigin::Sink { offset: 1 })
        .unwrap()
        .unwrap();
    assert_eq!((record.key, record.value), (map(&[("b", 2)]), map(&[("a", 1)])));
}

#[test]
fn a_null_field_becomes_its_default_unless_told_otherwise() {
    let with_default = SchemaBuilder::new(Type::Int64)
        .optional()
        .default_value(Value::Int64(7))
        .build()
        .unwrap();
    let schema = SchemaBuilder::new_struct()
        .field("a", with_default)
        .build()
        .unwrap();
    let null = || Value::Struct(Struct::new(SchemaRef::clone(&schema)).unwrap());
    for (config, expected) in [
        (&[][..], Value::Int64(7)),
        (&[("replace.null.with.default", "true")], Value::Int64(7)),
        (&[("replace.null.with.default", "false")], Value::Null),
    ] {
        let record = apply(&mut transform(config), Some(SchemaRef::clone(&schema)), null()).unwrap();
        assert_eq!(
            record.value.as_struct().unwrap().values(),
            [expected],
            "{config:?}"
        );
    }
}

#[test]
fn a_struct_cannot_have_a_name_twice_but_a_map_takes_the_later() {
    let mut transform = transform(&[("renames", "a:b")]);
    let (schema, value) = structure(&[("a", 1), ("b", 2)]);
    let error = apply(&mut transform, Some(schema), value).unwrap_err();
    assert_eq!(
        error.message(),
        "Cannot create field because of field name duplication b"
    );
    let record = apply(&mut transform, None, map(&[("a", 1), ("b", 2)])).unwrap();
    assert_eq!(record.value, map(&[("b", 2)]));
}

#[test]
fn only_structs_and_maps_have_fields() {
    let mut transform = transform(&[("exclude", "a")]);
    let error = apply(&mut transform, None, Value::Int32(1)).unwrap_err();
    assert_eq!(
        error.message(),
        "Only Map objects supported in absence of schema for [field replacement], found: java.lang.Integer"
    );
    let error = apply(
        &mut transform,
        Some(logical::date().build().unwrap()),
        Value::Instant(0),
    )
    .unwrap_err();
    assert_eq!(
        error.message(),
        "Only Struct objects supported for [field replacement], found: java.util.Date"
    );
    let numbered = Value::Map([(Value::Int32(1), Value::Null)].into_iter().collect());
    assert!(apply(&mut transform, None, numbered).is_err());
}

#[test]
fn equal_schemas_have_one_schema_afterwards() {
    let mut transform = transform(&[("exclude", "a")]);
    let mut after = Vec::new();
    for _ in 0..3 {
        let (schema, value) = structure(&[("a", 1), ("b", 2)]);
        after.push(
            apply(&mut transform, Some(schema), value)
                .unwrap()
                .value_schema
                .unwrap(),
        );
    }
    assert!(Arc::ptr_eq(&after[0], &after[1]) && Arc::ptr_eq(&after[1], &after[2]));
}

#[test]
fn more_schemas_than_are_remembered_still_work() {
    let mut transform = transform(&[("exclude", "a")]);
    for round in 0..2 {
        for n in 0..40 {
            let name = format!("f{n}");
            let (schema, value) = structure(&[("a", 1), (&name, n)]);
            let record = apply(&mut transform, Some(schema), value).unwrap();
            assert_eq!(record.value, structure(&[(&name, n)]).1, "round {round}");
        }
    }
}

#[test]
fn bad_configurations_are_refused_with_kafka_connects_words() {
    for (config, expected) in [
        (
            ("renames", "a"),
            "Invalid value [a] for configuration renames: Invalid rename mapping: a",
        ),
        (
            ("renames", "a:b:c"),
            "Invalid value [a:b:c] for configuration renames: Invalid rename mapping: a:b:c",
        ),
        (
            ("renames", "a:"),
            "Invalid value [a:] for configuration renames: Invalid rename mapping: a:",
        ),
        (
            ("renames", "x:y,a"),
            "Invalid value [x:y, a] for configuration renames: Invalid rename mapping: a",
        ),
        (
            ("renames", ","),
            "Invalid value [, ] for configuration renames: Invalid rename mapping: ",
        ),
        (
            ("exclude", "a,,b"),
            "Configuration 'exclude' values must not be empty.",
        ),
        (
            ("include", ","),
            "Configuration 'include' values must not be empty.",
        ),
        (
            ("replace.null.with.default", "x"),
            "Invalid value x for configuration replace.null.with.default: Expected value to be either true or false",
        ),
    ] {
        let error = ReplaceField::new(Side::Value, &[config].into_iter().collect()).unwrap_err();
        assert_eq!(error.message(), expected);
    }
}

#[test]
fn a_repeated_field_is_an_error_of_validation_only() {
    let config = [("exclude", "a,a")].into_iter().collect();
    assert!(ReplaceField::new(Side::Value, &config).is_ok());
    let errors: Vec<String> = config_def()
        .validate(&config)
        .into_iter()
        .flat_map(|key| key.errors)
        .collect();
    assert_eq!(errors, ["Configuration 'exclude' values must not be duplicated."]);
}

#[test]
fn mappings_are_read_as_java_splits_them() {
    for (mapping, expected) in [
        ("a:b", Some(("a", "b"))),
        (":b", Some(("", "b"))),
        ("a:b:", Some(("a", "b"))),
        ("a : b", Some(("a ", " b"))),
        ("a::b", None),
        ("::", None),
        ("", None),
    ] {
        assert_eq!(rename(mapping), expected, "{mapping:?}");
    }
}
