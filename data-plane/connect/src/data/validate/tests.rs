//! What fits a schema, and the messages for what does not.

use bytes::Bytes;

use super::*;
use crate::data::{Map, SchemaBuilder, SchemaRef, Struct};

fn schema(kind: Type) -> SchemaRef {
    Schema::required(kind)
}

fn check(schema: &Schema, value: &Value) -> std::result::Result<(), String> {
    super::value(schema, value).map_err(|error| error.message().to_owned())
}

#[test]
fn each_value_fits_its_own_type_only() {
    let values = [
        (Type::Int8, Value::Int8(1)),
        (Type::Int16, Value::Int16(1)),
        (Type::Int32, Value::Int32(1)),
        (Type::Int64, Value::Int64(1)),
        (Type::Float32, Value::Float32(1.0)),
        (Type::Float64, Value::Float64(1.0)),
        (Type::Boolean, Value::Boolean(true)),
        (Type::String, Value::from("x")),
        (Type::Bytes, Value::Bytes(Bytes::new())),
    ];
    for (kind, _) in &values {
        for (other, value) in &values {
            assert_eq!(
                check(&schema(*kind), value).is_ok(),
                kind == other,
                "{kind} {value:?}"
            );
        }
    }
}

#[test]
fn messages_are_kafka_connects() {
    let int32 = schema(Type::Int32);
    let timestamp = logical::timestamp().build().unwrap();
    let array = SchemaBuilder::array(schema(Type::Int32)).build().unwrap();
    let map = SchemaBuilder::map(schema(Type::String), schema(Type::Int32))
        .build()
        .unwrap();
    let row = SchemaBuilder::new_struct()
        .field("a", SchemaRef::clone(&int32))
        .field("l", SchemaRef::clone(&array))
        .field("m", SchemaRef::clone(&map))
        .build()
        .unwrap();
    let put = |field: &str, value| {
        let mut row = Struct::new(SchemaRef::clone(&row)).unwrap();
        row.put(field, value)
            .map(|_| ())
            .map_err(|error| error.message().to_owned())
    };
    let entry = |key: Value, value: Value| Value::Map([(key, value)].into_iter().collect::<Map>());
    for (result, expected) in [
        (
            put("a", Value::Null),
            "Invalid value: null used for required field: \"a\", schema type: INT32",
        ),
        (
            put("a", "x".into()),
            "Invalid Java object for schema with type INT32: class java.lang.String for field: \"a\"",
        ),
        (
            put("l", Value::Array(vec![Value::Null])),
            "Invalid value: null used for required element of array field: \"l\", schema type: INT32",
        ),
        (
            put("m", entry(Value::Int8(1), Value::Int32(1))),
            "Invalid Java object for schema with type STRING: class java.lang.Byte for key of map field: \"m\"",
        ),
        (
            put("m", entry("k".into(), "x".into())),
            "Invalid Java object for schema with type INT32: class java.lang.String for value of map field: \"m\"",
        ),
        (put("zz", Value::Int32(1)), "zz is not a valid field name"),
        (
            check(&timestamp, &Value::Int64(1)),
            "Invalid Java object for schema \"org.apache.kafka.connect.data.Timestamp\" with type INT64: class \
             java.lang.Long for value",
        ),
        (
            check(&int32, &Value::Null),
            "Invalid value: null used for required value, schema type: INT32",
        ),
    ] {
        assert_eq!(result, Err(expected.to_owned()));
    }
}

#[test]
fn a_struct_of_another_schema_does_not_fit() {
    let inner = |name| {
        SchemaBuilder::new_struct()
            .field(name, schema(Type::Int32))
            .build()
            .unwrap()
    };
    let outer = SchemaBuilder::new_struct()
        .field("s", inner("a"))
        .build()
        .unwrap();
    let mut row = Struct::new(outer).unwrap();
    let other = Value::Struct(Struct::of(inner("b"), vec![Value::Int32(1)]).unwrap());
    assert_eq!(
        row.put("s", other).unwrap_err().message(),
        "Struct schemas do not match."
    );
    let equal = Value::Struct(Struct::of(inner("a"), vec![Value::Int32(1)]).unwrap());
    assert!(
        row.put("s", equal).is_ok(),
        "an equal schema at another address is the same"
    );
    let incomplete = Value::Struct(Struct::new(inner("a")).unwrap());
    assert_eq!(
        row.put("s", incomplete).unwrap_err().message(),
        "Invalid value: null used for required field: \"a\", schema type: INT32"
    );
}

#[test]
fn logical_types_need_their_own_values_and_other_names_mean_nothing() {
    let decimal = logical::decimal(2).build().unwrap();
    assert!(check(&decimal, &Value::Decimal("1.50".parse().unwrap())).is_ok());
    assert!(check(&decimal, &Value::Bytes(Bytes::new())).is_err());
    for builder in [logical::date(), logical::time(), logical::timestamp()] {
        let schema = builder.build().unwrap();
        assert!(check(&schema, &Value::Instant(0)).is_ok(), "{schema}");
        assert!(check(&schema, &Value::Int32(0)).is_err(), "{schema}");
    }
    let unknown = SchemaBuilder::new(Type::Int32)
        .name("com.acme.Celsius")
        .build()
        .unwrap();
    assert!(check(&unknown, &Value::Int32(20)).is_ok());
    assert!(check(&unknown, &Value::Instant(20)).is_err());
}

#[test]
fn a_null_is_fine_where_it_is_optional_or_has_a_default() {
    let with_default = SchemaBuilder::new(Type::Int32)
        .default_value(Value::Int32(7))
        .build()
        .unwrap();
    assert!(check(&with_default, &Value::Null).is_ok());
    assert!(check(&Schema::optional(Type::Int32), &Value::Null).is_ok());
}
