//! The keys of transforms and predicates: for each alias that the configuration declares, `transforms.<alias>.type`, the
//! version, and the plugin's own keys under that prefix.

use std::cmp::Ordering;

use towpath_connect::config_def::{ConfigValue, Default, KeyResult};
use towpath_connect::{ConfigDef, ConfigKey, ConfigMap, Plugin, PluginKind, PluginSet, Width};

use super::framework::{self, VERSION_SUFFIX};
use super::plugin_keys::{self, Named};
use super::report::{Checked, Report, evaluate};

/// What can be embedded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    /// The key that declares the aliases, and the first part of their keys.
    key: &'static str,
    group: &'static str,
    title: &'static str,
    kind: PluginKind,
}

pub(super) const CHAINS: [Chain; 2] = [
    Chain {
        key: framework::TRANSFORMS,
        group: "Transforms",
        title: "Transformation",
        kind: PluginKind::Transformation,
    },
    Chain {
        key: framework::PREDICATES,
        group: "Predicates",
        title: "Predicate",
        kind: PluginKind::Predicate,
    },
];

/// The place of the first own key in its group, after type and version.
const FIRST_OWN_ORDER: i32 = 2;

const PREDICATE: &str = "predicate";
const NEGATE: &str = "negate";

/// Adds the keys of every declared alias.
pub(super) fn add(report: &mut Report, chain: Chain, config: &ConfigMap, plugins: &PluginSet) {
    let ConfigValue::List(declared) = report.value(chain.key).clone() else {
        return;
    };
    let mut seen: Vec<&String> = Vec::new();
    for alias in &declared {
        if !seen.contains(&alias) {
            seen.push(alias);
            Alias {
                chain,
                alias,
                config,
                plugins,
            }
            .add_to(report);
        }
    }
}

struct Alias<'a> {
    chain: Chain,
    alias: &'a str,
    config: &'a ConfigMap,
    plugins: &'a PluginSet,
}

impl Alias<'_> {
    fn add_to(&self, report: &mut Report) {
        let type_key = self.type_key();
        let Named {
            result: mut class,
            plugin,
            problem,
        } = plugin_keys::look_up(&type_key, self.chain.kind, self.config, self.plugins);
        let version_key = plugin_keys::with_version_of(self.version_key(), plugin);
        let mut version = evaluate(&version_key, self.config);
        let unmet = plugin_keys::check_version(&version, self.config, plugin, self.plugins).err();

        let usable = problem.is_none() && unmet.is_none() && class.errors.is_empty();
        if let Some(unmet) = &unmet {
            version.errors.push(unmet.to_string());
        }
        // A class that cannot be read is always said; of what follows only the first.
        let unreadable = problem.is_some() && class.value == ConfigValue::Null;
        match (self.negates_nothing(), problem) {
            (None, Some(problem)) => class.errors.push(problem),
            (None, None) => class.errors.extend(unmet.map(|unmet| unmet.to_string())),
            (Some(negation), Some(problem)) if unreadable => class.errors.extend([problem, negation]),
            (Some(negation), _) => class.errors.push(negation),
        }
        report.put(shown(type_key, class));
        report.put(shown(version_key, version));
        if let Some(plugin) = plugin.filter(|_| usable) {
            for (key, result) in self.own(plugin) {
                report.put(shown(key, result));
            }
        }
    }

    fn prefix(&self) -> String {
        format!("{}.{}.", self.chain.key, self.alias)
    }

    fn group(&self) -> String {
        format!("{}: {}", self.chain.group, self.alias)
    }

    fn type_key(&self) -> ConfigKey {
        let title = format!("{} type for {}", self.chain.title, self.alias);
        let classes = self.plugins.classes(self.chain.kind).map(str::to_owned).collect();
        ConfigKey::class(format!("{}type", self.prefix()))
            .high()
            .shown(&self.group(), 0, Width::Long, &title)
            .recommended(classes)
            .doc("The class: its full name, with `$Key` or `$Value` where there are such variants.")
    }

    fn version_key(&self) -> ConfigKey {
        let title = format!("{} version for {}", self.chain.title, self.alias);
        let name = format!("{}.{}{VERSION_SUFFIX}", self.chain.key, self.alias);
        framework::version_key(name, &self.group(), &title).high().shown(
            &self.group(),
            1,
            Width::Long,
            &title,
        )
    }

    /// The message for a negation without a predicate.
    fn negates_nothing(&self) -> Option<String> {
        let prefix = self.prefix();
        let set = |name: &str| self.config.contains_key(&format!("{prefix}{name}"));
        let alone = self.chain.kind == PluginKind::Transformation && set(NEGATE) && !set(PREDICATE);
        alone.then(|| {
            format!(
                "Config '{prefix}{NEGATE}' was provided but there is no config '{prefix}{PREDICATE}' defining a \
                 predicate to be negated."
            )
        })
    }

    /// The plugin's keys with the prefix, sorted and numbered, and what was found. Texts that cannot be read are
    /// reported under the whole name, failed checks under the plugin's own.
    fn own(&self, plugin: &Plugin) -> Vec<(ConfigKey, KeyResult)> {
        let mut def = (plugin.config_def)();
        if self.chain.kind == PluginKind::Transformation {
            def = def.define(predicate_key()).define(negate_key());
        }
        let orders = FIRST_OWN_ORDER..;
        sorted(&def)
            .into_iter()
            .zip(orders)
            .map(|(key, order)| {
                let mut full = key.clone();
                full.name = format!("{}{}", self.prefix(), key.name);
                full.dependents = key
                    .dependents
                    .iter()
                    .map(|name| format!("{}{name}", self.prefix()))
                    .collect();
                full.group = Some(match &key.group {
                    Some(group) => format!("{}: {group}", self.group()),
                    None => self.group(),
                });
                full.order_in_group = order;
                full.validator = None;
                let mut result = evaluate(&full, self.config);
                if let Some(validator) = &key.validator
                    && let Err(message) = validator.check(&key.name, &result.value)
                {
                    result.errors.push(message);
                }
                (full, result)
            })
            .collect()
    }
}

fn shown(key: ConfigKey, result: KeyResult) -> Checked {
    Checked {
        key,
        found: Some(result),
        visible: true,
    }
}

fn predicate_key() -> ConfigKey {
    ConfigKey::string(PREDICATE)
        .default_null()
        .doc("The alias of the predicate that decides to which records the transform is applied.")
}

fn negate_key() -> ConfigKey {
    ConfigKey::boolean(NEGATE)
        .default("false")
        .doc("Whether the transform is applied to the records for which the predicate does not hold.")
}

/// Keys without a group, then by group, place in it, without a default first, importance, name.
fn sorted(def: &ConfigDef) -> Vec<&ConfigKey> {
    let mut groups: Vec<&str> = Vec::new();
    for group in def.keys().iter().filter_map(|key| key.group.as_deref()) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let place = |key: &ConfigKey| {
        key.group
            .as_deref()
            .and_then(|group| groups.iter().position(|known| *known == group))
    };
    let mut keys: Vec<&ConfigKey> = def.keys().iter().filter(|key| !key.internal).collect();
    keys.sort_by(|one, other| {
        place(one)
            .cmp(&place(other))
            .then(one.order_in_group.cmp(&other.order_in_group))
            .then_with(|| required_first(one, other))
            .then(one.importance.cmp(&other.importance))
            .then_with(|| one.name.cmp(&other.name))
    });
    keys
}

fn required_first(one: &ConfigKey, other: &ConfigKey) -> Ordering {
    let has_default = |key: &ConfigKey| key.default != Default::Required;
    has_default(one).cmp(&has_default(other))
}
