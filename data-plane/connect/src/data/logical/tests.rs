//! The logical types' encodings and errors.

use super::*;
use crate::data::SchemaRef;

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().message().to_owned()
}

fn decimal_schema(scale: i32) -> SchemaRef {
    decimal(scale).build().unwrap()
}

#[test]
fn the_schemas_have_names_versions_and_a_scale() {
    let schema = decimal_schema(3);
    assert_eq!(
        (schema.kind(), schema.name(), schema.version()),
        (Type::Bytes, Some(DECIMAL), Some(1))
    );
    assert_eq!(schema.parameter(SCALE), Some("3"));
    for (builder, kind, name) in [
        (date(), Type::Int32, DATE),
        (time(), Type::Int32, TIME),
        (timestamp(), Type::Int64, TIMESTAMP),
    ] {
        let schema = builder.build().unwrap();
        assert_eq!(
            (schema.kind(), schema.name(), schema.version()),
            (kind, Some(name), Some(1))
        );
    }
}

#[test]
fn a_decimal_is_its_unscaled_bytes() {
    for (text, scale, bytes) in [
        ("-1.500", 3, &[0xfa, 0x24][..]),
        ("12.34", 2, &[0x04, 0xd2]),
        ("0", 0, &[0]),
        ("1.28", 2, &[0, 0x80]),
        ("-1.28", 2, &[0x80]),
        ("1E+3", -3, &[1]),
    ] {
        let value: Decimal = text.parse().unwrap();
        assert_eq!(
            decimal_to_bytes(&decimal_schema(scale), &value)
                .unwrap()
                .as_slice(),
            bytes,
            "{text}"
        );
        assert_eq!(Decimal::from_bytes(bytes, scale), value);
    }
}

#[test]
fn errors_are_kafka_connects() {
    let value: Decimal = "1.5".parse().unwrap();
    assert_eq!(
        message(decimal_to_bytes(&decimal_schema(3), &value)),
        "Decimal value has mismatching scale for given Decimal schema. Schema has scale 3, value has scale 1."
    );
    let bytes = || SchemaBuilder::new(Type::Bytes).name(DECIMAL);
    assert_eq!(
        message(decimal_scale(&bytes().build().unwrap())),
        "Invalid Decimal schema: scale parameter not found."
    );
    assert_eq!(
        message(decimal_scale(&bytes().parameter(SCALE, "x").build().unwrap())),
        "Invalid scale parameter found in Decimal schema: "
    );
    assert_eq!(
        message(date_to_days(1)),
        "Kafka Connect Date type should not have any time fields set to non-zero values."
    );
    for millis in [-1, MILLIS_PER_DAY + 1] {
        assert_eq!(
            message(time_to_millis(millis)),
            "Kafka Connect Time type should not have any date fields set to non-zero values."
        );
    }
    for millis in [-1, 86_400_001] {
        assert_eq!(
            message(millis_to_time(millis)),
            "Time values must use number of milliseconds greater than 0 and less than 86400000"
        );
    }
}

#[test]
fn dates_count_days_and_times_milliseconds() {
    for (millis, days) in [
        (0, 0),
        (MILLIS_PER_DAY, 1),
        (-MILLIS_PER_DAY, -1),
        (1_566_518_400_000, 18_131),
    ] {
        assert_eq!(date_to_days(millis).unwrap(), days);
        assert_eq!(days_to_date(days), millis);
    }
    for millis in [0, 1, 86_399_999, 86_400_000] {
        assert_eq!(time_to_millis(i64::from(millis)).unwrap(), millis);
        assert_eq!(millis_to_time(millis).unwrap(), i64::from(millis));
    }
    assert!(date_to_days(i64::MAX - i64::MAX % MILLIS_PER_DAY).is_err());
}
