//! The settings of Kafka's Java clients, as people have them in worker files and connector overrides, turned into
//! librdkafka's. Nothing is lost silently: a key that has no counterpart is named in a warning that says what happens
//! instead, and a value that cannot work is a problem that says what would.
//!
//! Values may be passwords: none is ever in a warning, a problem or a `Debug` output.

mod connection;
mod consumer;
mod draft;
mod jaas;
mod producer;
mod rules;
mod security;
mod stores;
mod table;
mod transactions;

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use rdkafka::ClientConfig;
use towpath_connect::ConfigMap;
use towpath_runtime::validation::Client;

use draft::Draft;

/// `buffer.memory` of Java: what a producer may hold, all its users together.
const BUFFER_MEMORY: NonZeroUsize = NonZeroUsize::new(32 << 20).unwrap();
/// `max.poll.records` of Java.
const MAX_POLL_RECORDS: usize = 500;
/// `default.api.timeout.ms` of Java.
const API_TIMEOUT: Duration = Duration::from_secs(60);
/// `transaction.timeout.ms` of Java.
const TRANSACTION_TIMEOUT: Duration = Duration::from_secs(60);
/// How often a pattern is matched if `metadata.max.age.ms` does not say. Java takes five minutes, which is long to wait for
/// a topic that was just created.
const METADATA_MAX_AGE: Duration = Duration::from_secs(5);

/// Where settings come from; later ones win.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// What stands before the keys where the user wrote them, for messages.
    pub prefix: &'a str,
    pub settings: &'a ConfigMap,
}

/// A client's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translated {
    pub librdkafka: Settings,
    pub ours: Ours,
    pub warnings: Vec<Warning>,
}

/// Names and values for librdkafka. `Debug` shows the names only.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    pub fn remove(&mut self, name: &str) {
        self.0.remove(name);
    }

    pub fn to_client_config(&self) -> ClientConfig {
        self.0
            .iter()
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Settings that librdkafka knows nothing of, since Towpath does what they are about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ours {
    pub buffer_memory: NonZeroUsize,
    /// How long to wait for a topic that does not exist; `None` is for ever.
    pub max_block: Option<Duration>,
    pub max_poll_records: usize,
    /// How long a question to the cluster may take.
    pub api_timeout: Duration,
    /// Whether a pattern leaves the cluster's own topics out.
    pub exclude_internal_topics: bool,
    /// How often a pattern is matched anew.
    pub metadata_max_age: Duration,
    /// How long a transaction may be open.
    pub transaction_timeout: Duration,
}

impl Default for Ours {
    fn default() -> Self {
        Self {
            buffer_memory: BUFFER_MEMORY,
            max_block: None,
            max_poll_records: MAX_POLL_RECORDS,
            api_timeout: API_TIMEOUT,
            exclude_internal_topics: true,
            metadata_max_age: METADATA_MAX_AGE,
            transaction_timeout: TRANSACTION_TIMEOUT,
        }
    }
}

/// A setting that does not do what it does for a Java client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// As the user wrote it.
    pub key: String,
    pub what_happens: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.key, self.what_happens)
    }
}

/// A setting that cannot work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// As the user wrote it.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

/// All problems of a client's settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings of a Kafka client cannot be used: ")?;
        for (index, problem) in self.problems.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}`{}`: {}", problem.key, problem.message)?;
        }
        Ok(())
    }
}

/// Translates a client's settings: `defaults`, then the layers in order.
pub fn translate(
    client: Client,
    defaults: &[(&str, &str)],
    layers: &[Layer<'_>],
) -> Result<Translated, ConfigError> {
    let mut draft = drafted(client, defaults, layers);
    if client == Client::Producer {
        transactions::none(&mut draft);
    }
    draft.finish()
}

/// Translates the settings of a producer of transactions.
pub fn translate_transactional(
    transactional_id: &str,
    defaults: &[(&str, &str)],
    layers: &[Layer<'_>],
) -> Result<Translated, ConfigError> {
    let mut draft = drafted(Client::Producer, defaults, layers);
    transactions::apply(&mut draft, transactional_id);
    draft.finish()
}

fn drafted<'a>(client: Client, defaults: &[(&'a str, &'a str)], layers: &[Layer<'a>]) -> Draft<'a> {
    let mut draft = Draft::new(client, defaults, layers);
    connection::apply(&mut draft);
    rules::apply(&mut draft);
    security::apply(&mut draft);
    match client {
        Client::Producer => producer::apply(&mut draft),
        Client::Consumer => consumer::apply(&mut draft),
        Client::Admin => {}
    }
    draft
}

#[cfg(test)]
mod tests;
