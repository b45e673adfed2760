//! Values as JSON text.

use bytes::Bytes;
use towpath_connect::data::logical;
use towpath_connect::{Decimal, Map, Schema, SchemaBuilder, Struct, Type, Value};

use super::*;

type Config = &'static [(&'static str, &'static str)];

const ON: Config = &[];
const OFF: Config = &[("schemas.enable", "false")];
const NUMERIC: Config = &[("schemas.enable", "false"), ("decimal.format", "numeric")];
const ON_NO_REPLACE: Config = &[("replace.null.with.default", "false")];
const OFF_NO_REPLACE: Config = &[
    ("schemas.enable", "false"),
    ("replace.null.with.default", "false"),
];

fn write(
    config: Config,
    schema: Option<&SchemaRef>,
    value: &Value,
) -> std::result::Result<Option<String>, String> {
    let written = converter(config).from_connect("t", schema, value);
    match written {
        Ok(bytes) => Ok(bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())),
        Err(error) => Err(error.message().to_owned()),
    }
}

fn text(config: Config, schema: Option<&SchemaRef>, value: &Value) -> String {
    write(config, schema, value).unwrap().unwrap()
}

fn map(entries: Vec<(Value, Value)>) -> Value {
    Value::Map(entries.into_iter().collect::<Map>())
}

fn decimal(text: &str) -> Value {
    Value::Decimal(text.parse::<Decimal>().unwrap())
}

fn int32_with_default(optional: bool) -> SchemaRef {
    SchemaBuilder::new(Type::Int32)
        .with_optional(optional)
        .default_value(Value::Int32(7))
        .build()
        .unwrap()
}

const MISSING: &str = "Conversion error: null value for field that is required and has no default value";

#[test]
fn nulls_are_written_as_their_schema_and_the_configuration_say() {
    assert_eq!(write(ON, None, &Value::Null), Ok(None));
    assert_eq!(write(OFF, None, &Value::Null), Ok(None));
    let optional = Schema::optional(Type::Int32);
    let enveloped = r#"{"schema":{"type":"int32","optional":true},"payload":null}"#;
    assert_eq!(text(ON, Some(&optional), &Value::Null), enveloped);
    assert_eq!(text(OFF, Some(&optional), &Value::Null), "null");
    assert_eq!(
        write(OFF, Some(&Schema::required(Type::Int32)), &Value::Null),
        Err(MISSING.to_owned())
    );
    let required = int32_with_default(false);
    let optional = int32_with_default(true);
    assert_eq!(
        text(ON, Some(&required), &Value::Null),
        r#"{"schema":{"type":"int32","optional":false,"default":7},"payload":7}"#
    );
    assert_eq!(text(OFF, Some(&optional), &Value::Null), "7");
    assert_eq!(text(OFF_NO_REPLACE, Some(&optional), &Value::Null), "null");
    assert_eq!(
        text(ON_NO_REPLACE, Some(&optional), &Value::Null),
        r#"{"schema":{"type":"int32","optional":true,"default":7},"payload":null}"#
    );
    assert_eq!(
        write(OFF_NO_REPLACE, Some(&required), &Value::Null),
        Err(MISSING.to_owned())
    );
}

#[test]
fn values_without_a_schema_have_a_null_schema_in_the_envelope() {
    assert_eq!(text(ON, None, &Value::Int64(5)), r#"{"schema":null,"payload":5}"#);
    assert_eq!(text(OFF, None, &Value::Int64(5)), "5");
}

#[test]
fn primitive_values_are_json_in_javas_form() {
    let floats = [
        (1.0, "1.0"),
        (0.1, "0.1"),
        (1e10, "1.0E10"),
        (1e-5, "1.0E-5"),
        (1e7, "1.0E7"),
        (1e-3, "0.001"),
        (123_456_789.0, "1.23456789E8"),
        (f64::from_bits(1), "4.9E-324"),
        (f64::MAX, "1.7976931348623157E308"),
        (f64::NAN, "\"NaN\""),
        (f64::INFINITY, "\"Infinity\""),
        (f64::NEG_INFINITY, "\"-Infinity\""),
        (-0.0, "-0.0"),
        (100.0, "100.0"),
    ];
    for (value, expected) in floats {
        assert_eq!(text(OFF, None, &Value::Float64(value)), expected);
    }
    for (value, expected) in [
        (1.5, "1.5"),
        (0.1, "0.1"),
        (1e10, "1.0E10"),
        (f32::NAN, "\"NaN\""),
    ] {
        assert_eq!(text(OFF, None, &Value::Float32(value)), expected);
    }
    for (value, expected) in [
        (Value::Int8(-1), "-1"),
        (Value::Int16(300), "300"),
        (Value::Int32(i32::MIN), "-2147483648"),
        (Value::Int64(i64::MAX), "9223372036854775807"),
        (Value::Boolean(true), "true"),
        (Value::Boolean(false), "false"),
        (Value::Bytes(Bytes::from_static(&[1, 2])), "\"AQI=\""),
        (Value::Bytes(Bytes::new()), "\"\""),
        (Value::Bytes(Bytes::from_static(&[0xff, 0xfe, 0xfd])), "\"//79\""),
    ] {
        assert_eq!(text(OFF, None, &value), expected);
    }
}

#[test]
fn strings_are_escaped_as_jackson_does() {
    let all: String = (0..0x20).map(char::from).collect();
    let expected = "\"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000B\\f\\r\\u000E\\u000F\
        \\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001A\\u001B\\u001C\\u001D\\u001E\\u001F\
        \\\"\\\\/\u{7f}\u{80}é€\u{2028}\u{ffff}\\uD83D\\uDE00\\uD834\\uDD1E\"";
    let value = Value::from(format!("{all}\"\\/\u{7f}\u{80}é€\u{2028}\u{ffff}😀𝄞").as_str());
    assert_eq!(text(OFF, None, &value), expected);
}

#[test]
fn escapes_are_found_wherever_they_stand() {
    for length in 0..70 {
        for at in 0..=length {
            for special in ["\"", "😀", "\u{1}", "é"] {
                let plain = "x".repeat(at);
                let rest = "y".repeat(length - at);
                let value = Value::from(format!("{plain}{special}{rest}").as_str());
                let written = text(OFF, None, &value);
                let read: String = serde_json::from_str(&written).unwrap();
                assert_eq!(Some(read.as_str()), value.as_str());
            }
        }
    }
}

#[test]
fn maps_are_objects_when_all_their_keys_are_text() {
    let entry = |key: Value| map(vec![(key, Value::Int32(1))]);
    assert_eq!(text(OFF, None, &entry("a".into())), r#"{"a":1}"#);
    assert_eq!(text(OFF, None, &map(vec![])), "{}");
    let mixed = map(vec![("a".into(), Value::Int32(1)), (Value::Int32(2), "x".into())]);
    assert_eq!(text(OFF, None, &mixed), r#"[["a",1],[2,"x"]]"#);
    assert_eq!(text(OFF, None, &entry(Value::Null)), "[[null,1]]");
    let numbered = SchemaBuilder::map(Schema::required(Type::Int32), Schema::required(Type::String))
        .build()
        .unwrap();
    assert_eq!(
        text(ON, Some(&numbered), &map(vec![(Value::Int32(1), "x".into())])),
        r#"{"schema":{"type":"map","keys":{"type":"int32","optional":false},"values":{"type":"string","optional":false},"optional":false},"payload":[[1,"x"]]}"#
    );
    let named = SchemaBuilder::map(Schema::optional(Type::String), Schema::optional(Type::Int32))
        .build()
        .unwrap();
    assert_eq!(
        text(ON, Some(&named), &map(vec![(Value::Null, Value::Null)])),
        r#"{"schema":{"type":"map","keys":{"type":"string","optional":true},"values":{"type":"int32","optional":true},"optional":false},"payload":{"null":null}}"#
    );
    assert_eq!(
        write(ON, Some(&named), &entry(Value::Int32(5))),
        Err("Invalid type for STRING: class java.lang.Integer".to_owned())
    );
}

#[test]
fn arrays_hold_nulls_only_when_their_elements_are_optional() {
    let array = |element| SchemaBuilder::array(element).build().unwrap();
    let value = Value::Array(vec![Value::Int32(1), Value::Null]);
    assert_eq!(
        text(ON, Some(&array(Schema::optional(Type::Int32))), &value),
        r#"{"schema":{"type":"array","items":{"type":"int32","optional":true},"optional":false},"payload":[1,null]}"#
    );
    assert_eq!(
        write(ON, Some(&array(Schema::required(Type::Int32))), &value),
        Err(MISSING.to_owned())
    );
    let anything = Value::Array(vec![
        Value::Int32(1),
        Value::Null,
        "x".into(),
        Value::Boolean(true),
    ]);
    assert_eq!(text(OFF, None, &anything), r#"[1,null,"x",true]"#);
    let untyped = SchemaBuilder::untyped(Type::Array, None, None).build().unwrap();
    assert_eq!(
        text(ON, Some(&untyped), &value),
        r#"{"schema":{"type":"array","items":null,"optional":false},"payload":[1,null]}"#
    );
}

fn order() -> (SchemaRef, Value) {
    let schema = SchemaBuilder::new_struct()
        .name("com.acme.Order")
        .version(2)
        .doc("an order")
        .field("id", Schema::required(Type::Int64))
        .field("n", Schema::optional(Type::String))
        .field("q", int32_with_default(false))
        .field("d", logical::decimal(2).optional().build().unwrap())
        .field("b", Schema::optional(Type::Bytes))
        .build()
        .unwrap();
    let mut order = Struct::new(SchemaRef::clone(&schema)).unwrap();
    order.put("id", Value::Int64(5)).unwrap();
    order.put("d", decimal("12.34")).unwrap();
    order
        .put("b", Value::Bytes(Bytes::from_static(&[1, 2, 0xff])))
        .unwrap();
    (schema, Value::Struct(order))
}

#[test]
fn structs_are_objects_of_all_their_fields() {
    let (schema, order) = order();
    let payload = r#"{"id":5,"n":null,"q":7,"d":"BNI=","b":"AQL/"}"#;
    let schema_text = r#"{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"},{"type":"string","optional":true,"field":"n"},{"type":"int32","optional":false,"default":7,"field":"q"},{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"},"field":"d"},{"type":"bytes","optional":true,"field":"b"}],"optional":false,"name":"com.acme.Order","version":2,"doc":"an order"}"#;
    let enveloped = format!(r#"{{"schema":{schema_text},"payload":{payload}}}"#);
    assert_eq!(text(ON, Some(&schema), &order), enveloped);
    assert_eq!(text(OFF, Some(&schema), &order), payload);
    assert_eq!(
        write(OFF_NO_REPLACE, Some(&schema), &order),
        Err(MISSING.to_owned())
    );
}

#[test]
fn logical_values_are_written_as_their_encodings() {
    let schema = |builder: SchemaBuilder| builder.build().unwrap();
    for (config, schema, value, expected) in [
        (OFF, schema(logical::decimal(3)), decimal("-1.500"), "\"+iQ=\""),
        (OFF, schema(logical::decimal(0)), decimal("0"), "\"AA==\""),
        (NUMERIC, schema(logical::decimal(3)), decimal("1.500"), "1.500"),
        (NUMERIC, schema(logical::decimal(-2)), decimal("1E+2"), "1E+2"),
        (NUMERIC, schema(logical::decimal(3)), decimal("1.5"), "1.5"),
        (
            OFF,
            schema(logical::date()),
            Value::Instant(1_566_518_400_000),
            "18131",
        ),
        (
            OFF,
            schema(logical::time()),
            Value::Instant(52_494_346),
            "52494346",
        ),
        (
            OFF,
            schema(logical::time()),
            Value::Instant(86_400_000),
            "86400000",
        ),
        (OFF, schema(logical::timestamp()), Value::Instant(-1), "-1"),
    ] {
        assert_eq!(text(config, Some(&schema), &value), expected);
    }
    assert_eq!(
        text(
            ON,
            Some(&schema(logical::timestamp())),
            &Value::Instant(1_566_570_894_346)
        ),
        r#"{"schema":{"type":"int64","optional":false,"name":"org.apache.kafka.connect.data.Timestamp","version":1},"payload":1566570894346}"#
    );
}

#[test]
fn every_attribute_of_a_schema_is_written_in_order() {
    let schema = SchemaBuilder::new(Type::Int8)
        .optional()
        .name("n\"q")
        .version(3)
        .doc("d")
        .parameter("b", "1")
        .parameter("a", "é")
        .default_value(Value::Int8(5))
        .build()
        .unwrap();
    assert_eq!(
        text(ON, Some(&schema), &Value::Int8(1)),
        r#"{"schema":{"type":"int8","optional":true,"name":"n\"q","version":3,"doc":"d","parameters":{"b":"1","a":"é"},"default":5},"payload":1}"#
    );
    for (kind, name) in [
        (Type::Int16, "int16"),
        (Type::Float32, "float"),
        (Type::Float64, "double"),
        (Type::Boolean, "boolean"),
        (Type::Bytes, "bytes"),
    ] {
        let expected = format!(r#"{{"schema":{{"type":"{name}","optional":true}},"payload":null}}"#);
        assert_eq!(text(ON, Some(&Schema::optional(kind)), &Value::Null), expected);
    }
}

#[test]
fn defaults_in_schemas_are_written_like_values() {
    let decimal_schema = logical::decimal(2)
        .default_value(decimal("1.25"))
        .build()
        .unwrap();
    assert_eq!(
        text(ON, Some(&decimal_schema), &Value::Null),
        r#"{"schema":{"type":"bytes","optional":false,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"},"default":"fQ=="},"payload":"fQ=="}"#
    );
    let timestamp = logical::timestamp()
        .optional()
        .default_value(Value::Instant(5))
        .build()
        .unwrap();
    assert_eq!(
        text(ON, Some(&timestamp), &Value::Null),
        r#"{"schema":{"type":"int64","optional":true,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"default":5},"payload":5}"#
    );
}

#[test]
fn what_does_not_fit_is_refused_with_kafka_connects_words() {
    let (order_schema, order) = order();
    let schema = |builder: SchemaBuilder| builder.build().unwrap();
    let int32 = || Schema::required(Type::Int32);
    let of_int32 = schema(SchemaBuilder::array(int32()));
    let map_schema = schema(SchemaBuilder::map(int32(), int32()));
    let other = schema(SchemaBuilder::new_struct().field("a", int32()));
    for (schema, value, expected) in [
        (
            Some(int32()),
            "x".into(),
            "Invalid type for INT32: class java.lang.String",
        ),
        (
            Some(of_int32),
            Value::Int32(5),
            "Invalid type for ARRAY: class java.lang.Integer",
        ),
        (
            Some(map_schema),
            Value::Int32(5),
            "Invalid type for MAP: class java.lang.Integer",
        ),
        (
            Some(order_schema),
            Value::Int32(5),
            "Invalid type for STRUCT: class java.lang.Integer",
        ),
        (
            Some(Schema::required(Type::Bytes)),
            "x".into(),
            "Invalid type for bytes type: class java.lang.String",
        ),
        (
            Some(Schema::required(Type::String)),
            Value::Int32(5),
            "Invalid type for STRING: class java.lang.Integer",
        ),
        (Some(other), order.clone(), "Mismatching schema."),
        (None, order, "Mismatching schema."),
        (
            None,
            Value::Instant(0),
            "Java class class java.util.Date does not have corresponding schema type.",
        ),
        (
            None,
            decimal("1"),
            "Java class class java.math.BigDecimal does not have corresponding schema type.",
        ),
    ] {
        assert_eq!(write(OFF, schema.as_ref(), &value), Err(expected.to_owned()));
    }
}

#[test]
fn what_is_no_logical_value_is_refused_with_kafka_connects_words() {
    let schema = |builder: SchemaBuilder| builder.build().unwrap();
    for (schema, value, expected) in [
        (
            Some(schema(logical::decimal(3))),
            decimal("1.5"),
            "Decimal value has mismatching scale for given Decimal schema. Schema has scale 3, value has scale 1.",
        ),
        (
            Some(schema(logical::decimal(3))),
            "x".into(),
            "Invalid type for Decimal, expected BigDecimal but was class java.lang.String",
        ),
        (
            Some(schema(logical::date())),
            Value::Instant(1),
            "Kafka Connect Date type should not have any time fields set to non-zero values.",
        ),
        (
            Some(schema(logical::time())),
            Value::Instant(1_566_518_400_000),
            "Kafka Connect Time type should not have any date fields set to non-zero values.",
        ),
        (
            Some(schema(logical::date())),
            Value::Int32(5),
            "Invalid type for Date, expected Date but was class java.lang.Integer",
        ),
        (
            Some(schema(logical::timestamp())),
            Value::Int64(5),
            "Invalid type for Timestamp, expected Date but was class java.lang.Long",
        ),
    ] {
        assert_eq!(write(OFF, schema.as_ref(), &value), Err(expected.to_owned()));
    }
}

#[test]
fn a_record_that_fails_leaves_nothing_in_the_next() {
    let mut converter = converter(OFF);
    let bad = Value::Array(vec![Value::Int32(1), Value::Instant(0)]);
    assert!(converter.from_connect("t", None, &bad).is_err());
    let good = converter
        .from_connect("t", None, &Value::Int32(2))
        .unwrap()
        .unwrap();
    assert_eq!(good.as_ref(), b"2");
}

#[test]
fn records_of_all_sizes_are_kept_apart() {
    let mut converter = converter(OFF);
    let texts: Vec<String> = (0..300).map(|n| "x".repeat(n * 37 % 5000)).collect();
    let written: Vec<Bytes> = texts
        .iter()
        .map(|text| {
            converter
                .from_connect("t", None, &text.as_str().into())
                .unwrap()
                .unwrap()
        })
        .collect();
    for (text, written) in texts.iter().zip(written) {
        assert_eq!(written.as_ref(), format!("\"{text}\"").as_bytes());
    }
    let huge = "y".repeat(10 * BLOCK_BYTES);
    let written = converter
        .from_connect("t", None, &huge.as_str().into())
        .unwrap()
        .unwrap();
    assert_eq!(written.len(), huge.len() + 2);
}

#[test]
fn the_text_of_a_schema_is_remembered_without_mixing_schemas_up() {
    let mut converter = converter(&[("schemas.cache.size", "2")]);
    let schemas: Vec<SchemaRef> = (0..5)
        .map(|version| SchemaBuilder::new(Type::Int8).version(version).build().unwrap())
        .collect();
    for round in 0..3 {
        for (version, schema) in schemas.iter().enumerate() {
            // An equal schema at another address, too.
            let copy = SchemaBuilder::like(schema).build().unwrap();
            for schema in [schema, &copy] {
                let written = converter
                    .from_connect("t", Some(schema), &Value::Int8(round))
                    .unwrap()
                    .unwrap();
                let expected = format!(
                    r#"{{"schema":{{"type":"int8","optional":false,"version":{version}}},"payload":{round}}}"#
                );
                assert_eq!(written.as_ref(), expected.as_bytes());
            }
        }
    }
}
