//! StringConverter: the text of a value in some character set.

use bytes::Bytes;
use bytestring::ByteString;
use towpath_connect::data::java_text;
use towpath_connect::{
    ConfigDef, ConfigKey, ConfigMap, ConnectorError, Converter, ConverterRole, Result, Schema,
    SchemaAndValue, SchemaRef, Type, Value, Width,
};

use super::charset::Charset;

const ENCODING: &str = "converter.encoding";

/// Converts text; anything else is written as Java's `toString` has it.
#[derive(Debug)]
pub struct StringConverter {
    encoding: String,
    /// `None`: not known; every record fails, as in Kafka Connect.
    charset: Option<Charset>,
    schema: SchemaRef,
}

pub(super) fn config_def() -> ConfigDef {
    ConfigDef::new()
        .define(super::converter_type())
        .define(ConfigKey {
            width: Width::Medium,
            display_name: "Encoding".to_owned(),
            ..ConfigKey::string(ENCODING)
                .default("UTF-8")
                .high()
                .doc("The character set of the bytes in Kafka, by its Java name.")
        })
}

impl StringConverter {
    /// A converter with this configuration.
    ///
    /// # Errors
    /// `Config` when the configuration is wrong.
    pub fn new(config: &ConfigMap, role: ConverterRole) -> Result<Self> {
        let encoding = super::parse(&config_def(), config, role)?
            .string(ENCODING)
            .to_owned();
        Ok(Self {
            charset: Charset::of(&encoding),
            encoding,
            schema: Schema::optional(Type::String),
        })
    }

    fn charset(&self, attempt: &str) -> Result<Charset> {
        self.charset.ok_or_else(|| {
            ConnectorError::data(attempt).with_source(ConnectorError::config(format!(
                "`{ENCODING}` is `{}`, which is no character set known here; use for example `UTF-8`",
                self.encoding
            )))
        })
    }
}

impl Converter for StringConverter {
    fn from_connect(
        &mut self,
        _topic: &str,
        _schema: Option<&SchemaRef>,
        value: &Value,
    ) -> Result<Option<Bytes>> {
        let text = match value {
            Value::Null => return Ok(None),
            Value::String(text) => text.clone(),
            other => ByteString::from(java_text::to_string(other)),
        };
        let charset = self.charset("Failed to serialize to a string: ")?;
        Ok(Some(charset.encode(text)))
    }

    fn to_connect(&mut self, _topic: &str, bytes: Option<&Bytes>) -> Result<SchemaAndValue> {
        let value = match bytes {
            None => Value::Null,
            Some(bytes) => Value::String(self.charset("Failed to deserialize string: ")?.decode(bytes)),
        };
        Ok(SchemaAndValue {
            schema: Some(SchemaRef::clone(&self.schema)),
            value,
        })
    }
}
