//! What the REST API shows of plugins: the list, and the configuration keys of one.

use serde::Serialize;
use towpath_connect::{LookupError, PluginKind, PluginSet};

use crate::validation::ConfigKeyInfo;
use crate::validation::framework::{self, CONNECTOR_VERSION};
use crate::validation::versions::{self, VersionError};

/// An entry of the list of plugins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PluginInfo {
    pub class: &'static str,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub version: &'static str,
}

/// Why there are no keys to show. `Display` is the message for the user.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginViewError {
    #[error("Unknown plugin {0}.")]
    Unknown(String),
    #[error(
        "Invalid plugin class {0}. Valid types are sink, source, converter, header_converter, transformation, predicate."
    )]
    OtherKind(String),
    /// The outer class of transforms that only exist for keys and values.
    #[error("Instantiation error")]
    Abstract,
    #[error("Invalid version specification: {0}")]
    VersionRange(String),
    #[error("{0}")]
    OtherVersion(String),
}

impl PluginViewError {
    /// The HTTP status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::Unknown(_) => 404,
            Self::OtherKind(_) | Self::VersionRange(_) | Self::OtherVersion(_) => 400,
            Self::Abstract => 500,
        }
    }
}

/// Simple names of Kafka Connect's plugins that are known in configurations but have no keys to show.
const OTHER_KINDS: [(&str, &str); 8] = [
    ("FileConfigProvider", "ConfigProvider"),
    ("DirectoryConfigProvider", "ConfigProvider"),
    ("EnvVarConfigProvider", "ConfigProvider"),
    ("BasicAuthSecurityRestExtension", "RestExtension"),
    (
        "AllConnectorClientConfigOverridePolicy",
        "ConnectorClientConfigOverridePolicy",
    ),
    (
        "NoneConnectorClientConfigOverridePolicy",
        "ConnectorClientConfigOverridePolicy",
    ),
    (
        "PrincipalConnectorClientConfigOverridePolicy",
        "ConnectorClientConfigOverridePolicy",
    ),
    (
        "AllowlistConnectorClientConfigOverridePolicy",
        "ConnectorClientConfigOverridePolicy",
    ),
];

/// The plugins in the order of `GET /connector-plugins`.
pub fn plugin_infos(plugins: &PluginSet, connectors_only: bool) -> Vec<PluginInfo> {
    plugins
        .list(connectors_only)
        .iter()
        .map(|plugin| PluginInfo {
            class: plugin.class,
            kind: plugin.kind().name(),
            version: plugin.version,
        })
        .collect()
}

/// The keys of a plugin: its own, then those that the framework adds to every connector.
///
/// # Errors
/// When there is no plugin of this name and version that has keys.
pub fn config_keys(
    plugins: &PluginSet,
    name: &str,
    version: Option<&str>,
) -> Result<Vec<ConfigKeyInfo>, PluginViewError> {
    let Some(plugin) = plugins.find_any(name) else {
        return Err(missing(plugins, name));
    };
    if let Some(asked) = version {
        versions::check(plugins, plugin, asked).map_err(|error| match error {
            VersionError::NotARange(_) => PluginViewError::VersionRange(asked.to_owned()),
            VersionError::NotInstalled { .. } => PluginViewError::OtherVersion(error.to_string()),
        })?;
    }
    let mut keys: Vec<_> = (plugin.config_def)().keys().to_vec();
    keys.retain(|key| !key.internal);
    let own = keys.len();
    if matches!(plugin.kind(), PluginKind::Source | PluginKind::Sink) {
        for key in framework::keys(plugin.kind()) {
            if keys.iter().take(own).any(|known| known.name == key.name) {
                continue;
            }
            keys.push(if key.name == CONNECTOR_VERSION {
                key.default(plugin.version)
            } else {
                key
            });
        }
    }
    Ok(keys.iter().map(ConfigKeyInfo::new).collect())
}

fn missing(plugins: &PluginSet, name: &str) -> PluginViewError {
    if let Err(LookupError::Abstract { .. }) = plugins.find(PluginKind::Transformation, name) {
        return PluginViewError::Abstract;
    }
    let simple = name.rsplit('.').next().unwrap_or(name);
    let other = OTHER_KINDS
        .iter()
        .any(|(class, word)| *class == simple || class.strip_suffix(word) == Some(simple));
    if other {
        PluginViewError::OtherKind(name.to_owned())
    } else {
        PluginViewError::Unknown(name.to_owned())
    }
}
