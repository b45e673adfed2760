//! Producers of transactions.

use std::time::Duration;

use towpath_connect::ConfigMap;

use super::super::{Layer, Translated, translate_transactional};

fn transactional(settings: &[(&str, &str)]) -> Translated {
    let map: ConfigMap = settings.iter().copied().collect();
    let defaults = [("acks", "all"), ("delivery.timeout.ms", "2147483647")];
    let layers = [Layer {
        prefix: "producer.override.",
        settings: &map,
    }];
    translate_transactional("g-c-0", &defaults, &layers).unwrap()
}

#[test]
fn transactions_have_what_they_ask_for_whatever_the_user_chose() {
    let against = [
        ("transactional.id", "mine"),
        ("enable.idempotence", "false"),
        ("acks", "1"),
        ("retries", "0"),
        ("max.in.flight.requests.per.connection", "6"),
    ];
    let done = transactional(&against);
    for (name, value) in [
        ("transactional.id", "g-c-0"),
        ("enable.idempotence", "true"),
        ("acks", "-1"),
        ("max.in.flight.requests.per.connection", "5"),
    ] {
        assert_eq!(done.librdkafka.get(name), Some(value), "{name}");
    }
    assert_eq!(done.librdkafka.get("message.send.max.retries"), None);
    for (key, _) in against {
        let key = format!("producer.override.{key}");
        assert!(done.warnings.iter().any(|warning| warning.key == key), "{key}");
    }
    assert!(transactional(&[("acks", "all")]).warnings.is_empty());
}

#[test]
fn neither_a_record_nor_a_request_outlives_its_transaction() {
    let done = transactional(&[]);
    assert_eq!(done.librdkafka.get("transaction.timeout.ms"), Some("60000"));
    assert_eq!(done.librdkafka.get("message.timeout.ms"), Some("60000"));
    assert_eq!(done.ours.transaction_timeout, Duration::from_secs(60));
    let short = [
        ("transaction.timeout.ms", "9000"),
        ("request.timeout.ms", "20000"),
        ("linger.ms", "10000"),
    ];
    let done = transactional(&short);
    for name in [
        "transaction.timeout.ms",
        "message.timeout.ms",
        "socket.timeout.ms",
    ] {
        assert_eq!(done.librdkafka.get(name), Some("9000"), "{name}");
    }
    assert_eq!(done.librdkafka.get("linger.ms"), Some("4500"));
    let done = transactional(&[("delivery.timeout.ms", "5000")]);
    assert_eq!(done.librdkafka.get("message.timeout.ms"), Some("5000"));
}
