//! Decimals against Java's `BigDecimal`.

use proptest::prelude::*;

use super::*;
use crate::data::java_text;

const VECTORS: &str = include_str!("../../../testdata/java_numbers.tsv");

fn vectors(kind: &str) -> Vec<Vec<&str>> {
    let lines = VECTORS.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    lines.filter(|columns| columns[0] == kind).collect()
}

#[test]
fn text_is_read_and_written_as_in_java() {
    for vector in vectors("B") {
        let decimal: Decimal = vector[1].parse().unwrap();
        assert_eq!(decimal.to_string(), vector[2], "{vector:?}");
        assert_eq!(decimal.unscaled().to_string(), vector[3], "{vector:?}");
        assert_eq!(decimal.scale().to_string(), vector[4], "{vector:?}");
        assert_eq!(java_text::float64(decimal.to_f64()), vector[5], "{vector:?}");
    }
}

#[test]
fn what_is_no_decimal_in_java_is_none_here() {
    for vector in vectors("X") {
        assert_eq!(vector[2], "bad", "{vector:?}");
        assert!(vector[1].parse::<Decimal>().is_err(), "{vector:?}");
    }
}

#[test]
fn numbers_of_one_value_and_several_scales_differ() {
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    assert_ne!(decimal("1.0"), decimal("1.00"));
    assert_eq!(decimal("1.00"), Decimal::new(100, 2));
}

#[test]
fn the_fraction_is_cut_off() {
    for (text, whole) in [
        ("2.9", Some(2)),
        ("-2.9", Some(-2)),
        ("0.99", Some(0)),
        ("1E+3", Some(1000)),
        ("9223372036854775807.9", Some(i64::MAX)),
        ("9223372036854775808", None),
        ("-9223372036854775808", Some(i64::MIN)),
        ("1E+2000000000", None),
        ("0E+2000000000", Some(0)),
        ("123E-2000000000", Some(0)),
        ("1E-1", Some(0)),
        ("10E-1", Some(1)),
        ("1E+18", Some(1_000_000_000_000_000_000)),
    ] {
        assert_eq!(text.parse::<Decimal>().unwrap().to_i64(), whole, "{text}");
    }
}

#[test]
fn numbers_of_any_size_have_as_few_bytes_as_possible() {
    for text in [
        "0", "-1", "127", "128", "-128", "-129", "255", "32767", "-32768", "1E+60",
    ] {
        let mut decimal: Decimal = text.parse().unwrap();
        if decimal.scale() < 0 {
            decimal = Decimal::new(decimal.truncated(), 0);
        }
        let expected = decimal.unscaled().to_signed_bytes_be();
        assert_eq!(decimal.unscaled_bytes().as_slice(), expected, "{text}");
    }
}

proptest! {
    #[test]
    fn text_reads_back(unscaled in any::<i128>(), scale in -400..400_i32) {
        let decimal = Decimal::new(unscaled, scale);
        prop_assert_eq!(decimal.to_string().parse::<Decimal>().unwrap(), decimal);
    }

    #[test]
    fn bytes_read_back(unscaled in any::<i128>(), scale in any::<i32>()) {
        let decimal = Decimal::new(unscaled, scale);
        let bytes = decimal.unscaled_bytes();
        prop_assert_eq!(bytes.as_slice(), decimal.unscaled().to_signed_bytes_be());
        prop_assert_eq!(Decimal::from_bytes(&bytes, scale), decimal);
    }

    #[test]
    fn whatever_is_read_reads_back(text in "[-+0-9.eE]{0,12}") {
        if let Ok(decimal) = text.parse::<Decimal>() {
            prop_assert_eq!(decimal.to_string().parse::<Decimal>().unwrap(), decimal);
        }
    }
}
