//! Sessions and leases: who runs what when workers come, go silent, come back.

use std::collections::BTreeMap;

use serde_json::json;
use towpath_types::{ConnectorName, UnitId};
use towpath_wire::v1;
use towpath_wire::v1::control_message::Message as Said;
use towpath_wire::v1::worker_message::Message as Says;

use crate::cluster::Cluster;
use crate::worker::{ScriptedWorker, WorkerOptions};

fn connector(name: &str) -> UnitId {
    UnitId::Connector(ConnectorName::new(name).unwrap())
}

fn task(name: &str) -> UnitId {
    UnitId::task(&ConnectorName::new(name).unwrap(), 0)
}

fn commit(request_id: u64, unit: &UnitId, epoch: u64, position: u32) -> Says {
    let offset = v1::Offset {
        partition_json: r#"{"filename":"/data/in.txt"}"#.into(),
        offset_json: Some(format!(r#"{{"position":{position}}}"#)),
    };
    let units = vec![v1::UnitOffsets {
        unit: Some(unit.into()),
        epoch,
        offsets: vec![offset],
        in_kafka: Vec::new(),
    }];
    Says::OffsetCommit(v1::OffsetCommit { request_id, units })
}

#[tokio::test]
async fn units_of_a_silent_worker_go_to_another_when_its_lease_is_over() {
    let cluster = Cluster::in_memory().await;
    let mut first = cluster.join("w1:8083").await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    let second = cluster.join("w2:8083").await;
    first.go_silent();
    second.wait_until_running(|units| units.len() == 2).await;
    let status = cluster.wait_until_running("c", 1).await;
    assert_eq!(status.body["tasks"][0]["worker_id"], "w2:8083");
    first.ended().await;
    cluster.stop().await;
}

#[tokio::test]
async fn units_of_a_dead_worker_are_unassigned_when_nobody_else_is_there() {
    let (cluster, worker) = Cluster::with_worker().await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    drop(worker);
    let status = cluster
        .wait_for("/connectors/c/status", |status| {
            status.body["tasks"][0]["state"] == "UNASSIGNED"
        })
        .await;
    assert_eq!(status.body["connector"]["state"], "UNASSIGNED");
    cluster.stop().await;
}

#[tokio::test]
async fn a_worker_that_only_lost_its_connection_goes_on_with_what_it_runs() {
    let (cluster, worker) = Cluster::with_worker().await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    let running = worker.crash();
    let options = WorkerOptions {
        running: running.clone(),
        ..WorkerOptions::named("worker-1:8083")
    };
    let again = ScriptedWorker::start(cluster.grpc, options).await;
    cluster.create("another").await;
    again.wait_until_running(|units| units.len() == 4).await;
    for (unit, epoch) in running {
        assert_eq!(
            (again.running()[&unit], again.starts(&unit)),
            (epoch, 0),
            "{unit} was not started anew"
        );
    }
    cluster.stop().await;
}

#[tokio::test]
async fn a_worker_that_was_restarted_gets_its_units_in_new_runs() {
    let (cluster, worker) = Cluster::with_worker().await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    let before = worker.crash();
    let again = cluster.join("worker-1:8083").await;
    again.wait_until_running(|units| units.len() == 2).await;
    assert!(again.running().iter().all(|(unit, epoch)| *epoch > before[unit]));
    cluster.stop().await;
}

#[tokio::test]
async fn a_worker_that_registers_again_ends_its_older_session() {
    let (cluster, mut older) = Cluster::with_worker().await;
    let newer = cluster.join("worker-1:8083").await;
    assert_ne!(older.session, newer.session);
    older.ended().await;
    cluster.create("c").await;
    newer.wait_until_running(|units| units.len() == 2).await;
    cluster.stop().await;
}

#[tokio::test]
async fn two_processes_that_call_themselves_the_same_do_not_drive_each_other_out() {
    let cluster = Cluster::in_memory().await;
    let of = |process: &str| WorkerOptions {
        process: process.into(),
        ..WorkerOptions::named("w:8083")
    };
    let mut first = ScriptedWorker::start(cluster.grpc, of("one")).await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    let refused = ScriptedWorker::refused(cluster.grpc, of("two")).await;
    assert_eq!(refused.code(), tonic::Code::AlreadyExists);
    assert!(
        refused.message().starts_with(
            "another process is connected as worker `w:8083`: give each worker a `worker.id` of its own"
        ),
        "{refused}"
    );
    assert_eq!(first.running().len(), 2, "what runs goes on");

    // One that is dead and whose connection nobody has closed: after its lease it stands in nobody's way.
    first.go_silent();
    first.ended().await;
    let second = ScriptedWorker::start(cluster.grpc, of("two")).await;
    second.wait_until_running(|units| units.len() == 2).await;
    cluster.stop().await;
}

/// As when its connection broke while it was registering, or its process ended, and a slow node reads that only now.
#[tokio::test]
async fn a_registration_that_arrives_after_a_newer_one_is_refused_and_the_newer_one_goes_on() {
    let cluster = Cluster::in_memory().await;
    let of = |process: &str| WorkerOptions {
        process: process.into(),
        ..WorkerOptions::named("w:8083")
    };
    let confirmed = || Says::Confirmed(v1::Confirmed {});
    let before = ScriptedWorker::asked(cluster.grpc, of("one")).await;
    let abandoned = ScriptedWorker::asked(cluster.grpc, of("two")).await;
    let worker = ScriptedWorker::start(cluster.grpc, of("two")).await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    let refused = before.refused_for(confirmed()).await;
    assert_eq!(
        refused.code(),
        tonic::Code::AlreadyExists,
        "of another process: {refused}"
    );
    let refused = abandoned.refused_for(confirmed()).await;
    assert_eq!(refused.code(), tonic::Code::Aborted, "of the same: {refused}");
    let (text, told) = (refused.message(), "of worker \"w:8083\" is over: register again");
    assert!(
        text.starts_with("the worker has registered otherwise since: ") && text.ends_with(told),
        "{text}"
    );
    drop(ScriptedWorker::asked(cluster.grpc, of("two")).await);
    cluster.create("d").await;
    cluster.wait_until_running("d", 1).await;
    assert_eq!(worker.starts(&task("c")), 1, "what runs goes on");

    let running = worker.crash();
    let options = WorkerOptions { running, ..of("two") };
    let back = ScriptedWorker::start(cluster.grpc, options).await;
    back.wait_until_running(|units| units.len() == 4).await;
    cluster.stop().await;
}

#[tokio::test]
async fn a_worker_that_says_something_else_than_that_it_is_there_is_refused() {
    let cluster = Cluster::in_memory().await;
    let asked = ScriptedWorker::asked(cluster.grpc, WorkerOptions::named("w:8083")).await;
    let refused = asked.refused_for(Says::Goodbye(v1::Goodbye {})).await;
    assert_eq!(refused.code(), tonic::Code::InvalidArgument);
    assert_eq!(
        refused.message(),
        "the registration cannot be accepted: a worker that was asked to `confirm` its registration has to \
         answer `confirmed` before anything else, but this one sent something else"
    );
    cluster.stop().await;
}

#[tokio::test]
async fn a_worker_of_an_older_version_is_not_asked_to_confirm() {
    let cluster = Cluster::in_memory().await;
    let options = WorkerOptions {
        confirms: false,
        ..WorkerOptions::named("w:8083")
    };
    let worker = ScriptedWorker::start(cluster.grpc, options).await;
    cluster.create("c").await;
    worker.wait_until_running(|units| units.len() == 2).await;
    cluster.stop().await;
}

#[tokio::test]
async fn offsets_count_for_the_current_run_only_and_are_read_back() {
    let (cluster, worker) = Cluster::with_worker().await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    let epoch = worker.running()[&task("c")];

    worker.say(commit(1, &task("c"), epoch, 10)).await;
    let Said::OffsetCommitted(committed) = worker.hear().await else {
        panic!("expected an acknowledgement")
    };
    assert_eq!(
        (committed.request_id, committed.refused.len(), committed.error),
        (1, 0, None)
    );
    let expected = r#"{"offsets":[{"partition":{"filename":"/data/in.txt"},"offset":{"position":10}}]}"#;
    assert_eq!(cluster.get("/connectors/c/offsets").await.text, expected);

    worker.say(commit(2, &task("c"), epoch - 1, 5)).await;
    let Said::OffsetCommitted(refused) = worker.hear().await else {
        panic!("expected an acknowledgement")
    };
    assert_eq!(refused.refused, [v1::UnitId::from(&task("c"))]);
    assert_eq!(
        cluster.get("/connectors/c/offsets").await.text,
        expected,
        "unchanged"
    );

    worker
        .say(Says::OffsetRead(v1::OffsetRead {
            request_id: 3,
            connector: "c".into(),
        }))
        .await;
    let Said::OffsetsFound(found) = worker.hear().await else {
        panic!("expected offsets")
    };
    assert_eq!(
        found.offsets[0].offset_json.as_deref(),
        Some(r#"{"position":10}"#)
    );
    cluster.stop().await;
}

#[tokio::test]
async fn an_offset_that_is_no_json_fails_its_commit_and_not_the_session() {
    let (cluster, worker) = Cluster::with_worker().await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    let offset = v1::Offset {
        partition_json: "[".into(),
        offset_json: None,
    };
    let units = vec![v1::UnitOffsets {
        unit: Some((&task("c")).into()),
        epoch: 1,
        offsets: vec![offset],
        in_kafka: Vec::new(),
    }];
    worker
        .say(Says::OffsetCommit(v1::OffsetCommit { request_id: 7, units }))
        .await;
    let Said::OffsetCommitted(answer) = worker.hear().await else {
        panic!("expected an acknowledgement")
    };
    assert_eq!(answer.request_id, 7);
    assert!(answer.error.is_some());
    cluster.create("d").await;
    worker.wait_until_running(|units| units.len() == 4).await;
    cluster.stop().await;
}

#[tokio::test]
async fn a_report_of_a_run_that_is_over_changes_nothing() {
    let (cluster, worker) = Cluster::with_worker().await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    let epoch = worker.running()[&connector("c")];
    let report = |epoch, state: v1::UnitState| {
        let unit = Some((&connector("c")).into());
        let report = v1::UnitReport {
            unit,
            epoch,
            state: state.into(),
            ..Default::default()
        };
        Says::UnitReports(v1::UnitReports {
            reports: vec![report],
        })
    };
    worker.say(report(epoch - 1, v1::UnitState::Failed)).await;
    worker.say(report(epoch, v1::UnitState::Paused)).await;
    let status = cluster
        .wait_for("/connectors/c/status", |status| {
            status.body["connector"]["state"] != "RUNNING"
        })
        .await;
    assert_eq!(
        status.body["connector"]["state"], "PAUSED",
        "the older run was not listened to"
    );
    cluster.stop().await;
}

#[tokio::test]
async fn a_unit_moves_only_after_its_worker_has_let_go() {
    let cluster = Cluster::in_memory().await;
    let first = cluster.join("w1:8083").await;
    for name in ["a", "b", "c", "d"] {
        cluster.create(name).await;
    }
    first.wait_until_running(|units| units.len() == 8).await;
    let second = cluster.join("w2:8083").await;
    second.wait_until_running(|units| units.len() == 4).await;
    first.wait_until_running(|units| units.len() == 4).await;
    let (one, other) = (first.running(), second.running());
    assert!(
        one.keys().all(|unit| !other.contains_key(unit)),
        "no unit is on both"
    );
    cluster.stop().await;
}

#[tokio::test]
async fn a_deleted_connector_leaves_its_worker_and_its_offsets_stay() {
    let (cluster, worker) = Cluster::with_worker().await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    worker
        .say(commit(1, &task("c"), worker.running()[&task("c")], 10))
        .await;
    worker.hear().await;
    assert_eq!(
        cluster
            .send(reqwest::Method::DELETE, "/connectors/c")
            .await
            .status
            .as_u16(),
        204
    );
    worker.wait_until_running(BTreeMap::is_empty).await;
    cluster
        .get("/connectors/c/status")
        .await
        .assert_error(404, "No status found for connector c");
    cluster.create("c").await;
    assert_eq!(
        cluster.get("/connectors/c/offsets").await.body["offsets"][0]["offset"],
        json!({"position": 10})
    );
    cluster.stop().await;
}

#[tokio::test]
async fn a_worker_that_says_goodbye_is_not_waited_for() {
    let cluster = Cluster::in_memory().await;
    let mut first = cluster.join("w1:8083").await;
    cluster.create("c").await;
    cluster.wait_until_running("c", 1).await;
    first.say(Says::Goodbye(v1::Goodbye {})).await;
    first.ended().await;
    let status = cluster.get("/connectors/c/status").await.body;
    assert_eq!(
        status["tasks"][0]["state"], "UNASSIGNED",
        "when the session is over, so is the worker"
    );
    cluster.stop().await;
}
