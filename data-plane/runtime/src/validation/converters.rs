//! Converters of a connector: the keys that name them, whose defaults are the worker's, and the keys of a converter that
//! the connector brings itself.

use towpath_connect::config_def::{ConfigValue, KeyResult};
use towpath_connect::{ConfigKey, ConfigMap, ConverterRole, Plugin, PluginKind, PluginSet};

use super::framework::VERSION_SUFFIX;
use super::java_hash::{Table, in_map_order};
use super::plugin_keys::{self, Named};
use super::report::{Checked, Part, Report, evaluate};
use super::versions::VersionError;
use super::WorkerDefaults;

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
    pub(super) fn version_key(self) -> String {
        format!("{}{VERSION_SUFFIX}", self.key)
    }

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
        if let Some(worker) = worker {
            let default = worker.converter(self.role);
            let class = plugins.find(self.kind, default).map_or(default, |found| found.class);
            let offered = plugins.classes(self.kind).map(str::to_owned).collect();
            class_key = class_key.default(class).recommended(offered);
        }
        let Named {
            result: mut class,
            plugin,
            problem,
        } = plugin_keys::look_up(&class_key, self.kind, config, plugins);
        class.errors.extend(problem);
        if worker.is_some() {
            version_key = self.versioned(version_key, config, plugins, worker, plugin);
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

    /// The default is the version of the class in effect, which is the worker's when null is given; only a class that
    /// is really chosen offers its versions.
    fn versioned(
        self,
        key: ConfigKey,
        config: &ConfigMap,
        plugins: &PluginSet,
        worker: Option<&WorkerDefaults>,
        chosen: Option<&Plugin>,
    ) -> ConfigKey {
        if chosen.is_some() {
            return plugin_keys::with_version_of(key, chosen);
        }
        let default = worker.map(|worker| worker.converter(self.role));
        match default.filter(|_| config.get(self.key).is_none()) {
            Some(default) => match plugins.find(self.kind, default) {
                Ok(plugin) => key.default(plugin.version),
                Err(_) => key,
            },
            None => key,
        }
    }
}

impl Converter<'_> {
    pub(super) fn add_to(&self, report: &mut Report) {
        report.put(self.class.clone());
        report.put(self.version.clone());
    }

    /// The converter's own keys, if the connector names one and nothing is wrong with the name and version.
    pub(super) fn own_keys(&self, config: &ConfigMap) -> Option<Part> {
        config.get(self.slot.key)?;
        let plugin = self.plugin?;
        if !(no_errors(&self.class) && no_errors(&self.version)) {
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
        for key in in_map_order(keys, Table::Grown, |key| &key.name) {
            part.put(&prefix, Some(key), evaluate(key, &own));
        }
        Some(part)
    }
}

fn checked(key: ConfigKey, result: KeyResult, visible: bool) -> Checked {
    Checked {
        key,
        found: Some(result),
        visible,
    }
}

fn no_errors(checked: &Checked) -> bool {
    checked
        .found
        .as_ref()
        .is_none_or(|result| result.errors.is_empty())
}
