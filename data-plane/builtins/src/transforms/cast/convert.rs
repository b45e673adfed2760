//! Casts of single values, with Java's rules for narrowing.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use towpath_connect::data::{java_text, logical};
use towpath_connect::{ConnectorError, Decimal, Result, Schema, Type, Value};

use crate::converters::simple_header::text;

/// The value as one of the type; null stays null.
pub(super) fn cast(schema: Option<&Schema>, value: Value, target: Type) -> Result<Value> {
    if value.is_null() {
        return Ok(value);
    }
    let kind = schema.map(Schema::kind).or_else(|| value.natural_type()).ok_or_else(|| {
        ConnectorError::data(format!(
            "Cast transformation was passed a value of type class {} which is not supported by Connect's data API",
            value.java_class()
        ))
    })?;
    if !kind.is_primitive() {
        return Err(ConnectorError::data(format!(
            "Cast transformation does not support casting from {kind}; supported types are [INT8, INT16, INT32, INT64, \
             FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]"
        )));
    }
    if target == Type::String {
        return Ok(Value::String(to_text(&value).into()));
    }
    to_number_or_boolean(&encoded(schema, value)?, target)
}

fn to_text(value: &Value) -> String {
    match value {
        Value::Instant(millis) => text::instant(*millis),
        Value::Bytes(bytes) => STANDARD.encode(bytes),
        other => java_text::to_string(other),
    }
}

/// A Date, Time or Timestamp as the number that stands for it.
fn encoded(schema: Option<&Schema>, value: Value) -> Result<Value> {
    let name = schema.and_then(|schema| schema.name());
    Ok(match (name, value) {
        (Some(logical::DATE), Value::Instant(millis)) => Value::Int32(logical::date_to_days(millis)?),
        (Some(logical::TIME), Value::Instant(millis)) => Value::Int32(logical::time_to_millis(millis)?),
        (Some(logical::TIMESTAMP), Value::Instant(millis)) => Value::Int64(millis),
        (_, value) => value,
    })
}

fn to_number_or_boolean(value: &Value, target: Type) -> Result<Value> {
    if let Value::String(text) = value {
        return of_text(text, target).ok_or_else(|| {
            ConnectorError::data(format!("Value ({text}) was out of range for requested data type"))
        });
    }
    let number = Number::of(value).ok_or_else(|| {
        ConnectorError::data(format!(
            "Unexpected type in Cast transformation: class {}",
            value.java_class()
        ))
    })?;
    Ok(number.narrow(target))
}

fn of_text(text: &str, target: Type) -> Option<Value> {
    Some(match target {
        Type::Int8 => Value::Int8(text.parse().ok()?),
        Type::Int16 => Value::Int16(text.parse().ok()?),
        Type::Int32 => Value::Int32(text.parse().ok()?),
        Type::Int64 => Value::Int64(text.parse().ok()?),
        Type::Float32 => Value::Float32(java_text::parse_float32(text)?),
        Type::Float64 => Value::Float64(java_text::parse_float64(text)?),
        _ => Value::Boolean(text.eq_ignore_ascii_case("true")),
    })
}

/// A number as Java narrows it: whole numbers lose their high bits, floating-point ones become the nearest integer that
/// there is.
enum Number {
    Integer(i64),
    Float32(f32),
    Float64(f64),
    Decimal(Decimal),
}

impl Number {
    fn of(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Float32(n) => Self::Float32(*n),
            Value::Float64(n) => Self::Float64(*n),
            Value::Decimal(n) => Self::Decimal(n.clone()),
            Value::Boolean(b) => Self::Integer(i64::from(*b)),
            other => Self::Integer(other.as_integer()?),
        })
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "Java narrows by dropping the high bits"
    )]
    fn narrow(&self, target: Type) -> Value {
        match target {
            Type::Int8 => Value::Int8(self.int() as i8),
            Type::Int16 => Value::Int16(self.int() as i16),
            Type::Int32 => Value::Int32(self.int()),
            Type::Int64 => Value::Int64(self.long()),
            Type::Float32 => Value::Float32(self.float()),
            Type::Float64 => Value::Float64(self.double()),
            _ => Value::Boolean(self.long() != 0),
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "as Java's conversions of numbers")]
    fn int(&self) -> i32 {
        match self {
            Self::Integer(n) => *n as i32,
            Self::Float32(n) => *n as i32,
            Self::Float64(n) => *n as i32,
            Self::Decimal(n) => n.low_bits() as i32,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "as Java's conversions of numbers")]
    fn long(&self) -> i64 {
        match self {
            Self::Integer(n) => *n,
            Self::Float32(n) => *n as i64,
            Self::Float64(n) => *n as i64,
            Self::Decimal(n) => n.low_bits(),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "as Java's conversions of numbers"
    )]
    fn float(&self) -> f32 {
        match self {
            Self::Integer(n) => *n as f32,
            Self::Float32(n) => *n,
            Self::Float64(n) => *n as f32,
            Self::Decimal(n) => f32::from_str(&n.to_string()).unwrap_or(f32::NAN),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "as Java's conversions of numbers")]
    fn double(&self) -> f64 {
        match self {
            Self::Integer(n) => *n as f64,
            Self::Float32(n) => f64::from(*n),
            Self::Float64(n) => *n,
            Self::Decimal(n) => n.to_f64(),
        }
    }
}
