//! Cast, against what Kafka Connect answered.

use bytes::Bytes;
use towpath_connect::data::logical;
use towpath_connect::{Map, Topic};

use super::*;
use crate::describe;

const VECTORS: &str = include_str!("../../../testdata/cast.tsv");

fn vectors(kind: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    VECTORS
        .lines()
        .filter_map(move |line| line.strip_prefix(kind)?.strip_prefix('\t'))
        .map(|line| line.split('\t').collect())
}

fn run(config: &[(&str, &str)], schema: Option<&SchemaRef>, value: &Value) -> String {
    let config = config.iter().copied().collect();
    let run = || {
        let record = ConnectRecord::of_value(Topic::from("t"), schema.cloned(), value.clone());
        Cast::new(Side::Value, &config)?.apply(record, RecordOrigin::Source)
    };
    match run() {
        Ok(record) => {
            let record = record.unwrap();
            let schema = describe::schema(record.value_schema.as_ref());
            format!("{schema} {}", describe::value(&record.value))
        }
        Err(error) => format!("ERROR {}", error.message()),
    }
}

/// A value of its description.
fn scalar(text: &str) -> Value {
    let float = |text| towpath_connect::data::java_text::parse_float64(text).unwrap();
    match text.split_once(':') {
        Some(("i8", n)) => Value::Int8(n.parse().unwrap()),
        Some(("i16", n)) => Value::Int16(n.parse().unwrap()),
        Some(("i32", n)) => Value::Int32(n.parse().unwrap()),
        Some(("i64", n)) => Value::Int64(n.parse().unwrap()),
        Some(("f32", n)) => Value::Float32(towpath_connect::data::java_text::parse_float32(n).unwrap()),
        Some(("f64", n)) => Value::Float64(float(n)),
        Some(("dec", n)) => Value::Decimal(n.parse().unwrap()),
        Some(("date", n)) => Value::Instant(n.parse().unwrap()),
        Some(("bytes", "0102")) => Value::Bytes(Bytes::from_static(&[1, 2])),
        _ => match text {
            "null" => Value::Null,
            "true" | "false" => Value::Boolean(text == "true"),
            quoted => quoted.trim_matches('"').into(),
        },
    }
}

#[test]
fn values_are_cast_as_kafka_connect_does() {
    let mut wrong = Vec::new();
    for vector in vectors("V") {
        let got = run(&[("spec", vector[1])], None, &scalar(vector[0]));
        let got = got.strip_prefix("none ").unwrap_or(&got);
        if got != vector[2] {
            wrong.push(format!("{vector:?}: {got}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn specs_are_checked_as_kafka_connect_does() {
    let mut wrong = Vec::new();
    for vector in vectors("CFG") {
        let config = [("spec", vector[0])].into_iter().collect();
        let errors: Vec<String> = config_def()
            .validate(&config)
            .into_iter()
            .flat_map(|key| key.errors)
            .collect();
        let got = if errors.is_empty() {
            "ok".to_owned()
        } else {
            errors.join("; ")
        };
        if got != vector[1] || Cast::new(Side::Value, &config).is_ok() != (vector[1] == "ok") {
            wrong.push(format!("{vector:?}: {got}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let errors: Vec<String> = config_def()
        .validate(&ConfigMap::new())
        .into_iter()
        .flat_map(|key| key.errors)
        .collect();
    assert_eq!(
        errors,
        [
            "Missing required configuration \"spec\" which has no default value.",
            "Must specify at least one field to cast."
        ]
    );
}

#[test]
fn a_whole_value_keeps_the_attributes_of_its_schema() {
    let build = |builder: SchemaBuilder| builder.build().unwrap();
    let attributes = build(
        SchemaBuilder::new(Type::Int32)
            .optional()
            .name("n")
            .version(2)
            .doc("d")
            .parameter("p", "v")
            .default_value(Value::Int32(42)),
    );
    let timestamp = build(logical::timestamp());
    let named = "name=org.apache.kafka.connect.data";
    let of_type =
        |schema: &SchemaRef, value: Value, target: &str| run(&[("spec", target)], Some(schema), &value);
    assert_eq!(
        of_type(&attributes, Value::Int32(7), "string"),
        "STRING?/name=n/version=2/doc=d/parameters={p=v}/default=\"42\" \"7\""
    );
    assert_eq!(
        of_type(&timestamp, Value::Instant(1_566_570_894_346), "string"),
        format!("STRING/{named}.Timestamp/version=1 \"2019-08-23T14:34:54.346Z\"")
    );
    assert_eq!(
        of_type(&timestamp, Value::Instant(1_566_570_894_346), "int32"),
        format!("INT32/{named}.Timestamp/version=1 i32:-1092168694")
    );
    assert_eq!(
        of_type(&timestamp, Value::Instant(0), "string"),
        format!("STRING/{named}.Timestamp/version=1 \"00:00:00.000Z\"")
    );
    assert_eq!(
        of_type(
            &build(logical::date()),
            Value::Instant(1_566_518_400_000),
            "int16"
        ),
        format!("INT16/{named}.Date/version=1 i16:18131")
    );
    assert_eq!(
        of_type(&build(logical::time()), Value::Instant(52_494_346), "float64"),
        format!("FLOAT64/{named}.Time/version=1 f64:5.2494346E7")
    );
    let decimal = build(logical::decimal(2));
    let value = Value::Decimal("1.50".parse().unwrap());
    for (target, expected) in [
        ("int8", "INT8 i8:1"),
        ("float64", "FLOAT64 f64:1.5"),
        ("string", "STRING \"1.50\""),
    ] {
        let (kind, value_text) = expected.split_once(' ').unwrap();
        let expected = format!("{kind}/{named}.Decimal/version=1/parameters={{scale=2}} {value_text}");
        assert_eq!(of_type(&decimal, value.clone(), target), expected);
    }
}

#[test]
fn what_cannot_be_cast_is_refused_with_kafka_connects_words() {
    let build = |builder: SchemaBuilder| builder.build().unwrap();
    let array = build(SchemaBuilder::array(Schema::required(Type::Int32)));
    let supported =
        "supported types are [INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]";
    let with_default = build(logical::decimal(2).default_value(Value::Decimal("1.25".parse().unwrap())));
    let text_default = build(SchemaBuilder::new(Type::String).default_value("x".into()));
    for (schema, value, expected) in [
        (
            Some(array),
            Value::Array(vec![Value::Int32(1)]),
            format!("Cast transformation does not support casting from ARRAY; {supported}"),
        ),
        (
            None,
            Value::Map(Map::new()),
            format!("Cast transformation does not support casting from MAP; {supported}"),
        ),
        (
            Some(Schema::required(Type::Bytes)),
            Value::Bytes(Bytes::new()),
            "Unexpected type in Cast transformation: class [B".to_owned(),
        ),
        (
            Some(with_default),
            Value::Decimal("1.50".parse().unwrap()),
            "Invalid default value".to_owned(),
        ),
        (
            Some(text_default),
            "8".into(),
            "Value (x) was out of range for requested data type".to_owned(),
        ),
    ] {
        assert_eq!(
            run(&[("spec", "int8")], schema.as_ref(), &value),
            format!("ERROR {expected}")
        );
    }
    assert_eq!(
        run(&[("spec", "a:int8")], None, &Value::Int32(5)),
        "ERROR Only Map objects supported in absence of schema for [cast types], found: java.lang.Integer"
    );
    assert_eq!(
        run(
            &[("spec", "a:int8")],
            Some(&Schema::required(Type::Int32)),
            &Value::Int32(5)
        ),
        "ERROR Cannot list fields on non-struct type"
    );
}

fn row() -> (SchemaRef, Value) {
    let with_default = SchemaBuilder::new(Type::Int32)
        .optional()
        .default_value(Value::Int32(42))
        .doc("lost")
        .build()
        .unwrap();
    let schema = SchemaBuilder::new_struct()
        .name("row")
        .doc("kept")
        .optional()
        .field("i", with_default)
        .field("ts", logical::timestamp().optional().build().unwrap())
        .field("s", Schema::optional(Type::String))
        .build()
        .unwrap();
    let values = vec![Value::Null, Value::Instant(1_566_570_894_346), "12".into()];
    (
        SchemaRef::clone(&schema),
        Value::Struct(Struct::of(schema, values).unwrap()),
    )
}

#[test]
fn a_field_keeps_only_whether_it_is_optional_and_its_default() {
    let (schema, value) = row();
    let timestamp = "INT64?/name=org.apache.kafka.connect.data.Timestamp/version=1";
    for (config, expected) in [
        (
            &[("spec", "i:string,s:int64")][..],
            format!(
                "STRUCT(i:STRING?/default=\"42\",ts:{timestamp},s:INT64?)?/name=row/doc=kept \
                 struct{{i=\"42\",ts=date:1566570894346,s=i64:12}}"
            ),
        ),
        (
            &[("spec", "i:int8"), ("replace.null.with.default", "false")],
            format!(
                "STRUCT(i:INT8?/default=i8:42,ts:{timestamp},s:STRING?)?/name=row/doc=kept \
                 struct{{i=null,ts=date:1566570894346,s=\"12\"}}"
            ),
        ),
        (
            &[("spec", "ts:string, zz:int8")],
            "STRUCT(i:INT32?/doc=lost/default=i32:42,ts:STRING?,s:STRING?)?/name=row/doc=kept \
             struct{i=i32:42,ts=\"2019-08-23T14:34:54.346Z\",s=\"12\"}"
                .to_owned(),
        ),
    ] {
        assert_eq!(run(config, Some(&schema), &value), expected);
    }
}

#[test]
fn a_null_is_left_alone_with_its_schema() {
    let (schema, _) = row();
    let before = describe::schema(Some(&schema));
    assert_eq!(
        run(&[("spec", "i:string")], Some(&schema), &Value::Null),
        format!("{before} null")
    );
    assert_eq!(
        run(
            &[("spec", "int8")],
            Some(&Schema::optional(Type::Int32)),
            &Value::Null
        ),
        "INT32? null"
    );
    assert_eq!(run(&[("spec", "int8")], None, &Value::Null), "none null");
}

#[test]
fn a_field_that_a_map_has_not_is_null_afterwards() {
    let map: Map = [("a".into(), Value::Int32(300)), ("n".into(), Value::Null)]
        .into_iter()
        .collect();
    let map = Value::Map(map);
    for (spec, expected) in [
        ("a:int8", "none {\"a\"=i8:44,\"n\"=null}"),
        ("zz:int8", "none {\"a\"=i32:300,\"n\"=null,\"zz\"=null}"),
        ("a:string,n:string", "none {\"a\"=\"300\",\"n\"=null}"),
        (" a :int8", "none {\"a\"=i8:44,\"n\"=null}"),
    ] {
        assert_eq!(run(&[("spec", spec)], None, &map), expected);
    }
}

#[test]
fn the_key_variant_changes_the_key_only() {
    let config = [("spec", "string")].into_iter().collect();
    let mut record = ConnectRecord::of_value(Topic::from("t"), None, Value::Int8(1));
    record.key = Value::Int8(2);
    let record = Cast::new(Side::Key, &config)
        .unwrap()
        .apply(record, RecordOrigin::Source)
        .unwrap()
        .unwrap();
    assert_eq!((record.key, record.value), ("2".into(), Value::Int8(1)));
}
