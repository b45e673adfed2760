//! The mapping of an index that is made of a schema.

use serde_json::{Map as Object, Value as Json, json};
use towpath_connect::data::{Schema, Type, Value, logical};
use towpath_connect::{ConnectorError, Result};

use crate::payload::{self, Style};

/// A text field can also be sorted and counted by up to this many characters.
const KEYWORD_LENGTH: u32 = 256;

/// The body of a request that sets the mapping for values of `schema`.
///
/// # Errors
/// `Data` when such values make no documents.
pub(crate) fn of_schema(schema: &Schema) -> Result<Json> {
    match schema.kind() {
        Type::Struct | Type::Map => field(schema),
        kind => Err(ConnectorError::data(format!(
            "the value is a {kind}, so it makes no document; check the converter and the transforms"
        ))),
    }
}

fn field(schema: &Schema) -> Result<Json> {
    let mut mapping = match logical_type(schema) {
        Some(kind) => json!({ "type": kind }),
        None => match schema.kind() {
            Type::Struct => {
                return properties(
                    schema
                        .fields()
                        .iter()
                        .map(|field| (field.name.as_ref(), &field.schema)),
                );
            }
            Type::Map => {
                return properties(
                    ["key", "value"]
                        .into_iter()
                        .zip(schema.key_schema().into_iter().chain(schema.value_schema())),
                );
            }
            // A search engine has no arrays: any field may have several values.
            Type::Array => {
                return schema
                    .value_schema()
                    .map_or_else(|| Ok(json!({})), |elements| field(elements));
            }
            Type::String => {
                return Ok(json!({
                    "type": "text",
                    "fields": { "keyword": { "type": "keyword", "ignore_above": KEYWORD_LENGTH } }
                }));
            }
            Type::Bytes => return Ok(json!({ "type": "binary" })),
            Type::Boolean => json!({ "type": "boolean" }),
            Type::Int8 => json!({ "type": "byte" }),
            Type::Int16 => json!({ "type": "short" }),
            Type::Int32 => json!({ "type": "integer" }),
            Type::Int64 => json!({ "type": "long" }),
            Type::Float32 => json!({ "type": "float" }),
            Type::Float64 => json!({ "type": "double" }),
        },
    };
    if let (Some(default), Json::Object(entries)) = (schema.default_value(), &mut mapping) {
        entries.insert("null_value".to_owned(), null_value(schema, default)?);
    }
    Ok(mapping)
}

fn logical_type(schema: &Schema) -> Option<&'static str> {
    match schema.name()? {
        logical::DATE | logical::TIME | logical::TIMESTAMP => Some("date"),
        logical::DECIMAL => Some("double"),
        _ => None,
    }
}

fn properties<'a>(fields: impl Iterator<Item = (&'a str, &'a std::sync::Arc<Schema>)>) -> Result<Json> {
    let fields: Object<String, Json> = fields
        .map(|(name, schema)| Ok((name.to_owned(), field(schema)?)))
        .collect::<Result<_>>()?;
    Ok(json!({ "properties": fields }))
}

/// The default as it would stand in a document.
fn null_value(schema: &Schema, default: &Value) -> Result<Json> {
    let mut text = Vec::new();
    payload::write(
        &mut text,
        Some(schema),
        default,
        Style::Prepared { compact_maps: true },
    )?;
    serde_json::from_slice(&text).map_err(|cause| {
        ConnectorError::bug("the default of a field was not written as JSON").with_source(cause)
    })
}

#[cfg(test)]
mod tests;
