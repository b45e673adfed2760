//! Texts that mean a number, a date or a time.

use num_bigint::BigInt;
use num_traits::{ToPrimitive, Zero};
use towpath_connect::data::logical;
use towpath_connect::{Decimal, Result, Schema, SchemaRef, Type, Value};

use super::infer::Typed;
use crate::java_date_format::{DateFormat, PatternError};

/// Digits of the greatest INT64.
const LONG_DIGITS: usize = 19;

/// The three forms of dates and times, each with its length.
#[derive(Debug)]
pub(super) struct Temporals {
    formats: Vec<Temporal>,
}

#[derive(Debug)]
struct Temporal {
    length: usize,
    format: DateFormat,
    schema: SchemaRef,
}

impl Temporals {
    pub(super) fn new() -> Self {
        let formats = [
            (13, super::text::TIME, logical::time()),
            (24, super::text::TIMESTAMP, logical::timestamp()),
            (10, super::text::DATE, logical::date()),
        ];
        let temporal = |(length, pattern, schema): (_, _, towpath_connect::SchemaBuilder)| {
            let format: Result<DateFormat, PatternError> = DateFormat::new(pattern);
            Some(Temporal {
                length,
                format: format.ok()?,
                schema: schema.build().ok()?,
            })
        };
        Self {
            formats: formats.into_iter().filter_map(temporal).collect(),
        }
    }

    /// What a text of the right length means, as leniently as Java reads it. Colons in it may be escaped.
    pub(super) fn parse(&self, text: &str) -> Option<Typed> {
        let text = text.replace("\\:", ":");
        let temporal = self.formats.iter().find(|t| t.length == text.len())?;
        let millis = temporal.format.parse(&text)?;
        Some(Typed::of(
            SchemaRef::clone(&temporal.schema),
            Value::Instant(millis),
        ))
    }
}

/// A number in the smallest type that holds it: integers first, then FLOAT32 even if that loses digits. Without a
/// fraction or exponent it keeps its digits.
pub(super) fn number(text: &str) -> Option<Typed> {
    let decimal: Decimal = text.parse().ok()?;
    if let Some(n) = integral(&decimal) {
        return Some(integer(n));
    }
    if decimal.scale() == 0 {
        return as_decimal(decimal);
    }
    let float: f32 = text.parse().ok()?;
    if float.is_finite() {
        return Some(Typed::of(Schema::required(Type::Float32), Value::Float32(float)));
    }
    let double: f64 = text.parse().ok()?;
    if double.is_finite() {
        return Some(Typed::of(Schema::required(Type::Float64), Value::Float64(double)));
    }
    as_decimal(decimal)
}

fn as_decimal(decimal: Decimal) -> Option<Typed> {
    let schema = logical::decimal(decimal.scale()).build().ok()?;
    Some(Typed::of(schema, Value::Decimal(decimal)))
}

/// The number, if it is a whole one of 64 bits.
fn integral(decimal: &Decimal) -> Option<i64> {
    if decimal.unscaled().is_zero() {
        return Some(0);
    }
    // Powers of ten are made only when they are small: the exponent is whatever somebody wrote.
    let digits = decimal.unscaled().magnitude().to_string().len();
    let scale = usize::try_from(decimal.scale().unsigned_abs()).unwrap_or(usize::MAX);
    let is_whole = if decimal.scale() <= 0 {
        digits.saturating_add(scale) <= LONG_DIGITS
    } else {
        scale < digits && (decimal.unscaled() % power_of_ten(scale)).is_zero()
    };
    is_whole.then(|| decimal.truncated().to_i64()).flatten()
}

fn power_of_ten(exponent: usize) -> BigInt {
    BigInt::from(10).pow(u32::try_from(exponent).unwrap_or(u32::MAX))
}

fn integer(n: i64) -> Typed {
    let (kind, value) = if let Ok(n) = i8::try_from(n) {
        (Type::Int8, Value::Int8(n))
    } else if let Ok(n) = i16::try_from(n) {
        (Type::Int16, Value::Int16(n))
    } else if let Ok(n) = i32::try_from(n) {
        (Type::Int32, Value::Int32(n))
    } else {
        (Type::Int64, Value::Int64(n))
    };
    Typed::of(Schema::required(kind), value)
}
