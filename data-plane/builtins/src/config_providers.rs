//! Config providers: values of a configuration that stand elsewhere, in files or the environment, and are only named in
//! it as `${provider:path:key}`. What is resolved here may be secret: it goes into a [`ConfigMap`] and nowhere else.

mod allowed_paths;
mod directory;
mod env_var;
mod file;
mod placeholder;

pub use directory::DirectoryConfigProvider;
pub use env_var::{EnvVarConfigProvider, Environment};
pub use file::FileConfigProvider;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use indexmap::IndexMap;
use placeholder::{Piece, pieces};
use towpath_connect::{ConfigMap, ConnectorError, Result};

const PROVIDERS: &str = "config.providers";
/// A file of properties or a file that is a value must not be longer.
const MAX_FILE_BYTES: u64 = 1024 * 1024;

/// Looks values up. Called when a configuration is resolved; may run beside other calls.
pub trait ConfigProvider: Send + Sync + fmt::Debug {
    /// The values of `keys` at `path`; keys that are not there are left out.
    ///
    /// # Errors
    /// `Config` when the path cannot be read.
    fn get(&self, path: &str, keys: &BTreeSet<&str>) -> Result<HashMap<String, String>>;
}

/// The providers that a worker has, by the names that it gave them.
#[derive(Debug, Default)]
pub struct ConfigProviders {
    providers: IndexMap<String, Box<dyn ConfigProvider>>,
}

impl ConfigProviders {
    /// No providers: nothing is resolved.
    pub fn none() -> Self {
        Self::default()
    }

    /// The providers of a worker's configuration: `config.providers`, `config.providers.<name>.class` and
    /// `config.providers.<name>.param.<key>`. A name without a class is passed over.
    ///
    /// # Errors
    /// `Config` when a class is not known or its parameters are wrong.
    pub fn from_worker(config: &ConfigMap, environment: &Environment) -> Result<Self> {
        let names = config
            .get(PROVIDERS)
            .unwrap_or_default()
            .split(',')
            .map(str::trim);
        let mut providers = IndexMap::new();
        for name in names.filter(|name| !name.is_empty()) {
            let class_key = format!("{PROVIDERS}.{name}.class");
            let Some(class) = config.get(&class_key) else {
                continue;
            };
            let params = config.with_prefix(&format!("{PROVIDERS}.{name}.param."));
            let provider = new_provider(class.trim(), &params, environment)?.ok_or_else(|| {
                ConnectorError::config(format!(
                    "Invalid value {class} for configuration {class_key}: Class {class} could not be found."
                ))
            })?;
            providers.insert(name.to_owned(), provider);
        }
        Ok(Self { providers })
    }

    /// Adds a provider, or replaces the one of this name.
    pub fn add(&mut self, name: impl Into<String>, provider: Box<dyn ConfigProvider>) {
        self.providers.insert(name.into(), provider);
    }

    /// The configuration with every value in place of its name. What no provider knows stays as it is; values that
    /// were put in are not looked at again.
    ///
    /// # Errors
    /// `Config` when a provider cannot read what it is asked for.
    pub fn resolve(&self, config: &ConfigMap) -> Result<ConfigMap> {
        let found = self.look_up(config)?;
        let mut resolved = ConfigMap::new();
        for (key, value) in config.iter() {
            match value {
                Some(value) => resolved.insert(key, substitute(value, &found)),
                None => resolved.insert_null(key),
            }
        }
        Ok(resolved)
    }

    /// Asks each provider once for all keys of a path.
    fn look_up<'c>(&self, config: &'c ConfigMap) -> Result<Found<'c>> {
        let mut wanted: BTreeMap<(&str, &str), BTreeSet<&str>> = BTreeMap::new();
        for piece in config.iter().filter_map(|(_, value)| value).flat_map(pieces) {
            if let Piece::Placeholder {
                provider, path, key, ..
            } = piece
            {
                wanted.entry((provider, path)).or_default().insert(key);
            }
        }
        let mut found = Found::new();
        for ((name, path), keys) in wanted {
            if let Some(provider) = self.providers.get(name) {
                found.insert((name, path), provider.get(path, &keys)?);
            }
        }
        Ok(found)
    }
}

/// Values by provider and path, then by key.
type Found<'c> = HashMap<(&'c str, &'c str), HashMap<String, String>>;

fn substitute(value: &str, found: &Found<'_>) -> String {
    pieces(value)
        .map(|piece| match piece {
            Piece::Text(text) => text,
            Piece::Placeholder {
                whole,
                provider,
                path,
                key,
            } => found
                .get(&(provider, path))
                .and_then(|values| values.get(key))
                .map_or(whole, String::as_str),
        })
        .collect()
}

fn new_provider(
    class: &str,
    params: &ConfigMap,
    environment: &Environment,
) -> Result<Option<Box<dyn ConfigProvider>>> {
    const PACKAGE: &str = "org.apache.kafka.common.config.provider.";
    let simple = class.strip_prefix(PACKAGE).unwrap_or(class);
    let provider: Box<dyn ConfigProvider> = match simple.strip_suffix("ConfigProvider").unwrap_or(simple) {
        "File" => Box::new(FileConfigProvider::new(params)?),
        "Directory" => Box::new(DirectoryConfigProvider::new(params)?),
        "EnvVar" => Box::new(EnvVarConfigProvider::new(params, environment.clone())?),
        _ => return Ok(None),
    };
    Ok(Some(provider))
}

#[cfg(test)]
mod tests;
