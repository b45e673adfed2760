//! Moves: a worker is drained, stops, or is killed. Records are processed by whoever has the unit, once if it was planned.

use std::time::Duration;

use serde_json::Value;
use towpath_testkit::{Service, Services, wait_until, wait_until_eq};

use crate::cluster::Cluster;
use crate::numbers::{Arrivals, Numbers, connector, of_this_run};

const PATIENCE: Duration = Duration::from_secs(60);
/// So many numbers have to come through before the next thing happens: everything is under load then.
const SOME: usize = 300;

/// Two workers with a source of numbers and a sink of them, under load.
async fn under_load(services: &Services, name: &str) -> (Cluster, Numbers, Arrivals) {
    let topic = of_this_run(name);
    let cluster = Cluster::start(services.kafka_bootstrap(), 2).await;
    wait_until_eq("both workers", PATIENCE, 2, || async {
        workers(&cluster).await.len()
    })
    .await
    .unwrap();
    let (input, output) = (cluster.file("in.txt"), cluster.file("out.txt"));
    let numbers = Numbers::write_to(&input);
    let source = connector("FileStreamSource", &input, ("topic", &topic));
    let mut sink = connector("FileStreamSink", &output, ("topics", &topic));
    // Longer than a test waits: nothing goes on because the group has given a member up.
    for key in ["session.timeout.ms", "max.poll.interval.ms"] {
        sink[format!("consumer.override.{key}")] = "600000".into();
    }
    cluster.rest.create(&format!("{topic}-source"), source).await;
    cluster.rest.create(&format!("{topic}-sink"), sink).await;
    for kind in ["source", "sink"] {
        cluster.rest.wait_running(&format!("{topic}-{kind}"), 1).await;
    }
    let arrivals = Arrivals::at(&output);
    arrivals.grow_by(SOME).await;
    (cluster, numbers, arrivals)
}

async fn workers(cluster: &Cluster) -> Vec<Value> {
    let (_, stdout, stderr) = cluster.kcctl(&["get", "workers", "-o", "json"]).await;
    serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {stdout}{stderr}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drain_under_load_loses_nothing_and_repeats_nothing() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let (cluster, numbers, arrivals) = under_load(&services, "drained").await;
    for (drained, other) in [
        ("worker-0:8083", "worker-1:8083"),
        ("worker-1:8083", "worker-0:8083"),
    ] {
        let (code, stdout, stderr) = cluster.kcctl(&["worker", "drain", drained]).await;
        assert_eq!(code, Some(0), "{stdout}{stderr}");
        assert!(
            stdout.ends_with(&format!("Drained worker {drained}\n")),
            "{stdout}"
        );
        for name in ["source", "sink"].map(|kind| format!("{}-{kind}", of_this_run("drained"))) {
            cluster.rest.wait_running(&name, 1).await;
            let status = cluster.rest.get(&format!("/connectors/{name}/status")).await;
            assert_eq!(status["tasks"][0]["worker_id"], other);
        }
        arrivals.grow_by(SOME).await;
        let (code, ..) = cluster.kcctl(&["worker", "undrain", drained]).await;
        assert_eq!(code, Some(0));
    }
    arrivals.are_exactly(numbers.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_stopped_under_load_loses_nothing_and_repeats_nothing() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let (mut cluster, numbers, arrivals) = under_load(&services, "stopped").await;
    cluster.stop_worker(1).await;
    arrivals.grow_by(SOME).await;
    // It comes back, and the other one, which has everything now, goes.
    cluster.add_worker();
    wait_until_eq("both workers", PATIENCE, 2, || async {
        workers(&cluster).await.len()
    })
    .await
    .unwrap();
    arrivals.grow_by(SOME).await;
    cluster.stop_worker(0).await;
    arrivals.grow_by(SOME).await;
    arrivals.are_exactly(numbers.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_had_goes_on_elsewhere_and_waits_for_no_session_of_kafkas() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let (mut cluster, numbers, arrivals) = under_load(&services, "killed").await;
    for killed in [0, 1] {
        cluster.workers[killed].kill().unwrap();
        // More than can be on its way when the worker dies.
        arrivals.grow_by(10 * SOME).await;
        cluster.add_worker();
        wait_until_eq("both workers", PATIENCE, 2, || async {
            workers(&cluster).await.len()
        })
        .await
        .unwrap();
    }
    arrivals.hold_all(numbers.stop().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_selector_chooses_workers_by_their_labels() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let cluster = Cluster::start(services.kafka_bootstrap(), 2).await;
    wait_until_eq("both workers", PATIENCE, 2, || async {
        workers(&cluster).await.len()
    })
    .await
    .unwrap();
    assert_eq!(workers(&cluster).await[1]["labels"]["number"], "1");
    let mut sink = connector("FileStreamSink", &cluster.file("out.txt"), ("topics", "selected"));
    sink["worker.selector"] = "number in (1,2)".into();
    cluster.rest.create("selected", sink.clone()).await;
    cluster.rest.wait_running("selected", 1).await;
    let runs_on = |worker: &'static str| {
        let status = cluster.rest.get("/connectors/selected/status");
        async move {
            let status = status.await;
            status["connector"]["worker_id"] == worker && status["tasks"][0]["worker_id"] == worker
        }
    };
    assert!(runs_on("worker-1:8083").await);

    sink["worker.selector"] = "number!=1".into();
    let path = "/connectors/selected/config";
    cluster.rest.call(reqwest::Method::PUT, path, Some(&sink)).await;
    wait_until("the units to move", PATIENCE, || runs_on("worker-0:8083"))
        .await
        .unwrap();

    sink["worker.selector"] = "number=1,".into();
    let (status, answer) = cluster.rest.call(reqwest::Method::PUT, path, Some(&sink)).await;
    assert_eq!(status, 400);
    let message = answer["message"].as_str().unwrap_or_default();
    assert!(
        message.contains(
            "Invalid value number=1, for configuration worker.selector: `` is no requirement: write zone=a"
        ),
        "{message}"
    );
}
