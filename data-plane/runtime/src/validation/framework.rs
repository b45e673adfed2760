//! The keys that every connector has whatever its plugin, in the order in which answers list them. Not the keys of
//! transforms and predicates, which depend on the configuration.

use towpath_connect::config_def::{ConfigValue, Validator, invalid};
use towpath_connect::{ConfigKey, PluginKind, Width};

pub(crate) const CONNECTOR_CLASS: &str = "connector.class";
pub(crate) const CONNECTOR_VERSION: &str = "connector.plugin.version";
pub(crate) const TRANSFORMS: &str = "transforms";
pub(crate) const PREDICATES: &str = "predicates";
pub(crate) const TOPICS: &str = "topics";
pub(crate) const TOPICS_REGEX: &str = "topics.regex";
pub(crate) const DLQ_TOPIC: &str = "errors.deadletterqueue.topic.name";
pub(crate) const EXACTLY_ONCE: &str = "exactly.once.support";
pub(crate) const TRANSACTION_BOUNDARY: &str = "transaction.boundary";
pub(crate) const OFFSETS_TOPIC: &str = "offsets.storage.topic";
pub(crate) const TOPIC_CREATION_PREFIX: &str = "topic.creation.";
pub(crate) const VERSION_SUFFIX: &str = ".plugin.version";

const COMMON: &str = "Common";
const ERRORS: &str = "Error Handling";
const EXACTLY_ONCE_GROUP: &str = "Exactly Once Support";

/// All keys of a connector of this kind, with the defaults that hold without any configuration.
pub(crate) fn keys(kind: PluginKind) -> Vec<ConfigKey> {
    let mut keys = common();
    match kind {
        PluginKind::Source => keys.extend(source()),
        PluginKind::Sink => keys.extend(sink()),
        PluginKind::Transformation
        | PluginKind::Predicate
        | PluginKind::Converter
        | PluginKind::HeaderConverter => {}
    }
    keys
}

/// The keys that sources and sinks share.
pub(crate) fn common() -> Vec<ConfigKey> {
    let mut keys = identity().to_vec();
    keys.extend(converters());
    keys.extend(chains());
    keys.extend(error_handling());
    keys
}

fn identity() -> [ConfigKey; 5] {
    [
        ConfigKey::string("name")
            .valid(Validator::NonEmptyStringWithoutControlChars)
            .high()
            .shown(COMMON, 1, Width::Medium, "Connector name")
            .doc("The name of the connector, unique in the cluster."),
        ConfigKey::string(CONNECTOR_CLASS)
            .high()
            .shown(COMMON, 2, Width::Long, "Connector class")
            .doc("The class of the connector: its full name, its simple name, or that without `Connector`."),
        version_key(CONNECTOR_VERSION, COMMON, "Connector version").in_group(3, Width::Medium),
        ConfigKey::int("tasks.max")
            .default("1")
            .valid(Validator::AtLeast(1))
            .high()
            .shown(COMMON, 4, Width::Short, "Tasks max")
            .doc("The most tasks that the connector may have."),
        ConfigKey::boolean("tasks.max.enforce")
            .default("true")
            .low()
            .shown(COMMON, 5, Width::Short, "Enforce tasks max")
            .doc("Whether a connector that makes more tasks than `tasks.max` fails. Deprecated."),
    ]
}

fn converters() -> [ConfigKey; 6] {
    let class = |name, order, title, of| {
        ConfigKey::class(name)
            .default_null()
            .low()
            .shown(COMMON, order, Width::Short, title)
            .doc(format!(
                "The converter of {of}; if it is not set, the worker's with the worker's settings."
            ))
    };
    let version = |name, order, title| {
        version_key(name, COMMON, title)
            .low()
            .in_group(order, Width::Short)
    };
    [
        class("key.converter", 6, "Key converter class", "keys"),
        version("key.converter.plugin.version", 7, "Key converter version"),
        class("value.converter", 8, "Value converter class", "values"),
        version("value.converter.plugin.version", 9, "Value converter version"),
        class("header.converter", 10, "Header converter class", "headers"),
        version("header.converter.plugin.version", 11, "Header converter version"),
    ]
}

fn chains() -> [ConfigKey; 3] {
    [
        ConfigKey::list(TRANSFORMS)
            .default("")
            .valid(Validator::Custom(aliases))
            .low()
            .shown("Transforms", 12, Width::Long, "Transforms")
            .doc("Names of the transforms of each record, in the order in which they are applied."),
        ConfigKey::list(PREDICATES)
            .default("")
            .valid(Validator::Custom(aliases))
            .low()
            .shown("Predicates", 13, Width::Long, "Predicates")
            .doc("Names of the predicates that transforms may refer to."),
        ConfigKey::string("config.action.reload")
            .default("restart")
            .valid(Validator::OneOf(&["none", "restart"]))
            .low()
            .shown(COMMON, 14, Width::Medium, "Reload Action")
            .doc("What happens when a secret that a config provider gave expires: `restart` the connector or `none`."),
    ]
}

fn error_handling() -> [ConfigKey; 5] {
    [
        ConfigKey::long("errors.retry.timeout")
            .default("0")
            .shown(ERRORS, 1, Width::Medium, "Retry Timeout for Errors")
            .doc("Milliseconds for which a failed operation is tried again; 0: never, -1: for ever."),
        ConfigKey::long("errors.retry.delay.max.ms")
            .default("60000")
            .shown(
                ERRORS,
                2,
                Width::Medium,
                "Maximum Delay Between Retries for Errors",
            )
            .doc("The longest wait between two tries, in milliseconds."),
        ConfigKey::string("errors.tolerance")
            .default("none")
            .valid(Validator::OneOf(&["none", "all"]))
            .shown(ERRORS, 3, Width::Short, "Error Tolerance")
            .doc("`none`: a record that cannot be processed fails the task. `all`: it is skipped."),
        ConfigKey::boolean("errors.log.enable")
            .default("false")
            .shown(ERRORS, 4, Width::Short, "Log Errors")
            .doc("Whether each tolerated error is logged."),
        ConfigKey::boolean("errors.log.include.messages")
            .default("false")
            .shown(ERRORS, 5, Width::Short, "Log Error Details")
            .doc("Whether logged errors say which record failed (topic, partition and offset)."),
    ]
}

fn sink() -> [ConfigKey; 5] {
    [
        ConfigKey::list(TOPICS)
            .default("")
            .valid(Validator::UniqueItems)
            .high()
            .shown(COMMON, 4, Width::Long, "Topics")
            .doc("The topics to read, separated by commas."),
        ConfigKey::string(TOPICS_REGEX)
            .default("")
            .valid(Validator::Regex)
            .high()
            .shown(COMMON, 4, Width::Long, "Topics regex")
            .doc(
                "A regular expression; every topic whose whole name matches it is read. Instead of `topics`.",
            ),
        ConfigKey::string(DLQ_TOPIC)
            .default("")
            .shown(ERRORS, 6, Width::Medium, "Dead Letter Queue Topic Name")
            .doc("The topic that gets the records that could not be processed; empty: none."),
        ConfigKey::short("errors.deadletterqueue.topic.replication.factor")
            .default("3")
            .shown(
                ERRORS,
                7,
                Width::Medium,
                "Dead Letter Queue Topic Replication Factor",
            )
            .doc("The replication factor of that topic if it has to be created."),
        ConfigKey::boolean("errors.deadletterqueue.context.headers.enable")
            .default("false")
            .shown(ERRORS, 8, Width::Medium, "Enable Error Context Headers")
            .doc("Whether dead letters carry headers that say what went wrong where."),
    ]
}

fn source() -> [ConfigKey; 5] {
    [
        ConfigKey::list("topic.creation.groups")
            .default("")
            .valid(Validator::Custom(aliases))
            .low()
            .shown("Topic Creation", 1, Width::Long, "Topic Creation Groups")
            .doc("Names of groups of topics that are created with settings of their own."),
        ConfigKey::string(EXACTLY_ONCE)
            .default("requested")
            .valid(Validator::OneOfIgnoreCase(&["REQUIRED", "REQUESTED"]))
            .shown(EXACTLY_ONCE_GROUP, 2, Width::Short, "Exactly once support")
            .doc("`required`: the connector is refused unless it can deliver exactly once. `requested`: it is tried."),
        ConfigKey::string(TRANSACTION_BOUNDARY)
            .default("poll")
            .valid(Validator::OneOfIgnoreCase(&["INTERVAL", "POLL", "CONNECTOR"]))
            .shown(EXACTLY_ONCE_GROUP, 3, Width::Short, "Transaction Boundary")
            .doc("What ends a transaction: each `poll`, an `interval`, or the `connector`."),
        ConfigKey::long("transaction.boundary.interval.ms")
            .default_null()
            .valid(Validator::Custom(not_negative))
            .low()
            .shown(
                EXACTLY_ONCE_GROUP,
                4,
                Width::Short,
                "Transaction boundary interval",
            )
            .doc("Milliseconds between the ends of transactions if their boundary is `interval`."),
        ConfigKey::string(OFFSETS_TOPIC)
            .default_null()
            .valid(Validator::NonEmptyString)
            .low()
            .shown("offsets.topic", 1, Width::Long, "Offsets topic")
            .doc("An offsets topic of the connector's own."),
    ]
}

/// A key that asks for a version of a plugin.
pub(crate) fn version_key(name: impl Into<String>, group: &str, title: &str) -> ConfigKey {
    ConfigKey::string(name)
        .default_null()
        .shown(group, 0, Width::None, title)
        .doc("The version of the plugin: one version, a range like `[4,5)`, or `latest`.")
}

trait InGroup {
    fn in_group(self, order: i32, width: Width) -> Self;
}

impl InGroup for ConfigKey {
    fn in_group(mut self, order: i32, width: Width) -> Self {
        self.order_in_group = order;
        self.width = width;
        self
    }
}

fn aliases(key: &str, value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::Null => Err(invalid(key, value, "entry must be non null")),
        ConfigValue::List(items) if has_duplicates(items) => {
            Err(invalid(key, value, "Duplicate alias provided."))
        }
        _ => Ok(()),
    }
}

fn not_negative(key: &str, value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::Null => Ok(()),
        _ => Validator::AtLeast(0).check(key, value),
    }
}

fn has_duplicates(items: &[String]) -> bool {
    items
        .iter()
        .enumerate()
        .any(|(index, item)| items.iter().take(index).any(|earlier| earlier == item))
}
