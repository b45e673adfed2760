//! Altering and resetting offsets: what is asked of a worker, and what is kept.

use reqwest::Method;
use serde_json::{Value, json};
use towpath_wire::v1;
use towpath_wire::v1::connectors_client::ConnectorsClient;

use crate::cluster::{Answer, Cluster};

const OFFSETS: &str = "/connectors/c/offsets";
const STOP_FIRST: &str = "Connectors must be in the STOPPED state before their offsets can be modified. This can be done \
    for the specified connector by issuing a 'PUT' request to the '/connectors/c/stop' endpoint";

fn one(partition: Value, offset: Value) -> Value {
    json!({"offsets": [{"partition": partition, "offset": offset}]})
}

async fn alter(cluster: &Cluster, body: &Value) -> Answer {
    cluster.send_json(Method::PATCH, OFFSETS, body).await
}

/// With a connector that was told to stop.
async fn stopping() -> (Cluster, crate::worker::ScriptedWorker) {
    let (cluster, worker) = Cluster::with_worker().await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    let stopped = cluster.send(Method::PUT, "/connectors/c/stop").await;
    assert_eq!(stopped.status.as_u16(), 204);
    (cluster, worker)
}

#[tokio::test]
async fn offsets_are_changed_as_soon_as_the_last_task_has_stopped() {
    let (cluster, _worker) = stopping().await;
    // No look at the status in between: the request waits for the task.
    let changed = alter(&cluster, &one(json!({"b": 1, "a": 2}), json!({"n": 1}))).await;
    assert_eq!(
        (changed.status.as_u16(), changed.text.as_str()),
        (
            200,
            r#"{"message":"The offsets for this connector have been altered successfully"}"#
        )
    );
    assert_eq!(
        cluster.get(OFFSETS).await.text,
        r#"{"offsets":[{"partition":{"b":1,"a":2},"offset":{"n":1}}]}"#
    );
    let changed = alter(&cluster, &one(json!({"a": 2, "b": 1}), Value::Null)).await;
    assert_eq!(changed.status.as_u16(), 200, "{}", changed.text);
    assert_eq!(cluster.get(OFFSETS).await.body, json!({"offsets": []}));
    cluster.stop().await;
}

#[tokio::test]
async fn a_reset_removes_all_and_says_what_is_left_to_be_done() {
    let (cluster, _worker) = stopping().await;
    alter(&cluster, &one(json!({"a": 1}), json!({"n": 1}))).await;
    let reset = cluster.send(Method::DELETE, OFFSETS).await;
    assert_eq!(reset.status.as_u16(), 200);
    assert_eq!(
        reset.message(),
        "The Connect framework-managed offsets for this connector have been reset successfully. However, if this \
         connector manages offsets externally, they will need to be manually reset in the system that the connector uses."
    );
    assert_eq!(cluster.get(OFFSETS).await.body, json!({"offsets": []}));
    cluster.stop().await;
}

#[tokio::test]
async fn what_the_connector_refuses_changes_nothing() {
    let (cluster, _worker) = stopping().await;
    alter(&cluster, &one(json!({"a": 1}), json!({"n": 1}))).await;
    let refused = alter(&cluster, &one(json!({"refused": 1}), json!({"n": 1}))).await;
    refused.assert_error(500, "the connector does not like it");
    assert_eq!(
        cluster.get(OFFSETS).await.body,
        one(json!({"a": 1}), json!({"n": 1}))
    );
    cluster.stop().await;
}

#[tokio::test]
async fn only_a_stopped_connector_that_is_there_has_its_offsets_changed() {
    let (cluster, _worker) = Cluster::with_worker().await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    let change = one(json!({}), json!({}));
    alter(&cluster, &change).await.assert_error(400, STOP_FIRST);
    cluster.send(Method::PUT, "/connectors/c/pause").await;
    let reset = cluster.send(Method::DELETE, OFFSETS).await;
    reset.assert_error(400, STOP_FIRST);
    for body in ["{}", r#"{"offsets":[]}"#] {
        // Before the connector is looked up.
        let empty = cluster
            .send_text(Method::PATCH, "/connectors/nope/offsets", body)
            .await;
        empty.assert_error(
            400,
            "Partitions / offsets need to be provided for an alter offsets request",
        );
    }
    let unknown = cluster
        .send_json(Method::PATCH, "/connectors/nope/offsets", &change)
        .await;
    unknown.assert_error(404, "Connector nope not found");
    cluster.stop().await;
}

#[tokio::test]
async fn without_a_worker_nothing_is_changed() {
    let (cluster, worker) = stopping().await;
    alter(&cluster, &one(json!({"a": 1}), json!({"n": 1}))).await;
    drop(worker);
    cluster
        .wait_for("/connectors/c/status", |status| {
            status.body["connector"]["state"] == "UNASSIGNED"
        })
        .await;
    let reset = cluster.send(Method::DELETE, OFFSETS).await;
    assert_eq!(reset.status.as_u16(), 503, "{}", reset.text);
    assert_eq!(
        cluster.get(OFFSETS).await.body,
        one(json!({"a": 1}), json!({"n": 1}))
    );
    cluster.stop().await;
}

#[tokio::test]
async fn grpc_changes_offsets_too() {
    let (cluster, _worker) = stopping().await;
    let mut client = ConnectorsClient::connect(format!("http://{}", cluster.grpc))
        .await
        .unwrap();
    let request = v1::AlterOffsetsRequest {
        name: "c".to_owned(),
        offsets: vec![v1::Offset {
            partition_json: r#"{"a":1}"#.to_owned(),
            offset_json: Some(r#"{"n":1}"#.to_owned()),
        }],
    };
    let altered = client.alter_offsets(request).await.unwrap().into_inner();
    assert!(altered.message.contains("altered"), "{}", altered.message);
    assert_eq!(
        cluster.get(OFFSETS).await.body,
        one(json!({"a": 1}), json!({"n": 1}))
    );
    let request = v1::ResetOffsetsRequest { name: "c".to_owned() };
    let reset = client.reset_offsets(request.clone()).await.unwrap().into_inner();
    assert!(reset.message.contains("reset"), "{}", reset.message);
    cluster.send(Method::PUT, "/connectors/c/resume").await;
    let refused = client.reset_offsets(request).await.unwrap_err();
    assert_eq!(
        (refused.code(), refused.message()),
        (tonic::Code::FailedPrecondition, STOP_FIRST)
    );
    cluster.stop().await;
}
