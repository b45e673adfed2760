//! What `validate` and a start say of a configuration that the database does not go along with.

use towpath_connect::config_def::KeyResult;
use towpath_connect::error::Chain;
use towpath_connect::{ConfigMap, ErrorKind};

use crate::databases::{MariaDb, Postgres, Sqlite};
use crate::pipeline::{AIVEN, CONFLUENT, Pipeline, config, connector};

/// Keys with their messages, as the REST API would answer.
async fn messages_of(class: &str, config: &ConfigMap) -> Vec<(String, String)> {
    let plugin = towpath_jdbc::plugins()
        .into_iter()
        .find(|plugin| plugin.class == class)
        .unwrap();
    let mut results: Vec<KeyResult> = (plugin.config_def)().validate(config);
    connector(class).validate(config, &mut results).await;
    let errors = results.into_iter().flat_map(|result| {
        let name = result.name;
        result.errors.into_iter().map(move |error| (name.clone(), error))
    });
    errors.collect()
}

async fn messages(config: &ConfigMap) -> Vec<(String, String)> {
    messages_of(CONFLUENT, config).await
}

fn wrong_login(url: &str) -> ConfigMap {
    config(
        url,
        &[("connection.user", "app"), ("connection.password", "hush-hush")],
    )
}

#[tokio::test]
async fn a_configuration_that_works_has_no_messages() {
    let (mariadb, postgres, sqlite) = (
        MariaDb::create().await,
        Postgres::create().await,
        Sqlite::create(),
    );
    sqlite.run("CREATE TABLE t (id INTEGER)");
    for url in [mariadb.url(), postgres.url(), sqlite.url()] {
        assert_eq!(messages(&config(&url, &[])).await, [], "without any filter");
        let query = [("query", "SELECT 1 AS id"), ("topic.prefix", "q")];
        assert_eq!(messages(&config(&url, &query)).await, []);
        assert_eq!(messages_of(AIVEN, &config(&url, &[])).await, []);
        assert_eq!(
            messages(&config(&url, &[("table.whitelist", "not_there_yet")])).await,
            []
        );
    }
}

#[tokio::test]
async fn a_wrong_password_is_told_without_the_password() {
    let (mariadb, postgres) = (MariaDb::create().await, Postgres::create().await);
    for url in [mariadb.url(), postgres.url()] {
        let config = wrong_login(&url);
        let messages = messages(&config).await;
        let [(key, message)] = &messages[..] else {
            panic!("{messages:?}");
        };
        assert_eq!(key, "connection.url");
        assert!(
            message.contains("user \"app\"") && message.contains("connection.password"),
            "{message}"
        );
        let error = Pipeline::start_connector(CONFLUENT, &config, &Default::default())
            .await
            .err()
            .unwrap();
        assert_eq!(error.kind(), ErrorKind::External);
        let text = Chain(&error).to_string();
        for text in [message, &text] {
            assert!(!text.contains("hush") && !text.contains("secret"), "{text}");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_and_a_database_that_is_not_there_are_told() {
    let port = towpath_testkit::free_port().unwrap();
    let (mariadb, postgres) = (MariaDb::create().await, Postgres::create().await);
    let elsewhere = |url: String, name: &str| url.replace(name, "no_such_database");
    for (url, expected) in [
        (format!("jdbc:mysql://127.0.0.1:{port}/db"), "does not answer"),
        (
            format!("jdbc:postgresql://127.0.0.1:{port}/db"),
            "does not answer",
        ),
        (elsewhere(mariadb.url(), &mariadb.name), "no such database"),
        (elsewhere(postgres.url(), &postgres.name), "no such database"),
        ("jdbc:sqlite:/no/such/file.db".to_owned(), "does not answer"),
        (mariadb.url_with("&sslMode=REQUIRED"), "it has no TLS"),
        (postgres.url_with("&sslmode=require"), "it has no TLS"),
    ] {
        let messages = messages(&config(&url, &[])).await;
        let [(key, message)] = &messages[..] else {
            panic!("{url}: {messages:?}");
        };
        assert_eq!(key, "connection.url");
        assert!(
            message.contains(expected) && !message.contains("secret"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_query_with_a_mistake_is_told_unless_it_is_masked() {
    let (mariadb, postgres, sqlite) = (
        MariaDb::create().await,
        Postgres::create().await,
        Sqlite::create(),
    );
    for url in [mariadb.url(), postgres.url(), sqlite.url()] {
        for key in ["query", "query.masked"] {
            let messages = messages(&config(
                &url,
                &[(key, "SELECT * FROM nowhere_hush"), ("topic.prefix", "q")],
            ))
            .await;
            let [(found, message)] = &messages[..] else {
                panic!("{messages:?}");
            };
            assert_eq!(found, key);
            assert_eq!(message.contains("nowhere_hush"), key == "query", "{message}");
        }
    }
}

#[tokio::test]
async fn every_problem_is_told_at_once() {
    let db = MariaDb::create().await;
    let entries = [
        ("mode", "timestamp"),
        ("table.whitelist", "a"),
        ("table.blacklist", "b"),
        ("batch.max.rows", "many"),
        ("connection.password", "hush-hush"),
    ];
    let messages = messages(&config(&db.url(), &entries)).await;
    let mut keys: Vec<&str> = messages.iter().map(|(key, _)| key.as_str()).collect();
    keys.dedup();
    assert_eq!(
        keys,
        [
            "connection.url",
            "table.blacklist",
            "timestamp.column.name",
            "batch.max.rows"
        ]
    );
    assert!(!format!("{messages:?}").contains("hush"));

    let empty = ConfigMap::new();
    let keys = |messages: Vec<(String, String)>| {
        let mut keys: Vec<String> = messages.into_iter().map(|(key, _)| key).collect();
        keys.dedup();
        keys
    };
    assert_eq!(
        keys(messages_of(CONFLUENT, &empty).await),
        ["connection.url", "mode"]
    );
    assert_eq!(
        keys(messages_of(AIVEN, &empty).await),
        ["connection.url", "mode", "topic.prefix"]
    );
    let broken = config("jdbc:oracle:thin:@h:1521/x", &[("mode", "timestamp")]);
    assert_eq!(
        keys(messages_of(CONFLUENT, &broken).await),
        ["connection.url", "timestamp.column.name"]
    );
}

#[tokio::test]
async fn offsets_of_another_shape_cannot_be_set() {
    let map = |json: &str| serde_json::from_str(json).unwrap();
    let mut connector = connector(CONFLUENT);
    let config = config("jdbc:sqlite:/x.db", &[]);
    let partition = map(r#"{"protocol":"1","table":"a.b"}"#);
    let fine = [
        (Some(partition), Some(map(r#"{"incrementing":5}"#))),
        (Some(map(r#"{"topic":"a"}"#)), None),
    ];
    assert!(connector.alter_offsets(&config, &fine).await.unwrap());
    let wrong = [(Some(map(r#"{"topic":"a"}"#)), Some(map(r#"{"incrementing":5}"#)))];
    let error = connector.alter_offsets(&config, &wrong).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    connector.stop().await;
}
