//! What is found while a configuration is validated, before it becomes the answer.

use towpath_connect::config_def::{ConfigValue, KeyResult};
use towpath_connect::{ConfigDef, ConfigKey, ConfigMap};

use super::infos::{ConfigInfo, ConfigInfos, ConfigKeyInfo, ConfigValueInfo};
use super::java_hash::{grown, in_map_order};

const NULL_VALUE: &str = "Null value can not be supplied as the configuration value.";

/// A defined key and what was found; nothing when the connector took its result away.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub(super) key: ConfigKey,
    pub(super) found: Option<KeyResult>,
    pub(super) visible: bool,
}

/// The findings of the framework and the connector, in the order of the answer.
#[derive(Debug, Default)]
pub(super) struct Report {
    undefined: Vec<KeyResult>,
    checked: Vec<Checked>,
    groups: Vec<String>,
}

/// The findings of a part that is listed after those: client overrides, converters. Errors count once a key here.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) configs: Vec<ConfigInfo>,
    pub(super) groups: Vec<String>,
}

impl Report {
    /// Adds the result of a key; one of the same name is replaced in its place.
    pub(super) fn put(&mut self, checked: Checked) {
        add_group(&mut self.groups, checked.key.group.as_deref());
        self.undefined.retain(|result| result.name != checked.key.name);
        match self
            .checked
            .iter_mut()
            .find(|old| old.key.name == checked.key.name)
        {
            Some(old) => *old = checked,
            None => self.checked.push(checked),
        }
    }

    /// The result of a key that nobody defines.
    pub(super) fn put_undefined(&mut self, result: KeyResult) {
        self.undefined.push(result);
    }

    /// What was found for a key.
    pub(super) fn found(&mut self, name: &str) -> Option<&mut KeyResult> {
        let defined = self
            .checked
            .iter_mut()
            .filter_map(|checked| checked.found.as_mut());
        defined
            .chain(self.undefined.iter_mut())
            .find(|result| result.name == name)
    }

    pub(super) fn value(&self, name: &str) -> &ConfigValue {
        self.checked
            .iter()
            .filter_map(|checked| checked.found.as_ref())
            .find(|result| result.name == name)
            .map_or(&ConfigValue::Null, |result| &result.value)
    }

    pub(super) fn has_errors(&mut self, name: &str) -> bool {
        self.found(name).is_some_and(|result| !result.errors.is_empty())
    }

    /// Adds a message to a key, defined or not.
    pub(super) fn add_error(&mut self, name: &str, message: impl Into<String>) {
        let message = message.into();
        match self.found(name) {
            Some(result) => result.errors.push(message),
            None => self.undefined.push(KeyResult {
                name: name.to_owned(),
                value: ConfigValue::Null,
                errors: vec![message],
            }),
        }
    }

    /// Adds the message for a null value to each of these keys. Comes after all other checks of the framework.
    pub(super) fn refuse_nulls<'k>(&mut self, keys: impl Iterator<Item = &'k str>) {
        for key in keys {
            self.add_error(key, NULL_VALUE);
        }
        let buckets = grown(self.checked.len() + self.undefined.len());
        let undefined = std::mem::take(&mut self.undefined);
        self.undefined = in_map_order(undefined, buckets, |result| &result.name);
    }

    /// The whole answer.
    pub(super) fn finish(self, name: &str, parts: impl IntoIterator<Item = Part>) -> ConfigInfos {
        let undefined = self.undefined.iter();
        let configs: Vec<ConfigInfo> = undefined
            .map(|result| config_info(None, Some(result), true))
            .chain(
                self.checked
                    .iter()
                    .map(|checked| config_info(Some(&checked.key), checked.found.as_ref(), checked.visible)),
            )
            .collect();
        let mut infos = ConfigInfos {
            name: name.to_owned(),
            error_count: errors_of(&configs).map(<[String]>::len).sum(),
            groups: self.groups,
            configs,
        };
        for part in parts {
            infos.error_count += errors_of(&part.configs)
                .filter(|errors| !errors.is_empty())
                .count();
            for group in part.groups {
                add_group(&mut infos.groups, Some(&group));
            }
            infos.configs.extend(part.configs);
        }
        infos
    }
}

impl Part {
    /// Adds a result under its name with the prefix.
    pub(super) fn put(&mut self, prefix: &str, key: Option<&ConfigKey>, mut result: KeyResult) {
        add_group(&mut self.groups, key.and_then(|key| key.group.as_deref()));
        result.name = format!("{prefix}{}", result.name);
        let mut info = config_info(key, Some(&result), true);
        if let Some(definition) = &mut info.definition {
            definition.name.clone_from(&result.name);
        }
        self.configs.push(info);
    }
}

/// Reads and checks one key.
pub(super) fn evaluate(key: &ConfigKey, config: &ConfigMap) -> KeyResult {
    let found = ConfigDef::new().define(key.clone()).validate(config);
    found
        .into_iter()
        .next()
        .expect("a definition of one key gives one result")
}

fn config_info(key: Option<&ConfigKey>, found: Option<&KeyResult>, visible: bool) -> ConfigInfo {
    ConfigInfo {
        definition: key.map(ConfigKeyInfo::new),
        value: found.map(|result| ConfigValueInfo::new(result, key, visible)),
    }
}

fn errors_of(configs: &[ConfigInfo]) -> impl Iterator<Item = &[String]> {
    configs
        .iter()
        .filter_map(|config| config.value.as_ref())
        .map(|value| value.errors.as_slice())
}

fn add_group(groups: &mut Vec<String>, group: Option<&str>) {
    if let Some(group) = group
        && !groups.iter().any(|known| known == group)
    {
        groups.push(group.to_owned());
    }
}
