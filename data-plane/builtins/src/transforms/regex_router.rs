//! RegexRouter: another topic for records whose topic matches a pattern.

use std::collections::HashMap;
use std::sync::Arc;

use towpath_connect::config_def::Validator;
use towpath_connect::transform::{RecordOrigin, Transform};
use towpath_connect::{
    ConfigDef, ConfigKey, ConfigMap, ConnectRecord, ConnectorError, Pattern, Result, Topic,
};

const REGEX: &str = "regex";
const REPLACEMENT: &str = "replacement";
/// How many topics are remembered with the topic that they became.
const LIMIT: usize = 1000;

/// Renames topics.
#[derive(Debug)]
pub struct RegexRouter {
    pattern: Pattern,
    replacement: String,
    /// Nearly every record has the topic of the one before.
    last: Option<(Topic, Topic)>,
    known: HashMap<Topic, Topic>,
}

pub(super) fn config_def() -> ConfigDef {
    ConfigDef::new()
        .define(
            ConfigKey::string(REGEX)
                .valid(Validator::Regex)
                .high()
                .doc("The pattern that a whole topic name has to match."),
        )
        .define(
            ConfigKey::string(REPLACEMENT)
                .high()
                .doc("The new topic name; `$1` or `${name}` is the text that a group matched."),
        )
}

impl RegexRouter {
    /// A transform with this configuration.
    ///
    /// # Errors
    /// `Config` when the configuration is wrong.
    pub fn new(config: &ConfigMap) -> Result<Self> {
        let parsed = config_def().parse(config)?;
        let pattern = Pattern::compile(parsed.string(REGEX))
            .map_err(|cause| ConnectorError::config("`regex` is no pattern").with_source(cause))?;
        Ok(Self {
            pattern,
            replacement: parsed.string(REPLACEMENT).to_owned(),
            last: None,
            known: HashMap::new(),
        })
    }

    fn route(&mut self, topic: &Topic) -> Result<Topic> {
        if let Some((from, to)) = &self.last
            && (Arc::ptr_eq(from, topic) || from == topic)
        {
            return Ok(Arc::clone(to));
        }
        let to = match self.known.get(topic) {
            Some(to) => Arc::clone(to),
            None => self.work_out(topic)?,
        };
        self.last = Some((Arc::clone(topic), Arc::clone(&to)));
        Ok(to)
    }

    fn work_out(&mut self, topic: &Topic) -> Result<Topic> {
        let replaced = self
            .pattern
            .replace_full_match(topic, &self.replacement)
            .map_err(|cause| {
                ConnectorError::data(format!("could not replace topic \"{topic}\" by `{REPLACEMENT}`"))
                    .with_source(cause)
            })?;
        let to = replaced.map_or_else(|| Arc::clone(topic), Topic::from);
        if self.known.len() >= LIMIT {
            self.known.clear();
        }
        self.known.insert(Arc::clone(topic), Arc::clone(&to));
        Ok(to)
    }
}

impl Transform for RegexRouter {
    fn apply(&mut self, mut record: ConnectRecord, _origin: RecordOrigin) -> Result<Option<ConnectRecord>> {
        record.topic = self.route(&record.topic)?;
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests;
