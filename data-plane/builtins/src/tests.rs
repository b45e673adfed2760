//! The list of plugins and their keys, against Kafka Connect.

use std::collections::BTreeMap;

use towpath_connect::config_def::Default;
use towpath_connect::{ConfigKey, ConfigMap, ConverterRole, PluginFactory, PluginKind, PluginSet};

const KEYS: &str = include_str!("../testdata/config_keys.tsv");

fn columns(key: &ConfigKey) -> String {
    let default = match &key.default {
        Default::Required => "(required)",
        Default::Null => "null",
        Default::Text(text) => text,
    };
    let group = key.group.as_deref().unwrap_or("null");
    [
        &key.name,
        key.kind.name(),
        default,
        key.importance.name(),
        group,
        &key.order_in_group.to_string(),
        key.width.name(),
        &key.display_name,
    ]
    .join("\t")
}

#[test]
fn every_plugin_has_the_keys_of_kafka_connect() {
    let mut expected: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in KEYS.lines().filter(|line| !line.starts_with('#')) {
        let (class, key) = line.split_once('\t').unwrap();
        let keys = expected.entry(class).or_default();
        if key != "-" {
            keys.push(key);
        }
    }
    let plugins = crate::plugins();
    for plugin in &plugins {
        let keys: Vec<String> = (plugin.config_def)().keys().iter().map(columns).collect();
        assert_eq!(
            Some(keys),
            expected
                .get(plugin.class)
                .map(|keys| keys.iter().map(|&k| k.to_owned()).collect()),
            "{}",
            plugin.class
        );
        for key in (plugin.config_def)().keys() {
            assert!(!key.documentation.is_empty(), "{} {}", plugin.class, key.name);
        }
    }
    for class in expected.keys() {
        assert!(
            plugins.iter().any(|plugin| plugin.class == *class),
            "{class} is listed"
        );
    }
}

#[test]
fn converters_are_in_both_lists_and_short_names_lead_to_them() {
    let set = PluginSet::new(crate::plugins());
    assert_eq!(set.classes(PluginKind::Converter).count(), 9);
    assert_eq!(set.classes(PluginKind::HeaderConverter).count(), 10);
    assert_eq!(set.classes(PluginKind::Predicate).count(), 3);
    for (kind, name, class) in [
        (
            PluginKind::Converter,
            "JsonConverter",
            "org.apache.kafka.connect.json.JsonConverter",
        ),
        (
            PluginKind::Converter,
            "String",
            "org.apache.kafka.connect.storage.StringConverter",
        ),
        (
            PluginKind::HeaderConverter,
            "Simple",
            "org.apache.kafka.connect.storage.SimpleHeaderConverter",
        ),
        (
            PluginKind::Transformation,
            "RegexRouter",
            "org.apache.kafka.connect.transforms.RegexRouter",
        ),
        (
            PluginKind::Predicate,
            "RecordIsTombstone",
            "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
        ),
    ] {
        assert_eq!(set.find(kind, name).unwrap().class, class);
    }
    assert!(
        set.find(PluginKind::Transformation, "Value").is_err(),
        "too many are called so"
    );
}

#[test]
fn every_plugin_is_made_by_its_factory() {
    let config: ConfigMap = [
        ("regex", "a"),
        ("replacement", "b"),
        ("target.type", "unix"),
        ("field", "a"),
        ("fields", "a"),
        ("name", "h"),
        ("pattern", "t"),
        ("spec", "int8"),
    ]
    .into_iter()
    .collect();
    for plugin in crate::plugins() {
        let made = match plugin.factory {
            PluginFactory::Converter(new) => new(&config, ConverterRole::Key).map(|made| format!("{made:?}")),
            PluginFactory::HeaderConverter(new) => new(&config).map(|made| format!("{made:?}")),
            PluginFactory::Transform(new) => new(&config).map(|made| format!("{made:?}")),
            PluginFactory::Predicate(new) => new(&config).map(|made| format!("{made:?}")),
            PluginFactory::Source(_) | PluginFactory::Sink(_) => panic!("connectors are elsewhere"),
        };
        assert!(made.is_ok(), "{}: {made:?}", plugin.class);
    }
}
