//! Documents with connectors: JSON or YAML, one or more a file, in files, directories or standard input.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use towpath_types::{ConnectorConfig, TargetState};

const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];
const STDIN: &str = "-";

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Document {
    /// Where it comes from, for messages.
    pub(super) origin: String,
    pub(super) name: Option<String>,
    pub(super) config: ConnectorConfig,
    pub(super) initial_state: Option<TargetState>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DocumentError {
    #[error("Given file does not exist: {}", .0.display())]
    Missing(PathBuf),
    #[error("{origin} cannot be read")]
    Read {
        origin: String,
        #[source]
        source: io::Error,
    },
    #[error("directory `{}` holds no file that ends in .json, .yaml or .yml", .0.display())]
    EmptyDirectory(PathBuf),
    #[error("{origin} holds no document")]
    Empty { origin: String },
    #[error("{origin} is not valid JSON")]
    Json {
        origin: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("{origin} is not valid YAML, or a value of a configuration is neither text, number nor boolean")]
    Yaml {
        origin: String,
        #[source]
        source: serde_yaml_ng::Error,
    },
    #[error(
        "{origin} is no connector: it must be an object with `name` and `config`, or a configuration alone"
    )]
    Shape { origin: String },
    #[error("{origin}: the value of `{key}` must be a text, a number or a boolean")]
    Value { origin: String, key: String },
    #[error("{origin}: the `initial_state` cannot be used")]
    State {
        origin: String,
        #[source]
        source: towpath_types::UnknownWord,
    },
}

/// All documents, in order, before anything is done with the first.
pub(super) fn read(files: &[PathBuf]) -> Result<Vec<Document>, DocumentError> {
    let mut documents = Vec::new();
    for file in files {
        if file.as_os_str() == STDIN {
            documents.extend(parse(&read_stdin()?, "standard input", false)?);
        } else if file.is_dir() {
            for file in files_of(file)? {
                documents.extend(read_file(&file)?);
            }
        } else {
            documents.extend(read_file(file)?);
        }
    }
    Ok(documents)
}

/// One JSON document of a file, or of standard input.
pub(crate) fn read_json<T: DeserializeOwned>(file: &Path) -> Result<T, DocumentError> {
    let (text, origin) = if file.as_os_str() == STDIN {
        (read_stdin()?, "standard input".to_owned())
    } else {
        read_text(file)?
    };
    serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|source| DocumentError::Json { origin, source })
}

fn read_stdin() -> Result<String, DocumentError> {
    let mut text = String::new();
    let result = io::stdin().read_to_string(&mut text);
    result.map_err(|source| DocumentError::Read {
        origin: "standard input".into(),
        source,
    })?;
    Ok(text)
}

fn read_file(path: &Path) -> Result<Vec<Document>, DocumentError> {
    let (text, origin) = read_text(path)?;
    let is_yaml = path
        .extension()
        .is_some_and(|extension| extension == "yaml" || extension == "yml");
    parse(&text, &origin, is_yaml)
}

/// The text of a file, and what to call it in messages.
fn read_text(path: &Path) -> Result<(String, String), DocumentError> {
    if !path.exists() {
        return Err(DocumentError::Missing(
            std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
        ));
    }
    let origin = format!("file `{}`", path.display());
    let text = std::fs::read_to_string(path).map_err(|source| DocumentError::Read {
        origin: origin.clone(),
        source,
    })?;
    Ok((text, origin))
}

/// The files of a directory itself, by name.
fn files_of(directory: &Path) -> Result<Vec<PathBuf>, DocumentError> {
    let entries = std::fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let origin = format!("directory `{}`", directory.display());
    let entries = entries.map_err(|source| DocumentError::Read { origin, source })?;
    let known = |path: &PathBuf| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        path.is_file() && extension.is_some_and(|extension| EXTENSIONS.contains(&extension))
    };
    let mut files: Vec<PathBuf> = entries
        .into_iter()
        .map(|entry| entry.path())
        .filter(known)
        .collect();
    if files.is_empty() {
        return Err(DocumentError::EmptyDirectory(directory.to_owned()));
    }
    files.sort();
    Ok(files)
}

/// JSON begins with a brace or bracket, and may stand in a YAML file. Else it is YAML.
fn parse(text: &str, origin: &str, is_yaml: bool) -> Result<Vec<Document>, DocumentError> {
    let text = text.trim_start_matches('\u{feff}');
    let documents = if text.trim_start().starts_with(['{', '[']) {
        let json = parse_json(text, origin);
        if is_yaml && matches!(json, Err(DocumentError::Json { .. })) {
            parse_yaml(text, origin)
        } else {
            json
        }
    } else {
        parse_yaml(text, origin)
    }?;
    if documents.is_empty() {
        return Err(DocumentError::Empty {
            origin: origin.to_owned(),
        });
    }
    Ok(documents)
}

fn parse_json(text: &str, origin: &str) -> Result<Vec<Document>, DocumentError> {
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        match value.map_err(|source| DocumentError::Json {
            origin: origin.to_owned(),
            source,
        })? {
            Value::Array(items) => values.extend(items),
            value => values.push(value),
        }
    }
    let several = values.len() > 1;
    let document = |(index, value)| from_json(value, origin_of(origin, index, several));
    values.into_iter().enumerate().map(document).collect()
}

fn from_json(value: Value, origin: String) -> Result<Document, DocumentError> {
    let Value::Object(mut members) = value else {
        return Err(DocumentError::Shape { origin });
    };
    let is_named = members.contains_key("config") && !members.contains_key("connector.class");
    let config = if is_named {
        members.shift_remove("config")
    } else {
        None
    };
    let mut named = Named::default();
    let entries = match config {
        Some(Value::Object(config)) => {
            named.name = members
                .get("name")
                .map(|name| scalar(name, "name", &origin))
                .transpose()?
                .flatten();
            let state = members.get("initial_state");
            named.initial_state = state
                .map(|state| scalar(state, "initial_state", &origin))
                .transpose()?
                .flatten();
            config
        }
        Some(_) => return Err(DocumentError::Shape { origin }),
        None => members,
    };
    let mut config = ConnectorConfig::new();
    for (key, value) in &entries {
        config.extend([(key.clone(), scalar(value, key, &origin)?)]);
    }
    named.config = config;
    named.document(origin)
}

/// The text of a value as it was written; `null` is none.
fn scalar(value: &Value, key: &str, origin: &str) -> Result<Option<String>, DocumentError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        Value::Number(number) => Ok(Some(number.to_string())),
        Value::Bool(value) => Ok(Some(value.to_string())),
        Value::Array(_) | Value::Object(_) => Err(DocumentError::Value {
            origin: origin.to_owned(),
            key: key.to_owned(),
        }),
    }
}

/// A connector with a name. Other members, as in the output of `describe`, are passed over.
#[derive(Debug, Default, Deserialize)]
struct Named {
    #[serde(default)]
    name: Option<String>,
    config: ConnectorConfig,
    #[serde(default)]
    initial_state: Option<String>,
}

impl Named {
    fn document(self, origin: String) -> Result<Document, DocumentError> {
        let state = self.initial_state.as_deref().map(str::parse).transpose();
        match state {
            Ok(initial_state) => Ok(Document {
                name: self.name,
                config: self.config,
                initial_state,
                origin,
            }),
            Err(source) => Err(DocumentError::State { origin, source }),
        }
    }
}

/// Each document is read twice: once for its shape, and then as texts, because `1.50` and `yes` have to stay what they
/// are in a configuration.
fn parse_yaml(text: &str, origin: &str) -> Result<Vec<Document>, DocumentError> {
    let wrong = |source| DocumentError::Yaml {
        origin: origin.to_owned(),
        source,
    };
    let mut connectors = Vec::new();
    for (shape, document) in
        serde_yaml_ng::Deserializer::from_str(text).zip(serde_yaml_ng::Deserializer::from_str(text))
    {
        let shape = serde_yaml_ng::Value::deserialize(shape).map_err(wrong)?;
        let read = match &shape {
            serde_yaml_ng::Value::Null => continue,
            serde_yaml_ng::Value::Sequence(items) if items.iter().all(is_named) => {
                texts::<Vec<Named>>(document)
            }
            serde_yaml_ng::Value::Sequence(_) => texts::<Vec<ConnectorConfig>>(document).map(bare),
            shape if is_named(shape) => texts::<Named>(document).map(|named| vec![named]),
            serde_yaml_ng::Value::Mapping(_) => {
                texts::<ConnectorConfig>(document).map(|config| bare(vec![config]))
            }
            _ => {
                return Err(DocumentError::Shape {
                    origin: origin.to_owned(),
                });
            }
        };
        connectors.extend(read.map_err(wrong)?);
    }
    let several = connectors.len() > 1;
    let document = |(index, named): (usize, Named)| named.document(origin_of(origin, index, several));
    connectors.into_iter().enumerate().map(document).collect()
}

fn texts<T: DeserializeOwned>(document: serde_yaml_ng::Deserializer<'_>) -> Result<T, serde_yaml_ng::Error> {
    T::deserialize(document)
}

fn bare(configs: Vec<ConnectorConfig>) -> Vec<Named> {
    configs
        .into_iter()
        .map(|config| Named {
            config,
            ..Named::default()
        })
        .collect()
}

fn is_named(value: &serde_yaml_ng::Value) -> bool {
    value.get("config").is_some() && value.get("connector.class").is_none()
}

fn origin_of(origin: &str, index: usize, several: bool) -> String {
    if several {
        format!("{origin}, document {}", index + 1)
    } else {
        origin.to_owned()
    }
}

impl Document {
    /// Its name if it has one, else where it comes from.
    pub(super) fn label(&self, given: Option<&str>) -> String {
        let name = self.name.as_deref().or(given).or_else(|| self.config.get("name"));
        name.unwrap_or(&self.origin).to_owned()
    }
}

#[cfg(test)]
mod tests;
