//! What Kafka Connect sets for the clients of its tasks, under what the worker's file and the connector say.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use towpath_connect::ConfigMap;
use towpath_runtime::clients::ClientError;
use towpath_runtime::validation::Client;

use crate::config::{Layer, Translated, Warning, translate};

/// A source's records are never given up and never reordered. Kafka Connect forbids more than one request at a time for
/// that; an idempotent producer keeps the order with five, and is as fast as without.
const PRODUCER_DEFAULTS: [(&str, &str); 4] = [
    ("acks", "all"),
    ("enable.idempotence", "true"),
    ("max.in.flight.requests.per.connection", "5"),
    ("delivery.timeout.ms", "2147483647"),
];
/// A sink begins at the begin, and the loop commits.
const CONSUMER_DEFAULTS: [(&str, &str); 2] = [("enable.auto.commit", "false"), ("auto.offset.reset", "earliest")];

/// Makes settings of clients and says each warning once.
#[derive(Debug, Default)]
pub(crate) struct SettingsMaker {
    /// A std mutex: held for a look-up, never across an await.
    said: Mutex<BTreeSet<(String, String)>>,
}

/// Whose settings: for messages and names.
pub(crate) struct Wanted<'a> {
    pub(crate) client: Client,
    /// Empty for the worker's own.
    pub(crate) connector: &'a str,
    pub(crate) client_id: String,
    pub(crate) group_id: Option<String>,
    pub(crate) overrides: &'a ConfigMap,
}

impl SettingsMaker {
    /// Defaults, then the worker's file, then the connector's overrides.
    pub(crate) fn make(&self, worker: &ConfigMap, wanted: &Wanted<'_>) -> Result<Translated, ClientError> {
        let (prefix, override_prefix, base): (_, _, &[(&str, &str)]) = match wanted.client {
            Client::Producer => ("producer.", "producer.override.", &PRODUCER_DEFAULTS),
            Client::Consumer => ("consumer.", "consumer.override.", &CONSUMER_DEFAULTS),
            Client::Admin => ("admin.", "admin.override.", &[]),
        };
        let mut defaults = base.to_vec();
        defaults.push(("client.id", &wanted.client_id));
        if let Some(group) = &wanted.group_id {
            defaults.push(("group.id", group));
        }
        let own = own_settings(worker, wanted.client);
        let prefixed = worker.with_prefix(prefix);
        let layers = [
            Layer { prefix: "", settings: &own },
            Layer { prefix, settings: &prefixed },
            Layer { prefix: override_prefix, settings: wanted.overrides },
        ];
        let translated = translate(wanted.client, &defaults, &layers)
            .map_err(|error| ClientError::Config(error.to_string()))?;
        self.say(wanted.connector, &translated.warnings);
        Ok(translated)
    }

    fn say(&self, connector: &str, warnings: &[Warning]) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        for warning in warnings {
            if said.insert((connector.to_owned(), warning.key.clone())) {
                tracing::warn!(connector, "a client setting is not what it is in Java: {warning}");
            }
        }
    }
}

/// What a client takes of the unprefixed part of the worker's file: producers and consumers the addresses only, as in
/// Kafka Connect; the worker's own clients everything that is a client's setting.
fn own_settings(worker: &ConfigMap, client: Client) -> ConfigMap {
    let keys = client.keys();
    let is_taken = |key: &str| match client {
        Client::Producer | Client::Consumer => key == "bootstrap.servers",
        Client::Admin => keys.key(key).is_some(),
    };
    worker.iter().filter_map(|(key, value)| Some((key, value?))).filter(|(key, _)| is_taken(key)).collect()
}
