//! The answers of the REST API about configurations: ConfigInfos and its parts, with Kafka Connect's members in its order.

use serde::Serialize;
use towpath_connect::ConfigKey;
use towpath_connect::config_def::{Default, KeyResult, Recommend, parse_value};

/// What a validation found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigInfos {
    /// `connector.class` as submitted.
    pub name: String,
    pub error_count: usize,
    pub groups: Vec<String>,
    pub configs: Vec<ConfigInfo>,
}

/// One key: its definition, unless nobody defines it, and what was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigInfo {
    pub definition: Option<ConfigKeyInfo>,
    pub value: Option<ConfigValueInfo>,
}

/// The definition of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigKeyInfo {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub required: bool,
    pub default_value: Option<String>,
    pub importance: &'static str,
    pub documentation: String,
    pub group: Option<String>,
    pub order_in_group: i32,
    pub width: &'static str,
    pub display_name: String,
    pub dependents: Vec<String>,
}

/// The value of a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfigValueInfo {
    pub name: String,
    pub value: Option<String>,
    pub recommended_values: Vec<String>,
    pub errors: Vec<String>,
    pub visible: bool,
}

impl ConfigInfos {
    /// Every error message, in order.
    pub fn errors(&self) -> impl Iterator<Item = &str> {
        self.configs
            .iter()
            .filter_map(|config| config.value.as_ref())
            .flat_map(|value| value.errors.iter().map(String::as_str))
    }

    /// The message that refuses the configuration; `None` if nothing is wrong with it.
    pub fn refusal(&self) -> Option<String> {
        if self.error_count == 0 {
            return None;
        }
        let errors: String = self.errors().map(|error| format!("{error}\n")).collect();
        Some(format!(
            "Connector configuration is invalid and contains the following {} error(s):\n{errors}You can also find \
             the above list of errors at the endpoint `/connector-plugins/{{connectorType}}/config/validate`",
            self.error_count
        ))
    }
}

impl ConfigKeyInfo {
    pub(crate) fn new(key: &ConfigKey) -> Self {
        Self {
            name: key.name.clone(),
            kind: key.kind.name(),
            required: key.default == Default::Required,
            default_value: default_text(key),
            importance: key.importance.name(),
            documentation: key.documentation.clone(),
            group: key.group.clone(),
            order_in_group: key.order_in_group,
            width: key.width.name(),
            display_name: key.display_name.clone(),
            dependents: key.dependents.clone(),
        }
    }
}

impl ConfigValueInfo {
    pub(super) fn new(result: &KeyResult, key: Option<&ConfigKey>, visible: bool) -> Self {
        let recommended_values = match key.map(|key| &key.recommend) {
            Some(Recommend::Values(values)) => values.clone(),
            Some(Recommend::Nothing) | None => Vec::new(),
        };
        Self {
            name: result.name.clone(),
            value: result.value.to_text(),
            recommended_values,
            errors: result.errors.clone(),
            visible,
        }
    }
}

/// The default as it is shown: read like a value, so that lists are written alike and secrets are hidden.
fn default_text(key: &ConfigKey) -> Option<String> {
    let Default::Text(text) = &key.default else {
        return None;
    };
    parse_value(key.kind, text).map_or_else(|_| Some(text.clone()), |value| value.to_text())
}
