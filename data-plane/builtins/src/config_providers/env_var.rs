//! EnvVarConfigProvider: values from environment variables.

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;

use towpath_connect::{ConfigMap, ConnectorError, Pattern, Result};

use super::ConfigProvider;

const ALLOWLIST: &str = "allowlist.pattern";

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Looks environment variables up. Only the process reads its environment, so it passes this in.
#[derive(Clone)]
pub struct Environment(Arc<Lookup>);

impl Environment {
    /// An environment that asks this function.
    pub fn new(lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(lookup))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Environment")
    }
}

/// The key is the name of a variable; there is no path.
#[derive(Debug)]
pub struct EnvVarConfigProvider {
    environment: Environment,
    /// `None`: all variables.
    allowed: Option<Pattern>,
}

impl EnvVarConfigProvider {
    /// A provider with these parameters: `allowlist.pattern`.
    ///
    /// # Errors
    /// `Config` when the pattern is none.
    pub fn new(params: &ConfigMap, environment: Environment) -> Result<Self> {
        let allowed = params.get(ALLOWLIST).map(Pattern::compile).transpose();
        Ok(Self {
            environment,
            allowed: allowed.map_err(|cause| {
                ConnectorError::config(format!("`{ALLOWLIST}` is no regular expression")).with_source(cause)
            })?,
        })
    }
}

impl ConfigProvider for EnvVarConfigProvider {
    fn get(&self, path: &str, keys: &BTreeSet<&str>) -> Result<HashMap<String, String>> {
        if !path.is_empty() {
            return Err(ConnectorError::config(format!(
                "Path is not supported for EnvVarConfigProvider, invalid value '{path}'"
            )));
        }
        let is_allowed = |key: &&&str| {
            self.allowed
                .as_ref()
                .is_none_or(|allowed| allowed.is_full_match(key))
        };
        let value = |key: &&str| Some(((*key).to_owned(), (self.environment.0)(key)?));
        Ok(keys.iter().filter(is_allowed).filter_map(value).collect())
    }
}
