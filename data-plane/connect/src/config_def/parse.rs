//! Reads one key. A key that cannot be read keeps the message, and its validator still runs on null, as in Kafka.

use std::collections::HashSet;

use super::{ConfigKey, ConfigType, ConfigValue, Default};
use crate::config::{ConfigMap, Password};
use crate::data::java_text;

/// What came out for one key.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyResult {
    /// The key.
    pub name: String,
    /// The parsed value; null when it could not be read.
    pub value: ConfigValue,
    /// Everything that is wrong, in Kafka Connect's words.
    pub errors: Vec<String>,
}

/// Reads the text of a value.
///
/// # Errors
/// What is wrong with the text, without the key: for example `Not a number of type INT`.
pub fn parse_value(kind: ConfigType, text: &str) -> Result<ConfigValue, String> {
    // Java's trim: blanks and all control characters before them in ASCII.
    let trimmed = text.trim_matches(|c| c <= ' ');
    Ok(match kind {
        ConfigType::Boolean if trimmed.eq_ignore_ascii_case("true") => ConfigValue::Boolean(true),
        ConfigType::Boolean if trimmed.eq_ignore_ascii_case("false") => ConfigValue::Boolean(false),
        ConfigType::Boolean => return Err("Expected value to be either true or false".to_owned()),
        ConfigType::String => ConfigValue::String(trimmed.to_owned()),
        ConfigType::Int => ConfigValue::Int(number(kind, trimmed)?),
        ConfigType::Short => ConfigValue::Short(number(kind, trimmed)?),
        ConfigType::Long => ConfigValue::Long(number(kind, trimmed)?),
        ConfigType::Double => {
            ConfigValue::Double(java_text::parse_float64(trimmed).ok_or_else(|| not_a_number(kind))?)
        }
        ConfigType::List if trimmed.is_empty() => ConfigValue::List(Vec::new()),
        ConfigType::List => {
            ConfigValue::List(trimmed.split(',').map(|item| item.trim().to_owned()).collect())
        }
        // Whether the class exists is known to whoever holds the plugins, not here.
        ConfigType::Class if trimmed.is_empty() => return Err(format!("Class {text} could not be found.")),
        ConfigType::Class => ConfigValue::Class(trimmed.to_owned()),
        ConfigType::Password => ConfigValue::Password(Password::new(trimmed)),
    })
}

fn number<N: std::str::FromStr>(kind: ConfigType, text: &str) -> Result<N, String> {
    text.parse().map_err(|_| not_a_number(kind))
}

fn not_a_number(kind: ConfigType) -> String {
    format!("Not a number of type {}", kind.name())
}

/// Reads and checks a key, keeping everything that is wrong.
pub(super) fn validate_key(key: &ConfigKey, config: &ConfigMap) -> KeyResult {
    let mut errors = Vec::new();
    let value = read(key, config, &mut errors);
    check(key, value, errors)
}

/// Reads and checks a key that is to be used: a list that must not repeat its items loses those that it repeats.
pub(super) fn parse_key(key: &ConfigKey, config: &ConfigMap) -> KeyResult {
    let mut errors = Vec::new();
    let mut value = read(key, config, &mut errors);
    if let ConfigValue::List(items) = &mut value
        && key
            .validator
            .is_some_and(|validator| validator.drops_repeated_items())
    {
        let mut seen = HashSet::new();
        items.retain(|item| seen.insert(item.clone()));
    }
    check(key, value, errors)
}

fn check(key: &ConfigKey, value: ConfigValue, mut errors: Vec<String>) -> KeyResult {
    if let Some(validator) = &key.validator
        && let Err(message) = validator.check(&key.name, &value)
    {
        // A required key that is missing or unreadable is checked as null; most validators accept that.
        errors.push(message);
    }
    KeyResult {
        name: key.name.clone(),
        value,
        errors,
    }
}

fn read(key: &ConfigKey, config: &ConfigMap, errors: &mut Vec<String>) -> ConfigValue {
    let text = match (
        config.contains_key(&key.name),
        config.get(&key.name),
        &key.default,
    ) {
        (true, Some(text), _) => text,
        (false, _, Default::Text(text)) => text.as_str(),
        (true, None, _) | (false, _, Default::Null) => return ConfigValue::Null,
        (false, _, Default::Required) => {
            errors.push(format!(
                "Missing required configuration \"{}\" which has no default value.",
                key.name
            ));
            return ConfigValue::Null;
        }
    };
    parse_value(key.kind, text).unwrap_or_else(|problem| {
        let shown = if key.kind == ConfigType::Password {
            "[hidden]"
        } else {
            text
        };
        errors.push(format!(
            "Invalid value {shown} for configuration {}: {problem}",
            key.name
        ));
        ConfigValue::Null
    })
}
