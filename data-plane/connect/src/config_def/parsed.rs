//! Parsed values and typed access to them.

use std::collections::HashMap;

use crate::config::Password;

/// A parsed value.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "named after the type of the key")]
pub enum ConfigValue {
    Null,
    Boolean(bool),
    String(String),
    Int(i32),
    Short(i16),
    Long(i64),
    Double(f64),
    List(Vec<String>),
    Class(String),
    Password(Password),
}

impl ConfigValue {
    /// The text form in answers of the REST API; a secret is `[hidden]`.
    pub fn to_text(&self) -> Option<String> {
        Some(match self {
            Self::Null => return None,
            Self::Boolean(value) => value.to_string(),
            Self::String(value) | Self::Class(value) => value.clone(),
            Self::Int(value) => value.to_string(),
            Self::Short(value) => value.to_string(),
            Self::Long(value) => value.to_string(),
            Self::Double(value) => crate::data::java_text::float64(*value),
            Self::List(items) => items.join(","),
            Self::Password(value) => value.to_string(),
        })
    }

    /// The form in messages: lists print as `[a, b]`, null as `null`.
    pub fn in_message(&self) -> String {
        match self {
            Self::List(items) => format!("[{}]", items.join(", ")),
            other => other.to_text().unwrap_or_else(|| "null".to_owned()),
        }
    }
}

/// The values of all defined keys, defaults applied.
///
/// The getters give a neutral value (`""`, 0, false, an empty list) for a key that is null or not defined with that
/// type; a key that must be set was already required by its definition.
#[derive(Clone, Debug, Default)]
pub struct ParsedConfig {
    values: HashMap<String, ConfigValue>,
}

impl ParsedConfig {
    pub(super) fn new(values: impl Iterator<Item = (String, ConfigValue)>) -> Self {
        Self {
            values: values.collect(),
        }
    }

    /// The value of a key.
    pub fn value(&self, key: &str) -> &ConfigValue {
        self.values.get(key).unwrap_or(&ConfigValue::Null)
    }

    /// The text of a STRING or CLASS key, `""` when null.
    pub fn string(&self, key: &str) -> &str {
        self.optional_string(key).unwrap_or_default()
    }

    /// The text of a STRING or CLASS key.
    pub fn optional_string(&self, key: &str) -> Option<&str> {
        match self.value(key) {
            ConfigValue::String(text) | ConfigValue::Class(text) => Some(text),
            _ => None,
        }
    }

    /// The value of a BOOLEAN key.
    pub fn boolean(&self, key: &str) -> bool {
        matches!(self.value(key), ConfigValue::Boolean(true))
    }

    /// The value of an INT, SHORT or LONG key, 0 when null.
    pub fn long(&self, key: &str) -> i64 {
        self.optional_long(key).unwrap_or_default()
    }

    /// The value of an INT, SHORT or LONG key.
    pub fn optional_long(&self, key: &str) -> Option<i64> {
        match self.value(key) {
            ConfigValue::Int(n) => Some(i64::from(*n)),
            ConfigValue::Short(n) => Some(i64::from(*n)),
            ConfigValue::Long(n) => Some(*n),
            _ => None,
        }
    }

    /// The value of an INT key as a size or count; negative values are 0.
    pub fn count(&self, key: &str) -> usize {
        usize::try_from(self.long(key)).unwrap_or_default()
    }

    /// The value of a key in milliseconds; negative values are zero.
    pub fn duration_ms(&self, key: &str) -> std::time::Duration {
        std::time::Duration::from_millis(u64::try_from(self.long(key)).unwrap_or_default())
    }

    /// The value of a DOUBLE key, 0 when null.
    pub fn double(&self, key: &str) -> f64 {
        match self.value(key) {
            ConfigValue::Double(n) => *n,
            _ => 0.0,
        }
    }

    /// The items of a LIST key.
    pub fn list(&self, key: &str) -> &[String] {
        match self.value(key) {
            ConfigValue::List(items) => items,
            _ => &[],
        }
    }

    /// The secret of a PASSWORD key.
    pub fn password(&self, key: &str) -> Option<&Password> {
        match self.value(key) {
            ConfigValue::Password(secret) => Some(secret),
            _ => None,
        }
    }
}
