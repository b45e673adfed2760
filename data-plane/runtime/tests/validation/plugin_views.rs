//! The list of plugins and the keys of one: rest-api.md section 9, endpoints 24 and 25.

use crate::fixture::{ROUTER, plugins, plugins_with_odd_ones};
use towpath_runtime::plugin_view::{PluginViewError, config_keys, plugin_infos};

fn names(plugin: &str) -> Vec<String> {
    let keys = config_keys(&plugins_with_odd_ones(), plugin, None).unwrap();
    keys.into_iter().map(|key| key.name).collect()
}

fn refused(plugin: &str, version: Option<&str>) -> (u16, String) {
    let error: PluginViewError = config_keys(&plugins(), plugin, version).unwrap_err();
    (error.status(), error.to_string())
}

#[test]
fn the_list_has_sinks_sources_and_then_the_rest() {
    let kinds: Vec<_> = plugin_infos(&plugins(), false)
        .iter()
        .map(|info| info.kind)
        .collect();
    let mut seen = kinds.clone();
    seen.dedup();
    assert_eq!(
        seen,
        [
            "sink",
            "source",
            "transformation",
            "predicate",
            "converter",
            "header_converter"
        ]
    );
    assert_eq!(plugin_infos(&plugins(), true).len(), 2);
}

#[test]
fn own_keys_come_before_those_of_the_framework() {
    let keys = names("FileStreamSource");
    assert_eq!(
        keys.iter().take(5).collect::<Vec<_>>(),
        ["file", "topic", "batch.size", "name", "connector.class"]
    );
    assert_eq!(keys.len(), 3 + 19 + 5);
    assert_eq!(keys.last().unwrap(), "offsets.storage.topic");
}

#[test]
fn a_framework_key_that_the_connector_defines_is_listed_where_it_has_it() {
    let keys = names("OddSource");
    assert_eq!(keys.first().unwrap(), "tasks.max");
    assert_eq!(keys.iter().filter(|name| *name == "tasks.max").count(), 1);
    assert!(!keys.contains(&"inner".to_owned()), "internal keys are not shown");
}

#[test]
fn defaults_are_the_static_ones_but_for_the_connectors_version() {
    let keys = config_keys(&plugins(), "FileStreamSink", None).unwrap();
    let default = |name: &str| {
        keys.iter()
            .find(|key| key.name == name)
            .unwrap()
            .default_value
            .as_deref()
    };
    assert_eq!(default("connector.plugin.version"), Some("4.3.1"));
    assert_eq!(
        (
            default("key.converter"),
            default("header.converter.plugin.version")
        ),
        (None, None)
    );
}

#[test]
fn plugins_that_are_no_connectors_have_only_their_own_keys() {
    assert_eq!(names(ROUTER), ["regex", "replacement"]);
    assert!(names("SimpleHeaderConverter").is_empty());
}

#[test]
fn what_has_no_keys_is_refused() {
    assert_eq!(
        refused("nope.Nope", None),
        (404, "Unknown plugin nope.Nope.".to_owned())
    );
    assert_eq!(refused("Key", None), (404, "Unknown plugin Key.".to_owned()));
    for name in [
        "FileConfigProvider",
        "File",
        "org.apache.kafka.common.config.provider.EnvVarConfigProvider",
        "All",
        "BasicAuthSecurityRestExtension",
    ] {
        let message = format!(
            "Invalid plugin class {name}. Valid types are sink, source, converter, header_converter, transformation, predicate."
        );
        assert_eq!(refused(name, None), (400, message));
    }
    assert_eq!(
        refused("org.apache.kafka.connect.transforms.Cast", None),
        (500, "Instantiation error".to_owned())
    );
}

#[test]
fn a_version_can_be_asked_for() {
    for version in ["4.3.1", "latest", "[4,5)"] {
        assert!(config_keys(&plugins(), "RegexRouter", Some(version)).is_ok());
    }
    let unmet = |class: &str, range: &str, available: &str| {
        (
            400,
            format!(
                "Plugin {class} not found that matches the version range {range}, available versions: [{available}]"
            ),
        )
    };
    assert_eq!(
        refused("RegexRouter", Some("1.0")),
        unmet(ROUTER, "[1.0,1.0]", "4.3.1")
    );
    assert_eq!(refused("RegexRouter", Some("")), unmet(ROUTER, "[,]", "4.3.1"));
    assert_eq!(
        refused("JsonConverter", Some("[1,2]")),
        unmet(
            "org.apache.kafka.connect.json.JsonConverter",
            "[1,2]",
            "4.3.1, 4.3.1"
        )
    );
    assert_eq!(
        refused("JsonConverter", Some("[1,")),
        (400, "Invalid version specification: [1,".to_owned())
    );
}
