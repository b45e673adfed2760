//! JsonConverter: values as JSON text, with their schema in an envelope or without.

mod base64_text;
mod cursor;
mod directed;
mod envelope;
mod escape;
mod kind;
mod number;
mod scan;
mod schema_cache;
mod schema_reader;
mod schema_text;
mod schemaless;
mod settings;
mod text;
mod unescape;
mod writer;

pub(super) use settings::config_def;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;
use towpath_connect::{
    ConfigMap, ConnectorError, Converter, ConverterRole, Result, SchemaAndValue, SchemaRef, Value,
};

use envelope::Reader;
use schema_text::SchemaTexts;
use settings::Settings;
use text::Text;
use writer::Writer;

/// The size of the blocks from which the texts of records are cut. A block lives as long as one of its records.
const BLOCK_BYTES: usize = 16 * 1024;
/// A text of this size gets an allocation of its own.
const LARGE_BYTES: usize = 4 * 1024;

/// Converts values to and from JSON.
#[derive(Debug)]
pub struct JsonConverter {
    settings: Settings,
    text: Text,
    block: BytesMut,
    schema_texts: SchemaTexts,
    reader: Reader,
}

impl JsonConverter {
    /// A converter with this configuration.
    ///
    /// # Errors
    /// `Config` when the configuration is wrong, `Data` when `schema.content` is no schema.
    pub fn new(config: &ConfigMap, role: ConverterRole) -> Result<Self> {
        let settings = Settings::parse(config, role)?;
        Ok(Self {
            reader: Reader::new(&settings)?,
            text: Text::default(),
            block: BytesMut::new(),
            schema_texts: SchemaTexts::new(settings.schemas_cache_size),
            settings,
        })
    }

    fn write(&mut self, schema: Option<&SchemaRef>, value: &Value) -> Result<()> {
        let Some(schema) = schema else {
            return self.write_schemaless(value);
        };
        if self.settings.schemas_enable {
            self.text.push(b"{\"schema\":");
            self.schema_texts.append(&mut self.text, schema, &self.settings)?;
            self.text.push(b",\"payload\":");
            Writer::new(&mut self.text, &self.settings).value(Some(schema), value)?;
            self.text.push(b"}");
        } else {
            Writer::new(&mut self.text, &self.settings).value(Some(schema), value)?;
        }
        Ok(())
    }

    fn write_schemaless(&mut self, value: &Value) -> Result<()> {
        if self.settings.schemas_enable {
            self.text.push(b"{\"schema\":null,\"payload\":");
            Writer::new(&mut self.text, &self.settings).value(None, value)?;
            self.text.push(b"}");
            return Ok(());
        }
        Writer::new(&mut self.text, &self.settings).value(None, value)
    }
}

impl Converter for JsonConverter {
    fn from_connect(
        &mut self,
        _topic: &str,
        schema: Option<&SchemaRef>,
        value: &Value,
    ) -> Result<Option<Bytes>> {
        if schema.is_none() && value.is_null() {
            return Ok(None);
        }
        self.text.clear();
        self.write(schema, value)?;
        let text = self.text.as_bytes();
        if text.len() >= LARGE_BYTES {
            return Ok(Some(Bytes::from(self.text.take())));
        }
        if self.block.capacity() < text.len() {
            self.block.reserve(BLOCK_BYTES);
        }
        self.block.extend_from_slice(text);
        Ok(Some(self.block.split().freeze()))
    }

    fn to_connect(&mut self, _topic: &str, bytes: Option<&Bytes>) -> Result<SchemaAndValue> {
        match bytes {
            None => Ok(SchemaAndValue::default()),
            Some(bytes) => self.reader.read(&readable(bytes)?),
        }
    }
}

/// The bytes as text, up to the first byte that is no UTF-8. If the value ends before that, the rest does not matter;
/// if it does not, its text ends in the middle, and that is what the error says.
fn readable(bytes: &Bytes) -> Result<ByteString> {
    if let Ok(text) = ByteString::try_from(bytes.clone()) {
        return Ok(text);
    }
    let valid = bytes.utf8_chunks().next().map_or(0, |chunk| chunk.valid().len());
    let text = ByteString::try_from(bytes.slice(..valid)).unwrap_or_default();
    if text.trim().is_empty() {
        // Blank text would be a null.
        return Err(
            ConnectorError::data(envelope::NO_JSON).with_source(ConnectorError::data("the text is no UTF-8"))
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
