//! Lets a converter of values convert headers.

use bytes::Bytes;
use towpath_connect::{Converter, HeaderConverter, Result, SchemaAndValue, SchemaRef, Value};

/// A converter used for headers: a header is converted as a value would be.
#[derive(Debug)]
pub struct AsHeaderConverter<C> {
    converter: C,
}

impl<C: Converter> AsHeaderConverter<C> {
    /// Wraps a converter.
    pub fn new(converter: C) -> Self {
        Self { converter }
    }
}

impl<C: Converter> HeaderConverter for AsHeaderConverter<C> {
    fn from_connect_header(
        &mut self,
        topic: &str,
        _header: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
    ) -> Result<Option<Bytes>> {
        self.converter.from_connect(topic, schema, value)
    }

    fn to_connect_header(
        &mut self,
        topic: &str,
        _header: &str,
        bytes: Option<&Bytes>,
    ) -> Result<SchemaAndValue> {
        self.converter.to_connect(topic, bytes)
    }
}
