//! Checks on parsed values, with Kafka's messages.

use std::collections::HashSet;

use super::ConfigValue;
use crate::pattern::Pattern;

/// A check on the value of one key.
#[derive(Clone, Copy, Debug)]
pub enum Validator {
    /// At least this (integers).
    AtLeast(i64),
    /// Between these, both included (integers).
    Between(i64, i64),
    /// One of these texts, case-sensitive.
    OneOf(&'static [&'static str]),
    /// One of these texts in any case; listed in messages as given here.
    OneOfIgnoreCase(&'static [&'static str]),
    /// Null, or text that is not empty.
    NonEmptyString,
    /// Null, or text that is neither empty nor holds control characters.
    NonEmptyStringWithoutControlChars,
    /// Not null.
    NonNull,
    /// A list with at least one item.
    NonEmptyList,
    /// A list, perhaps empty, of items that are neither empty nor there twice. When a configuration is parsed, and not
    /// only validated, a repeated item is dropped.
    UniqueItems,
    /// [`Validator::UniqueItems`] with at least one item.
    SomeUniqueItems,
    /// A valid Java regular expression.
    Regex,
    /// Anything else: gets the key and the value, answers with the whole message.
    Custom(fn(&str, &ConfigValue) -> Result<(), String>),
}

impl Validator {
    /// Checks a value.
    ///
    /// # Errors
    /// The whole message, which names the key.
    pub fn check(&self, key: &str, value: &ConfigValue) -> Result<(), String> {
        let bad = |problem: String| Err(invalid(key, value, &problem));
        match (self, value) {
            (Self::Custom(check), _) => check(key, value),
            (Self::AtLeast(_) | Self::Between(..), ConfigValue::Null) => {
                bad("Value must be non-null".to_owned())
            }
            (Self::AtLeast(least), _) => match integer(value) {
                Some(n) if n < *least => bad(format!("Value must be at least {least}")),
                _ => Ok(()),
            },
            (Self::Between(least, most), _) => match integer(value) {
                Some(n) if n < *least => bad(format!("Value must be at least {least}")),
                Some(n) if n > *most => bad(format!("Value must be no more than {most}")),
                _ => Ok(()),
            },
            (Self::OneOf(allowed), ConfigValue::String(text)) if allowed.contains(&text.as_str()) => Ok(()),
            (Self::OneOf(allowed), _) => bad(format!("String must be one of: {}", allowed.join(", "))),
            (Self::OneOfIgnoreCase(allowed), ConfigValue::String(text))
                if allowed.iter().any(|a| a.eq_ignore_ascii_case(text)) =>
            {
                Ok(())
            }
            (Self::OneOfIgnoreCase(allowed), _) => bad(format!(
                "String must be one of (case insensitive): {}",
                allowed.join(", ")
            )),
            (Self::NonEmptyString, ConfigValue::String(text)) if text.is_empty() => {
                bad("String must be non-empty".to_owned())
            }
            (Self::NonEmptyStringWithoutControlChars, ConfigValue::String(text)) => control_chars(text, bad),
            (Self::NonNull, ConfigValue::Null) => bad("entry must be non null".to_owned()),
            (Self::NonEmptyList, ConfigValue::List(items)) if items.is_empty() => {
                bad("Empty list".to_owned())
            }
            (Self::UniqueItems | Self::SomeUniqueItems, _) => self.items(key, value),
            (Self::Regex, ConfigValue::String(text)) => match Pattern::compile(text) {
                Ok(_) => Ok(()),
                Err(error) => bad(format!("Invalid regex: {error}")),
            },
            (
                Self::NonEmptyString
                | Self::NonEmptyStringWithoutControlChars
                | Self::NonNull
                | Self::NonEmptyList
                | Self::Regex,
                _,
            ) => Ok(()),
        }
    }
}

impl Validator {
    /// Whether a parsed list loses its repeated items before it is checked.
    pub(super) fn drops_repeated_items(&self) -> bool {
        matches!(self, Self::UniqueItems | Self::SomeUniqueItems)
    }

    fn items(&self, key: &str, value: &ConfigValue) -> Result<(), String> {
        let ConfigValue::List(items) = value else {
            return Err(format!("Configuration '{key}' values must not be null."));
        };
        if items.is_empty() && matches!(self, Self::SomeUniqueItems) {
            return Err(format!(
                "Configuration '{key}' must not be empty. Valid values include: any non-empty value"
            ));
        }
        let distinct: HashSet<&String> = items.iter().collect();
        if distinct.len() < items.len() {
            return Err(format!("Configuration '{key}' values must not be duplicated."));
        }
        if items.iter().any(String::is_empty) {
            return Err(format!("Configuration '{key}' values must not be empty."));
        }
        Ok(())
    }
}

/// The usual message about a value: `Invalid value V for configuration K: problem`.
pub fn invalid(key: &str, value: &ConfigValue, problem: &str) -> String {
    format!(
        "Invalid value {} for configuration {key}: {problem}",
        value.in_message()
    )
}

fn integer(value: &ConfigValue) -> Option<i64> {
    match value {
        ConfigValue::Int(n) => Some(i64::from(*n)),
        ConfigValue::Short(n) => Some(i64::from(*n)),
        ConfigValue::Long(n) => Some(*n),
        _ => None,
    }
}

fn control_chars(text: &str, bad: impl Fn(String) -> Result<(), String>) -> Result<(), String> {
    if text.is_empty() {
        return bad("String may not be empty".to_owned());
    }
    let found: Vec<String> = text
        .chars()
        .filter(|c| c.is_control())
        .map(|c| u32::from(c).to_string())
        .collect();
    if found.is_empty() {
        return Ok(());
    }
    bad(format!(
        "String may not contain control sequences but had the following ASCII chars: {}",
        found.join(", ")
    ))
}
