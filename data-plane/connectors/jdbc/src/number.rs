//! Decimal numbers on their way from a database to the schema's scale or to another type of number.

use num_bigint::BigInt;
use num_traits::ToPrimitive;
use towpath_connect::{Decimal, Value};

use crate::types::{FieldError, Target};

/// The number as a value of the target.
pub(crate) fn encode(number: Decimal, target: &Target) -> Result<Value, FieldError> {
    match target {
        Target::Decimal { scale, .. } => rescaled(number, *scale).map(Value::Decimal),
        Target::Float64 => Ok(Value::Float64(number.to_f64())),
        _ => integer(whole(number)?, target),
    }
}

/// An integer as a value of the target.
pub(crate) fn integer(number: i64, target: &Target) -> Result<Value, FieldError> {
    let too_wide = |_| FieldError::TooWide;
    Ok(match target {
        Target::Int8 => Value::Int8(number.try_into().map_err(too_wide)?),
        Target::Int16 => Value::Int16(number.try_into().map_err(too_wide)?),
        Target::Int32 => Value::Int32(number.try_into().map_err(too_wide)?),
        Target::Int64 => Value::Int64(number),
        Target::Boolean => Value::Boolean(number != 0),
        Target::Decimal { scale, .. } => Value::Decimal(rescaled(Decimal::new(number, 0), *scale)?),
        #[expect(
            clippy::cast_precision_loss,
            reason = "what a floating-point column is asked for"
        )]
        Target::Float64 => Value::Float64(number as f64),
        #[expect(
            clippy::cast_precision_loss,
            reason = "what a floating-point column is asked for"
        )]
        Target::Float32 => Value::Float32(number as f32),
        Target::Text | Target::Bytes | Target::Date | Target::Time | Target::Timestamp => {
            return Err(FieldError::Unfit("a number"));
        }
    })
}

fn whole(number: Decimal) -> Result<i64, FieldError> {
    let number = rescaled(number, 0)?;
    number.unscaled().to_i64().ok_or(FieldError::TooWide)
}

/// The same number with this many digits after the point. Digits are added, but none that says something is lost.
pub(crate) fn rescaled(number: Decimal, scale: i32) -> Result<Decimal, FieldError> {
    if number.scale() == scale {
        return Ok(number);
    }
    let difference = i64::from(scale) - i64::from(number.scale());
    let power =
        BigInt::from(10u8).pow(u32::try_from(difference.unsigned_abs()).map_err(|_| FieldError::TooWide)?);
    if difference > 0 {
        return Ok(Decimal::new(number.unscaled() * power, scale));
    }
    let quotient = number.unscaled() / &power;
    if &quotient * &power != *number.unscaled() {
        return Err(FieldError::Unfit(
            "a number with more digits after the point than the column declares",
        ));
    }
    Ok(Decimal::new(quotient, scale))
}

/// The text of a decimal number as databases write it: digits with a sign and a point. Short ones, which are nearly
/// all, need no arithmetic on big numbers.
pub(crate) fn parse(text: &[u8]) -> Option<Decimal> {
    const MOST_DIGITS: usize = 18;
    let (negative, digits) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, text),
    };
    if digits.len() > MOST_DIGITS {
        return std::str::from_utf8(text).ok()?.parse().ok();
    }
    let mut unscaled = 0i64;
    let mut point = None;
    for (index, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => unscaled = unscaled * 10 + i64::from(byte - b'0'),
            b'.' if point.is_none() => point = Some(index),
            _ => return std::str::from_utf8(text).ok()?.parse().ok(),
        }
    }
    let scale = point.map_or(0, |point| digits.len() - point - 1);
    let has_digits = digits.len() > usize::from(point.is_some());
    let scale = i32::try_from(scale).ok().filter(|_| has_digits)?;
    Some(Decimal::new(if negative { -unscaled } else { unscaled }, scale))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn text_of_any_length_is_read_exactly() {
        for text in [
            "0",
            "-1",
            "+3",
            "12.340",
            "-0.05",
            ".5",
            "5.",
            "123456789012345678",
            "-99999999999999999999999999999999999.999999999999999999999999999999",
            "1E+3",
        ] {
            assert_eq!(parse(text.as_bytes()), Some(decimal(text)), "{text}");
        }
        for text in ["", ".", "-", "1.2.3", "abc", "NaN"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn the_scale_becomes_that_of_the_schema_and_no_digit_is_lost() {
        assert_eq!(rescaled(decimal("1.5"), 3).unwrap(), decimal("1.500"));
        assert_eq!(rescaled(decimal("1.500"), 1).unwrap(), decimal("1.5"));
        assert_eq!(rescaled(decimal("7"), 127).unwrap().scale(), 127);
        assert!(rescaled(decimal("1.25"), 1).is_err());
    }

    #[test]
    fn numbers_become_what_the_mapping_asks_for() {
        let value = |text: &str, target| encode(decimal(text), &target);
        assert_eq!(value("120.00", Target::Int8).unwrap(), Value::Int8(120));
        assert_eq!(value("1E+3", Target::Int16).unwrap(), Value::Int16(1000));
        assert_eq!(value("19.99", Target::Float64).unwrap(), Value::Float64(19.99));
        assert!(matches!(value("200", Target::Int8), Err(FieldError::TooWide)));
        assert!(matches!(value("1.5", Target::Int64), Err(FieldError::Unfit(_))));
        assert!(matches!(integer(1, &Target::Text), Err(FieldError::Unfit(_))));
    }
}
