//! Every row of the table, and what depends on several keys.

mod clients;
mod security;
mod transactions;

use towpath_connect::ConfigMap;
use towpath_runtime::validation::Client;

use super::table::ROWS;
use super::{ConfigError, Layer, Translated, translate};

/// Settings as a connector's overrides.
fn overrides(client: Client, settings: &[(&str, &str)]) -> Result<Translated, ConfigError> {
    let mut map = ConfigMap::new();
    for (key, value) in settings {
        map.insert(*key, *value);
    }
    translate(
        client,
        &[],
        &[Layer {
            prefix: "x.override.",
            settings: &map,
        }],
    )
}

/// One setting, which must work: what librdkafka gets under `name`, and what is warned of.
fn one(client: Client, key: &str, value: &str, name: &str) -> (Option<String>, Vec<String>) {
    let done = overrides(client, &[(key, value)]).unwrap_or_else(|error| panic!("{key}={value}: {error}"));
    let warnings = done.warnings.iter().map(ToString::to_string).collect();
    (done.librdkafka.get(name).map(str::to_owned), warnings)
}

/// What is wrong with the settings.
fn problems(client: Client, settings: &[(&str, &str)]) -> Vec<String> {
    let error = overrides(client, settings).unwrap_err();
    error
        .problems
        .into_iter()
        .map(|problem| format!("{}: {}", problem.key, problem.message))
        .collect()
}

#[test]
fn the_table_has_each_key_of_kafkas_own_list_and_no_other() {
    for client in [Client::Producer, Client::Consumer, Client::Admin] {
        let mut kafkas: Vec<&str> = client.keys().keys().iter().map(|key| key.name.as_ref()).collect();
        let mut ours: Vec<&str> = ROWS
            .iter()
            .filter(|row| row.clients.contains(&client))
            .map(|row| row.key)
            .collect();
        kafkas.sort_unstable();
        ours.sort_unstable();
        assert_eq!(ours, kafkas, "{client:?}");
    }
}

#[test]
fn later_layers_win_and_messages_name_the_key_as_it_was_written() {
    let map = |pairs: &[(&str, &str)]| {
        let mut map = ConfigMap::new();
        pairs.iter().for_each(|(key, value)| map.insert(*key, *value));
        map
    };
    let worker = map(&[("linger.ms", "1"), ("batch.size", "7"), ("metric.reporters", "a")]);
    let own = map(&[("linger.ms", " 2 "), ("retries", "x"), ("nonsense", "1")]);
    let layers = |own| {
        [
            Layer {
                prefix: "producer.",
                settings: &worker,
            },
            Layer {
                prefix: "producer.override.",
                settings: own,
            },
        ]
    };
    let error = translate(Client::Producer, &[], &layers(&own))
        .unwrap_err()
        .to_string();
    let expected =
        "the settings of a Kafka client cannot be used: `producer.override.retries`: must be a whole number";
    assert_eq!(error, expected);
    let own = map(&[("linger.ms", " 2 "), ("nonsense", "1")]);
    let done = translate(
        Client::Producer,
        &[("linger.ms", "0"), ("acks", "all")],
        &layers(&own),
    )
    .unwrap();
    let values = ["linger.ms", "batch.size", "acks"].map(|name| done.librdkafka.get(name).unwrap());
    assert_eq!(values, ["2", "7", "-1"]);
    let keys: Vec<_> = done.warnings.iter().map(|warning| warning.key.as_str()).collect();
    assert_eq!(keys, ["producer.metric.reporters", "producer.override.nonsense"]);
}

#[test]
fn no_output_has_a_value() {
    let secret = "hunter2";
    let jaas = format!("PlainLoginModule required username=\"{secret}\" password=\"{secret}\";");
    let settings = [
        ("security.protocol", "SASL_PLAINTEXT"),
        ("sasl.mechanism", "PLAIN"),
        ("sasl.jaas.config", &jaas),
        ("ssl.key.password", secret),
        ("nonsense", secret),
    ];
    let done = overrides(Client::Producer, &settings).unwrap();
    assert_eq!(done.librdkafka.get("sasl.password"), Some(secret));
    assert!(!format!("{done:?}").contains(secret));

    let broken = format!("PlainLoginModule required username=\"{secret}\" password={secret} x");
    let settings = [
        settings[0],
        settings[1],
        ("sasl.jaas.config", &broken),
        ("linger.ms", secret),
        ("acks", secret),
    ];
    let error = overrides(Client::Producer, &settings).unwrap_err();
    assert_eq!(error.problems.len(), 3, "{error}");
    assert!(!error.to_string().contains(secret) && !format!("{error:?}").contains(secret));
}
