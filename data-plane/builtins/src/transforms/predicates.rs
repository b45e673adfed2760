//! The predicates: whether a record has a header, is a tombstone, or is of a topic.

use towpath_connect::config_def::{ConfigValue, Validator};
use towpath_connect::transform::{NewPredicate, Predicate};
use towpath_connect::{
    ConfigDef, ConfigKey, ConfigMap, ConnectRecord, ConnectorError, KAFKA_CONNECT_VERSION, Pattern, Plugin,
    PluginFactory, Result,
};

const NAME: &str = "name";
const PATTERN: &str = "pattern";

pub(super) fn plugins() -> Vec<Plugin> {
    vec![
        predicate(
            "org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
            has_header_key_def,
            |config| Ok(Box::new(HasHeaderKey::new(config)?)),
        ),
        predicate(
            "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
            ConfigDef::new,
            |_| Ok(Box::new(RecordIsTombstone)),
        ),
        predicate(
            "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
            topic_name_matches_def,
            |config| Ok(Box::new(TopicNameMatches::new(config)?)),
        ),
    ]
}

fn predicate(class: &'static str, config_def: fn() -> ConfigDef, new: NewPredicate) -> Plugin {
    Plugin {
        class,
        aliases: &[],
        version: KAFKA_CONNECT_VERSION,
        config_def,
        factory: PluginFactory::Predicate(new),
    }
}

fn has_header_key_def() -> ConfigDef {
    ConfigDef::new().define(
        ConfigKey::string(NAME)
            .valid(Validator::NonEmptyString)
            .doc("The name of the header, in its exact case."),
    )
}

fn topic_name_matches_def() -> ConfigDef {
    ConfigDef::new().define(
        ConfigKey::string(PATTERN)
            .valid(Validator::Custom(non_empty_regex))
            .doc("The pattern that the whole topic name has to match."),
    )
}

fn non_empty_regex(key: &str, value: &ConfigValue) -> std::result::Result<(), String> {
    Validator::NonEmptyString.check(key, value)?;
    Validator::Regex.check(key, value)
}

/// True for records with at least one header of a name.
#[derive(Debug)]
pub struct HasHeaderKey {
    name: String,
}

impl HasHeaderKey {
    /// A predicate with this configuration.
    ///
    /// # Errors
    /// `Config` when the configuration is wrong.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        let parsed = has_header_key_def().parse(config)?;
        Ok(Self {
            name: parsed.string(NAME).to_owned(),
        })
    }
}

impl Predicate for HasHeaderKey {
    fn test(&mut self, record: &ConnectRecord) -> Result<bool> {
        Ok(record
            .headers
            .iter()
            .any(|header| header.key.as_ref() == self.name))
    }
}

/// True for records whose value is null, whatever its schema.
#[derive(Debug)]
pub struct RecordIsTombstone;

impl Predicate for RecordIsTombstone {
    fn test(&mut self, record: &ConnectRecord) -> Result<bool> {
        Ok(record.value.is_null())
    }
}

/// True for records whose whole topic name matches a pattern.
#[derive(Debug)]
pub struct TopicNameMatches {
    pattern: Pattern,
}

impl TopicNameMatches {
    /// A predicate with this configuration.
    ///
    /// # Errors
    /// `Config` when the configuration is wrong.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        let parsed = topic_name_matches_def().parse(config)?;
        let pattern = Pattern::compile(parsed.string(PATTERN))
            .map_err(|cause| ConnectorError::config("`pattern` is no pattern").with_source(cause))?;
        Ok(Self { pattern })
    }
}

impl Predicate for TopicNameMatches {
    fn test(&mut self, record: &ConnectRecord) -> Result<bool> {
        Ok(self.pattern.is_full_match(&record.topic))
    }
}

#[cfg(test)]
mod tests;
