//! Converters of a connector: the keys that name them, whose defaults are the worker's, and the keys of a converter that
//! the connector brings itself.

use towpath_connect::config_def::{ConfigValue, KeyResult};
use towpath_connect::{ConfigKey, ConfigMap, ConverterRole, Plugin, PluginKind, PluginSet};

use super::WorkerDefaults;
use super::java_hash::{grown, in_map_order};
use super::plugin_keys::{self, Named};
use super::report::{Checked, Part, Report, evaluate};
use super::versions::VersionError;

const TYPE: &str = "converter.type";

/// A converter of a connector.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) key: &'static str,
    role: ConverterRole,
    kind: PluginKind,
}

/// In the order of the framework's keys.
pub(super) const SLOTS: [Slot; 3] = [
    Slot {
        key: "key.converter",
        role: ConverterRole::Key,
        kind: PluginKind::Converter,
    },
    Slot {
        key: "value.converter",
        role: ConverterRole::Value,
        kind: PluginKind::Converter,
    },
    Slot {
        key: "header.converter",
        role: ConverterRole::Header,
        kind: PluginKind::HeaderConverter,
    },
];

/// The parts with converters' own keys are listed in this order.
pub(super) const PART_ORDER: [&str; 3] = ["header.converter", "key.converter", "value.converter"];

/// What came out for the two keys of a converter.
pub(super) struct Converter<'p> {
    pub(super) slot: Slot,
    class: Checked,
    version: Checked,
    plugin: Option<&'p Plugin>,
}

impl Slot {
    /// Reads both keys. `worker` is missing when the connector's own version is not there: Kafka Connect knows no
    /// defaults then and checks no versions.
    pub(super) fn check<'p>(
        self,
        keys: (ConfigKey, ConfigKey),
        config: &ConfigMap,
        plugins: &'p PluginSet,
        worker: Option<&WorkerDefaults>,
    ) -> Converter<'p> {
        let (mut class_key, mut version_key) = keys;
        let default = worker.map(|worker| worker.converter(self.role));
        let default_plugin = default.and_then(|name| plugins.find(self.kind, name).ok());
        if let Some(name) = default {
            let offered = plugins.classes(self.kind).map(str::to_owned).collect();
            class_key = class_key
                .default(default_plugin.map_or(name, |plugin| plugin.class))
                .recommended(offered);
        }
        let Named {
            result: mut class,
            plugin,
            problem,
        } = plugin_keys::look_up(&class_key, self.kind, config, plugins);
        class.errors.extend(problem);
        class.errors.extend(plugin.and(untrimmed(config.get(self.key))));
        if default.is_some() {
            version_key = match (plugin, default_plugin) {
                (Some(_), _) => plugin_keys::with_version_of(version_key, plugin),
                // Null stands for the worker's converter too, but offers no versions.
                (None, Some(default)) if config.get(self.key).is_none() => {
                    version_key.default(default.version)
                }
                (None, _) => version_key,
            };
        }
        let mut version = evaluate(&version_key, config);
        // A version of the worker's converter cannot be asked for.
        if worker.is_some() && config.contains_key(self.key) {
            match plugin_keys::check_version(&version, config, plugin, plugins) {
                Ok(()) => {}
                Err(VersionError::NotARange(message)) => version.errors.push(message),
                Err(unmet @ VersionError::NotInstalled { .. }) => {
                    class.errors.push(unmet.to_string());
                    version.errors.push(unmet.to_string());
                }
            }
        }
        let visible = class.value != ConfigValue::Null;
        Converter {
            slot: self,
            class: checked(class_key, class, true),
            version: checked(version_key, version, visible),
            plugin,
        }
    }
}

impl Converter<'_> {
    pub(super) fn add_to(&self, report: &mut Report) {
        report.put(self.class.clone());
        report.put(self.version.clone());
    }

    /// The converter's own keys, if the connector names one and nothing is wrong with the name and version.
    pub(super) fn own_keys(&self, report: &mut Report, config: &ConfigMap) -> Option<Part> {
        config.get(self.slot.key)?;
        let plugin = self.plugin?;
        let keys = [&self.class.key.name, &self.version.key.name];
        if keys.into_iter().any(|key| report.has_errors(key)) {
            return None;
        }
        let prefix = format!("{}.", self.slot.key);
        let mut own = config.with_prefix(&prefix);
        if !own.contains_key(TYPE) {
            own.insert(TYPE, self.slot.role.name());
        }
        let def = (plugin.config_def)();
        let mut part = Part::default();
        let keys: Vec<&ConfigKey> = def.keys().iter().filter(|key| !key.internal).collect();
        for key in in_map_order(keys, grown(def.keys().len()), |key| &key.name) {
            part.put(&prefix, Some(key), evaluate(key, &own));
        }
        Some(part)
    }
}

/// Blanks around the name are read over, but such a class cannot be loaded.
fn untrimmed(name: Option<&str>) -> Option<String> {
    name.filter(|name| name.trim() != *name)
        .map(|name| format!("Failed to load class {name}: {name}"))
}

fn checked(key: ConfigKey, result: KeyResult, visible: bool) -> Checked {
    Checked {
        key,
        found: Some(result),
        visible,
    }
}
