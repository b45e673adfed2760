//! Values as JSON text, straight into the buffer of the record.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt::{self, Write};
use towpath_connect::data::{java_text, logical};
use towpath_connect::{ConnectorError, Decimal, Map, Result, Schema, SchemaRef, Struct, Type, Value};

use super::escape::append_string;
use super::settings::{DecimalFormat, Settings};
use super::text::Text;

pub(super) struct Writer<'a> {
    out: &'a mut Text,
    settings: &'a Settings,
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: &'a mut Text, settings: &'a Settings) -> Self {
        Self { out, settings }
    }

    pub(super) fn value(&mut self, schema: Option<&SchemaRef>, value: &Value) -> Result<()> {
        let Some(schema) = schema else {
            return self.schemaless(value);
        };
        if value.is_null() {
            return self.null(schema);
        }
        if let Some(name) = schema.name()
            && self.logical(name, schema, value)?
        {
            return Ok(());
        }
        match (schema.kind(), value) {
            (Type::Array, Value::Array(elements)) => self.array(schema.value_schema(), elements),
            (Type::Map, Value::Map(map)) => {
                let as_object = schema.key_schema().is_some_and(|key| key.kind() == Type::String);
                self.map(Some(schema), map, as_object)
            }
            (Type::Struct, Value::Struct(inner)) => self.structure(schema, inner),
            (kind, value) if value.natural_type() == Some(kind) => self.primitive(value),
            (kind, value) => {
                let kind = if kind == Type::Bytes {
                    "bytes type"
                } else {
                    kind.name()
                };
                Err(ConnectorError::data(format!(
                    "Invalid type for {kind}: class {}",
                    value.java_class()
                )))
            }
        }
    }

    fn schemaless(&mut self, value: &Value) -> Result<()> {
        match value {
            Value::Null => {
                self.raw(b"null");
                Ok(())
            }
            Value::Array(elements) => self.array(None, elements),
            Value::Map(map) => {
                let as_object = map.iter().all(|(key, _)| key.as_str().is_some());
                self.map(None, map, as_object)
            }
            Value::Struct(_) => Err(ConnectorError::data("Mismatching schema.")),
            Value::Decimal(_) | Value::Instant(_) => Err(ConnectorError::data(format!(
                "Java class class {} does not have corresponding schema type.",
                value.java_class()
            ))),
            other => self.primitive(other),
        }
    }

    fn null(&mut self, schema: &SchemaRef) -> Result<()> {
        match schema.default_value() {
            Some(default) if self.settings.replace_null_with_default => self.value(Some(schema), default),
            _ if schema.is_optional() => {
                self.raw(b"null");
                Ok(())
            }
            _ => Err(ConnectorError::data(
                "Conversion error: null value for field that is required and has no default value",
            )),
        }
    }

    fn primitive(&mut self, value: &Value) -> Result<()> {
        match value {
            Value::Int8(n) => self.integer(i64::from(*n)),
            Value::Int16(n) => self.integer(i64::from(*n)),
            Value::Int32(n) => self.integer(i64::from(*n)),
            Value::Int64(n) => self.integer(*n),
            Value::Float32(n) => self.float(n.is_finite(), |out| java_text::append_float32(out, *n)),
            Value::Float64(n) => self.float(n.is_finite(), |out| java_text::append_float64(out, *n)),
            Value::Boolean(true) => self.raw(b"true"),
            Value::Boolean(false) => self.raw(b"false"),
            Value::String(text) => append_string(self.out, text),
            Value::Bytes(bytes) => self.base64(bytes),
            other => {
                return Err(ConnectorError::bug(format!(
                    "a {} was to be written as a primitive value",
                    other.java_class()
                )));
            }
        }
        Ok(())
    }

    fn array(&mut self, element_schema: Option<&SchemaRef>, elements: &[Value]) -> Result<()> {
        self.raw(b"[");
        for (index, element) in elements.iter().enumerate() {
            self.comma(index);
            self.value(element_schema, element)?;
        }
        self.raw(b"]");
        Ok(())
    }

    fn map(&mut self, schema: Option<&SchemaRef>, map: &Map, as_object: bool) -> Result<()> {
        let key_schema = schema.and_then(|schema| schema.key_schema());
        let value_schema = schema.and_then(|schema| schema.value_schema());
        self.raw(if as_object { b"{" } else { b"[" });
        for (index, (key, value)) in map.iter().enumerate() {
            self.comma(index);
            if as_object {
                self.member_name(key_schema, key)?;
                self.value(value_schema, value)?;
            } else {
                self.raw(b"[");
                self.value(key_schema, key)?;
                self.raw(b",");
                self.value(value_schema, value)?;
                self.raw(b"]");
            }
        }
        self.raw(if as_object { b"}" } else { b"]" });
        Ok(())
    }

    fn member_name(&mut self, key_schema: Option<&SchemaRef>, key: &Value) -> Result<()> {
        let replaced = self.settings.replace_null_with_default;
        match key_schema {
            Some(schema)
                if key.is_null()
                    && schema.is_optional()
                    && !(replaced && schema.default_value().is_some()) =>
            {
                self.raw(b"\"null\"");
            }
            _ => self.value(key_schema, key)?,
        }
        self.raw(b":");
        Ok(())
    }

    fn structure(&mut self, schema: &SchemaRef, value: &Struct) -> Result<()> {
        if !Schema::same(schema, value.schema()) {
            return Err(ConnectorError::data("Mismatching schema."));
        }
        self.raw(b"{");
        for (field, value) in schema.fields().iter().zip(value.values()) {
            self.comma(field.index);
            append_string(self.out, &field.name);
            self.raw(b":");
            self.value(Some(&field.schema), value)?;
        }
        self.raw(b"}");
        Ok(())
    }

    /// Writes a value of a logical type; false if `name` is none.
    fn logical(&mut self, name: &str, schema: &Schema, value: &Value) -> Result<bool> {
        let wrong = |kind: &str, class: &str| {
            Err(ConnectorError::data(format!(
                "Invalid type for {kind}, expected {class} but was class {}",
                value.java_class()
            )))
        };
        match (name, value) {
            (logical::DECIMAL, Value::Decimal(number)) => self.decimal(schema, number)?,
            (logical::DATE, Value::Instant(millis)) => {
                self.integer(i64::from(logical::date_to_days(*millis)?));
            }
            (logical::TIME, Value::Instant(millis)) => {
                self.integer(i64::from(logical::time_to_millis(*millis)?));
            }
            (logical::TIMESTAMP, Value::Instant(millis)) => self.integer(*millis),
            (logical::DECIMAL, _) => return wrong("Decimal", "BigDecimal"),
            (logical::DATE, _) => return wrong("Date", "Date"),
            (logical::TIME, _) => return wrong("Time", "Date"),
            (logical::TIMESTAMP, _) => return wrong("Timestamp", "Date"),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn decimal(&mut self, schema: &Schema, number: &Decimal) -> Result<()> {
        match self.settings.decimal_format {
            DecimalFormat::Numeric => {
                let written = write!(self.out, "{number}");
                debug_assert!(written.is_ok(), "the buffer grows");
            }
            DecimalFormat::Base64 => {
                let bytes = logical::decimal_to_bytes(schema, number)?;
                self.base64(&bytes);
            }
        }
        Ok(())
    }

    fn integer(&mut self, number: i64) {
        self.out.push(itoa::Buffer::new().format(number).as_bytes());
    }

    /// NaN and the infinities are no JSON numbers: they are written as text.
    fn float(&mut self, finite: bool, append: impl FnOnce(&mut Text) -> fmt::Result) {
        let quote: &[u8] = if finite { b"" } else { b"\"" };
        self.raw(quote);
        let written = append(self.out);
        debug_assert!(written.is_ok(), "the buffer grows");
        self.raw(quote);
    }

    fn base64(&mut self, bytes: &[u8]) {
        self.raw(b"\"");
        let length = base64::encoded_len(bytes.len(), true).unwrap_or_default();
        let written = STANDARD.encode_slice(bytes, self.out.grow(length));
        debug_assert_eq!(written.ok(), Some(length), "room was made for the whole text");
        self.raw(b"\"");
    }

    fn comma(&mut self, index: usize) {
        if index > 0 {
            self.raw(b",");
        }
    }

    fn raw(&mut self, text: &[u8]) {
        self.out.push(text);
    }
}
