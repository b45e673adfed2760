//! The schema that the elements of an array have in common, and the elements in it.

use towpath_connect::data::logical;
use towpath_connect::{SchemaRef, Type, Value};

/// The schema that several values have in common.
#[derive(Debug, Default)]
pub(super) enum Common {
    /// There was no value but null so far.
    #[default]
    Unknown,
    Schema(SchemaRef),
    /// There is none.
    Nothing,
}

impl Common {
    pub(super) fn schema(&self) -> Option<SchemaRef> {
        match self {
            Self::Schema(schema) => Some(SchemaRef::clone(schema)),
            Self::Unknown | Self::Nothing => None,
        }
    }

    /// Takes in the schema of one more value.
    pub(super) fn merge(&mut self, latest: Option<SchemaRef>) {
        let Some(latest) = latest else {
            return;
        };
        *self = match std::mem::take(self) {
            Self::Unknown => Self::Schema(latest),
            Self::Nothing => Self::Nothing,
            Self::Schema(previous) if previous.kind() == latest.kind() => Self::Schema(latest),
            Self::Schema(previous) => match (width(previous.kind()), width(latest.kind())) {
                (Some(a), Some(b)) => Self::Schema(if a > b { previous } else { latest }),
                _ => Self::Nothing,
            },
        };
    }
}

/// The place of a number type in the order of widening.
fn width(kind: Type) -> Option<u8> {
    match kind {
        Type::Int8 => Some(1),
        Type::Int16 => Some(2),
        Type::Int32 => Some(3),
        Type::Int64 => Some(4),
        Type::Float32 => Some(5),
        Type::Float64 => Some(6),
        Type::Boolean | Type::String | Type::Bytes | Type::Array | Type::Map | Type::Struct => None,
    }
}

/// The value as one of the common schema; `None` if it is none.
pub(super) fn align(schema: &SchemaRef, value: Value) -> Option<Value> {
    if let Value::Instant(_) = value {
        return schema.name().is_some().then_some(value);
    }
    if value.is_null() {
        return None;
    }
    match (schema.kind(), schema.name()) {
        (Type::Int32, Some(logical::DATE)) => {
            let days = i32::try_from(value.as_integer()?).ok()?;
            Some(Value::Instant(logical::days_to_date(days)))
        }
        (Type::Int32, Some(logical::TIME)) => {
            let millis = i32::try_from(value.as_integer()?).ok()?;
            Some(Value::Instant(logical::millis_to_time(millis).ok()?))
        }
        (Type::Int64, Some(logical::TIMESTAMP)) => value.as_integer().map(Value::Instant),
        (kind, _) => widen(kind, value),
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "Java widens whole numbers to floats by rounding"
)]
fn widen(kind: Type, value: Value) -> Option<Value> {
    Some(match (kind, value) {
        (Type::Int16, value @ (Value::Int8(_) | Value::Int16(_))) => {
            Value::Int16(i16::try_from(value.as_integer()?).ok()?)
        }
        (Type::Int32, value @ (Value::Int8(_) | Value::Int16(_) | Value::Int32(_))) => {
            Value::Int32(i32::try_from(value.as_integer()?).ok()?)
        }
        (Type::Int64, value) => Value::Int64(value.as_integer()?),
        (Type::Float32, Value::Float32(n)) => Value::Float32(n),
        (Type::Float32, value) => Value::Float32(value.as_integer()? as f64 as f32),
        (Type::Float64, Value::Float64(n)) => Value::Float64(n),
        (Type::Float64, Value::Float32(n)) => Value::Float64(f64::from(n)),
        (Type::Float64, value) => Value::Float64(value.as_integer()? as f64),
        (_, value) => value,
    })
}
