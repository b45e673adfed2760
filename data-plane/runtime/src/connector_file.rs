//! The connector files of a standalone worker: JSON as a flat object or as the body of a creation request, or Java
//! properties. The format is told from the content, whatever the name ends in.

use indexmap::IndexMap;
use serde_json::value::RawValue;
use towpath_types::{ConnectorConfig, TargetState};

use crate::properties::{self, PropertiesError};

const NAME: &str = "name";

/// Raw values, because numbers are kept as they are written.
type Object = IndexMap<String, Box<RawValue>>;

/// A connector to create.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectorFile {
    pub name: String,
    /// With the name in it.
    pub config: ConnectorConfig,
    /// Missing: RUNNING.
    pub initial_state: Option<TargetState>,
}

/// Why a file describes no connector.
#[derive(Debug, thiserror::Error)]
pub enum ConnectorFileError {
    #[error("Connector configuration at '{path}' is missing the mandatory 'name' configuration")]
    NoName { path: String },
    #[error("Connector name configuration in 'config' doesn't match the one specified in 'name' at '{path}'")]
    OtherName { path: String },
    #[error(
        "Connector configuration at '{path}' is JSON, but neither an object of texts nor {{\"name\": …, \"config\": \
         {{…}}}}: write every value as a text, a number or a boolean"
    )]
    OtherJson { path: String },
    #[error(
        "Connector configuration at '{path}' has an unknown initial_state '{word}': must be one of {expected}"
    )]
    InitialState {
        path: String,
        word: String,
        expected: &'static str,
    },
    #[error("Connector configuration at '{path}' is malformed JSON")]
    Malformed {
        path: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("Connector configuration at '{path}' could not be read as properties")]
    Properties {
        path: String,
        #[source]
        source: PropertiesError,
    },
}

/// Reads the content of a connector file; `path` is for messages.
///
/// # Errors
/// When it describes no connector.
pub fn parse(path: &str, content: &[u8]) -> Result<ConnectorFile, ConnectorFileError> {
    // Only a JSON object begins so: a property's name would have to.
    let is_json = content.trim_ascii_start().starts_with(b"{");
    if !is_json {
        return from_properties(path, content);
    }
    let object: Object = serde_json::from_slice(content).map_err(|source| ConnectorFileError::Malformed {
        path: path.to_owned(),
        source,
    })?;
    match texts(&object) {
        Some(config) => flat(path, config),
        None => wrapped(path, &object),
    }
}

fn from_properties(path: &str, content: &[u8]) -> Result<ConnectorFile, ConnectorFileError> {
    let properties = properties::parse_bytes(content).map_err(|source| ConnectorFileError::Properties {
        path: path.to_owned(),
        source,
    })?;
    let config = properties
        .iter()
        .map(|(key, value)| (key, value.unwrap_or_default()))
        .collect();
    flat(path, config)
}

fn flat(path: &str, config: ConnectorConfig) -> Result<ConnectorFile, ConnectorFileError> {
    let name = config.get(NAME).ok_or_else(|| ConnectorFileError::NoName {
        path: path.to_owned(),
    })?;
    Ok(ConnectorFile {
        name: name.to_owned(),
        config,
        initial_state: None,
    })
}

/// The body of a creation request; further members are ignored.
fn wrapped(path: &str, object: &Object) -> Result<ConnectorFile, ConnectorFileError> {
    let config = object
        .get("config")
        .and_then(|config| serde_json::from_str::<Object>(config.get()).ok())
        .and_then(|config| texts(&config));
    let mut config = config.ok_or_else(|| ConnectorFileError::OtherJson {
        path: path.to_owned(),
    })?;
    let member = |name| object.get(name).and_then(|value| text(value)).flatten();
    let name = member(NAME).ok_or_else(|| ConnectorFileError::NoName {
        path: path.to_owned(),
    })?;
    match config.entry(NAME) {
        Some(own) if own != Some(name.as_str()) => {
            return Err(ConnectorFileError::OtherName {
                path: path.to_owned(),
            });
        }
        Some(_) => {}
        None => config.insert(NAME, name.as_str()),
    }
    let initial_state = member("initial_state")
        .map(|word| word.parse::<TargetState>())
        .transpose()
        .map_err(|unknown| ConnectorFileError::InitialState {
            path: path.to_owned(),
            word: unknown.word,
            expected: unknown.expected,
        })?;
    Ok(ConnectorFile {
        name,
        config,
        initial_state,
    })
}

/// A configuration, if all values are scalars.
fn texts(object: &Object) -> Option<ConnectorConfig> {
    let entries: Option<Vec<(String, Option<String>)>> = object
        .iter()
        .map(|(key, value)| Some((key.clone(), text(value)?)))
        .collect();
    let mut config = ConnectorConfig::new();
    config.extend(entries?);
    Some(config)
}

/// The text of a scalar, numbers as they are written; `Some(None)` is null.
fn text(value: &RawValue) -> Option<Option<String>> {
    let written = value.get();
    match written.chars().next()? {
        '{' | '[' => None,
        '"' => serde_json::from_str(written).ok().map(Some),
        _ if written == "null" => Some(None),
        _ => Some(Some(written.to_owned())),
    }
}
