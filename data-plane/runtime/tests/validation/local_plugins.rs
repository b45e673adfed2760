//! Plugins that only these tests have: transforms and predicates of Kafka Connect that the contract's examples use but
//! the built-ins may lack, and connectors that misbehave.

use std::time::Duration;

use async_trait::async_trait;
use towpath_connect::config_def::{ConfigValue, KeyResult, Validator};
use towpath_connect::{
    ConfigDef, ConfigKey, ConfigMap, ConnectorContext, ConnectorError, Converter, ConverterRole,
    ExactlyOnceSupport, HeaderConverter, Plugin, PluginFactory, Predicate, Result, SourceConnector,
    SourceTask, Transform, Width,
};

fn no_transform(_: &ConfigMap) -> Result<Box<dyn Transform>> {
    Err(ConnectorError::bug("never run"))
}

fn no_predicate(_: &ConfigMap) -> Result<Box<dyn Predicate>> {
    Err(ConnectorError::bug("never run"))
}

fn no_converter(_: &ConfigMap, _: ConverterRole) -> Result<Box<dyn Converter>> {
    Err(ConnectorError::bug("never run"))
}

fn no_header_converter(_: &ConfigMap) -> Result<Box<dyn HeaderConverter>> {
    Err(ConnectorError::bug("never run"))
}

fn plugin(class: &'static str, config_def: fn() -> ConfigDef, factory: PluginFactory) -> Plugin {
    Plugin {
        class,
        aliases: &[],
        version: "4.3.1",
        config_def,
        factory,
    }
}

pub(crate) fn transform(class: &'static str, config_def: fn() -> ConfigDef) -> Plugin {
    plugin(class, config_def, PluginFactory::Transform(no_transform))
}

pub(crate) fn predicate(class: &'static str, config_def: fn() -> ConfigDef) -> Plugin {
    plugin(class, config_def, PluginFactory::Predicate(no_predicate))
}

pub(crate) fn converter(class: &'static str, config_def: fn() -> ConfigDef) -> Plugin {
    plugin(class, config_def, PluginFactory::Converter(no_converter))
}

pub(crate) fn header_converter(class: &'static str, config_def: fn() -> ConfigDef) -> Plugin {
    plugin(
        class,
        config_def,
        PluginFactory::HeaderConverter(no_header_converter),
    )
}

/// Those of Kafka Connect, to be used where the built-ins have none of the name.
pub(crate) fn of_kafka_connect() -> Vec<Plugin> {
    vec![
        transform("org.apache.kafka.connect.transforms.RegexRouter", regex_router),
        transform("org.apache.kafka.connect.transforms.Cast$Key", cast),
        transform("org.apache.kafka.connect.transforms.Cast$Value", cast),
        transform(
            "org.apache.kafka.connect.transforms.ExtractField$Key",
            ConfigDef::new,
        ),
        transform(
            "org.apache.kafka.connect.transforms.ExtractField$Value",
            ConfigDef::new,
        ),
        predicate(
            "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
            topic_name_matches,
        ),
        predicate(
            "org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
            has_header_key,
        ),
        header_converter(
            "org.apache.kafka.connect.storage.SimpleHeaderConverter",
            ConfigDef::new,
        ),
    ]
}

fn regex_router() -> ConfigDef {
    ConfigDef::new()
        .define(ConfigKey::string("regex").valid(Validator::Regex).high())
        .define(ConfigKey::string("replacement").high())
}

fn cast() -> ConfigDef {
    let spec = |_: &str, value: &ConfigValue| match value {
        ConfigValue::List(items) if items.iter().any(|item| item.ends_with(":y")) => {
            Err("Invalid type found in casting spec: y".to_owned())
        }
        _ => Ok(()),
    };
    ConfigDef::new()
        .define(ConfigKey::list("spec").valid(Validator::Custom(spec)).high())
        .define(ConfigKey::boolean("replace.null.with.default").default("true"))
}

fn topic_name_matches() -> ConfigDef {
    ConfigDef::new().define(ConfigKey::string("pattern").valid(Validator::Regex))
}

fn has_header_key() -> ConfigDef {
    ConfigDef::new().define(ConfigKey::string("name").valid(Validator::NonEmptyString))
}

/// Plugins that no one else has.
pub(crate) fn of_these_tests() -> Vec<Plugin> {
    vec![
        transform("test.Grouped", grouped),
        converter("test.StrictConverter", strict_converter),
        plugin(
            "test.OddSource",
            odd_keys,
            PluginFactory::Source(|| Box::new(Odd)),
        ),
        plugin(
            "test.OtherSource",
            odd_keys,
            PluginFactory::Source(|| Box::new(Odd)),
        ),
    ]
}

/// Keys in groups and with an integer, a key that depends on another, one that users do not see, and one that every
/// transform has.
fn grouped() -> ConfigDef {
    ConfigDef::new()
        .define(
            ConfigKey::int("n")
                .default("1")
                .valid(Validator::AtLeast(0))
                .shown("Second", 1, Width::Short, "N"),
        )
        .define(ConfigKey::string("z").default_null().low())
        .define(ConfigKey::string("b").default_null().high().dependents(&["n"]))
        .define(ConfigKey::string("required"))
        .define(
            ConfigKey::string("first")
                .default("x")
                .shown("Second", 0, Width::Long, "First"),
        )
        .define(ConfigKey::string("predicate").default("shadowed").high())
        .define(ConfigKey::string("hidden").default_null().internal())
}

fn strict_converter() -> ConfigDef {
    ConfigDef::new()
        .define(ConfigKey::int("size").valid(Validator::AtLeast(1)).high())
        .define(
            ConfigKey::password("key")
                .default_null()
                .shown("Safety", 0, Width::Medium, "Key"),
        )
}

/// Has the framework's key `tasks.max` with other limits, a secret, and a mode that decides how it behaves when it is
/// asked: see [`Odd`].
fn odd_keys() -> ConfigDef {
    ConfigDef::new()
        .define(
            ConfigKey::int("tasks.max")
                .default("7")
                .valid(Validator::Between(1, 9))
                .shown("Odd", 0, Width::None, "Tasks"),
        )
        .define(ConfigKey::password("secret").default_null())
        .define(ConfigKey::string("mode").default("good"))
        .define(ConfigKey::string("inner").default_null().internal())
        .define(ConfigKey::long("connection.port").default("1"))
}

#[derive(Debug)]
struct Odd;

#[async_trait]
impl SourceConnector for Odd {
    async fn start(&mut self, _: ConnectorContext, _: &ConfigMap) -> Result<()> {
        Ok(())
    }

    async fn task_configs(&mut self, _: usize) -> Result<Vec<ConfigMap>> {
        Ok(Vec::new())
    }

    async fn validate(&self, config: &ConfigMap, results: &mut Vec<KeyResult>) {
        match config.get("mode") {
            Some("hang") => tokio::time::sleep(Duration::MAX).await,
            Some("panic") => panic!("as told"),
            Some("refuse") => {
                for result in results.iter_mut().filter(|result| result.name == "mode") {
                    result.errors.push("the system says no".to_owned());
                }
            }
            Some("add") => results.push(KeyResult {
                name: "found.by.the.connector".to_owned(),
                value: ConfigValue::Long(5),
                errors: vec!["five is odd".to_owned()],
            }),
            Some("forget") => results.retain(|result| result.name != "mode"),
            _ => {}
        }
    }

    fn exactly_once_support(&self, config: &ConfigMap) -> Result<Option<ExactlyOnceSupport>> {
        match config.get("mode") {
            Some("supported") => Ok(Some(ExactlyOnceSupport::Supported)),
            Some("unsupported") => Ok(Some(ExactlyOnceSupport::Unsupported)),
            Some("throws") => Err(ConnectorError::external("no idea")),
            _ => Ok(None),
        }
    }

    fn can_define_transaction_boundaries(&self, config: &ConfigMap) -> Result<bool> {
        match config.get("mode") {
            Some("throws") => Err(ConnectorError::external("no idea")),
            mode => Ok(mode == Some("supported")),
        }
    }

    async fn stop(&mut self) {}

    fn new_task(&self) -> Box<dyn SourceTask> {
        unreachable!("only validated")
    }

    fn task_class(&self) -> &'static str {
        "test.OddTask"
    }
}
