//! Settings that cannot work are errors that name the key, for every sort of client.

use towpath_connect::ConfigMap;
use towpath_runtime::clients::{ClientError, KafkaClients};

use crate::support::{clients, map, owner, topics, unique};

#[tokio::test]
async fn a_setting_that_cannot_work_is_named_as_it_was_written() {
    let worker = [
        ("producer.acks", "some"),
        ("consumer.sasl.mechanism", "GSSAPI"),
        ("consumer.security.protocol", "SASL_PLAINTEXT"),
        ("admin.retry.backoff.ms", "soon"),
    ];
    let clients = clients("127.0.0.1:1", &worker);
    let subscription = topics(&[&unique("none")]);
    let owner = owner("c", &[("request.timeout.ms", "later")]);
    let producer = clients.producer(&owner).await.err().unwrap();
    let consumer = clients.consumer(&owner, &subscription).await.err().unwrap();
    let admin = clients
        .admin(&map(&[("request.timeout.ms", "later")]))
        .err()
        .unwrap();
    let expected = [
        (
            producer,
            ["`producer.acks`", "`producer.override.request.timeout.ms`"],
        ),
        (
            consumer,
            [
                "`consumer.sasl.mechanism`",
                "`consumer.override.request.timeout.ms`",
            ],
        ),
        (
            admin,
            ["`admin.retry.backoff.ms`", "`admin.override.request.timeout.ms`"],
        ),
    ];
    for (error, keys) in expected {
        let ClientError::Config(text) = &error else {
            panic!("unexpected {error:?}")
        };
        assert!(keys.iter().all(|key| text.contains(key)), "{text}");
    }
}

#[tokio::test]
async fn a_workers_own_settings_are_the_admin_clients_but_not_the_tasks() {
    let worker = [("security.protocol", "NONSENSE")];
    let clients = clients("127.0.0.1:1", &worker);
    let error = clients.admin(&ConfigMap::new()).err().unwrap().to_string();
    assert!(error.contains("`security.protocol`"), "{error}");
    clients.producer(&owner("c", &[])).await.unwrap();
}
