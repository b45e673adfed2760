//! Client overrides: connector-config.md section 5.

use serde_json::{Value, json};
use towpath_runtime::validation::{Mode, OverridePolicy, WorkerDefaults};

use crate::fixture::{check, sink, source, source_config, source_on, worker};

fn all_clients() -> Value {
    json!({"producer.override.acks": "1", "consumer.override.fetch.min.bytes": "1", "admin.override.retries": "2"})
}

fn listed(mut more: Value, worker: &WorkerDefaults, kind: &str) -> Vec<String> {
    for (key, value) in all_clients().as_object().unwrap() {
        more[key] = value.clone();
    }
    let answer = match kind {
        "sink" => crate::fixture::sink_on(worker, more),
        _ => source_on(worker, more),
    };
    assert_eq!(answer.count(), 0);
    let names = answer.names();
    names
        .iter()
        .filter_map(|name| name.split_once(".override.").map(|(client, _)| client.to_owned()))
        .collect()
}

#[test]
fn only_the_clients_that_a_connector_uses_are_checked() {
    let standalone = WorkerDefaults {
        mode: Mode::Standalone,
        ..worker()
    };
    let exactly_once = WorkerDefaults {
        exactly_once_source: true,
        ..worker()
    };
    let topics = json!({"topics": "t"});
    let dead_letters = json!({"topics": "t", "errors.deadletterqueue.topic.name": "d"});
    let own_offsets = json!({"offsets.storage.topic": "mine"});
    for (more, worker, kind, expected) in [
        (json!({}), &worker(), "source", &["producer"][..]),
        (
            json!({"topic.creation.default.partitions": "1"}),
            &worker(),
            "source",
            &["producer", "admin"],
        ),
        (
            json!({"topic.creation.groups": ""}),
            &worker(),
            "source",
            &["producer", "admin"],
        ),
        (
            own_offsets.clone(),
            &worker(),
            "source",
            &["producer", "consumer", "admin"],
        ),
        (
            json!({}),
            &exactly_once,
            "source",
            &["producer", "consumer", "admin"],
        ),
        (own_offsets, &standalone, "source", &["producer"]),
        (topics, &worker(), "sink", &["consumer"]),
        (
            dead_letters,
            &worker(),
            "sink",
            &["producer", "consumer", "admin"],
        ),
    ] {
        assert_eq!(listed(more.clone(), worker, kind), expected, "{kind} {more}");
    }
}

#[test]
fn a_known_override_has_the_clients_definition() {
    let answer = source(json!({"producer.override.acks": "1"}));
    let definition = answer.key("producer.override.acks").definition.clone().unwrap();
    assert_eq!(
        serde_json::to_value(definition).unwrap(),
        json!({
            "name": "producer.override.acks", "type": "STRING", "required": false, "default_value": "all",
            "importance": "LOW", "documentation": "", "group": null, "order_in_group": -1, "width": "NONE",
            "display_name": "acks", "dependents": [],
        })
    );
    assert_eq!(answer.value("producer.override.acks"), Some("1"));
}

#[test]
fn unknown_overrides_nulls_and_secrets_are_listed_in_the_order_of_kafka_connect() {
    let answer = sink(json!({
        "topics": "t", "consumer.override.fetch.min.bytes": " 1 ", "consumer.override.foo": "z",
        "consumer.override.sasl.jaas.config": "s3cret", "consumer.override.ssl.key.password": null,
        "consumer.override.partition.assignment.strategy": "a, b", "consumer.override.key.deserializer": "some.Class",
    }));
    let shown: Vec<_> = answer
        .names_with("consumer.override.")
        .split_off(1)
        .into_iter()
        .map(|name| (name.trim_start_matches("consumer.override."), answer.value(name)))
        .collect();
    assert_eq!(
        shown,
        [
            ("key.deserializer", Some("some.Class")),
            ("ssl.key.password", None),
            ("sasl.jaas.config", Some("[hidden]")),
            ("partition.assignment.strategy", Some("a,b")),
            ("foo", Some("z")),
            ("fetch.min.bytes", Some("1")),
        ]
    );
    assert!(answer.key("consumer.override.foo").definition.is_none());
    assert_eq!(answer.count(), 1, "the null value");
}

#[test]
fn ranges_of_client_settings_are_not_checked() {
    assert_eq!(
        source(json!({"producer.override.linger.ms": "-5", "producer.override.acks": "q"})).count(),
        0
    );
}

#[test]
fn an_override_that_cannot_be_read_refuses_the_request() {
    let config = source_config(&json!({"producer.override.linger.ms": "abc"}));
    let refusal = check(&config, &worker()).unwrap_err();
    assert_eq!(refusal.status(), 400);
    assert_eq!(
        refusal.to_string(),
        "Invalid value abc for configuration linger.ms: Not a number of type LONG"
    );
    assert_eq!(
        source(json!({"consumer.override.max.poll.records": "abc"})).count(),
        0,
        "not used by this source"
    );
}

#[test]
fn policies_refuse_what_they_do_not_allow() {
    let overrides =
        json!({"producer.override.linger.ms": "5", "producer.override.sasl.jaas.config": "s3cret"});
    let errors = |policy: OverridePolicy| {
        let worker = WorkerDefaults {
            override_policy: policy,
            ..worker()
        };
        let answer = source_on(&worker, overrides.clone());
        assert_eq!(answer.count(), answer.all_errors().len());
        let (linger, jaas) = (
            answer.errors("producer.override.linger.ms"),
            answer.errors("producer.override.sasl.jaas.config"),
        );
        (linger.to_vec(), jaas.to_vec())
    };
    let refused = |policy: &str, key: &str| {
        vec![format!(
            "The '{policy}' policy does not allow '{key}' to be overridden in the connector configuration."
        )]
    };
    assert_eq!(errors(OverridePolicy::All), (vec![], vec![]));
    assert_eq!(
        errors(OverridePolicy::None),
        (refused("None", "linger.ms"), refused("None", "sasl.jaas.config"))
    );
    assert_eq!(
        errors(OverridePolicy::Principal),
        (refused("Principal", "linger.ms"), vec![])
    );
    assert_eq!(
        errors(OverridePolicy::Allowlist(vec!["linger.ms".to_owned()])),
        (vec![], refused("Allowlist", "sasl.jaas.config"))
    );
}
