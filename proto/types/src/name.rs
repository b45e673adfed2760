//! The name of a connector, checked as `contract/connector-config.md` says: anything but nothing and control characters.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Shared text: a name is cloned into every unit, assignment and log line.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConnectorName(Arc<str>);

/// Why a text is no connector name. `Display` is the wording of Kafka Connect, after its
/// `Invalid value <v> for configuration name: `.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    #[error("String may not be empty")]
    Empty,
    #[error("String may not contain control sequences but had the following ASCII chars: {}", join(.codes))]
    ControlCharacters { codes: Vec<u32> },
}

impl ConnectorName {
    /// Takes the name as it is: whoever reads it from a request trims it first where the contract says so.
    pub fn new(name: impl AsRef<str>) -> Result<Self, NameError> {
        let name = name.as_ref();
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        let codes: Vec<u32> = name.chars().filter(|c| c.is_control()).map(u32::from).collect();
        if codes.is_empty() {
            Ok(Self(name.into()))
        } else {
            Err(NameError::ControlCharacters { codes })
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn join(codes: &[u32]) -> String {
    codes.iter().map(u32::to_string).collect::<Vec<_>>().join(", ")
}

impl FromStr for ConnectorName {
    type Err = NameError;

    fn from_str(name: &str) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl TryFrom<String> for ConnectorName {
    type Error = NameError;

    fn try_from(name: String) -> Result<Self, NameError> {
        Self::new(name)
    }
}

impl From<ConnectorName> for String {
    fn from(name: ConnectorName) -> Self {
        name.0.as_ref().to_owned()
    }
}

impl AsRef<str> for ConnectorName {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Ordered and hashed as its text, so maps keyed by a name can be asked with a `&str`.
impl Borrow<str> for ConnectorName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for ConnectorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_hold_blanks_slashes_quotes_and_unicode() {
        for name in [
            "orders",
            " lead",
            "with/slash",
            "with%percent",
            "a b",
            "q\"uote",
            "über",
            "日本",
            "a\\b",
        ] {
            assert_eq!(ConnectorName::new(name).unwrap().as_str(), name);
        }
    }

    #[test]
    fn an_empty_name_is_refused_in_the_words_of_kafka_connect() {
        assert_eq!(
            ConnectorName::new("").unwrap_err().to_string(),
            "String may not be empty"
        );
    }

    #[test]
    fn control_characters_are_refused_and_listed_by_code() {
        let error = ConnectorName::new("a\u{7}b\u{1b}").unwrap_err();
        assert_eq!(
            error.to_string(),
            "String may not contain control sequences but had the following ASCII chars: 7, 27"
        );
        assert!(
            ConnectorName::new("c1\u{85}").is_err(),
            "ISO control characters reach up to 159"
        );
    }

    #[test]
    fn a_name_read_from_json_is_checked_too() {
        assert!(serde_json::from_str::<ConnectorName>(r#""orders""#).is_ok());
        assert!(serde_json::from_str::<ConnectorName>(r#""""#).is_err());
    }
}
