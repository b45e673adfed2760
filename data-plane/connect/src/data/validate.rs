//! Checks a value against a schema, with the messages of Kafka Connect's `ConnectSchema#validateValue`.

use std::fmt;

use crate::data::{Schema, Type, Value, logical};
use crate::error::{ConnectorError, Result};

/// Where in a record the value stands, for messages.
#[derive(Clone, Copy, Debug)]
pub enum Place<'a> {
    /// The whole value.
    Value,
    /// A field of a struct.
    Field(&'a str),
    /// An element of an array, itself in the field (if it is in one).
    Element(Option<&'a str>),
    /// A key of a map.
    MapKey(Option<&'a str>),
    /// A value of a map.
    MapValue(Option<&'a str>),
}

impl Place<'_> {
    fn field(&self) -> Option<&str> {
        match self {
            Self::Value => None,
            Self::Field(name) => Some(name),
            Self::Element(name) | Self::MapKey(name) | Self::MapValue(name) => *name,
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self {
            Self::Value => return f.write_str("value"),
            Self::Field(name) => return write!(f, "field: \"{name}\""),
            Self::Element(_) => "element of array",
            Self::MapKey(_) => "key of map",
            Self::MapValue(_) => "value of map",
        };
        match self.field() {
            Some(name) => write!(f, "{what} field: \"{name}\""),
            None => f.write_str(what),
        }
    }
}

/// Checks a whole value.
///
/// # Errors
/// `Data` saying what does not fit and where.
pub fn value(schema: &Schema, value: &Value) -> Result<()> {
    named(&Place::Value, schema, value)
}

/// Checks a value that stands at `place`.
///
/// # Errors
/// `Data` saying what does not fit and where.
pub fn named(place: &Place<'_>, schema: &Schema, value: &Value) -> Result<()> {
    if value.is_null() {
        // A default stands for null, so it is as good as optional.
        if schema.is_optional() || schema.default_value().is_some() {
            return Ok(());
        }
        return Err(ConnectorError::data(format!(
            "Invalid value: null used for required {place}, schema type: {}",
            schema.kind()
        )));
    }
    if !fits(schema, value) {
        let schema_text = match schema.name() {
            Some(name) => format!("schema \"{name}\" with type {}", schema.kind()),
            None => format!("schema with type {}", schema.kind()),
        };
        return Err(ConnectorError::data(format!(
            "Invalid Java object for {schema_text}: class {} for {place}",
            value.java_class()
        )));
    }
    nested(place, schema, value)
}

fn fits(schema: &Schema, value: &Value) -> bool {
    match schema.name() {
        Some(logical::DECIMAL) => return matches!(value, Value::Decimal(_)),
        Some(logical::DATE | logical::TIME | logical::TIMESTAMP) => {
            return matches!(value, Value::Instant(_));
        }
        Some(_) | None => {}
    }
    value.natural_type() == Some(schema.kind())
}

fn nested(place: &Place<'_>, schema: &Schema, value: &Value) -> Result<()> {
    match (schema.kind(), value) {
        (Type::Struct, Value::Struct(inner))
            if !std::ptr::eq(inner.schema().as_ref(), schema) && *inner.schema().as_ref() != *schema =>
        {
            Err(ConnectorError::data("Struct schemas do not match."))
        }
        (Type::Struct, Value::Struct(inner)) => inner.validate(),
        (Type::Array, Value::Array(elements)) => {
            let Some(element_schema) = schema.value_schema() else {
                return Ok(());
            };
            elements
                .iter()
                .try_for_each(|e| named(&Place::Element(place.field()), element_schema, e))
        }
        (Type::Map, Value::Map(map)) => {
            for (key, value) in map.iter() {
                if let Some(schema) = schema.key_schema() {
                    named(&Place::MapKey(place.field()), schema, key)?;
                }
                if let Some(schema) = schema.value_schema() {
                    named(&Place::MapValue(place.field()), schema, value)?;
                }
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
