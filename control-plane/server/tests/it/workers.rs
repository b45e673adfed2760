//! Workers over gRPC: seen, drained, and chosen by their labels.

use reqwest::Method;
use serde_json::{Value, json};
use tonic::Code;
use tonic::transport::Channel;
use towpath_types::UnitId;
use towpath_wire::v1;
use towpath_wire::v1::worker_message::Message as Says;
use towpath_wire::v1::workers_client::WorkersClient;

use crate::cluster::{Cluster, DEADLINE, source_config};
use crate::grpc::channel;
use crate::worker::{ScriptedWorker, WorkerOptions};

async fn client(cluster: &Cluster) -> WorkersClient<Channel> {
    WorkersClient::new(channel(cluster).await)
}

async fn get(client: &mut WorkersClient<Channel>, name: &str) -> v1::Worker {
    let request = v1::GetWorkerRequest { name: name.into() };
    client.get(request).await.unwrap().into_inner()
}

async fn drain(client: &mut WorkersClient<Channel>, name: &str) {
    let request = v1::DrainWorkerRequest {
        name: name.into(),
        process_id: String::new(),
    };
    client.drain(request).await.unwrap();
}

async fn wait_for(
    client: &mut WorkersClient<Channel>,
    name: &str,
    is_wanted: impl Fn(&v1::Worker) -> bool,
) -> v1::Worker {
    let begun = tokio::time::Instant::now();
    loop {
        let worker = get(client, name).await;
        if is_wanted(&worker) {
            return worker;
        }
        assert!(begun.elapsed() < DEADLINE, "{name} is still {worker:?}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

fn with_selector(selector: &str) -> Value {
    let mut config = source_config();
    config["worker.selector"] = selector.into();
    config
}

#[tokio::test]
async fn workers_are_listed_with_what_runs_on_them() {
    let (cluster, worker) = Cluster::with_worker().await;
    cluster.create("c").await;
    worker.wait_until_running(|units| units.len() == 2).await;
    cluster.wait_until_running("c", 1).await;
    let mut client = client(&cluster).await;
    let listed = client
        .list(v1::ListWorkersRequest {})
        .await
        .unwrap()
        .into_inner()
        .workers;
    assert_eq!(listed.len(), 1);
    assert_eq!(
        (listed[0].name.as_str(), listed[0].state(), listed[0].unit_count),
        ("worker-1:8083", v1::WorkerState::Live, 2)
    );
    assert!(listed[0].units.is_empty());
    let worker = get(&mut client, "worker-1:8083").await;
    assert_eq!(worker.labels["zone"], "a");
    let units: Vec<_> = worker
        .units
        .iter()
        .map(|unit| (unit.unit.clone().unwrap().task, unit.state(), unit.leaving))
        .collect();
    let running = v1::UnitState::Running;
    assert_eq!(units, [(None, running, false), (Some(0), running, false)]);
    cluster.stop().await;
}

#[tokio::test]
async fn a_worker_that_is_drained_hands_over_and_takes_units_again_when_it_is_told_to() {
    let (cluster, first) = Cluster::with_worker().await;
    cluster.create("c").await;
    first.wait_until_running(|units| units.len() == 2).await;
    let second = cluster.join("worker-2:8083").await;
    let mut client = client(&cluster).await;
    drain(&mut client, "worker-1:8083").await;
    let drained = wait_for(&mut client, "worker-1:8083", |worker| worker.unit_count == 0).await;
    assert_eq!(drained.state(), v1::WorkerState::Draining);
    second.wait_until_running(|units| units.len() == 2).await;
    cluster.wait_until_running("c", 1).await;
    assert!(first.running().is_empty());

    drain(&mut client, "worker-2:8083").await;
    let request = v1::UndrainWorkerRequest {
        name: "worker-1:8083".into(),
    };
    client.undrain(request).await.unwrap();
    first.wait_until_running(|units| units.len() == 2).await;
    wait_for(&mut client, "worker-2:8083", |worker| worker.unit_count == 0).await;
    cluster.stop().await;
}

/// The report of a unit that has ended on a worker that stops.
fn given_back(unit: &UnitId, epoch: u64) -> Says {
    let report = v1::UnitReport {
        unit: Some(unit.into()),
        epoch,
        ended: true,
        ..Default::default()
    };
    Says::UnitReports(v1::UnitReports {
        reports: vec![report],
    })
}

#[tokio::test]
async fn a_unit_of_a_worker_that_stops_goes_to_another_one_before_the_good_bye() {
    let (cluster, mut leaving) = Cluster::with_worker().await;
    cluster.create("c").await;
    leaving.wait_until_running(|units| units.len() == 2).await;
    let mut client = client(&cluster).await;
    leaving.leave();
    drain(&mut client, "worker-1:8083").await;
    let (instance, task) = (
        UnitId::Connector("c".parse().unwrap()),
        UnitId::task(&"c".parse().unwrap(), 0),
    );
    let runs = leaving.running();
    // Nobody else is there, and it is not given to the worker that leaves again.
    leaving.say(given_back(&instance, runs[&instance])).await;
    wait_for(&mut client, "worker-1:8083", |worker| worker.unit_count == 1).await;

    let other = cluster.join("worker-2:8083").await;
    other
        .wait_until_running(|units| units.contains_key(&instance))
        .await;
    assert!(
        !other.running().contains_key(&task),
        "it still stops where it was"
    );
    // By now the drain has taken it from its worker, which has not read that.
    wait_for(&mut client, "worker-1:8083", |worker| worker.units[0].leaving).await;
    leaving.say(given_back(&task, runs[&task])).await;
    other.wait_until_running(|units| units.contains_key(&task)).await;
    assert_eq!((other.starts(&instance), other.starts(&task)), (1, 1));

    leaving.say(Says::Goodbye(v1::Goodbye {})).await;
    leaving.ended().await;
    let again = cluster.join("worker-1:8083").await;
    let state = get(&mut client, "worker-1:8083").await.state();
    assert_eq!(state, v1::WorkerState::Live, "it takes units when it is back");
    drop(again);
    cluster.stop().await;
}

#[tokio::test]
async fn what_cannot_leave_a_drained_worker_goes_on_there_and_says_why() {
    let (cluster, worker) = Cluster::with_worker().await;
    cluster.create("c").await;
    worker.wait_until_running(|units| units.len() == 2).await;
    let mut other = WorkerOptions::named("worker-2:8083");
    other.plugins.clear();
    let _other = ScriptedWorker::start(cluster.grpc, other).await;
    let mut client = client(&cluster).await;
    drain(&mut client, "worker-1:8083").await;
    let stuck = get(&mut client, "worker-1:8083").await;
    let obstacles: Vec<_> = stuck
        .units
        .iter()
        .filter_map(|unit| unit.obstacle.as_deref())
        .collect();
    assert_eq!(
        obstacles,
        ["no worker has the plugin `FileStreamSource`: start one that has it"; 2]
    );
    assert_eq!(
        worker.starts(&UnitId::task(&"c".parse().unwrap(), 0)),
        1,
        "it was not touched"
    );
    cluster.stop().await;
}

#[tokio::test]
async fn an_empty_worker_that_loses_its_connection_stays_drained_and_a_new_process_does_not() {
    let (cluster, worker) = Cluster::with_worker().await;
    let mut client = client(&cluster).await;
    drain(&mut client, "worker-1:8083").await;
    worker.crash();
    let again = cluster.join("worker-1:8083").await;
    let state = get(&mut client, "worker-1:8083").await.state();
    assert_eq!(state, v1::WorkerState::Draining);
    again.crash();
    let mut restarted = WorkerOptions::named("worker-1:8083");
    restarted.process = "another one".into();
    let _restarted = ScriptedWorker::start(cluster.grpc, restarted).await;
    wait_for(&mut client, "worker-1:8083", |worker| {
        worker.state() == v1::WorkerState::Live
    })
    .await;
    cluster.stop().await;
}

#[tokio::test]
async fn a_worker_without_a_connection_is_silent_and_an_unknown_one_is_not_found() {
    let (cluster, worker) = Cluster::with_worker().await;
    let mut client = client(&cluster).await;
    worker.crash();
    wait_for(&mut client, "worker-1:8083", |worker| {
        worker.state() == v1::WorkerState::Silent
    })
    .await;
    let request = v1::DrainWorkerRequest {
        name: "nope".into(),
        process_id: String::new(),
    };
    let error = client.drain(request).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound);
    assert_eq!(
        error.message(),
        "Worker nope not found: it is not registered, or its lease has run out"
    );
    cluster.stop().await;
}

#[tokio::test]
async fn a_connector_that_no_worker_may_run_is_unassigned_and_its_status_says_why() {
    let (cluster, _worker) = Cluster::with_worker().await;
    let created = json!({"name": "far", "config": with_selector("zone=b")});
    cluster.send_json(Method::POST, "/connectors", &created).await;
    let status = cluster.get("/connectors/far/status").await.body;
    let reason = "no worker with the plugin `FileStreamSource` meets `zone=b` of `worker.selector`: start one whose \
                  `worker.labels` do, or change the selector";
    assert_eq!(
        status["connector"],
        json!({"state": "UNASSIGNED", "worker_id": "", "version": null, "trace": reason})
    );

    let config = with_selector("zone in (a,b)");
    cluster
        .send_json(Method::PUT, "/connectors/far/config", &config)
        .await;
    let running = cluster.wait_until_running("far", 1).await.body;
    assert_eq!(running["connector"].get("trace"), None);

    let config = with_selector("zone!=a");
    cluster
        .send_json(Method::PUT, "/connectors/far/config", &config)
        .await;
    let unassigned = |unit: &Value| unit["state"] == "UNASSIGNED" && unit["trace"].is_string();
    cluster
        .wait_for("/connectors/far/status", |answer| {
            unassigned(&answer.body["connector"]) && unassigned(&answer.body["tasks"][0])
        })
        .await;
    cluster.stop().await;
}
