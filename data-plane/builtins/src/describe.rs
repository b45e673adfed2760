//! Schemas and values as one line of text, for comparing them with what Kafka Connect answered.

use std::fmt::Write;

use towpath_connect::{Schema, SchemaRef, Value, data::java_text};

pub(crate) fn schema(schema: Option<&SchemaRef>) -> String {
    schema.map_or_else(|| "none".to_owned(), |schema| whole_schema(schema))
}

fn whole_schema(s: &Schema) -> String {
    let mut out = s.kind().name().to_owned();
    match s.kind() {
        towpath_connect::Type::Array => write!(out, "<{}>", schema(s.value_schema())).unwrap(),
        towpath_connect::Type::Map => {
            write!(out, "<{},{}>", schema(s.key_schema()), schema(s.value_schema())).unwrap();
        }
        towpath_connect::Type::Struct => {
            let fields: Vec<String> = s
                .fields()
                .iter()
                .map(|f| format!("{}:{}", f.name, whole_schema(&f.schema)))
                .collect();
            write!(out, "({})", fields.join(",")).unwrap();
        }
        _ => {}
    }
    if s.is_optional() {
        out.push('?');
    }
    if let Some(name) = s.name() {
        write!(out, "/name={name}").unwrap();
    }
    if let Some(version) = s.version() {
        write!(out, "/version={version}").unwrap();
    }
    if let Some(doc) = s.doc() {
        write!(out, "/doc={doc}").unwrap();
    }
    if !s.parameters().is_empty() {
        let parameters: Vec<String> = s.parameters().iter().map(|(k, v)| format!("{k}={v}")).collect();
        write!(out, "/parameters={{{}}}", parameters.join(", ")).unwrap();
    }
    if let Some(default) = s.default_value() {
        write!(out, "/default={}", value(default)).unwrap();
    }
    out
}

pub(crate) fn value(v: &Value) -> String {
    match v {
        Value::Null => "null".to_owned(),
        Value::Int8(n) => format!("i8:{n}"),
        Value::Int16(n) => format!("i16:{n}"),
        Value::Int32(n) => format!("i32:{n}"),
        Value::Int64(n) => format!("i64:{n}"),
        Value::Float32(n) => format!("f32:{}", java_text::float32(*n)),
        Value::Float64(n) => format!("f64:{}", java_text::float64(*n)),
        Value::Boolean(b) => b.to_string(),
        Value::String(text) => quoted(text),
        Value::Bytes(bytes) => {
            let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
            format!("bytes:{hex}")
        }
        Value::Decimal(n) => format!("dec:{n}"),
        Value::Instant(millis) => format!("date:{millis}"),
        Value::Array(elements) => {
            let elements: Vec<String> = elements.iter().map(value).collect();
            format!("[{}]", elements.join(","))
        }
        Value::Map(map) => {
            let mut entries: Vec<String> = map
                .iter()
                .map(|(k, v)| format!("{}={}", value(k), value(v)))
                .collect();
            entries.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
            format!("{{{}}}", entries.join(","))
        }
        Value::Struct(inner) => {
            let fields: Vec<String> = inner
                .schema()
                .fields()
                .iter()
                .zip(inner.values())
                .map(|(f, v)| format!("{}={}", f.name, value(v)))
                .collect();
            format!("struct{{{}}}", fields.join(","))
        }
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for unit in text.encode_utf16() {
        match char::from_u32(u32::from(unit)) {
            Some(c @ ('"' | '\\')) => write!(out, "\\{c}").unwrap(),
            Some(c) if c >= ' ' => out.push(c),
            _ => write!(out, "\\u{unit:04x}").unwrap(),
        }
    }
    out.push('"');
    out
}
