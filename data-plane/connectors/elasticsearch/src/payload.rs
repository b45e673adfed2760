//! The JSON of a value: as Connect's JsonConverter writes it without schemas, and where schemas are not ignored with
//! decimals as numbers and maps as the user wants them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use towpath_connect::data::{Schema, Struct, Type, Value, logical};
use towpath_connect::{ConnectorError, Map, Result};

use crate::json;

/// How values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Just as JsonConverter does.
    Plain,
    /// Values with schemas are made ready for a search engine: decimals become numbers, and maps with text keys are
    /// objects if `compact_maps`, or else lists of keys and values.
    Prepared { compact_maps: bool },
}

/// Appends the JSON of a value.
///
/// # Errors
/// `Data` when the value does not fit its schema or has no JSON.
pub(crate) fn write(out: &mut Vec<u8>, schema: Option<&Schema>, value: &Value, style: Style) -> Result<()> {
    if value.is_null() {
        return null(out, schema, style);
    }
    match value {
        Value::Null => {}
        Value::Int8(n) => json::integer(out, *n),
        Value::Int16(n) => json::integer(out, *n),
        Value::Int32(n) => json::integer(out, *n),
        Value::Int64(n) => json::integer(out, *n),
        Value::Float32(n) => json::float(out, *n),
        Value::Float64(n) => json::float(out, *n),
        Value::Boolean(true) => out.extend_from_slice(b"true"),
        Value::Boolean(false) => out.extend_from_slice(b"false"),
        Value::String(text) => json::string(out, text),
        Value::Bytes(bytes) => base64(out, bytes),
        Value::Decimal(number) => match (schema, style) {
            (Some(_), Style::Prepared { .. }) => json::float(out, number.to_f64()),
            (Some(schema), Style::Plain) => base64(out, &logical::decimal_to_bytes(schema, number)?),
            (None, _) => return Err(no_schema_type(value)),
        },
        Value::Instant(millis) => instant(out, schema, *millis).ok_or_else(|| no_schema_type(value))??,
        Value::Array(elements) => array(out, schema, elements, style)?,
        Value::Map(map) => write_map(out, schema, map, style)?,
        Value::Struct(inner) => {
            out.push(b'{');
            write_fields(out, inner, style, None)?;
            out.push(b'}');
        }
    }
    Ok(())
}

/// Whether a value is a JSON object, as a document must be.
pub(crate) fn is_document(schema: Option<&Schema>, value: &Value, style: Style) -> bool {
    match value {
        Value::Struct(_) => true,
        Value::Map(map) => is_object(schema, map, style),
        _ => false,
    }
}

/// Appends the members of a document, without the braces around them and without the field `skip`.
///
/// # Errors
/// As [`write`].
pub(crate) fn write_members(
    out: &mut Vec<u8>,
    schema: Option<&Schema>,
    value: &Value,
    style: Style,
    skip: Option<&str>,
) -> Result<()> {
    match value {
        Value::Struct(inner) => write_fields(out, inner, style, skip),
        Value::Map(map) => write_entries(out, schema, map, style, skip),
        _ => Err(ConnectorError::bug("only a document has members")),
    }
}

fn null(out: &mut Vec<u8>, schema: Option<&Schema>, style: Style) -> Result<()> {
    if let Some(schema) = schema {
        match schema.default_value() {
            Some(default) if !default.is_null() => return write(out, Some(schema), default, style),
            Some(_) | None if schema.is_optional() => {}
            Some(_) | None => {
                return Err(ConnectorError::data(
                    "Conversion error: null value for field that is required and has no default value",
                ));
            }
        }
    }
    out.extend_from_slice(b"null");
    Ok(())
}

fn no_schema_type(value: &Value) -> ConnectorError {
    ConnectorError::data(format!(
        "Java class class {} does not have corresponding schema type.",
        value.java_class()
    ))
}

fn base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    out.extend_from_slice(STANDARD.encode(bytes).as_bytes());
    out.push(b'"');
}

/// `None` when the schema says nothing about dates.
fn instant(out: &mut Vec<u8>, schema: Option<&Schema>, millis: i64) -> Option<Result<()>> {
    let number = match schema?.name()? {
        logical::TIMESTAMP => Ok(millis),
        logical::DATE => logical::date_to_days(millis).map(i64::from),
        logical::TIME => logical::time_to_millis(millis).map(i64::from),
        _ => return None,
    };
    Some(number.map(|number| json::integer(out, number)))
}

fn array(out: &mut Vec<u8>, schema: Option<&Schema>, elements: &[Value], style: Style) -> Result<()> {
    let element_schema = schema.and_then(Schema::value_schema).map(AsRef::as_ref);
    out.push(b'[');
    for (index, element) in elements.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, element_schema, element, style)?;
    }
    out.push(b']');
    Ok(())
}

fn write_fields(out: &mut Vec<u8>, value: &Struct, style: Style, skip: Option<&str>) -> Result<()> {
    let mut first = true;
    for field in value.schema().fields() {
        if skip == Some(field.name.as_ref()) {
            continue;
        }
        if !first {
            out.push(b',');
        }
        first = false;
        json::string(out, &field.name);
        out.push(b':');
        write(out, Some(&field.schema), &value.values()[field.index], style)?;
    }
    Ok(())
}

/// Whether a map is a JSON object; otherwise it is a list of its entries.
fn is_object(schema: Option<&Schema>, map: &Map, style: Style) -> bool {
    let text_keys = match schema.and_then(Schema::key_schema) {
        Some(keys) => keys.kind() == Type::String,
        None => map.iter().all(|(key, _)| key.as_str().is_some()),
    };
    match (style, schema) {
        (Style::Prepared { compact_maps }, Some(_)) => text_keys && compact_maps,
        (Style::Prepared { .. }, None) | (Style::Plain, _) => text_keys,
    }
}

fn write_map(out: &mut Vec<u8>, schema: Option<&Schema>, map: &Map, style: Style) -> Result<()> {
    if is_object(schema, map, style) {
        out.push(b'{');
        write_entries(out, schema, map, style, None)?;
        out.push(b'}');
        return Ok(());
    }
    // Prepared values have named parts, so that they can be searched; JsonConverter has pairs.
    let [open, middle, close]: [&[u8]; 3] = match (style, schema) {
        (Style::Prepared { .. }, Some(_)) => [b"{\"key\":", b",\"value\":", b"}"],
        (Style::Prepared { .. }, None) | (Style::Plain, _) => [b"[", b",", b"]"],
    };
    let key_schema = schema.and_then(Schema::key_schema).map(AsRef::as_ref);
    let value_schema = schema.and_then(Schema::value_schema).map(AsRef::as_ref);
    out.push(b'[');
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        out.extend_from_slice(open);
        write(out, key_schema, key, style)?;
        out.extend_from_slice(middle);
        write(out, value_schema, value, style)?;
        out.extend_from_slice(close);
    }
    out.push(b']');
    Ok(())
}

fn write_entries(
    out: &mut Vec<u8>,
    schema: Option<&Schema>,
    map: &Map,
    style: Style,
    skip: Option<&str>,
) -> Result<()> {
    let value_schema = schema.and_then(Schema::value_schema).map(AsRef::as_ref);
    let mut first = true;
    for (key, value) in map.iter() {
        let key = key.as_str().ok_or_else(|| {
            ConnectorError::data(format!("Invalid type for STRING: class {}", key.java_class()))
        })?;
        if skip == Some(key) {
            continue;
        }
        if !first {
            out.push(b',');
        }
        first = false;
        json::string(out, key);
        out.push(b':');
        write(out, value_schema, value, style)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
