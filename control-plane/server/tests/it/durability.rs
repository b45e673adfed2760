//! A control plane that is stopped and started again from its data directory.

use std::sync::Arc;

use reqwest::Method;
use serde_json::json;
use towpath_raft::{ClusterStore as _, MemoryStore, Reads as _, Role};
use towpath_state::{ClusterState, SourceOffset, SourcePartition};
use towpath_types::ConnectorName;

use crate::cluster::Cluster;
use crate::worker::{ScriptedWorker, WorkerOptions};

#[tokio::test]
async fn everything_is_there_after_a_restart_and_units_that_still_run_are_not_disturbed() {
    let data = tempfile::tempdir().unwrap();
    let cluster = Cluster::on_disk(data.path()).await;
    let worker = cluster.join("worker-1:8083").await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    cluster.create("stopped").await;
    cluster.send(Method::PUT, "/connectors/stopped/stop").await;
    cluster
        .wait_for("/connectors/stopped/status", |status| {
            status.body["tasks"] == json!([])
        })
        .await;
    cluster
        .wait_for("/connectors/c/topics", |topics| {
            topics.body["c"]["topics"] == json!(["rec-topic"])
        })
        .await;
    let before = cluster.get("/connectors?expand=info").await;
    cluster.stop().await;
    let running = worker.crash();

    let cluster = Cluster::on_disk(data.path()).await;
    let after = cluster
        .wait_for("/connectors?expand=info", |answer| answer.status.as_u16() == 200)
        .await;
    assert_eq!(after.text, before.text);
    assert_eq!(
        cluster.get("/connectors/c/status").await.body["tasks"][0]["state"],
        "RUNNING",
        "within the lease"
    );
    let options = WorkerOptions {
        running: running.clone(),
        ..WorkerOptions::named("worker-1:8083")
    };
    let again = ScriptedWorker::start(cluster.grpc, options).await;
    cluster.create("new").await;
    cluster.wait_until_running("new", 1).await;
    for (unit, epoch) in running {
        assert_eq!(
            (again.running().get(&unit), again.starts(&unit)),
            (Some(&epoch), 0),
            "{unit}"
        );
    }
    cluster.stop().await;
}

#[tokio::test]
async fn a_given_store_is_used_with_what_it_holds_and_shut_down_at_the_end() {
    let state = ClusterState::with_source_offsets([(
        ConnectorName::new("c").unwrap(),
        SourcePartition::parse(r#"{"filename":"/data/in.txt"}"#).unwrap(),
        SourceOffset::parse(r#"{"position":10}"#).unwrap(),
    )]);
    let store = Arc::new(MemoryStore::new(state));
    let cluster = Cluster::on(Arc::clone(&store) as _).await;
    let _worker = cluster.join("worker-1:8083").await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    assert_eq!(
        cluster.get("/connectors/c/offsets").await.text,
        r#"{"offsets":[{"partition":{"filename":"/data/in.txt"},"offset":{"position":10}}]}"#
    );
    assert!(store.read_local(|state| state.connector_info("c").is_some()));
    cluster.stop().await;
    assert_eq!(store.metrics().borrow().role, Role::Stopped);
}

#[tokio::test]
async fn a_worker_that_does_not_come_back_after_a_restart_is_expired_one_lease_later() {
    let data = tempfile::tempdir().unwrap();
    let cluster = Cluster::on_disk(data.path()).await;
    let worker = cluster.join("worker-1:8083").await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    cluster.stop().await;
    drop(worker);

    let cluster = Cluster::on_disk(data.path()).await;
    let other = cluster.join("worker-2:8083").await;
    other.wait_until_running(|units| units.len() == 2).await;
    let status = cluster.wait_until_running("c", 1).await;
    assert_eq!(status.body["connector"]["worker_id"], "worker-2:8083");
    cluster.stop().await;
}
