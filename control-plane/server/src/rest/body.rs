//! Bodies of requests, read as `contract/rest-api.md` sections 1 and 13 say. What is wrong is said in the words that
//! clients look for, and without a value of the body.

mod offsets;

use indexmap::IndexMap;
use serde_json::value::RawValue;
use towpath_types::{ConnectorConfig, TargetState};

pub(crate) use offsets::offsets;

const UTF8_BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("The request body is missing or null")]
    Missing,
    #[error("Malformed JSON: {0}")]
    Malformed(serde_json::Error),
    #[error("Cannot deserialize value: expected a JSON object but got {found}")]
    NoObject { found: &'static str },
    #[error("Cannot deserialize value of key '{key}': expected {expected} but got {found}")]
    WrongType {
        key: String,
        expected: &'static str,
        found: &'static str,
    },
    #[error("Unrecognized field \"{field}\" ({known})")]
    UnknownField { field: String, known: &'static str },
    #[error("Cannot construct instance of an entry of 'offsets': expected a JSON object but got {found}")]
    NoOffset { found: &'static str },
    #[error("The 'config' member is missing or null")]
    NoConfig,
    #[error("Invalid initial_state '{word}': must be one of RUNNING, PAUSED, STOPPED")]
    UnknownState { word: String },
}

/// Body of `POST /connectors`.
#[derive(Debug, PartialEq)]
pub(crate) struct CreateRequest {
    /// Trimmed; empty when missing, which the validation refuses.
    pub(crate) name: String,
    pub(crate) config: ConnectorConfig,
    pub(crate) initial_state: TargetState,
}

type Object = IndexMap<String, Box<RawValue>>;

pub(crate) fn create_request(body: &[u8]) -> Result<CreateRequest, BodyError> {
    let mut name = None;
    let mut config = None;
    let mut initial_state = TargetState::Running;
    for (member, value) in object(body)? {
        match member.as_str() {
            "name" => name = scalar(&member, &value)?,
            "config" => config = nested_config(&member, &value)?,
            "initial_state" => {
                if let Some(word) = scalar(&member, &value)? {
                    initial_state = word.parse().map_err(|_| BodyError::UnknownState { word })?;
                }
            }
            _ => {
                return Err(BodyError::UnknownField {
                    field: member,
                    known: r#"3 known properties: "config", "name", "initial_state""#,
                });
            }
        }
    }
    Ok(CreateRequest {
        // Java's `trim`: everything up to the blank.
        name: name.unwrap_or_default().trim_matches(|c| c <= ' ').to_owned(),
        config: config.ok_or(BodyError::NoConfig)?,
        initial_state,
    })
}

/// A body that is a configuration.
pub(crate) fn config(body: &[u8]) -> Result<ConnectorConfig, BodyError> {
    entries(object(body)?)
}

fn nested_config(member: &str, value: &RawValue) -> Result<Option<ConnectorConfig>, BodyError> {
    match kind(value) {
        Kind::Null => Ok(None),
        Kind::Object => entries(parse(value.get().as_bytes())?).map(Some),
        other => Err(BodyError::WrongType {
            key: member.to_owned(),
            expected: "a JSON object",
            found: other.words(),
        }),
    }
}

fn entries(object: Object) -> Result<ConnectorConfig, BodyError> {
    let mut config = ConnectorConfig::new();
    for (key, value) in object {
        match scalar(&key, &value)? {
            Some(text) => config.insert(key, text),
            None => config.insert_null(key),
        }
    }
    Ok(config)
}

fn object(body: &[u8]) -> Result<Object, BodyError> {
    let body = body
        .strip_prefix(UTF8_BYTE_ORDER_MARK)
        .unwrap_or(body)
        .trim_ascii();
    if body.is_empty() {
        return Err(BodyError::Missing);
    }
    let value: Box<RawValue> = parse(body)?;
    match kind(&value) {
        Kind::Null => Err(BodyError::Missing),
        Kind::Object => parse(body),
        other => Err(BodyError::NoObject { found: other.words() }),
    }
}

fn parse<'de, T: serde::Deserialize<'de>>(text: &'de [u8]) -> Result<T, BodyError> {
    serde_json::from_slice(text).map_err(BodyError::Malformed)
}

/// Numbers and booleans are texts as they were written: `1.50`, `1e5`, `true`.
fn scalar(key: &str, value: &RawValue) -> Result<Option<String>, BodyError> {
    match kind(value) {
        Kind::Null => Ok(None),
        Kind::Text => parse(value.get().as_bytes()).map(Some),
        Kind::Number | Kind::Boolean => Ok(Some(value.get().to_owned())),
        other @ (Kind::Object | Kind::Array) => Err(BodyError::WrongType {
            key: key.to_owned(),
            expected: "a string, number or boolean",
            found: other.words(),
        }),
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Null,
    Boolean,
    Number,
    Text,
    Array,
    Object,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::Text => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        }
    }
}

/// The first character tells, because the text is valid JSON.
fn kind(value: &RawValue) -> Kind {
    match value.get().as_bytes().first() {
        Some(b'{') => Kind::Object,
        Some(b'[') => Kind::Array,
        Some(b'"') => Kind::Text,
        Some(b't' | b'f') => Kind::Boolean,
        Some(b'n') | None => Kind::Null,
        Some(_) => Kind::Number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> String {
        config(body.as_bytes()).unwrap_err().to_string()
    }

    fn creation_refused(body: &str) -> String {
        create_request(body.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn numbers_and_booleans_are_kept_as_written() {
        let body = r#"{"a":2,"b":true,"c":1.50,"d":1e5,"e":-0.0,"f":null,"g":"x\u00fc","h":false,"i":1E+3}"#;
        let config = config(body.as_bytes()).unwrap();
        assert_eq!(
            serde_json::to_string(&config).unwrap(),
            r#"{"a":"2","b":"true","c":"1.50","d":"1e5","e":"-0.0","f":null,"g":"xü","h":"false","i":"1E+3"}"#
        );
    }

    #[test]
    fn the_last_of_two_equal_members_wins() {
        assert_eq!(
            config(br#"{"a":"1","b":"2","a":"3"}"#).unwrap().get("a"),
            Some("3")
        );
    }

    #[test]
    fn a_missing_body_is_named() {
        for body in ["", "  \n", "null", " null "] {
            assert_eq!(refused(body), "The request body is missing or null");
            assert_eq!(creation_refused(body), "The request body is missing or null");
        }
    }

    #[test]
    fn malformed_json_and_text_after_it_are_refused_without_repeating_the_body() {
        assert_eq!(
            refused("{bad json"),
            "Malformed JSON: key must be a string at line 1 column 2"
        );
        for body in [
            "{\"a\":\"s3cret\"} x",
            "{\"a\":\"s3cret\"}{}",
            "{\"a\":s3cret}",
            "[s3cret",
            "\"s3cret",
        ] {
            let message = refused(body);
            assert!(
                message.starts_with("Malformed JSON: ") && !message.contains("s3cret"),
                "{message}"
            );
        }
        assert!(
            config(b"{\"a\":\"\xFF\"}")
                .unwrap_err()
                .to_string()
                .starts_with("Malformed JSON: ")
        );
        let deep = "[".repeat(100_000);
        assert!(
            refused(&format!("{{\"a\":{deep}")).starts_with("Malformed JSON: "),
            "no stack overflow"
        );
    }

    #[test]
    fn what_is_no_object_is_named() {
        for (body, found) in [
            ("[]", "an array"),
            ("3", "a number"),
            ("\"x\"", "a string"),
            ("true", "a boolean"),
        ] {
            let expected = format!("Cannot deserialize value: expected a JSON object but got {found}");
            assert_eq!(refused(body), expected);
            assert_eq!(creation_refused(body), expected);
        }
    }

    #[test]
    fn a_nested_value_is_named_by_its_key() {
        assert_eq!(
            refused(r#"{"name":"x","nested":{"a":1}}"#),
            "Cannot deserialize value of key 'nested': expected a string, number or boolean but got an object"
        );
        assert_eq!(
            creation_refused(r#"{"name":["x"],"config":{}}"#),
            "Cannot deserialize value of key 'name': expected a string, number or boolean but got an array"
        );
        assert_eq!(
            creation_refused(r#"{"name":"x","config":[]}"#),
            "Cannot deserialize value of key 'config': expected a JSON object but got an array"
        );
    }

    #[test]
    fn a_creation_needs_a_config_and_takes_no_unknown_member() {
        for body in [r#"{"name":"x"}"#, r#"{"name":"x","config":null}"#] {
            assert_eq!(creation_refused(body), "The 'config' member is missing or null");
        }
        assert_eq!(
            creation_refused(r#"{"name":"x","config":{},"extra":1}"#),
            r#"Unrecognized field "extra" (3 known properties: "config", "name", "initial_state")"#
        );
    }

    #[test]
    fn an_initial_state_is_read_in_any_case() {
        let state = |word: &str| {
            create_request(format!(r#"{{"config":{{}},"initial_state":{word}}}"#).as_bytes())
                .map(|request| request.initial_state)
                .map_err(|error| error.to_string())
        };
        assert_eq!(state("\"stopped\""), Ok(TargetState::Stopped));
        assert_eq!(state("\"Paused\""), Ok(TargetState::Paused));
        assert_eq!(state("null"), Ok(TargetState::Running));
        let expected = "Invalid initial_state 'stoped': must be one of RUNNING, PAUSED, STOPPED";
        assert_eq!(state("\"stoped\"").unwrap_err(), expected);
        assert!(state("\"\"").is_err());
    }

    #[test]
    fn a_name_is_trimmed_and_empty_when_missing() {
        let name = |body: &str| create_request(body.as_bytes()).unwrap().name;
        assert_eq!(name(r#"{"name":" \t lead ","config":{}}"#), "lead");
        assert_eq!(name(r#"{"name":7,"config":{}}"#), "7");
        assert_eq!(name(r#"{"config":{}}"#), "");
        assert_eq!(name(r#"{"name":null,"config":{}}"#), "");
        assert_eq!(
            name("{\"name\":\"\u{a0}x\",\"config\":{}}"),
            "\u{a0}x",
            "only what Java trims"
        );
    }
}
