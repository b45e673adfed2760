//! ShortConverter, IntegerConverter, LongConverter, FloatConverter and DoubleConverter: big-endian numbers of fixed
//! length.

use bytes::Bytes;
use towpath_connect::{
    ConfigMap, ConnectorError, Converter, ConverterRole, Result, Schema, SchemaAndValue, SchemaRef, Type,
    Value,
};

/// Which of the number types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the Java converters")]
pub enum NumberKind {
    Short,
    Integer,
    Long,
    Float,
    Double,
}

impl NumberKind {
    fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Integer => "integer",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
        }
    }

    fn schema_type(self) -> Type {
        match self {
            Self::Short => Type::Int16,
            Self::Integer => Type::Int32,
            Self::Long => Type::Int64,
            Self::Float => Type::Float32,
            Self::Double => Type::Float64,
        }
    }
}

/// Converts numbers of one type. The type of the value must match exactly; a schema is not looked at.
#[derive(Debug)]
pub struct NumberConverter {
    kind: NumberKind,
    schema: SchemaRef,
}

impl NumberConverter {
    /// A converter with this configuration.
    ///
    /// # Errors
    /// `Config` when the configuration is wrong.
    pub fn new(kind: NumberKind, config: &ConfigMap, role: ConverterRole) -> Result<Self> {
        super::parse(&super::plain_config_def(), config, role)?;
        Ok(Self {
            kind,
            schema: Schema::optional(kind.schema_type()),
        })
    }

    fn read(&self, bytes: &[u8]) -> Option<Value> {
        Some(match self.kind {
            NumberKind::Short => Value::Int16(i16::from_be_bytes(bytes.try_into().ok()?)),
            NumberKind::Integer => Value::Int32(i32::from_be_bytes(bytes.try_into().ok()?)),
            NumberKind::Long => Value::Int64(i64::from_be_bytes(bytes.try_into().ok()?)),
            NumberKind::Float => Value::Float32(f32::from_be_bytes(bytes.try_into().ok()?)),
            NumberKind::Double => Value::Float64(f64::from_be_bytes(bytes.try_into().ok()?)),
        })
    }
}

impl Converter for NumberConverter {
    fn from_connect(
        &mut self,
        _topic: &str,
        _schema: Option<&SchemaRef>,
        value: &Value,
    ) -> Result<Option<Bytes>> {
        let bytes = match (self.kind, value) {
            (_, Value::Null) => return Ok(None),
            (NumberKind::Short, Value::Int16(n)) => Bytes::copy_from_slice(&n.to_be_bytes()),
            (NumberKind::Integer, Value::Int32(n)) => Bytes::copy_from_slice(&n.to_be_bytes()),
            (NumberKind::Long, Value::Int64(n)) => Bytes::copy_from_slice(&n.to_be_bytes()),
            (NumberKind::Float, Value::Float32(n)) => Bytes::copy_from_slice(&n.to_be_bytes()),
            (NumberKind::Double, Value::Float64(n)) => Bytes::copy_from_slice(&n.to_be_bytes()),
            (kind, other) => {
                return Err(ConnectorError::data(format!(
                    "Failed to serialize to {} (was class {}): ",
                    kind.name(),
                    other.java_class()
                )));
            }
        };
        Ok(Some(bytes))
    }

    fn to_connect(&mut self, _topic: &str, bytes: Option<&Bytes>) -> Result<SchemaAndValue> {
        let value = match bytes {
            None => Value::Null,
            Some(bytes) => self.read(bytes).ok_or_else(|| {
                ConnectorError::data(format!("Failed to deserialize {}: ", self.kind.name()))
            })?,
        };
        Ok(SchemaAndValue {
            schema: Some(SchemaRef::clone(&self.schema)),
            value,
        })
    }
}
