//! Values as text.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use towpath_connect::Value;
use towpath_connect::data::java_text;
use towpath_connect::data::logical::MILLIS_PER_DAY;

use crate::java_date_format::DateFormat;

pub(super) const DATE: &str = "yyyy-MM-dd";
pub(super) const TIME: &str = "HH:mm:ss.SSS'Z'";
pub(super) const TIMESTAMP: &str = "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'";

/// The text of a value that is neither null nor text.
pub(super) fn of(value: &Value) -> String {
    let mut out = String::new();
    if let Value::Bytes(bytes) = value {
        STANDARD.encode_string(bytes, &mut out);
    } else {
        append(&mut out, value);
    }
    out
}

/// Appends a value as it stands in an array or map: text and bytes are quoted.
fn append(out: &mut String, value: &Value) {
    match value {
        Value::String(text) => append_quoted(out, text),
        Value::Bytes(bytes) => append_quoted(out, &STANDARD.encode(bytes)),
        Value::Instant(millis) => out.push_str(&instant(*millis)),
        Value::Array(elements) => {
            out.push('[');
            for (index, element) in elements.iter().enumerate() {
                comma(out, index);
                append(out, element);
            }
            out.push(']');
        }
        Value::Map(map) => {
            out.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                comma(out, index);
                append(out, key);
                out.push(':');
                append(out, value);
            }
            out.push('}');
        }
        Value::Struct(inner) => {
            out.push('{');
            for field in inner.schema().fields() {
                comma(out, field.index);
                append_quoted(out, &field.name);
                out.push(':');
                append(out, inner.get_at(field.index));
            }
            out.push('}');
        }
        other => java_text::append(out, other),
    }
}

fn comma(out: &mut String, index: usize) {
    if index > 0 {
        out.push(',');
    }
}

fn append_quoted(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        if matches!(c, '"' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

/// The text of an instant as a time, a date or both. Everything before the second day of the epoch counts as a time of day, as in Kafka Connect.
pub(crate) fn instant(millis: i64) -> String {
    let pattern = if millis < MILLIS_PER_DAY {
        TIME
    } else if millis % MILLIS_PER_DAY == 0 {
        DATE
    } else {
        TIMESTAMP
    };
    // The patterns are constants, so there is always a format.
    DateFormat::new(pattern).map_or_else(|_| String::new(), |format| format.format(millis))
}
