//! Validates configurations written as JSON against the real plugins, with the worker that the golden answers are from.

use std::time::Duration;

use serde_json::{Value, json};
use towpath_connect::{ConfigMap, PluginSet};
use towpath_runtime::validation::{
    ConfigInfo, ConfigInfos, ConfigKeyInfo, Mode, OverridePolicy, Request, Validation, ValidationError,
    WorkerDefaults, validate,
};

use crate::local_plugins;

pub(crate) const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
pub(crate) const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";
pub(crate) const SIMPLE_HEADER: &str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";
pub(crate) const ROUTER: &str = "org.apache.kafka.connect.transforms.RegexRouter";
pub(crate) const GROUP: &str = "connect-cluster";

/// The plugins of the product, and those of these tests that it lacks.
pub(crate) fn plugins() -> PluginSet {
    let mut plugins = towpath_builtins::plugins();
    plugins.extend(towpath_file::plugins());
    for local in local_plugins::of_kafka_connect() {
        let known = plugins
            .iter()
            .any(|plugin| plugin.class == local.class && plugin.kind() == local.kind());
        if !known {
            plugins.push(local);
        }
    }
    PluginSet::new(plugins)
}

/// As [`plugins`], with plugins that no product has.
pub(crate) fn plugins_with_odd_ones() -> PluginSet {
    let mut all = plugins().list(false).to_vec();
    all.extend(local_plugins::of_these_tests());
    PluginSet::new(all)
}

pub(crate) fn worker() -> WorkerDefaults {
    WorkerDefaults {
        mode: Mode::Distributed {
            group_id: GROUP.to_owned(),
        },
        key_converter: JSON.to_owned(),
        value_converter: JSON.to_owned(),
        header_converter: SIMPLE_HEADER.to_owned(),
        override_policy: OverridePolicy::All,
        exactly_once_source: false,
    }
}

/// A JSON object of texts, numbers, booleans and nulls.
pub(crate) fn config(object: &Value) -> ConfigMap {
    let mut config = ConfigMap::new();
    for (key, value) in object.as_object().unwrap() {
        match value {
            Value::Null => config.insert_null(key),
            Value::String(text) => config.insert(key, text),
            other => config.insert(key, other.to_string()),
        }
    }
    config
}

pub(crate) fn run(
    raw: &ConfigMap,
    resolved: &ConfigMap,
    worker: &WorkerDefaults,
) -> Result<Validation, ValidationError> {
    let request = Request {
        raw,
        resolved,
        timeout: Duration::from_millis(200),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(validate(request, &plugins_with_odd_ones(), worker))
}

pub(crate) fn check(object: &Value, worker: &WorkerDefaults) -> Result<Validation, ValidationError> {
    let config = config(object);
    run(&config, &config, worker)
}

/// What validation answers.
#[derive(Debug)]
pub(crate) struct Answer(pub(crate) ConfigInfos);

fn merged(base: Value, more: &Value) -> Value {
    let mut object = base;
    for (key, value) in more.as_object().unwrap() {
        object[key] = value.clone();
    }
    object
}

pub(crate) fn source_config(more: &Value) -> Value {
    let base = json!({"name": "x", "connector.class": "FileStreamSource", "topic": "t"});
    merged(base, more)
}

/// A file source without problems but for these keys.
pub(crate) fn source(more: Value) -> Answer {
    source_on(&worker(), more)
}

pub(crate) fn source_on(worker: &WorkerDefaults, more: Value) -> Answer {
    Answer(check(&source_config(&more), worker).unwrap().infos)
}

/// A file sink without problems but for these keys; it has no topics.
pub(crate) fn sink(more: Value) -> Answer {
    sink_on(&worker(), more)
}

pub(crate) fn sink_on(worker: &WorkerDefaults, more: Value) -> Answer {
    let base = json!({"name": "x", "connector.class": "FileStreamSink"});
    Answer(check(&merged(base, &more), worker).unwrap().infos)
}

/// The connector of these tests in a mode.
pub(crate) fn odd(mode: &str, more: Value) -> Result<Validation, ValidationError> {
    let base = json!({"name": "x", "connector.class": "OddSource", "mode": mode});
    check(&merged(base, &more), &worker())
}

impl Answer {
    fn find(&self, name: &str) -> Option<&ConfigInfo> {
        self.0.configs.iter().rev().find(|config| name_of(config) == name)
    }

    pub(crate) fn key(&self, name: &str) -> &ConfigInfo {
        self.find(name)
            .unwrap_or_else(|| panic!("{name} is not listed in {:?}", self.names()))
    }

    pub(crate) fn is_listed(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.configs.iter().map(name_of).collect()
    }

    /// The definitions of the keys that begin so, in order.
    pub(crate) fn described(&self, prefix: &str) -> Vec<String> {
        let definitions = self
            .0
            .configs
            .iter()
            .filter_map(|config| config.definition.as_ref());
        definitions
            .filter(|definition| definition.name.starts_with(prefix))
            .map(described)
            .collect()
    }

    /// The names that begin so, in order.
    pub(crate) fn names_with(&self, prefix: &str) -> Vec<&str> {
        let mut names = self.names();
        names.retain(|name| name.starts_with(prefix));
        names
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.key(name).value.as_ref().unwrap().value.as_deref()
    }

    pub(crate) fn default(&self, name: &str) -> Option<&str> {
        self.key(name)
            .definition
            .as_ref()
            .unwrap()
            .default_value
            .as_deref()
    }

    pub(crate) fn errors(&self, name: &str) -> &[String] {
        &self.key(name).value.as_ref().unwrap().errors
    }

    pub(crate) fn recommended(&self, name: &str) -> &[String] {
        &self.key(name).value.as_ref().unwrap().recommended_values
    }

    pub(crate) fn is_visible(&self, name: &str) -> bool {
        self.key(name).value.as_ref().unwrap().visible
    }

    pub(crate) fn count(&self) -> usize {
        self.0.error_count
    }

    /// Every error with its key.
    pub(crate) fn all_errors(&self) -> Vec<(&str, &str)> {
        let values = self.0.configs.iter().filter_map(|config| config.value.as_ref());
        values
            .flat_map(|value| {
                value
                    .errors
                    .iter()
                    .map(|error| (value.name.as_str(), error.as_str()))
            })
            .collect()
    }
}

/// A definition as a row of the contract: name, type, default, importance, group and place, width, title.
pub(crate) fn described(definition: &ConfigKeyInfo) -> String {
    let default = match &definition.default_value {
        Some(text) => format!("={text}"),
        None if definition.required => "required".to_owned(),
        None => "null".to_owned(),
    };
    let ConfigKeyInfo {
        name,
        kind,
        importance,
        order_in_group,
        width,
        display_name,
        ..
    } = definition;
    let group = definition.group.as_deref().unwrap_or_default();
    format!(
        "{name} | {kind} | {default} | {importance} | {group}/{order_in_group} | {width} | {display_name}"
    )
}

fn name_of(config: &ConfigInfo) -> &str {
    match (&config.definition, &config.value) {
        (Some(definition), _) => &definition.name,
        (None, Some(value)) => &value.name,
        (None, None) => panic!("an entry without definition and value"),
    }
}
