//! Schemas and their builder.

use super::*;
use crate::data::logical;
use crate::error::Result;

fn message(result: Result<SchemaRef>) -> String {
    result.unwrap_err().message().to_owned()
}

#[test]
fn a_schema_prints_its_type_and_name() {
    assert_eq!(Schema::required(Type::String).to_string(), "Schema{STRING}");
    let named = SchemaBuilder::new(Type::Int32)
        .name("com.acme.X")
        .build()
        .unwrap();
    assert_eq!(named.to_string(), "Schema{com.acme.X:INT32}");
}

#[test]
fn what_a_builder_cannot_do_is_said_in_kafka_connects_words() {
    let int32 = || Schema::required(Type::Int32);
    let builder = SchemaBuilder::new_struct;
    for (built, expected) in [
        (builder().field("", int32()).build(), "fieldName cannot be null."),
        (
            builder().field("a", int32()).field("a", int32()).build(),
            "Cannot create field because of field name duplication a",
        ),
        (
            SchemaBuilder::new(Type::Int32).field("a", int32()).build(),
            "Cannot create fields on type INT32",
        ),
        (
            SchemaBuilder::new(Type::Int32).default_value("x".into()).build(),
            "Invalid default value",
        ),
        (
            builder().name("a").name("b").build(),
            "Invalid SchemaBuilder call: name has already been set.",
        ),
        (
            builder().version(1).version(1).build(),
            "Invalid SchemaBuilder call: version has already been set.",
        ),
        (
            builder().doc("a").doc("a").build(),
            "Invalid SchemaBuilder call: doc has already been set.",
        ),
        (
            SchemaBuilder::new(Type::Int8)
                .default_value(Value::Int8(1))
                .default_value(Value::Int8(1))
                .build(),
            "Invalid SchemaBuilder call: default has already been set.",
        ),
    ] {
        assert_eq!(message(built), expected);
    }
}

#[test]
fn optional_may_be_called_twice_and_a_parameter_overwritten() {
    let schema = SchemaBuilder::new(Type::Int8)
        .optional()
        .optional()
        .parameter("a", "1")
        .parameter("b", "2")
        .parameter("a", "3")
        .build()
        .unwrap();
    assert!(schema.is_optional());
    let parameters: Vec<_> = schema
        .parameters()
        .iter()
        .map(|(k, v)| (k.as_ref(), v.as_ref()))
        .collect();
    assert_eq!(parameters, [("a", "3"), ("b", "2")]);
}

#[test]
fn every_attribute_counts_in_comparisons() {
    let base = || {
        SchemaBuilder::new(Type::Int32)
            .name("n")
            .version(1)
            .doc("d")
            .parameter("p", "v")
    };
    let schema = base().build().unwrap();
    assert_eq!(schema, base().build().unwrap());
    for other in [
        SchemaBuilder::like(&schema).optional(),
        SchemaBuilder::like(&schema).name("m"),
        SchemaBuilder::like(&schema).version(2),
        SchemaBuilder::like(&schema).doc("e"),
        SchemaBuilder::like(&schema).parameter("p", "w"),
        SchemaBuilder::like(&schema).default_value(Value::Int32(1)),
        SchemaBuilder::copy_basics(&schema, SchemaBuilder::new(Type::Int64)),
    ] {
        assert_ne!(schema, other.build().unwrap());
    }
}

#[test]
fn fields_keys_and_elements_count_in_comparisons() {
    let plain = |kind| Schema::required(kind);
    let structure = |a, b| {
        SchemaBuilder::new_struct()
            .field(a, plain(Type::Int8))
            .field(b, plain(Type::Int8))
            .build()
            .unwrap()
    };
    assert_eq!(structure("a", "b"), structure("a", "b"));
    assert_ne!(
        structure("a", "b"),
        structure("b", "a"),
        "the order of fields counts"
    );
    let map = |k, v| SchemaBuilder::map(plain(k), plain(v)).build().unwrap();
    assert_eq!(map(Type::String, Type::Int8), map(Type::String, Type::Int8));
    assert_ne!(map(Type::String, Type::Int8), map(Type::Int8, Type::Int8));
    assert_ne!(map(Type::String, Type::Int8), map(Type::String, Type::Int16));
    let array = |v| SchemaBuilder::array(plain(v)).build().unwrap();
    assert_ne!(array(Type::Int8), array(Type::Int16));
}

#[test]
fn plain_schemas_exist_once() {
    assert!(Arc::ptr_eq(
        &Schema::required(Type::Int8),
        &Schema::required(Type::Int8)
    ));
    assert!(!Arc::ptr_eq(
        &Schema::required(Type::Int8),
        &Schema::optional(Type::Int8)
    ));
    assert!(Schema::same(
        &Schema::optional(Type::Bytes),
        &Schema::optional(Type::Bytes)
    ));
    assert!(!Schema::same_option(None, Some(&Schema::optional(Type::Bytes))));
    assert!(Schema::same_option(None, None));
}

#[test]
fn a_copy_of_the_basics_loses_the_default_and_becomes_required() {
    let schema = logical::timestamp()
        .optional()
        .default_value(Value::Instant(5))
        .doc("d")
        .build()
        .unwrap();
    let copy = SchemaBuilder::copy_basics(&schema, SchemaBuilder::new(Type::Int64))
        .build()
        .unwrap();
    assert_eq!(copy, logical::timestamp().doc("d").build().unwrap());
    assert_eq!(SchemaBuilder::like(&schema).build().unwrap(), schema);
}

#[test]
fn fields_are_found_by_name_and_know_their_place() {
    let schema = SchemaBuilder::new_struct()
        .field("a", Schema::required(Type::Int8))
        .field("b", Schema::optional(Type::String))
        .build()
        .unwrap();
    assert_eq!(schema.field("b").map(|field| field.index), Some(1));
    assert!(schema.field("zz").is_none());
    assert!(Schema::required(Type::Int8).fields().is_empty());
}

#[test]
fn a_null_default_is_none_and_only_for_what_is_optional() {
    let builder = || SchemaBuilder::new(Type::Int8).default_value(Value::Null);
    assert_eq!(message(builder().build()), "Invalid default value");
    assert_eq!(
        builder().optional().build().unwrap(),
        Schema::optional(Type::Int8)
    );
}
