//! A worker that is frozen for longer than Kafka keeps its transaction open.

use reqwest::Method;
use serde_json::json;
use towpath_testkit::{Service, Services, wait_until};

use super::{PATIENCE, committed, lines, source, unique, wait_position};
use crate::cluster::Cluster;

/// Everything is one transaction until the task is paused, and Kafka does not wait for that.
fn one_transaction() -> serde_json::Value {
    json!({
        "transaction.boundary": "interval",
        "transaction.boundary.interval.ms": "600000",
        "producer.override.transaction.timeout.ms": "5000",
    })
}

/// What Kafka says of the transaction of the connector's task.
async fn is_over(services: &Services, connector: &str) -> bool {
    let id = format!("e2e-{connector}-0");
    let arguments = ["TransactionsCommand", "describe", "--transactional-id", &id];
    let described = services.tool(Service::Kafka, &arguments).await.unwrap();
    described.contains("CompleteAbort")
}

/// With a worker that is frozen after it has sent, and whose transaction Kafka has given up.
async fn frozen(services: &Services, name: &str, arguments: &'static [&'static str]) -> Cluster {
    let topic = format!("{name}-offsets");
    let place = ("enabled", topic.as_str());
    let cluster = Cluster::start_exactly_once_with(services.kafka_bootstrap(), place, arguments).await;
    let input = cluster.file("in.txt");
    std::fs::write(&input, lines(0..100)).unwrap();
    let mut config = source(&input, name);
    crate::news::merge(&mut config, one_transaction());
    cluster.rest.create(name, config).await;
    cluster.rest.wait_running(name, 1).await;
    let is_sent = || async {
        let arguments = ["GetOffsetShell", "--topic", name];
        let end = services
            .tool(Service::Kafka, &arguments)
            .await
            .unwrap_or_default();
        // With the mark of the abort, if Kafka was faster than the tool.
        end.trim().ends_with(":100") || end.trim().ends_with(":101")
    };
    // Nothing of it is committed: Kafka has the records, its readers do not.
    wait_until("the lines to be sent", PATIENCE, is_sent)
        .await
        .unwrap();
    cluster.workers[0].pause().unwrap();
    wait_until("Kafka to abort the transaction", PATIENCE, || {
        is_over(services, name)
    })
    .await
    .unwrap();
    cluster
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_whose_transaction_has_expired_fails_with_advice_and_repeats_nothing_when_it_is_restarted() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let name = unique("eos-expired");
    // Nobody takes the worker for dead.
    let cluster = frozen(&services, &name, &["--lease-ms=600000"]).await;
    cluster.workers[0].resume().unwrap();
    let rest = &cluster.rest;
    let path = format!("/connectors/{name}");
    assert_eq!(
        rest.call(Method::PUT, &format!("{path}/pause"), None).await.0,
        202
    );
    let has_failed = || async {
        rest.states(&name)
            .await
            .is_some_and(|(_, tasks)| tasks == ["FAILED"])
    };
    wait_until("the task to fail", PATIENCE, has_failed)
        .await
        .unwrap();
    let trace = rest.traces(&name).await;
    let advice = format!(
        "The task {name}-0 was unable to finish writing records to Kafka before its producer transaction expired."
    );
    assert!(trace.contains(&advice), "{trace}");

    assert_eq!(
        rest.call(Method::PUT, &format!("{path}/resume"), None).await.0,
        202
    );
    finish_in_small_transactions(&services, &cluster, &name).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_taken_for_dead_meanwhile_begins_anew_and_repeats_nothing() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let name = unique("eos-late");
    let cluster = frozen(&services, &name, &[]).await;
    let is_dead = || async {
        let states = cluster.rest.states(&name).await;
        states.is_some_and(|(_, tasks)| tasks == ["UNASSIGNED"])
    };
    wait_until("the worker to be taken for dead", PATIENCE, is_dead)
        .await
        .unwrap();
    cluster.workers[0].resume().unwrap();
    cluster.rest.wait_running(&name, 1).await;
    finish_in_small_transactions(&services, &cluster, &name).await;
}

/// With a configuration that Kafka's patience is long enough for: each line is there once.
async fn finish_in_small_transactions(services: &Services, cluster: &Cluster, name: &str) {
    let path = format!("/connectors/{name}/config");
    let config = json!({ "transaction.boundary": "poll" });
    let (status, answer) = cluster.rest.call(Method::PATCH, &path, Some(&config)).await;
    assert_eq!(status, 200, "{answer}");
    wait_position(cluster, name, lines(0..100).len()).await;
    let seen = committed(services, name, 100).await;
    assert!(seen.iter().copied().eq(0..100), "{} lines: {seen:?}", seen.len());
}
