//! TimestampConverter, row by row of the contract.

use towpath_connect::data::logical;
use towpath_connect::{Map, Schema, Topic, Type};

use super::*;

/// 2019-08-23T14:34:54.346Z
const MILLIS: i64 = 1_566_570_894_346;
/// 2019-08-23
const MIDNIGHT: i64 = 1_566_518_400_000;
const OF_DAY: i64 = 52_494_346;

fn converter(config: &[(&str, &str)]) -> TimestampConverter {
    TimestampConverter::new(Side::Value, &config.iter().copied().collect()).unwrap()
}

fn convert(
    converter: &mut TimestampConverter,
    schema: Option<SchemaRef>,
    value: Value,
) -> Result<(Option<SchemaRef>, Value)> {
    let mut record = ConnectRecord::of_value(Topic::from("t"), schema, value);
    record.key = "k".into();
    let record = converter.apply(record, RecordOrigin::Source)?.unwrap();
    assert_eq!((record.key, record.topic.as_ref()), ("k".into(), "t"));
    Ok((record.value_schema, record.value))
}

fn schemaless(config: &[(&str, &str)], value: Value) -> Result<Value> {
    let (schema, value) = convert(&mut converter(config), None, value)?;
    assert_eq!(schema, None);
    Ok(value)
}

fn to(target: &'static str, value: Value) -> Value {
    schemaless(&[("target.type", target), ("format", "yyyy-MM-dd")], value).unwrap()
}

fn unix(precision: &'static str, target: &'static str, value: Value) -> Value {
    schemaless(&[("target.type", target), ("unix.precision", precision)], value).unwrap()
}

#[test]
fn an_instant_is_converted_to_every_form() {
    assert_eq!(to("Timestamp", Value::Instant(MILLIS)), Value::Instant(MILLIS));
    assert_eq!(to("Date", Value::Instant(MILLIS)), Value::Instant(MIDNIGHT));
    assert_eq!(to("Time", Value::Instant(MILLIS)), Value::Instant(OF_DAY));
    assert_eq!(to("unix", Value::Instant(MILLIS)), Value::Int64(MILLIS));
    assert_eq!(to("string", Value::Instant(MILLIS)), Value::from("2019-08-23"));
    assert_eq!(to("Date", Value::Instant(-1)), Value::Instant(-86_400_000));
    assert_eq!(to("Time", Value::Instant(-1)), Value::Instant(86_399_999));
}

#[test]
fn numbers_have_the_configured_precision_and_lose_what_is_finer() {
    for (precision, number) in [
        ("seconds", 1_566_570_894),
        ("milliseconds", MILLIS),
        ("microseconds", 1_566_570_894_346_000),
        ("nanoseconds", 1_566_570_894_346_000_000),
    ] {
        assert_eq!(
            unix(precision, "unix", Value::Instant(MILLIS)),
            Value::Int64(number)
        );
        let back = if precision == "seconds" {
            MILLIS - 346
        } else {
            MILLIS
        };
        assert_eq!(
            unix(precision, "Timestamp", Value::Int64(number)),
            Value::Instant(back)
        );
    }
    assert_eq!(unix("seconds", "unix", Value::Instant(-1)), Value::Int64(0));
    assert_eq!(
        unix("microseconds", "Timestamp", Value::Int64(-1999)),
        Value::Instant(-1)
    );
    assert_eq!(
        unix("seconds", "Timestamp", Value::Int64(i64::MAX)),
        Value::Instant(i64::MAX)
    );
}

#[test]
fn text_is_read_by_the_pattern_and_the_rest_ignored() {
    assert_eq!(to("Timestamp", "2019-08-23".into()), Value::Instant(MIDNIGHT));
    assert_eq!(
        to("Timestamp", "2019-08-23T14:34".into()),
        Value::Instant(MIDNIGHT)
    );
    assert_eq!(
        to("Timestamp", "2019-13-45".into()),
        Value::Instant(1_581_638_400_000)
    );
    assert_eq!(to("unix", "2019-08-23".into()), Value::Int64(MIDNIGHT));
    let written = schemaless(
        &[
            ("target.type", "string"),
            ("format", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX"),
        ],
        Value::Int64(MILLIS),
    );
    assert_eq!(written.unwrap(), Value::from("2019-08-23T14:34:54.346Z"));
}

#[test]
fn a_null_stays_null_and_its_schema_is_converted() {
    assert_eq!(to("Timestamp", Value::Null), Value::Null);
    let mut converter = converter(&[("target.type", "Timestamp")]);
    let converted = convert(&mut converter, Some(Schema::optional(Type::Int64)), Value::Null).unwrap();
    let expected = logical::timestamp().optional().build().unwrap();
    assert_eq!(converted, (Some(expected), Value::Null));
}

#[test]
fn a_whole_value_gets_the_plain_schema_of_its_new_form() {
    let named = |builder: SchemaBuilder| builder.doc("lost").build().unwrap();
    let int64 = || SchemaBuilder::new(Type::Int64).name("lost");
    for (target, schema, value, expected) in [
        (
            "Timestamp",
            named(int64()),
            Value::Int64(MILLIS),
            (logical::timestamp().build().unwrap(), MILLIS),
        ),
        (
            "Date",
            named(logical::timestamp()),
            Value::Instant(MILLIS),
            (logical::date().build().unwrap(), MIDNIGHT),
        ),
        (
            "Time",
            named(logical::timestamp()),
            Value::Instant(MILLIS),
            (logical::time().build().unwrap(), OF_DAY),
        ),
        (
            "Timestamp",
            named(logical::date()),
            Value::Instant(MIDNIGHT),
            (logical::timestamp().build().unwrap(), MIDNIGHT),
        ),
        (
            "Timestamp",
            named(logical::time()),
            Value::Instant(OF_DAY),
            (logical::timestamp().build().unwrap(), OF_DAY),
        ),
    ] {
        let mut converter = converter(&[("target.type", target)]);
        let converted = convert(&mut converter, Some(schema), value).unwrap();
        assert_eq!(
            converted,
            (Some(expected.0), Value::Instant(expected.1)),
            "{target}"
        );
    }
    let mut converter = converter(&[("target.type", "string"), ("format", "yyyy")]);
    let optional = logical::timestamp().optional().build().unwrap();
    let converted = convert(&mut converter, Some(optional), Value::Instant(MILLIS)).unwrap();
    assert_eq!(converted, (Some(Schema::optional(Type::String)), "2019".into()));
}

fn row_schema(ts: SchemaRef) -> SchemaRef {
    SchemaBuilder::new_struct()
        .name("row")
        .version(3)
        .doc("d")
        .parameter("p", "v")
        .optional()
        .field("id", Schema::required(Type::Int32))
        .field("ts", ts)
        .build()
        .unwrap()
}

#[test]
fn a_field_keeps_only_whether_it_is_optional_and_the_struct_keeps_everything() {
    let before = SchemaBuilder::new(Type::Int64)
        .optional()
        .default_value(Value::Int64(5))
        .doc("lost")
        .build()
        .unwrap();
    let schema = row_schema(before);
    let row = Struct::of(
        SchemaRef::clone(&schema),
        vec![Value::Int32(1), Value::Int64(MILLIS)],
    )
    .unwrap();
    let mut converter = converter(&[("field", "ts"), ("target.type", "Timestamp")]);
    let (after, value) = convert(&mut converter, Some(schema), Value::Struct(row)).unwrap();
    assert_eq!(
        after,
        Some(row_schema(logical::timestamp().optional().build().unwrap()))
    );
    assert_eq!(
        value.as_struct().unwrap().values(),
        [Value::Int32(1), Value::Instant(MILLIS)]
    );
}

#[test]
fn a_field_that_is_not_there_leaves_a_struct_alone_and_adds_a_null_to_a_map() {
    let config = [("field", "zz"), ("target.type", "Timestamp")];
    let schema = row_schema(Schema::optional(Type::Int64));
    let row = Value::Struct(
        Struct::of(
            SchemaRef::clone(&schema),
            vec![Value::Int32(1), Value::Int64(MILLIS)],
        )
        .unwrap(),
    );
    let converted = convert(
        &mut converter(&config),
        Some(SchemaRef::clone(&schema)),
        row.clone(),
    )
    .unwrap();
    assert_eq!(converted, (Some(schema), row));
    let expected: Map = [("zz".into(), Value::Null)].into_iter().collect();
    assert_eq!(
        schemaless(&config, Value::Map(Map::new())).unwrap(),
        Value::Map(expected)
    );
}

#[test]
fn a_field_of_a_map_is_converted() {
    let config = [
        ("field", "ts"),
        ("target.type", "string"),
        ("format", "yyyy-MM-dd"),
    ];
    let before: Map = [
        ("ts".into(), Value::Int64(MILLIS)),
        ("id".into(), Value::Int64(1)),
    ]
    .into_iter()
    .collect();
    let after: Map = [("ts".into(), "2019-08-23".into()), ("id".into(), Value::Int64(1))]
        .into_iter()
        .collect();
    assert_eq!(
        schemaless(&config, Value::Map(before)).unwrap(),
        Value::Map(after)
    );
    assert_eq!(schemaless(&config, Value::Null).unwrap(), Value::Null);
}

#[test]
fn a_null_struct_gets_the_converted_schema() {
    let schema = row_schema(Schema::optional(Type::Int64));
    let mut converter = converter(&[("field", "ts"), ("target.type", "Timestamp")]);
    let (after, value) = convert(&mut converter, Some(schema), Value::Null).unwrap();
    let expected = row_schema(logical::timestamp().optional().build().unwrap());
    assert_eq!((after, value), (Some(expected), Value::Null));
}

#[test]
fn a_null_field_becomes_its_default_before_it_is_converted_unless_told_otherwise() {
    let with_default = SchemaBuilder::new(Type::Int64)
        .optional()
        .default_value(Value::Int64(MILLIS))
        .build()
        .unwrap();
    let schema = row_schema(with_default);
    for (replace, expected) in [("true", Value::Instant(MILLIS)), ("false", Value::Null)] {
        let row = Struct::of(SchemaRef::clone(&schema), vec![Value::Int32(1), Value::Null]).unwrap();
        let config = [
            ("field", "ts"),
            ("target.type", "Timestamp"),
            ("replace.null.with.default", replace),
        ];
        let (_, value) = convert(
            &mut converter(&config),
            Some(SchemaRef::clone(&schema)),
            Value::Struct(row),
        )
        .unwrap();
        assert_eq!(value.as_struct().unwrap().values()[1], expected);
    }
}

#[test]
fn the_key_variant_changes_the_key_only() {
    let config = [("target.type", "unix")].into_iter().collect();
    let mut converter = TimestampConverter::new(Side::Key, &config).unwrap();
    let mut record = ConnectRecord::of_value(Topic::from("t"), None, Value::Instant(1));
    record.key = Value::Instant(2);
    let record = converter.apply(record, RecordOrigin::Source).unwrap().unwrap();
    assert_eq!((record.key, record.value), (Value::Int64(2), Value::Instant(1)));
}

#[test]
fn what_is_no_timestamp_fails_the_record_with_kafka_connects_words() {
    let whole = |value| schemaless(&[("target.type", "Timestamp"), ("format", "yyyy-MM-dd")], value);
    let field = |value| schemaless(&[("target.type", "Timestamp"), ("field", "a")], value);
    for (result, expected) in [
        (
            whole(Value::Int32(1)),
            "TimestampConverter does not support class java.lang.Integer objects as timestamps",
        ),
        (
            whole("x".into()),
            "Could not parse timestamp: value (x) does not match pattern (yyyy-MM-dd)",
        ),
        (
            field(Value::Int64(1)),
            "Only Map objects supported in absence of schema for [converting timestamp formats], found: java.lang.Long",
        ),
    ] {
        assert_eq!(result.unwrap_err().message(), expected);
    }
    let mut converter = converter(&[("target.type", "Timestamp"), ("format", "yyyy")]);
    for (schema, value, expected) in [
        (
            Schema::required(Type::Int32),
            Value::Int32(1),
            "Schema Schema{INT32} does not correspond to a known timestamp type format",
        ),
        (
            Schema::required(Type::Int64),
            Value::Int32(1),
            "Expected Unix timestamp to be a Long, but found class java.lang.Integer",
        ),
        (
            Schema::required(Type::String),
            Value::Int64(1),
            "Expected string timestamp to be a String, but found class java.lang.Long",
        ),
        (
            logical::date().build().unwrap(),
            Value::Int32(1),
            "Expected Date to be a java.util.Date, but found class java.lang.Integer",
        ),
    ] {
        let error = convert(&mut converter, Some(schema), value).unwrap_err();
        assert_eq!(error.message(), expected);
    }
}

#[test]
fn text_without_a_pattern_fails_the_record() {
    let error = schemaless(&[("target.type", "Timestamp")], "2019".into()).unwrap_err();
    assert!(error.message().contains("set `format`"), "{error}");
}

#[test]
fn bad_configurations_are_refused_with_kafka_connects_words() {
    let blank = "TimestampConverter requires format option to be specified when using string timestamps";
    let pattern = |problem: &str, pattern: &str| {
        format!(
            "Invalid value java.lang.IllegalArgumentException: {problem} for configuration TimestampConverter \
             requires a SimpleDateFormat-compatible pattern for string timestamps: {pattern}"
        )
    };
    let one_of = |value: &str| {
        format!(
            "Invalid value {value} for configuration target.type: String must be one of: string, unix, Date, Time, \
             Timestamp"
        )
    };
    let missing = "Missing required configuration \"target.type\" which has no default value.";
    for (config, expected) in [
        (&[("target.type", "string")][..], blank.to_owned()),
        (&[("target.type", "string"), ("format", "  ")], blank.to_owned()),
        (
            &[("target.type", "string"), ("format", "b")],
            pattern("Illegal pattern character 'b'", "b"),
        ),
        (&[("target.type", "unix"), ("format", "'x")], pattern("Unterminated quote", "'x")),
        (&[("target.type", "String")], one_of("String")),
        (&[], format!("{missing}\n{}", one_of("null"))),
        (
            &[("target.type", "unix"), ("unix.precision", "x")],
            "Invalid value x for configuration unix.precision: String must be one of: nanoseconds, microseconds, \
             milliseconds, seconds"
                .to_owned(),
        ),
    ] {
        let config = config.iter().copied().collect();
        let error = TimestampConverter::new(Side::Value, &config).unwrap_err();
        assert_eq!(error.message(), expected);
    }
}
