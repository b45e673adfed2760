//! ByteArrayConverter: bytes as they are.

use bytes::Bytes;
use towpath_connect::{
    ConfigMap, ConnectorError, Converter, ConverterRole, Result, Schema, SchemaAndValue, SchemaRef, Type,
    Value,
};

/// Passes bytes through without a copy.
#[derive(Debug)]
pub struct ByteArrayConverter {
    schema: SchemaRef,
}

impl ByteArrayConverter {
    /// A converter with this configuration.
    ///
    /// # Errors
    /// `Config` when the configuration is wrong.
    pub fn new(config: &ConfigMap, role: ConverterRole) -> Result<Self> {
        super::parse(&super::plain_config_def(), config, role)?;
        Ok(Self {
            schema: Schema::optional(Type::Bytes),
        })
    }
}

impl Converter for ByteArrayConverter {
    fn from_connect(
        &mut self,
        _topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
    ) -> Result<Option<Bytes>> {
        if let Some(schema) = schema
            && schema.kind() != Type::Bytes
        {
            return Err(ConnectorError::data(format!(
                "Invalid schema type for ByteArrayConverter: {}",
                schema.kind()
            )));
        }
        match value {
            Value::Null => Ok(None),
            Value::Bytes(bytes) => Ok(Some(bytes.clone())),
            other => Err(ConnectorError::data(format!(
                "ByteArrayConverter is not compatible with objects of type class {}",
                other.java_class()
            ))),
        }
    }

    fn to_connect(&mut self, _topic: &str, bytes: Option<&Bytes>) -> Result<SchemaAndValue> {
        Ok(SchemaAndValue {
            schema: Some(SchemaRef::clone(&self.schema)),
            value: bytes.map_or(Value::Null, |bytes| Value::Bytes(bytes.clone())),
        })
    }
}
