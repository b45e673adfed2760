//! Values: one enum for everything a record can hold. Cheap to clone where it can be: text and bytes are shared slices.

use bytes::Bytes;
use bytestring::ByteString;

use crate::data::{Decimal, Map, Struct, Type};

/// A value of the Connect data model.
///
/// `PartialEq` compares floats by their bits' meaning in Rust, so a NaN differs from itself.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "variants named after the schema type need no more")]
pub enum Value {
    #[default]
    Null,
    Int8(i8),
    Int16(i16),
    Int32(i32),
    Int64(i64),
    Float32(f32),
    Float64(f64),
    Boolean(bool),
    /// UTF-8 text, often a slice of the buffer it was read from.
    String(ByteString),
    /// Often a slice of the buffer it was read from.
    Bytes(Bytes),
    Array(Vec<Value>),
    Map(Map),
    Struct(Struct),
    /// The value of the logical type Decimal (`java.math.BigDecimal`).
    Decimal(Decimal),
    /// A value of the logical types Date, Time or Timestamp: milliseconds since 1970-01-01T00:00:00Z
    /// (`java.util.Date`, one class for the three). The schema says which of them it is.
    #[doc(alias = "java.util.Date")]
    Instant(i64),
}

impl Value {
    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// A text value.
    pub fn string(text: impl Into<ByteString>) -> Self {
        Self::String(text.into())
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The struct, if this is one.
    pub fn as_struct(&self) -> Option<&Struct> {
        match self {
            Self::Struct(value) => Some(value),
            _ => None,
        }
    }

    /// The map, if this is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Self::Map(value) => Some(value),
            _ => None,
        }
    }

    /// The number, if this is one of the four integer types.
    pub fn as_integer(&self) -> Option<i64> {
        match self {
            Self::Int8(n) => Some(i64::from(*n)),
            Self::Int16(n) => Some(i64::from(*n)),
            Self::Int32(n) => Some(i64::from(*n)),
            Self::Int64(n) => Some(*n),
            _ => None,
        }
    }

    /// The schema type that this value has when it has no schema; `None` for null, Decimal and Instant.
    pub fn natural_type(&self) -> Option<Type> {
        Some(match self {
            Self::Null | Self::Decimal(_) | Self::Instant(_) => return None,
            Self::Int8(_) => Type::Int8,
            Self::Int16(_) => Type::Int16,
            Self::Int32(_) => Type::Int32,
            Self::Int64(_) => Type::Int64,
            Self::Float32(_) => Type::Float32,
            Self::Float64(_) => Type::Float64,
            Self::Boolean(_) => Type::Boolean,
            Self::String(_) => Type::String,
            Self::Bytes(_) => Type::Bytes,
            Self::Array(_) => Type::Array,
            Self::Map(_) => Type::Map,
            Self::Struct(_) => Type::Struct,
        })
    }

    /// The Java class that Kafka Connect's messages name for this value, for example `java.lang.Long`.
    pub fn java_class(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Int8(_) => "java.lang.Byte",
            Self::Int16(_) => "java.lang.Short",
            Self::Int32(_) => "java.lang.Integer",
            Self::Int64(_) => "java.lang.Long",
            Self::Float32(_) => "java.lang.Float",
            Self::Float64(_) => "java.lang.Double",
            Self::Boolean(_) => "java.lang.Boolean",
            Self::String(_) => "java.lang.String",
            Self::Bytes(_) => "[B",
            Self::Array(_) => "java.util.ArrayList",
            Self::Map(_) => "java.util.HashMap",
            Self::Struct(_) => "org.apache.kafka.connect.data.Struct",
            Self::Decimal(_) => "java.math.BigDecimal",
            Self::Instant(_) => "java.util.Date",
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.into())
    }
}
