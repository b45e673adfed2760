//! Definitions of configuration keys, and parsing and validating by them, with Kafka Connect's `ConfigDef` messages.

mod key;
mod parse;
mod parsed;
mod validator;

pub use key::{ConfigKey, ConfigType, Default, Importance, Recommend, Width};
pub use parse::{KeyResult, parse_value};
pub use parsed::{ConfigValue, ParsedConfig};
pub use validator::{Validator, invalid};

use crate::config::ConfigMap;
use crate::error::{ConnectorError, Result};

/// An ordered set of key definitions.
#[derive(Clone, Debug, Default)]
pub struct ConfigDef {
    keys: Vec<ConfigKey>,
}

impl ConfigDef {
    /// No keys.
    pub fn new() -> Self {
        Self { keys: Vec::new() }
    }

    /// Adds a key; one of the same name is replaced in its place.
    pub fn define(mut self, key: ConfigKey) -> Self {
        match self.keys.iter_mut().find(|k| k.name == key.name) {
            Some(old) => *old = key,
            None => self.keys.push(key),
        }
        self
    }

    /// The keys in the order of definition.
    pub fn keys(&self) -> &[ConfigKey] {
        &self.keys
    }

    /// One key.
    pub fn key(&self, name: &str) -> Option<&ConfigKey> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// Parses and checks every key, keeping all problems of each: what `…/config/validate` answers.
    pub fn validate(&self, config: &ConfigMap) -> Vec<KeyResult> {
        self.keys
            .iter()
            .map(|key| parse::validate_key(key, config))
            .collect()
    }

    /// Parses and checks every key.
    ///
    /// # Errors
    /// `Config` with every problem of every key, one a line.
    pub fn parse(&self, config: &ConfigMap) -> Result<ParsedConfig> {
        let results: Vec<KeyResult> = self
            .keys
            .iter()
            .map(|key| parse::parse_key(key, config))
            .collect();
        let errors: Vec<String> = results
            .iter()
            .flat_map(|result| result.errors.iter().cloned())
            .collect();
        if !errors.is_empty() {
            return Err(ConnectorError::config(errors.join("\n")));
        }
        Ok(ParsedConfig::new(
            results.into_iter().map(|result| (result.name, result.value)),
        ))
    }
}

#[cfg(test)]
mod tests;
