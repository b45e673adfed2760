//! Names of plugins: which ones lead where, and the messages when they do not.

use super::*;
use crate::config::ConfigMap;
use crate::config_def::ConfigDef;
use crate::converter::{Converter, ConverterRole, HeaderConverter};
use crate::error::{ConnectorError, Result};
use crate::plugin::PluginFactory;
use crate::transform::{Predicate, Transform};

fn no_transform(_: &ConfigMap) -> Result<Box<dyn Transform>> {
    Err(ConnectorError::bug("only looked up"))
}

fn no_predicate(_: &ConfigMap) -> Result<Box<dyn Predicate>> {
    Err(ConnectorError::bug("only looked up"))
}

fn no_converter(_: &ConfigMap, _: ConverterRole) -> Result<Box<dyn Converter>> {
    Err(ConnectorError::bug("only looked up"))
}

fn no_header_converter(_: &ConfigMap) -> Result<Box<dyn HeaderConverter>> {
    Err(ConnectorError::bug("only looked up"))
}

fn plugin(class: &'static str, factory: PluginFactory) -> Plugin {
    Plugin {
        class,
        aliases: &[],
        version: "4.3.1",
        config_def: ConfigDef::new,
        factory,
    }
}

fn source(class: &'static str) -> Plugin {
    plugin(class, PluginFactory::Source(|| unreachable!("only looked up")))
}

fn sink(class: &'static str) -> Plugin {
    plugin(class, PluginFactory::Sink(|| unreachable!("only looked up")))
}

fn transform(class: &'static str) -> Plugin {
    plugin(class, PluginFactory::Transform(no_transform))
}

fn converter(class: &'static str) -> Plugin {
    plugin(class, PluginFactory::Converter(no_converter))
}

fn header_converter(class: &'static str) -> Plugin {
    plugin(class, PluginFactory::HeaderConverter(no_header_converter))
}

const FILE_SOURCE: &str = "org.apache.kafka.connect.file.FileStreamSourceConnector";
const FILE_SINK: &str = "org.apache.kafka.connect.file.FileStreamSinkConnector";
const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
const SIMPLE_HEADER: &str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";
const ROUTER: &str = "org.apache.kafka.connect.transforms.RegexRouter";
const REPLACE_KEY: &str = "org.apache.kafka.connect.transforms.ReplaceField$Key";
const REPLACE_VALUE: &str = "org.apache.kafka.connect.transforms.ReplaceField$Value";
const EXTRACT_VALUE: &str = "org.apache.kafka.connect.transforms.ExtractField$Value";
const TOPIC_MATCHES: &str = "org.apache.kafka.connect.transforms.predicates.TopicNameMatches";

fn set() -> PluginSet {
    PluginSet::new(vec![
        header_converter(SIMPLE_HEADER),
        converter(JSON),
        header_converter(JSON),
        transform(ROUTER),
        transform(REPLACE_VALUE),
        transform(REPLACE_KEY),
        transform(EXTRACT_VALUE),
        plugin(TOPIC_MATCHES, PluginFactory::Predicate(no_predicate)),
        source(FILE_SOURCE),
        sink(FILE_SINK),
    ])
}

fn class(found: Result<&Plugin, LookupError>) -> Result<&'static str, String> {
    found
        .map(|plugin| plugin.class)
        .map_err(|error| error.to_string())
}

#[test]
fn the_list_is_sorted_by_kind_and_then_by_class() {
    let set = set();
    let listed: Vec<_> = set
        .list(false)
        .iter()
        .map(|p| (p.kind().name(), p.class))
        .collect();
    let expected = [
        ("sink", FILE_SINK),
        ("source", FILE_SOURCE),
        ("transformation", EXTRACT_VALUE),
        ("transformation", ROUTER),
        ("transformation", REPLACE_KEY),
        ("transformation", REPLACE_VALUE),
        ("predicate", TOPIC_MATCHES),
        ("converter", JSON),
        ("header_converter", JSON),
        ("header_converter", SIMPLE_HEADER),
    ];
    assert_eq!(listed, expected);
    let connectors: Vec<_> = set.list(true).iter().map(|p| p.class).collect();
    assert_eq!(connectors, [FILE_SINK, FILE_SOURCE]);
}

#[test]
fn a_connector_is_found_by_class_simple_name_and_pruned_name() {
    let set = set();
    for name in [FILE_SOURCE, "FileStreamSourceConnector", "FileStreamSource"] {
        assert_eq!(class(set.find_connector(name)), Ok(FILE_SOURCE), "{name}");
        assert_eq!(
            class(set.find(PluginKind::Source, name)),
            Ok(FILE_SOURCE),
            "{name}"
        );
    }
}

#[test]
fn a_part_of_a_name_finds_no_connector() {
    let set = set();
    for name in [
        "FileStream",
        "Source",
        "",
        " FileStreamSource",
        "filestreamsource",
    ] {
        assert!(
            matches!(set.find_connector(name), Err(LookupError::NotFound { .. })),
            "{name}"
        );
    }
}

#[test]
fn an_unknown_connector_is_answered_with_all_connectors_as_recorded() {
    let expected = "Failed to find any class that implements Connector and which name matches nope.Nope, available \
        connectors are: PluginDesc{klass=class org.apache.kafka.connect.file.FileStreamSinkConnector, \
        name='org.apache.kafka.connect.file.FileStreamSinkConnector', version='4.3.1', encodedVersion=4.3.1, \
        type=sink, typeName='sink', location='classpath'}, PluginDesc{klass=class \
        org.apache.kafka.connect.file.FileStreamSourceConnector, \
        name='org.apache.kafka.connect.file.FileStreamSourceConnector', version='4.3.1', encodedVersion=4.3.1, \
        type=source, typeName='source', location='classpath'}";
    assert_eq!(class(set().find_connector("nope.Nope")), Err(expected.to_owned()));
}

#[test]
fn a_class_of_another_kind_is_no_connector() {
    let set = set();
    for name in [JSON, "JsonConverter", "RegexRouter"] {
        assert!(
            matches!(set.find_connector(name), Err(LookupError::NotFound { .. })),
            "{name}"
        );
    }
}

#[test]
fn two_connectors_of_one_simple_name_need_the_class_name() {
    let set = PluginSet::new(vec![
        source("a.b.JdbcSourceConnector"),
        source("c.d.JdbcSourceConnector"),
    ]);
    assert_eq!(
        class(set.find_connector("c.d.JdbcSourceConnector")),
        Ok("c.d.JdbcSourceConnector")
    );
    let message = class(set.find_connector("JdbcSource")).unwrap_err();
    assert!(
        message.starts_with(
            "More than one connector matches alias JdbcSource. Please use full package and class name instead. \
             Classes found: PluginDesc{klass=class a.b.JdbcSourceConnector, "
        ),
        "{message}"
    );
    assert!(message.contains("c.d.JdbcSourceConnector"), "{message}");
}

#[test]
fn converters_are_found_by_short_names_in_their_own_list() {
    let set = set();
    for (kind, name, expected) in [
        (PluginKind::Converter, "JsonConverter", JSON),
        (PluginKind::Converter, "Json", JSON),
        (PluginKind::HeaderConverter, "Json", JSON),
        (PluginKind::HeaderConverter, "Simple", SIMPLE_HEADER),
        (PluginKind::Transformation, "RegexRouter", ROUTER),
        (PluginKind::Predicate, "TopicNameMatches", TOPIC_MATCHES),
        (PluginKind::Transformation, REPLACE_VALUE, REPLACE_VALUE),
    ] {
        let found = set.find(kind, name).unwrap();
        assert_eq!((found.class, found.kind()), (expected, kind), "{name}");
    }
}

#[test]
fn key_and_value_mean_too_many_classes_to_be_short_names() {
    let set = set();
    assert_eq!(
        class(set.find(PluginKind::Transformation, "Value")),
        Err("Class Value could not be found.".to_owned())
    );
    // Only one class is nested as Key in this set, so that name is free.
    assert_eq!(
        class(set.find(PluginKind::Transformation, "Key")),
        Ok(REPLACE_KEY)
    );
}

#[test]
fn a_short_name_of_two_kinds_is_dropped_for_both() {
    let set = PluginSet::new(vec![
        transform("a.Mask"),
        converter("b.MaskConverter"),
        source("c.Mask"),
    ]);
    assert!(set.find(PluginKind::Transformation, "Mask").is_err());
    assert!(set.find(PluginKind::Converter, "Mask").is_err());
    assert_eq!(
        class(set.find(PluginKind::Converter, "MaskConverter")),
        Ok("b.MaskConverter")
    );
    assert_eq!(
        class(set.find_connector("Mask")),
        Ok("c.Mask"),
        "connectors are also compared one by one"
    );
}

#[test]
fn the_word_for_the_kind_is_cut_at_its_last_occurrence() {
    let set = PluginSet::new(vec![source("a.MyConnectorConnectorV2"), source("a.Connector")]);
    assert_eq!(
        class(set.find_connector("MyConnector")),
        Ok("a.MyConnectorConnectorV2")
    );
    assert_eq!(class(set.find_connector("Connector")), Ok("a.Connector"));
}

#[test]
fn a_name_of_another_kind_says_which_interface_is_missing() {
    assert_eq!(
        class(set().find(PluginKind::Converter, FILE_SOURCE)),
        Err(format!(
            "Class class {FILE_SOURCE} does not implement the Converter interface"
        ))
    );
    assert_eq!(
        class(set().find(PluginKind::Transformation, "JsonConverter")),
        Err(format!(
            "Class class {JSON} does not implement the Transformation interface"
        ))
    );
}

#[test]
fn the_outer_class_of_a_transform_names_its_variants() {
    assert_eq!(
        class(set().find(
            PluginKind::Transformation,
            "org.apache.kafka.connect.transforms.ReplaceField"
        )),
        Err(format!(
            "This class is abstract and cannot be created. Did you mean {REPLACE_KEY}, {REPLACE_VALUE}?"
        ))
    );
}

#[test]
fn an_alias_leads_to_its_class_unless_it_is_a_class_itself() {
    let mut aliased = source("a.OneConnector");
    aliased.aliases = &["old.OneConnector", "b.TwoConnector", "Uno"];
    let set = PluginSet::new(vec![aliased, source("b.TwoConnector")]);
    assert_eq!(
        class(set.find_connector("old.OneConnector")),
        Ok("a.OneConnector")
    );
    assert_eq!(class(set.find_connector("Uno")), Ok("a.OneConnector"));
    assert_eq!(class(set.find_connector("b.TwoConnector")), Ok("b.TwoConnector"));
}

#[test]
fn an_alias_beats_a_short_name_that_would_mean_two_connectors() {
    let mut first = source("a.OneConnector");
    first.aliases = &["OneConnector", "One"];
    let set = PluginSet::new(vec![first, source("b.OneConnector")]);
    for name in ["OneConnector", "One"] {
        assert_eq!(class(set.find_connector(name)), Ok("a.OneConnector"));
    }
    assert_eq!(class(set.find_connector("b.OneConnector")), Ok("b.OneConnector"));
}

#[test]
fn a_plugin_of_any_kind_is_found_for_its_configuration() {
    let set = set();
    assert_eq!(
        set.find_any("Json").map(|p| (p.class, p.kind())),
        Some((JSON, PluginKind::Converter))
    );
    assert_eq!(set.find_any("FileStreamSink").map(|p| p.class), Some(FILE_SINK));
    assert!(set.find_any("nope").is_none());
}
