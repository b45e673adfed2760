//! The file with the contexts, `~/.kcctl`: read as it is, and written back with everything in it that is not ours.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

const CURRENT: &str = "currentContext";

#[derive(Debug, thiserror::Error)]
pub(crate) enum ContextsError {
    #[error("the home directory is not known, so there is no file with contexts")]
    NoHome,
    #[error("the file with the contexts, `{}`, cannot be read", .path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the file with the contexts, `{}`, is not a JSON object", .path.display())]
    Parse {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    #[error("the file with the contexts, `{}`, cannot be written", .path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("there is no context \"{name}\" in `{}`", .path.display())]
    Unknown { name: String, path: PathBuf },
    #[error("no context is in use: `{}` has no `{CURRENT}`", .path.display())]
    NoneInUse { path: PathBuf },
}

impl ContextsError {
    pub(crate) fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unknown { .. } => Some("`kcctl config get-contexts` lists those that there are"),
            Self::NoneInUse { .. } => {
                Some("choose one with `kcctl config use-context NAME` or `--context NAME`")
            }
            Self::Parse { .. } => Some(
                "move the file away and make a new one with `kcctl config set-context NAME --cluster URL`",
            ),
            Self::NoHome => Some("name a file with `--config FILE`"),
            Self::Read { .. } | Self::Write { .. } => None,
        }
    }
}

/// One context. No `Debug`: it may hold a password.
#[derive(Clone, Default)]
pub(crate) struct Context {
    pub(crate) cluster: String,
    pub(crate) bootstrap_servers: Option<String>,
    pub(crate) offset_topic: Option<String>,
    pub(crate) username: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) client_config: Vec<(String, String)>,
}

/// The whole file. No `Debug`: it may hold passwords.
pub(crate) struct Contexts {
    path: PathBuf,
    /// `None` when there is no file yet.
    members: Option<Map<String, Value>>,
}

impl Contexts {
    /// # Errors
    /// When the file is there, but cannot be read or is not a JSON object.
    pub(crate) fn load(path: Option<PathBuf>) -> Result<Self, ContextsError> {
        let path = path
            .or_else(crate::config::default_contexts_file)
            .ok_or(ContextsError::NoHome)?;
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self { path, members: None }),
            Err(source) => return Err(ContextsError::Read { path, source }),
        };
        match serde_json::from_str(&text) {
            Ok(members) => Ok(Self {
                path,
                members: Some(members),
            }),
            Err(source) => Err(ContextsError::Parse { path, source }),
        }
    }

    pub(crate) fn file_exists(&self) -> bool {
        self.members.is_some()
    }

    pub(crate) fn current_name(&self) -> Option<&str> {
        self.members.as_ref()?.get(CURRENT)?.as_str()
    }

    /// Names and clusters, in the order of the file.
    pub(crate) fn list(&self) -> Vec<(&str, &str)> {
        let members = self.members.iter().flatten();
        members
            .filter_map(|(name, value)| Some((name.as_str(), text(value.as_object()?, "cluster")?)))
            .collect()
    }

    /// # Errors
    /// When there is none of this name.
    pub(crate) fn get(&self, name: &str) -> Result<Context, ContextsError> {
        let found = self
            .members
            .as_ref()
            .and_then(|members| members.get(name))
            .and_then(Value::as_object);
        let members = found.ok_or_else(|| ContextsError::Unknown {
            name: name.to_owned(),
            path: self.path.clone(),
        })?;
        let owned = |key| text(members, key).map(str::to_owned);
        let entry = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
        let client_config = members.get("clientConfig").and_then(Value::as_object);
        Ok(Context {
            cluster: owned("cluster").unwrap_or_else(|| crate::target::DEFAULT_CLUSTER.to_owned()),
            bootstrap_servers: owned("bootstrapServers"),
            offset_topic: owned("offsetTopic"),
            username: owned("username"),
            password: owned("password"),
            client_config: client_config.into_iter().flatten().filter_map(entry).collect(),
        })
    }

    /// The name of the context in use: the one asked for, or the current one.
    ///
    /// # Errors
    /// When none is asked for and the file names none.
    pub(crate) fn name_in_use<'a>(&'a self, asked_for: Option<&'a str>) -> Result<&'a str, ContextsError> {
        asked_for
            .or_else(|| self.current_name())
            .ok_or_else(|| ContextsError::NoneInUse {
                path: self.path.clone(),
            })
    }

    /// Makes or replaces a context; what else stands in it stays. The first one becomes the current one.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn set(&mut self, name: &str, context: &Context) -> Result<(), ContextsError> {
        let members = self.members.get_or_insert_default();
        if !members.contains_key(CURRENT) {
            members.insert(CURRENT.to_owned(), name.into());
        }
        let entry = members.entry(name).or_insert_with(|| Value::Object(Map::new()));
        if !entry.is_object() {
            *entry = Value::Object(Map::new());
        }
        if let Value::Object(members) = entry {
            write_context(members, context);
        }
        self.save()
    }

    /// Says whether there is such a context.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn use_context(&mut self, name: &str) -> Result<bool, ContextsError> {
        let Some(members) = self
            .members
            .as_mut()
            .filter(|members| members.get(name).is_some_and(Value::is_object))
        else {
            return Ok(false);
        };
        members.insert(CURRENT.to_owned(), name.into());
        self.save()?;
        Ok(true)
    }

    /// Says whether there was such a context.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn remove(&mut self, name: &str) -> Result<bool, ContextsError> {
        let Some(members) = self
            .members
            .as_mut()
            .filter(|members| members.get(name).is_some_and(Value::is_object))
        else {
            return Ok(false);
        };
        members.shift_remove(name);
        self.save()?;
        Ok(true)
    }

    /// Replaces the file at once, so that a crash leaves the old one; a link to it stays a link.
    fn save(&self) -> Result<(), ContextsError> {
        let members = self.members.clone().unwrap_or_default();
        let text = crate::output::pretty_json(&Value::Object(members));
        let target = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        replace(&target, &text).map_err(|source| ContextsError::Write {
            path: self.path.clone(),
            source,
        })
    }
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    // Readable for its owner only: the file may hold passwords.
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(text.as_bytes())?;
    if let Ok(metadata) = std::fs::metadata(path) {
        file.as_file().set_permissions(metadata.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn write_context(members: &mut Map<String, Value>, context: &Context) {
    let optional = [
        ("cluster", Some(&context.cluster)),
        ("bootstrapServers", context.bootstrap_servers.as_ref()),
        ("offsetTopic", context.offset_topic.as_ref()),
        ("username", context.username.as_ref()),
        ("password", context.password.as_ref()),
    ];
    for (key, value) in optional {
        match value {
            Some(value) => members.insert(key.to_owned(), value.as_str().into()),
            None => members.shift_remove(key),
        };
    }
    let client_config = context
        .client_config
        .iter()
        .map(|(key, value)| (key.clone(), value.as_str().into()));
    members.insert("clientConfig".to_owned(), Value::Object(client_config.collect()));
}

fn text<'a>(members: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    members.get(key)?.as_str()
}
