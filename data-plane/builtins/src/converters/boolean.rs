//! BooleanConverter: one byte, 0 or 1.

use bytes::Bytes;
use towpath_connect::{
    ConfigMap, ConnectorError, Converter, ConverterRole, Result, Schema, SchemaAndValue, SchemaRef, Type,
    Value,
};

/// Converts booleans.
#[derive(Debug)]
pub struct BooleanConverter {
    schema: SchemaRef,
}

impl BooleanConverter {
    /// A converter with this configuration.
    ///
    /// # Errors
    /// `Config` when the configuration is wrong.
    pub fn new(config: &ConfigMap, role: ConverterRole) -> Result<Self> {
        super::parse(&super::plain_config_def(), config, role)?;
        Ok(Self {
            schema: Schema::optional(Type::Boolean),
        })
    }
}

impl Converter for BooleanConverter {
    fn from_connect(
        &mut self,
        _topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
    ) -> Result<Option<Bytes>> {
        if let Some(schema) = schema
            && schema.kind() != Type::Boolean
        {
            return Err(ConnectorError::data(format!(
                "Invalid schema type for BooleanConverter: {}",
                schema.kind()
            )));
        }
        match value {
            Value::Null => Ok(None),
            Value::Boolean(false) => Ok(Some(Bytes::from_static(&[0]))),
            Value::Boolean(true) => Ok(Some(Bytes::from_static(&[1]))),
            other => Err(ConnectorError::data(format!(
                "BooleanConverter is not compatible with objects of type class {}",
                other.java_class()
            ))),
        }
    }

    fn to_connect(&mut self, _topic: &str, bytes: Option<&Bytes>) -> Result<SchemaAndValue> {
        let value = match bytes.map(AsRef::as_ref) {
            None => Value::Null,
            Some([0]) => Value::Boolean(false),
            Some([1]) => Value::Boolean(true),
            Some(_) => return Err(ConnectorError::data("Failed to deserialize boolean: ")),
        };
        Ok(SchemaAndValue {
            schema: Some(SchemaRef::clone(&self.schema)),
            value,
        })
    }
}
