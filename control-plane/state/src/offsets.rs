//! Source partitions and offsets: JSON that only the connector understands, kept as the text it came in.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// Inserting under an equal partition keeps the text that was there first (contract/runtime-semantics.md section 12).
pub type SourceOffsets = BTreeMap<SourcePartition, SourceOffset>;

/// What a text should have been.
#[derive(Debug, thiserror::Error)]
pub enum JsonTextError {
    #[error("could not read a source {what}: it is not JSON")]
    NotJson {
        what: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error("could not read a source {what}: it is {found}, but must be {expected}")]
    WrongType {
        what: &'static str,
        found: &'static str,
        expected: &'static str,
    },
}

/// A JSON object, or `null`. Two are equal when they mean the same: the order of members does not count.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourcePartition {
    text: Box<str>,
    /// Members sorted, numbers in one form; `None` when the text is already so.
    canonical: Option<Box<str>>,
}

impl SourcePartition {
    pub fn parse(text: impl AsRef<str>) -> Result<Self, JsonTextError> {
        let text = text.as_ref();
        let value = parse(text, "partition")?;
        if !value.is_object() && !value.is_null() {
            return Err(wrong_type(&value, "partition", "an object or null"));
        }
        let mut canonical = String::with_capacity(text.len());
        write_canonical(&value, &mut canonical);
        let canonical = (canonical != text).then(|| canonical.into_boxed_str());
        Ok(Self {
            text: text.into(),
            canonical,
        })
    }

    /// As it was first written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// A task may use the null partition, but the API does not list it.
    pub fn is_null(&self) -> bool {
        self.canonical() == "null"
    }

    fn canonical(&self) -> &str {
        self.canonical.as_deref().unwrap_or(&self.text)
    }
}

impl PartialEq for SourcePartition {
    fn eq(&self, other: &Self) -> bool {
        self.canonical() == other.canonical()
    }
}

impl Eq for SourcePartition {}

impl Ord for SourcePartition {
    fn cmp(&self, other: &Self) -> Ordering {
        self.canonical().cmp(other.canonical())
    }
}

impl PartialOrd for SourcePartition {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl TryFrom<String> for SourcePartition {
    type Error = JsonTextError;

    fn try_from(text: String) -> Result<Self, JsonTextError> {
        Self::parse(text)
    }
}

impl From<SourcePartition> for String {
    fn from(partition: SourcePartition) -> Self {
        partition.text.into()
    }
}

impl fmt::Debug for SourcePartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A JSON object.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SourceOffset(Box<str>);

impl SourceOffset {
    pub fn parse(text: impl AsRef<str>) -> Result<Self, JsonTextError> {
        let text = text.as_ref();
        let value = parse(text, "offset")?;
        if value.is_object() {
            Ok(Self(text.into()))
        } else {
            Err(wrong_type(&value, "offset", "an object"))
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for SourceOffset {
    type Error = JsonTextError;

    fn try_from(text: String) -> Result<Self, JsonTextError> {
        Self::parse(text)
    }
}

impl From<SourceOffset> for String {
    fn from(offset: SourceOffset) -> Self {
        offset.0.into()
    }
}

/// The size only: an offset can hold the value of a column.
impl fmt::Debug for SourceOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "offset of {} bytes", self.0.len())
    }
}

fn parse(text: &str, what: &'static str) -> Result<Value, JsonTextError> {
    serde_json::from_str(text).map_err(|source| JsonTextError::NotJson { what, source })
}

fn wrong_type(value: &Value, what: &'static str, expected: &'static str) -> JsonTextError {
    let found = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    JsonTextError::WrongType {
        what,
        found,
        expected,
    }
}

fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => write_canonical_number(number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            out.push('{');
            for (i, (key, member)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write_canonical(member, out);
            }
            out.push('}');
        }
    }
}

/// An integer and a floating-point number are never the same: Java reads them as a Long and a Double.
fn write_canonical_number(number: &Number, out: &mut String) {
    let text = number.as_str();
    let written = if let Ok(integer) = text.parse::<i128>() {
        write!(out, "{integer}")
    } else if let Ok(float) = text.parse::<f64>() {
        write!(out, "{float:?}")
    } else {
        write!(out, "{text}")
    };
    written.expect("writing into a string does not fail");
}

fn write_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("a string is always valid JSON"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(text: &str) -> SourcePartition {
        SourcePartition::parse(text).unwrap()
    }

    #[test]
    fn partitions_are_equal_whatever_the_order_the_blanks_or_the_escapes() {
        let one = partition(r#"{"server":"s1","n":1}"#);
        assert_eq!(one, partition(r#"{ "n" : 1, "server" : "\u0073\u0031" }"#));
        assert_ne!(one, partition(r#"{"server":"s1","n":2}"#));
        assert_ne!(
            one,
            partition(r#"{"server":"s1","n":1.0}"#),
            "a Long is not a Double"
        );
        assert_eq!(partition(r#"{"a":1.50}"#), partition(r#"{"a":1.5e0}"#));
        assert_ne!(partition(r#"{"a":null}"#), partition("{}"));
    }

    #[test]
    fn the_first_text_of_a_partition_is_kept() {
        let mut offsets = SourceOffsets::new();
        offsets.insert(
            partition(r#"{"b":1,"a":2}"#),
            SourceOffset::parse(r#"{"p":1}"#).unwrap(),
        );
        offsets.insert(
            partition(r#"{"a":2,"b":1}"#),
            SourceOffset::parse(r#"{"p":2}"#).unwrap(),
        );
        let json = serde_json::to_string(&offsets).unwrap();
        assert_eq!(json, r#"{"{\"b\":1,\"a\":2}":"{\"p\":2}"}"#);
        assert_eq!(serde_json::from_str::<SourceOffsets>(&json).unwrap(), offsets);
    }

    #[test]
    fn other_json_is_no_partition_and_no_offset() {
        assert!(partition("null").is_null());
        let error = SourcePartition::parse("[1]").unwrap_err().to_string();
        assert_eq!(
            error,
            "could not read a source partition: it is an array, but must be an object or null"
        );
        assert!(SourcePartition::parse("{").is_err());
        assert!(SourceOffset::parse("null").is_err());
        assert!(SourceOffset::parse("3").is_err());
    }

    #[test]
    fn numbers_beyond_64_bits_keep_their_digits() {
        let big = r#"{"n":123456789012345678901234567890}"#;
        assert_eq!(partition(big).as_str(), big);
        assert_ne!(
            partition(big),
            partition(r#"{"n":123456789012345678901234567891}"#)
        );
    }
}
