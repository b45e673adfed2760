//! What SQLite may hold in a column, against what the column was declared as.

use super::*;
use crate::keys::choices::Granularity;
use crate::moment::Calendar;
use crate::zone::Zone;

const BERLIN: Temporal = Temporal {
    zone: Zone::Fixed(3600),
    calendar: Calendar::Legacy,
    granularity: Granularity::ConnectLogical,
};

fn micros(value: ValueRef<'_>) -> Result<Option<i64>, FieldError> {
    moment(value, &BERLIN, Precision::Millis).map(|moment| moment.map(Moment::micros))
}

#[test]
fn times_are_understood_in_every_shape_that_sqlite_knows() {
    let noon_in_berlin = 1_709_204_400_000_000;
    for text in [
        "2024-02-29 12:00",
        "2024-02-29 12:00:00",
        "2024-02-29T12:00:00.000",
        " 2024-02-29 12:00:00.0 ",
    ] {
        assert_eq!(
            micros(ValueRef::Text(text.as_bytes())).unwrap(),
            Some(noon_in_berlin),
            "{text}"
        );
    }
    for text in [
        "2024-02-29T11:00:00Z",
        "2024-02-29 13:00:00+02:00",
        "2024-02-29 10:00:00 -01:00",
    ] {
        assert_eq!(
            micros(ValueRef::Text(text.as_bytes())).unwrap(),
            Some(noon_in_berlin),
            "{text}"
        );
    }
    assert_eq!(
        micros(ValueRef::Integer(1_709_204_400_000)).unwrap(),
        Some(noon_in_berlin)
    );
    assert_eq!(
        micros(ValueRef::Real(2_460_369.958_333_333_5)).unwrap(),
        Some(noon_in_berlin)
    );
    assert_eq!(
        micros(ValueRef::Text(b"1970-01-01 01:00:00.123456789")).unwrap(),
        Some(123_456)
    );
    assert_eq!(
        micros(ValueRef::Text(b"1970-01-02")).unwrap(),
        Some(82_800_000_000)
    );
    assert_eq!(micros(ValueRef::Null).unwrap(), None);
    let in_seconds = moment(ValueRef::Integer(5), &BERLIN, Precision::Seconds);
    assert_eq!(in_seconds.unwrap(), Some(Moment::new(5, 0)));
}

#[test]
fn what_is_no_time_is_refused() {
    for text in [
        "",
        "yesterday",
        "2024-13-01",
        "2024-02-29 25:00",
        "2024-02-29 12",
        "2024-02-29x",
        "12:00:00",
    ] {
        assert!(micros(ValueRef::Text(text.as_bytes())).is_err(), "{text}");
    }
    assert!(micros(ValueRef::Blob(b"x")).is_err());
    assert!(micros(ValueRef::Real(f64::NAN)).is_err());
}

#[test]
fn values_become_what_was_declared_or_are_refused() {
    let decimal = Target::Decimal {
        scale: 2,
        precision: 10,
    };
    let number = |text: &str| Value::Decimal(text.parse().unwrap());
    for (value, target, expected) in [
        (ValueRef::Integer(5), &decimal, Some(number("5.00"))),
        (ValueRef::Real(19.99), &decimal, Some(number("19.99"))),
        (ValueRef::Real(0.1 + 0.2), &decimal, Some(number("0.30"))),
        (ValueRef::Real(2.675), &decimal, Some(number("2.68"))),
        (ValueRef::Real(-9.995), &decimal, Some(number("-10.00"))),
        (
            ValueRef::Real(1e20),
            &decimal,
            Some(number("100000000000000000000.00")),
        ),
        (ValueRef::Text(b" 7.5 "), &decimal, Some(number("7.50"))),
        (ValueRef::Text(b"7.555"), &decimal, None),
        (ValueRef::Real(2.0), &Target::Int32, Some(Value::Int32(2))),
        (ValueRef::Real(2.5), &Target::Int32, None),
        (ValueRef::Text(b"12"), &Target::Int16, Some(Value::Int16(12))),
        (ValueRef::Text(b"abc"), &Target::Int16, None),
        (ValueRef::Integer(2), &Target::Boolean, Some(Value::Boolean(true))),
        (ValueRef::Integer(3), &Target::Float64, Some(Value::Float64(3.0))),
        (ValueRef::Real(0.5), &Target::Float32, Some(Value::Float32(0.5))),
        (ValueRef::Integer(3), &Target::Text, Some(Value::from("3"))),
        (
            ValueRef::Text("Grüße 🚀".as_bytes()),
            &Target::Text,
            Some(Value::from("Grüße 🚀")),
        ),
        (ValueRef::Text(b"\xff"), &Target::Text, None),
        (
            ValueRef::Blob(b"\x00\x01"),
            &Target::Bytes,
            Some(Value::Bytes(Bytes::from_static(b"\x00\x01"))),
        ),
        (ValueRef::Blob(b"1"), &Target::Int32, None),
        (ValueRef::Null, &Target::Int32, Some(Value::Null)),
    ] {
        assert_eq!(plain(value, target).ok(), expected, "{value:?} as {target:?}");
    }
}
