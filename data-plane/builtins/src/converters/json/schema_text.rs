//! Schemas as JSON text, remembered by schema.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use towpath_connect::{Result, Schema, SchemaRef, Type};

use super::escape::append_string;
use super::settings::Settings;
use super::text::Text;
use super::writer::Writer;

/// The texts of the schemas that were written.
#[derive(Debug)]
pub(super) struct SchemaTexts {
    limit: usize,
    /// Nearly every record has the schema of the one before.
    last: Option<(SchemaRef, Bytes)>,
    /// By address. An entry keeps its schema alive, so that no other can get the address.
    by_address: HashMap<usize, (SchemaRef, Bytes)>,
}

impl SchemaTexts {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            last: None,
            by_address: HashMap::new(),
        }
    }

    /// Appends the text of `schema`.
    pub(super) fn append(&mut self, out: &mut Text, schema: &SchemaRef, settings: &Settings) -> Result<()> {
        if let Some((last, text)) = &self.last
            && Arc::ptr_eq(last, schema)
        {
            out.push(text);
            return Ok(());
        }
        let text = self.find(schema, settings)?;
        out.push(&text);
        self.last = Some((Arc::clone(schema), text));
        Ok(())
    }

    fn find(&mut self, schema: &SchemaRef, settings: &Settings) -> Result<Bytes> {
        let address = Arc::as_ptr(schema).addr();
        if let Some((_, text)) = self.by_address.get(&address) {
            return Ok(text.clone());
        }
        let text = match &self.last {
            // A source that builds its schema anew for each record.
            Some((last, text)) if last == schema => text.clone(),
            _ => render(schema, settings)?,
        };
        if self.by_address.len() >= self.limit {
            self.by_address.clear();
        }
        self.by_address
            .insert(address, (Arc::clone(schema), text.clone()));
        Ok(text)
    }
}

fn render(schema: &SchemaRef, settings: &Settings) -> Result<Bytes> {
    let mut out = Text::default();
    append_schema(&mut out, schema, None, settings)?;
    Ok(Bytes::copy_from_slice(out.as_bytes()))
}

/// The members come in the order in which Kafka Connect writes them.
fn append_schema(out: &mut Text, schema: &SchemaRef, field: Option<&str>, settings: &Settings) -> Result<()> {
    out.push(b"{\"type\":");
    append_string(out, type_name(schema.kind()));
    append_parts(out, schema, settings)?;
    out.push(b",\"optional\":");
    out.push(if schema.is_optional() { b"true" } else { b"false" });
    if let Some(name) = schema.name() {
        out.push(b",\"name\":");
        append_string(out, name);
    }
    if let Some(version) = schema.version() {
        out.push(b",\"version\":");
        out.push(itoa::Buffer::new().format(version).as_bytes());
    }
    if let Some(doc) = schema.doc() {
        out.push(b",\"doc\":");
        append_string(out, doc);
    }
    append_parameters(out, schema);
    if let Some(default) = schema.default_value() {
        out.push(b",\"default\":");
        Writer::new(out, settings).value(Some(schema), default)?;
    }
    if let Some(field) = field {
        out.push(b",\"field\":");
        append_string(out, field);
    }
    out.push(b"}");
    Ok(())
}

/// The schemas within a schema.
fn append_parts(out: &mut Text, schema: &Schema, settings: &Settings) -> Result<()> {
    match schema.kind() {
        Type::Array => append_part(out, b",\"items\":", schema.value_schema(), settings),
        Type::Map => {
            append_part(out, b",\"keys\":", schema.key_schema(), settings)?;
            append_part(out, b",\"values\":", schema.value_schema(), settings)
        }
        Type::Struct => {
            out.push(b",\"fields\":[");
            for field in schema.fields() {
                if field.index > 0 {
                    out.push(b",");
                }
                append_schema(out, &field.schema, Some(&field.name), settings)?;
            }
            out.push(b"]");
            Ok(())
        }
        _ => Ok(()),
    }
}

fn append_part(out: &mut Text, member: &[u8], schema: Option<&SchemaRef>, settings: &Settings) -> Result<()> {
    out.push(member);
    match schema {
        Some(schema) => append_schema(out, schema, None, settings),
        None => {
            out.push(b"null");
            Ok(())
        }
    }
}

fn append_parameters(out: &mut Text, schema: &Schema) {
    if schema.parameters().is_empty() {
        return;
    }
    out.push(b",\"parameters\":{");
    for (index, (key, value)) in schema.parameters().iter().enumerate() {
        if index > 0 {
            out.push(b",");
        }
        append_string(out, key);
        out.push(b":");
        append_string(out, value);
    }
    out.push(b"}");
}

fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::Int8 => "int8",
        Type::Int16 => "int16",
        Type::Int32 => "int32",
        Type::Int64 => "int64",
        Type::Float32 => "float",
        Type::Float64 => "double",
        Type::Boolean => "boolean",
        Type::String => "string",
        Type::Bytes => "bytes",
        Type::Array => "array",
        Type::Map => "map",
        Type::Struct => "struct",
    }
}
