//! The part of a record that a transform works on, and how it is taken out of the record and put back.

use towpath_connect::{ConnectRecord, ConnectorError, Map, Result, SchemaRef, Struct, Value};

/// Key or value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as the variants of the Java classes")]
pub enum Side {
    Key,
    Value,
}

impl Side {
    /// Takes the part out of a record; it is null until it is put back.
    pub(super) fn take(self, record: &mut ConnectRecord) -> (Option<SchemaRef>, Value) {
        match self {
            Self::Key => (record.key_schema.take(), std::mem::take(&mut record.key)),
            Self::Value => (record.value_schema.take(), std::mem::take(&mut record.value)),
        }
    }

    pub(super) fn put(self, record: &mut ConnectRecord, schema: Option<SchemaRef>, value: Value) {
        match self {
            Self::Key => {
                record.key_schema = schema;
                record.key = value;
            }
            Self::Value => {
                record.value_schema = schema;
                record.value = value;
            }
        }
    }

    pub(super) fn is_null(self, record: &ConnectRecord) -> bool {
        match self {
            Self::Key => record.key.is_null(),
            Self::Value => record.value.is_null(),
        }
    }
}

/// The map that a value without a schema has to be.
pub(super) fn require_map(value: Value, purpose: &str) -> Result<Map> {
    match value {
        Value::Map(map) => Ok(map),
        other => Err(ConnectorError::data(format!(
            "Only Map objects supported in absence of schema for [{purpose}], found: {}",
            other.java_class()
        ))),
    }
}

/// The struct that a value with a schema has to be.
pub(super) fn require_struct(value: Value, purpose: &str) -> Result<Struct> {
    match value {
        Value::Struct(value) => Ok(value),
        other => Err(ConnectorError::data(format!(
            "Only Struct objects supported for [{purpose}], found: {}",
            other.java_class()
        ))),
    }
}
