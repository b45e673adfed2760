//! Java client settings as librdkafka's.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use rdkafka::ClientConfig;
use towpath_connect::ConfigMap;

/// Default of `max.poll.records`, as in Java.
const MAX_POLL_RECORDS: usize = 500;
/// Default of `buffer.memory`.
const BUFFER_BYTES: usize = 16 * 1024 * 1024;

/// A setting that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("`{key}` cannot be used: {problem}")]
pub struct ConfigError {
    pub key: String,
    pub problem: String,
}

/// A setting without a counterpart, and what happens instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    pub key: String,
    pub instead: String,
}

/// Settings for librdkafka.
#[derive(Clone)]
pub struct Translated {
    pub properties: BTreeMap<String, String>,
    pub max_poll_records: usize,
    pub buffer_bytes: usize,
    pub warnings: Vec<Warning>,
}

impl std::fmt::Debug for Translated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.properties.keys()).finish()
    }
}

impl Translated {
    /// As rdkafka takes it.
    pub fn to_client_config(&self) -> ClientConfig {
        self.properties.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }
}

/// Warnings that were said.
#[derive(Debug, Default)]
pub(crate) struct Warnings {
    said: Mutex<BTreeSet<(String, String)>>,
}

impl Warnings {
    /// Logs each once.
    pub(crate) fn say(&self, connector: &str, warnings: &[Warning]) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        for warning in warnings {
            if said.insert((connector.to_owned(), warning.key.clone())) {
                tracing::warn!(connector, key = warning.key, "the setting has no counterpart: {}", warning.instead);
            }
        }
    }
}

fn translate(layers: &[&[(&str, &str)]], worker: &ConfigMap, prefix: &str, overrides: &ConfigMap) -> Translated {
    let mut properties: BTreeMap<String, String> = BTreeMap::new();
    properties.insert(
        "bootstrap.servers".to_owned(),
        worker.get("bootstrap.servers").unwrap_or("localhost:9092").to_owned(),
    );
    for layer in layers {
        properties.extend(layer.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())));
    }
    let mut translated =
        Translated { properties, max_poll_records: MAX_POLL_RECORDS, buffer_bytes: BUFFER_BYTES, warnings: Vec::new() };
    for (key, value) in worker.with_prefix(prefix).iter().chain(overrides.iter()) {
        let Some(value) = value else { continue };
        match key {
            "max.poll.records" => translated.max_poll_records = value.parse().unwrap_or(MAX_POLL_RECORDS),
            "buffer.memory" => translated.buffer_bytes = value.parse().unwrap_or(BUFFER_BYTES),
            _ => {
                translated.properties.insert(key.to_owned(), value.to_owned());
            }
        }
    }
    translated
}

/// Settings of a source task's producer.
pub fn producer(worker: &ConfigMap, overrides: &ConfigMap, client_id: &str) -> Result<Translated, ConfigError> {
    let defaults = [
        ("acks", "all"),
        ("enable.idempotence", "true"),
        ("message.timeout.ms", "0"),
        ("partitioner", "murmur2_random"),
        ("queue.buffering.max.messages", "100000"),
        ("linger.ms", "5"),
    ];
    Ok(translate(&[&defaults, &[("client.id", client_id)]], worker, "producer.", overrides))
}

/// Settings of a sink task's consumer.
pub fn consumer(
    worker: &ConfigMap,
    overrides: &ConfigMap,
    group_id: &str,
    client_id: &str,
) -> Result<Translated, ConfigError> {
    let defaults = [
        ("enable.auto.commit", "false"),
        ("auto.offset.reset", "earliest"),
        ("allow.auto.create.topics", "true"),
        ("topic.metadata.refresh.interval.ms", "10000"),
        ("queued.max.messages.kbytes", "16384"),
    ];
    Ok(translate(&[&defaults, &[("client.id", client_id), ("group.id", group_id)]], worker, "consumer.", overrides))
}

/// Settings for questions to the cluster.
pub fn admin(worker: &ConfigMap, client_id: &str) -> Result<Translated, ConfigError> {
    Ok(translate(&[&[("client.id", client_id)]], worker, "admin.", &ConfigMap::new()))
}
