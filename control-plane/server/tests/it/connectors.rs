//! Connectors, their configurations, states and plugins.

use reqwest::Method;
use serde_json::{Value, json};

use crate::cluster::{Cluster, source_config};
use crate::worker::{ScriptedWorker, WorkerOptions};

#[tokio::test]
async fn without_a_worker_a_creation_fails_at_once_and_says_why() {
    let cluster = Cluster::in_memory().await;
    let answer = cluster.create("c").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("retry-after")),
        (503, Some("1"))
    );
    assert!(
        answer.message().starts_with("No worker is connected"),
        "{}",
        answer.text
    );
    assert_eq!(cluster.get("/connector-plugins").await.text, "[]");
    cluster.stop().await;
}

#[tokio::test]
async fn a_class_that_no_worker_has_is_named_and_so_are_those_there_are() {
    let (cluster, _worker) = Cluster::with_worker().await;
    let request = json!({"name": "x", "config": {"connector.class": "JsonConverter"}});
    let answer = cluster.send_json(Method::POST, "/connectors", &request).await;
    let expected = "Failed to find any class that implements Connector and which name matches JsonConverter, available \
                    connectors are: PluginDesc{klass=class org.apache.kafka.connect.file.FileStreamSinkConnector, ";
    assert_eq!(answer.status.as_u16(), 400);
    assert!(answer.message().starts_with(expected), "{}", answer.text);
    cluster.stop().await;
}

#[tokio::test]
async fn a_worker_that_does_not_answer_or_goes_away_is_not_waited_for_when_another_can() {
    let cluster = Cluster::in_memory().await;
    let mute = WorkerOptions {
        answers: false,
        ..WorkerOptions::named("a-mute:8083")
    };
    let mute = ScriptedWorker::start(cluster.grpc, mute).await;
    let _other = cluster.join("b-other:8083").await;
    let creation = cluster.create("c");
    let crash = async {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        drop(mute);
    };
    let (created, ()) = tokio::join!(creation, crash);
    assert_eq!(created.status.as_u16(), 201, "{}", created.text);
    cluster.stop().await;
}

#[tokio::test]
async fn a_configuration_is_kept_exactly_as_it_was_submitted() {
    let (cluster, _worker) = Cluster::with_worker().await;
    let body = r#"{"topic":"t","z":"1","connector.class":"FileStreamSource","connection.password":"s3cret","a":1.50,
        "b":true,"nothing":null,"empty":"","ref":"${file:/x:key}"}"#;
    let created = cluster
        .send_text(Method::PUT, "/connectors/exact/config", body)
        .await;
    let expected = r#"{"topic":"t","z":"1","connector.class":"FileStreamSource","connection.password":"s3cret","a":"1.50","b":"true","nothing":null,"empty":"","ref":"${file:/x:key}","name":"exact"}"#;
    assert_eq!(created.body["config"].to_string(), expected);
    assert_eq!(cluster.get("/connectors/exact/config").await.text, expected);
    cluster.stop().await;
}

#[tokio::test]
async fn initial_states_are_kept_until_the_connector_is_resumed() {
    let (cluster, _worker) = Cluster::with_worker().await;
    for state in ["STOPPED", "paused"] {
        let request = json!({"name": state, "config": source_config(), "initial_state": state});
        assert_eq!(
            cluster
                .send_json(Method::POST, "/connectors", &request)
                .await
                .status
                .as_u16(),
            201
        );
        let path = format!("/connectors/{state}/status");
        let status = cluster
            .wait_for(&path, |status| {
                status.body["connector"]["state"] == state.to_uppercase()
            })
            .await;
        assert_eq!(status.body["tasks"], json!([]));
        assert_eq!(
            cluster
                .send(Method::PUT, &format!("/connectors/{state}/resume"))
                .await
                .status
                .as_u16(),
            202
        );
        cluster.wait_until_running(state, 1).await;
    }
    cluster.stop().await;
}

#[tokio::test]
async fn a_put_changes_the_configuration_and_keeps_the_target_state() {
    let (cluster, _worker) = Cluster::with_worker().await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    cluster.send(Method::PUT, "/connectors/c/pause").await;
    let mut config = source_config();
    config["topic"] = json!("other");
    let put = cluster
        .send_json(Method::PUT, "/connectors/c/config", &config)
        .await;
    assert_eq!(
        (put.status.as_u16(), &put.body["tasks"]),
        (200, &json!([{"connector": "c", "task": 0}]))
    );
    cluster
        .wait_for("/connectors/c/status", |status| {
            status.body["connector"]["state"] == "PAUSED"
        })
        .await;
    cluster.send(Method::PUT, "/connectors/c/resume").await;
    cluster
        .wait_for("/connectors/c/tasks", |tasks| {
            tasks.body[0]["config"]["topic"] == "other"
        })
        .await;
    cluster.stop().await;
}

#[tokio::test]
async fn patches_that_meet_are_all_applied() {
    let (cluster, _worker) = Cluster::with_worker().await;
    cluster.create("c").await;
    let patches = ["a", "b", "c"].map(|key| json!({key: "1"}));
    let path = "/connectors/c/config";
    let answers = tokio::join!(
        cluster.send_json(Method::PATCH, path, &patches[0]),
        cluster.send_json(Method::PATCH, path, &patches[1]),
        cluster.send_json(Method::PATCH, path, &patches[2]),
    );
    assert_eq!(
        [answers.0.status, answers.1.status, answers.2.status].map(|status| status.as_u16()),
        [200; 3]
    );
    let config = cluster.get(path).await.body;
    assert_eq!([&config["a"], &config["b"], &config["c"]], [&json!("1"); 3]);
    cluster
        .send_json(Method::PATCH, "/connectors/nope/config", &Value::Null)
        .await
        .assert_error(404, "Connector nope not found");
    cluster
        .send_json(Method::PATCH, path, &Value::Null)
        .await
        .assert_error(400, "The request body is missing or null");
    cluster.stop().await;
}

#[tokio::test]
async fn a_failed_task_is_shown_with_its_trace_and_restarts_alone() {
    let (cluster, worker) = Cluster::with_worker().await;
    let config = json!({"connector.class": "FileStreamSink", "file": "/no/such/dir/out", "topics": "t", "tasks.max": 2});
    cluster
        .send_json(Method::PUT, "/connectors/bad/config", &config)
        .await;
    let status = cluster
        .wait_for("/connectors/bad/status", |status| {
            status.body["tasks"][1]["state"] == "FAILED"
        })
        .await;
    assert_eq!(
        status.body["connector"]["state"], "RUNNING",
        "it is not failed because its tasks are"
    );
    assert!(
        status.body["tasks"][1]["trace"]
            .as_str()
            .unwrap()
            .contains("ConnectException")
    );
    assert!(status.body["connector"].get("trace").is_none());
    let before = worker.running();
    let restart = cluster
        .send(
            Method::POST,
            "/connectors/bad/restart?includeTasks=True&onlyFailed=true",
        )
        .await;
    assert_eq!(restart.status.as_u16(), 202);
    assert_eq!(restart.body["connector"]["state"], "RUNNING");
    assert_eq!(restart.body["tasks"][0]["state"], "RESTARTING");
    assert!(restart.body["tasks"][0]["trace"].is_string(), "of the run before");
    let restarted = |units: &std::collections::BTreeMap<_, u64>| {
        units.len() == 3
            && units
                .iter()
                .filter(|(unit, epoch)| before[*unit] != **epoch)
                .count()
                == 2
    };
    worker.wait_until_running(restarted).await;
    cluster.stop().await;
}

#[tokio::test]
async fn plugins_have_names_versions_and_keys() {
    let (cluster, _worker) = Cluster::with_worker().await;
    let path = |query: &str| format!("/connector-plugins/FileStreamSource/config{query}");
    assert_eq!(
        cluster.get(&path("")).await.text,
        cluster.get(&path("?version=4.3.1")).await.text
    );
    cluster.get(&path("?version=1.0")).await.assert_error(
        400,
        "Plugin org.apache.kafka.connect.file.FileStreamSourceConnector not found that matches the version range [1.0,1.0], \
         available versions: [4.3.1]",
    );
    cluster
        .get("/connector-plugins/nope.Nope/config")
        .await
        .assert_error(404, "Unknown plugin nope.Nope.");
    let both = cluster
        .get("/connector-plugins/JsonConverter/config?version=x")
        .await;
    assert!(
        both.message().ends_with("available versions: [4.3.1, 4.3.1]"),
        "{}",
        both.text
    );
    cluster.stop().await;
}

#[tokio::test]
async fn offsets_of_a_sink_are_those_of_its_group() {
    let (cluster, worker) = Cluster::with_worker().await;
    let config = json!({"connector.class": "FileStreamSink", "topics": "rec-topic"});
    cluster
        .send_json(Method::PUT, "/connectors/snk/config", &config)
        .await;
    let expected = r#"{"offsets":[{"partition":{"kafka_partition":0,"kafka_topic":"rec-topic"},"offset":{"kafka_offset":30}}]}"#;
    assert_eq!(cluster.get("/connectors/snk/offsets").await.text, expected);
    drop(worker);
    let gone = cluster
        .wait_for("/connectors/snk/offsets", |answer| answer.status.as_u16() == 503)
        .await;
    assert!(gone.header("retry-after").is_some());
    cluster.stop().await;
}
