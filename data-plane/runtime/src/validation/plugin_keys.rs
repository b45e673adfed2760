//! Keys that name a plugin, with the key of its version beside them: converters, transforms, predicates.

use towpath_connect::config_def::{ConfigValue, KeyResult};
use towpath_connect::{ConfigKey, ConfigMap, LookupError, Plugin, PluginKind, PluginSet};

use super::report::evaluate;
use super::versions::{self, VersionError};

/// What came out for such a key.
pub(super) struct Named<'p> {
    pub(super) result: KeyResult,
    /// The plugin, if the name leads to one of the right kind.
    pub(super) plugin: Option<&'p Plugin>,
    /// What is wrong with the name.
    pub(super) problem: Option<String>,
}

/// Reads the key and looks the class up. The problem of the lookup is not yet among the errors of the result: it may
/// have to stand back behind another. A default needs no lookup to be right.
pub(super) fn look_up<'p>(
    key: &ConfigKey,
    kind: PluginKind,
    config: &ConfigMap,
    plugins: &'p PluginSet,
) -> Named<'p> {
    let mut result = evaluate(key, config);
    let ConfigValue::Class(name) = &result.value else {
        return Named {
            result,
            plugin: None,
            problem: None,
        };
    };
    let (plugin, problem) = match plugins.find(kind, name) {
        Ok(plugin) => {
            result.value = ConfigValue::Class(plugin.class.to_owned());
            (Some(plugin), None)
        }
        Err(_) if !config.contains_key(&key.name) => (None, None),
        Err(LookupError::NotFound { .. }) => {
            result.value = ConfigValue::Null;
            let text = config.get(&key.name).unwrap_or_default();
            let problem = format!(
                "Invalid value {text} for configuration {}: Class {text} could not be found.",
                key.name
            );
            (None, Some(problem))
        }
        Err(error) => {
            if let LookupError::WrongKind { class, .. } = &error {
                result.value = ConfigValue::Class((*class).to_owned());
            }
            (None, Some(error.to_string()))
        }
    };
    Named {
        result,
        plugin,
        problem,
    }
}

/// Fills in what depends on the plugin: the default and the versions that a form offers.
pub(super) fn with_version_of(mut key: ConfigKey, plugin: Option<&Plugin>) -> ConfigKey {
    if let Some(plugin) = plugin {
        key = key
            .default(plugin.version)
            .recommended(vec![plugin.version.to_owned()]);
    }
    key
}

/// Checks the version that the configuration itself asks for.
pub(super) fn check_version(
    result: &KeyResult,
    config: &ConfigMap,
    plugin: Option<&Plugin>,
    plugins: &PluginSet,
) -> Result<(), VersionError> {
    match (&result.value, plugin) {
        (ConfigValue::String(asked), Some(plugin)) if config.contains_key(&result.name) => {
            versions::check(plugins, plugin, asked)
        }
        _ => Ok(()),
    }
}
