//! What users get wrong, and what is large: each gets the contract's answer or works.

use std::process::Command;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use towpath_testkit::{Process, Service, Services, binary, wait_until};

use crate::cluster::Cluster;
use crate::news::{News, merge};

const PATIENCE: Duration = Duration::from_secs(60);

fn message(body: &Value) -> &str {
    body["message"].as_str().unwrap_or_default()
}

async fn refused(cluster: &Cluster, config: Value) -> String {
    let document = json!({ "name": "refused", "config": config });
    let (status, body) = cluster
        .rest
        .call(Method::POST, "/connectors", Some(&document))
        .await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
    assert_eq!(body["error_code"], 400);
    message(&body).to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistyped_log_level_silences_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for (name, arguments) in [
        ("towpath", &["dev"][..]),
        ("towpath-worker", &["worker.properties"]),
        ("towpath-control-plane", &[]),
    ] {
        let mut command = Command::new(binary(name).unwrap());
        command.args(arguments).env("TOWPATH_LOG", "inof");
        let mut process = Process::spawn(command, folder.path().join(name)).unwrap();
        let ended = process.wait(PATIENCE).await.unwrap();
        let told = process.output().unwrap();
        assert!(!ended.success(), "{name}");
        assert!(
            told.contains("`inof` says nothing about what to log"),
            "{name}: {told}"
        );
        assert!(
            told.contains("TOWPATH_LOG") || told.contains("--log"),
            "{name}: {told}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_in_the_words_of_the_contract() {
    let services = Services::require(&[Service::Kafka, Service::MariaDb])
        .await
        .unwrap();
    let news = News::create(&services, "news_refused", 3).await;
    let cluster = Cluster::start(services.kafka_bootstrap(), 1).await;

    let mut wrong_password = news.source("refused-");
    merge(
        &mut wrong_password,
        json!({ "connection.password": "hunter2-wrong" }),
    );
    let text = refused(&cluster, wrong_password).await;
    assert!(
        text.starts_with("Connector configuration is invalid and contains the following"),
        "{text}"
    );
    assert!(text.contains("connection") && !text.contains("hunter2"), "{text}");

    let unknown = refused(&cluster, json!({ "connector.class": "nope.Nope" })).await;
    assert!(
        unknown.starts_with(
            "Failed to find any class that implements Connector and which name matches nope.Nope"
        )
    );

    let missing = refused(
        &cluster,
        json!({ "connector.class": "FileStreamSource", "file": "x" }),
    )
    .await;
    assert!(
        missing.contains("Missing required configuration \"topic\" which has no default value."),
        "{missing}"
    );

    let (status, body) = cluster.rest.post_text("/connectors", "{\"name\": broken").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(message(&body).starts_with("Malformed JSON"), "{body}");
    assert!(!cluster.logs().contains("hunter2"), "the password is in a log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_is_not_there_yet_is_waited_for() {
    let services = Services::require(&[Service::Kafka, Service::MariaDb])
        .await
        .unwrap();
    let news = News::create(&services, "news_missing", 1).await;
    let cluster = Cluster::start(services.kafka_bootstrap(), 1).await;
    let mut config = news.source("missing-");
    merge(
        &mut config,
        json!({ "table.include.list": "not_there", "table.poll.interval.ms": "500" }),
    );
    cluster.rest.create("missing", config).await;
    let warned = || async { cluster.logs().contains("not_there") };
    wait_until("a warning that names the table", PATIENCE, warned)
        .await
        .unwrap();
    news.create_table(&services, "not_there").await;
    news.insert(&services, "not_there", 1, 3).await;
    let used = || async {
        cluster.rest.get("/connectors/missing/topics").await["missing"]["topics"]
            == json!(["missing-not_there"])
    };
    wait_until("its rows in Kafka", PATIENCE, used).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_with_a_slash_and_a_blank_is_served_like_any_other() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let cluster = Cluster::start(services.kafka_bootstrap(), 1).await;
    let config = json!({ "connector.class": "FileStreamSink", "topics": "slash-topic", "file": cluster.file("out.txt") });
    cluster.rest.create("with/slash and blank", config).await;
    let path = "/connectors/with%2Fslash%20and%20blank";
    cluster.rest.wait_running("with%2Fslash%20and%20blank", 1).await;
    assert_eq!(cluster.rest.get(path).await["name"], "with/slash and blank");
    let (status, _) = cluster.rest.call(Method::DELETE, path, None).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_of_a_megabyte_comes_back_as_it_was() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let cluster = Cluster::start(services.kafka_bootstrap(), 1).await;
    let mut config = json!({
        "connector.class": "FileStreamSink", "topics": "large-topic", "file": cluster.file("out.txt"),
        "a.large.key": "x".repeat(1_000_000),
    });
    cluster.rest.create("large", config.clone()).await;
    merge(&mut config, json!({ "name": "large" }));
    assert_eq!(cluster.rest.get("/connectors/large/config").await, config);
    cluster.rest.wait_running("large", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_connectors_in_a_loop_all_run() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let cluster = Cluster::start(services.kafka_bootstrap(), 1).await;
    for number in 0..200 {
        let config = json!({
            "connector.class": "FileStreamSource", "topic": "many", "file": cluster.file(&format!("{number}.txt")),
        });
        cluster.rest.create(&format!("many-{number}"), config).await;
    }
    let all_run = || async {
        let all = cluster.rest.get("/connectors?expand=status").await;
        let is_running = |entry: &Value| entry["status"]["tasks"][0]["state"] == "RUNNING";
        all.as_object()
            .is_some_and(|all| all.len() == 200 && all.values().all(is_running))
    };
    wait_until("all tasks to be RUNNING", PATIENCE, all_run)
        .await
        .unwrap();
    assert_eq!(
        cluster.rest.get("/connectors").await.as_array().map(Vec::len),
        Some(200)
    );
}
