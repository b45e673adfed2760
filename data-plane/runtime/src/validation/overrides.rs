//! Client settings of a connector: which of them apply, what the worker's policy says to them, and their place in the
//! answer.

use towpath_connect::config_def::{ConfigValue, KeyResult, parse_value};
use towpath_connect::{ConfigMap, PluginKind};

use super::client_keys::Client;
use super::framework::{OFFSETS_TOPIC, TOPIC_CREATION_PREFIX};
use super::java_hash::{copied, grown, in_map_order};
use super::report::Part;
use super::{ValidationError, WorkerDefaults, sink};

/// What the worker lets connectors set for their Kafka clients (`connector.client.config.override.policy`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OverridePolicy {
    /// Everything.
    #[default]
    All,
    /// Nothing.
    None,
    /// Who they log in as.
    Principal,
    /// These keys.
    Allowlist(Vec<String>),
}

const PRINCIPAL_KEYS: [&str; 3] = ["sasl.jaas.config", "sasl.mechanism", "security.protocol"];

impl OverridePolicy {
    /// The name as it is configured.
    pub fn name(&self) -> &'static str {
        match self {
            Self::All => "All",
            Self::None => "None",
            Self::Principal => "Principal",
            Self::Allowlist(_) => "Allowlist",
        }
    }

    /// Checks a key of a client (without the prefix).
    ///
    /// # Errors
    /// The message for the user.
    pub fn check(&self, key: &str) -> Result<(), String> {
        let allowed = match self {
            Self::All => true,
            Self::None => false,
            Self::Principal => PRINCIPAL_KEYS.contains(&key),
            Self::Allowlist(keys) => keys.iter().any(|allowed| allowed == key),
        };
        if allowed {
            return Ok(());
        }
        Err(format!(
            "The '{}' policy does not allow '{key}' to be overridden in the connector configuration.",
            self.name()
        ))
    }
}

/// Reads the overrides of every client that the connector uses, in the order of the answer.
pub(super) fn parts(
    kind: PluginKind,
    config: &ConfigMap,
    worker: &WorkerDefaults,
) -> Result<Vec<Part>, ValidationError> {
    [Client::Producer, Client::Consumer, Client::Admin]
        .into_iter()
        .filter(|client| uses(*client, kind, config, worker))
        .map(|client| part(client, config, &worker.override_policy))
        .collect()
}

fn uses(client: Client, kind: PluginKind, config: &ConfigMap, worker: &WorkerDefaults) -> bool {
    if kind == PluginKind::Sink {
        return client == Client::Consumer || sink::dead_letter_topic(config).is_some();
    }
    let own_offsets =
        worker.is_distributed() && (worker.exactly_once_source || config.get(OFFSETS_TOPIC).is_some());
    match client {
        Client::Producer => true,
        Client::Consumer => own_offsets,
        Client::Admin => {
            own_offsets
                || config
                    .iter()
                    .any(|(key, _)| key.starts_with(TOPIC_CREATION_PREFIX))
        }
    }
}

/// The overrides of a client without the prefix. They are picked out of the map of the whole configuration, whose order
/// decides where two fall into one bucket.
fn in_order(client: Client, config: &ConfigMap) -> Vec<(&str, Option<&str>)> {
    let whole = in_map_order(config.iter().collect(), copied(config.len()), |(key, _)| key);
    let picked: Vec<_> = whole
        .into_iter()
        .filter_map(|(key, text)| Some((key.strip_prefix(client.override_prefix())?, text)))
        .collect();
    let buckets = grown(picked.len());
    in_map_order(picked, buckets, |(name, _)| name)
}

fn part(client: Client, config: &ConfigMap, policy: &OverridePolicy) -> Result<Part, ValidationError> {
    let mut part = Part::default();
    for (name, text) in in_order(client, config) {
        let key = client.keys().key(name);
        let value = match (key, text) {
            (Some(key), Some(text)) => {
                parse_value(key.kind, text).map_err(|problem| ValidationError::Override {
                    key: name.to_owned(),
                    full_key: format!("{}{name}", client.override_prefix()),
                    problem,
                    text: text.to_owned(),
                })?
            }
            (None, Some(text)) => ConfigValue::String(text.to_owned()),
            (_, None) => ConfigValue::Null,
        };
        let result = KeyResult {
            name: name.to_owned(),
            value,
            errors: policy.check(name).err().into_iter().collect(),
        };
        part.put(client.override_prefix(), key, result);
    }
    Ok(part)
}
