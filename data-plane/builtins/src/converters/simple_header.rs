//! SimpleHeaderConverter: headers as text, read back by guessing what the text means. The default header converter.

mod align;
mod infer;
mod scalar;
pub(crate) mod text;
mod tokens;

use std::borrow::Cow;

use bytes::Bytes;
use bytestring::ByteString;
use towpath_connect::{
    ConfigDef, ConfigMap, HeaderConverter, Result, Schema, SchemaAndValue, SchemaRef, Type, Value,
};

use infer::Inference;

/// Converts headers by their text.
#[derive(Debug)]
pub struct SimpleHeaderConverter {
    inference: Inference,
}

pub(super) fn config_def() -> ConfigDef {
    ConfigDef::new()
}

impl SimpleHeaderConverter {
    /// A converter. It has no keys.
    ///
    /// # Errors
    /// Never; converters are made alike.
    pub fn new(_config: &ConfigMap) -> Result<Self> {
        Ok(Self {
            inference: Inference::new(),
        })
    }
}

impl HeaderConverter for SimpleHeaderConverter {
    fn from_connect_header(
        &mut self,
        _topic: &str,
        _header: &str,
        _schema: Option<&SchemaRef>,
        value: &Value,
    ) -> Result<Option<Bytes>> {
        Ok(match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone().into_bytes()),
            other => Some(text::of(other).into()),
        })
    }

    fn to_connect_header(
        &mut self,
        _topic: &str,
        _header: &str,
        bytes: Option<&Bytes>,
    ) -> Result<SchemaAndValue> {
        let Some(bytes) = bytes else {
            return Ok(SchemaAndValue::default());
        };
        let text = readable(bytes);
        if text.is_empty() {
            return Ok(string(text));
        }
        Ok(self.inference.infer(&text).unwrap_or_else(|| string(text)))
    }
}

fn string(text: ByteString) -> SchemaAndValue {
    SchemaAndValue {
        schema: Some(Schema::required(Type::String)),
        value: Value::String(text),
    }
}

/// The bytes as text; what is no UTF-8 becomes U+FFFD.
fn readable(bytes: &Bytes) -> ByteString {
    ByteString::try_from(bytes.clone()).unwrap_or_else(|_| match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(text) => text.into(),
        Cow::Owned(text) => text.into(),
    })
}

#[cfg(test)]
mod tests;
