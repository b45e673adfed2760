//! Converters: between the bytes in Kafka and the Connect data model.

use bytes::Bytes;

use crate::config::ConfigMap;
use crate::data::{SchemaRef, Value};
use crate::error::Result;

/// What a converter is used for; the implied key `converter.type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "named as in Kafka Connect")]
pub enum ConverterRole {
    Key,
    Value,
    Header,
}

impl ConverterRole {
    /// `key`, `value` or `header`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Value => "value",
            Self::Header => "header",
        }
    }
}

/// A value and its schema; both absent for a tombstone.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(missing_docs, reason = "named as in Kafka Connect")]
pub struct SchemaAndValue {
    pub schema: Option<SchemaRef>,
    pub value: Value,
}

/// Converts keys or values. One instance belongs to one task and is called by it alone, so it may keep buffers and
/// caches.
#[expect(clippy::wrong_self_convention, reason = "named as in Kafka Connect")]
pub trait Converter: Send + std::fmt::Debug {
    /// The bytes for Kafka; `None` is a null. Called once a record, after transforms; `topic` is the one after
    /// transforms.
    ///
    /// # Errors
    /// `Data` when the value has no such form.
    fn from_connect(
        &mut self,
        topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
    ) -> Result<Option<Bytes>>;

    /// The value of bytes from Kafka; `None` is a null. Text and bytes of the result may be slices of `bytes`. Called
    /// once a record, before transforms.
    ///
    /// # Errors
    /// `Data` when the bytes cannot be read.
    fn to_connect(&mut self, topic: &str, bytes: Option<&Bytes>) -> Result<SchemaAndValue>;
}

/// Converts headers; as [`Converter`], called once a header.
#[expect(clippy::wrong_self_convention, reason = "named as in Kafka Connect")]
pub trait HeaderConverter: Send + std::fmt::Debug {
    /// The bytes for Kafka; `None` is a null.
    ///
    /// # Errors
    /// `Data` when the value has no such form.
    fn from_connect_header(
        &mut self,
        topic: &str,
        header: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
    ) -> Result<Option<Bytes>>;

    /// The value of bytes from Kafka.
    ///
    /// # Errors
    /// `Data` when the bytes cannot be read.
    fn to_connect_header(
        &mut self,
        topic: &str,
        header: &str,
        bytes: Option<&Bytes>,
    ) -> Result<SchemaAndValue>;
}

/// Makes a converter from its configuration (prefix removed).
pub type NewConverter = fn(&ConfigMap, ConverterRole) -> Result<Box<dyn Converter>>;
/// Makes a header converter from its configuration (prefix removed).
pub type NewHeaderConverter = fn(&ConfigMap) -> Result<Box<dyn HeaderConverter>>;
