//! What operators do to a control plane while it is used: restarting its nodes, filling their disks, and worse.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use towpath_testkit::{Service, Services, wait_until};

use crate::nodes::{Group, READY, kcctl, source};
use crate::numbers::{Arrivals, Numbers, connector, of_this_run};
use crate::rest::Rest;

const PATIENCE: Duration = Duration::from_secs(60);
/// Changes, or numbers, that have to come through before the next thing happens: everything is in use then.
const SOME: usize = 20;

/// Changes connectors by one node after the other. Each change must succeed: dropping it, or asking for the number of them,
/// ends it.
struct Writer {
    /// The nodes that a load balancer would offer: one that is to be restarted is taken out before.
    offered: watch::Sender<Vec<Rest>>,
    written: Arc<AtomicUsize>,
    writing: JoinSet<usize>,
    stop: watch::Sender<bool>,
}

impl Writer {
    fn start(nodes: Vec<Rest>, config: Value) -> Self {
        let (offered, nodes) = watch::channel(nodes);
        let (stop, stopped) = watch::channel(false);
        let written = Arc::new(AtomicUsize::new(0));
        let mut writing = JoinSet::new();
        writing.spawn(write(nodes, config, (Arc::clone(&written), stopped)));
        Self {
            offered,
            written,
            writing,
            stop,
        }
    }

    /// From the next change on.
    async fn offer(&self, nodes: Vec<Rest>) {
        self.offered.send_replace(nodes);
        // The change that was under way may have gone to a node that is offered no more.
        self.more(2).await;
    }

    async fn more(&self, changes: usize) {
        let wanted = self.written.load(Ordering::Relaxed) + changes;
        let is_written = || async { self.written.load(Ordering::Relaxed) >= wanted };
        wait_until("more changes", PATIENCE, is_written).await.unwrap();
    }

    /// How many there were.
    async fn stop(mut self) -> usize {
        self.stop.send_replace(true);
        self.writing.join_next().await.unwrap().unwrap()
    }
}

/// POST, GET, PUT and DELETE in turn: the answer to each says whether the ones before have counted, and counted once.
async fn write(
    nodes: watch::Receiver<Vec<Rest>>,
    config: Value,
    (written, stopped): (Arc<AtomicUsize>, watch::Receiver<bool>),
) -> usize {
    let mut count = 0;
    while !*stopped.borrow() {
        let name = format!("written-{count}");
        let path = format!("/connectors/{name}");
        // Stopped: it is written and read, and runs nowhere.
        let document = json!({ "name": name, "config": config, "initial_state": "STOPPED" });
        let steps = [
            (
                Method::POST,
                "/connectors".to_owned(),
                Some(&document),
                StatusCode::CREATED,
            ),
            (Method::GET, format!("{path}/config"), None, StatusCode::OK),
            (Method::PUT, format!("{path}/pause"), None, StatusCode::ACCEPTED),
            (Method::DELETE, path, None, StatusCode::NO_CONTENT),
        ];
        for (number, (method, path, body, expected)) in steps.into_iter().enumerate() {
            let node = {
                let nodes = nodes.borrow();
                nodes[(count + number) % nodes.len()].clone()
            };
            let (status, answer) = node.call(method.clone(), &path, body).await;
            assert_eq!(status, expected, "{method} {path} at {}: {answer}", node.base);
        }
        count += 1;
        written.store(count, Ordering::Relaxed);
    }
    count
}

fn all(group: &Group) -> Vec<Rest> {
    group.nodes.iter().map(|node| node.rest.clone()).collect()
}

fn all_but(group: &Group, left_out: usize) -> Vec<Rest> {
    let nodes = group.nodes.iter().enumerate();
    let offered = nodes.filter(|(index, _)| *index != left_out);
    offered.map(|(_, node)| node.rest.clone()).collect()
}

/// Of a source that has next to nothing to do.
fn idle(group: &Group) -> Value {
    source(&group.file("in.txt"), "upkeep-idle")
}

/// A source of numbers and a sink of them, under load.
async fn streaming(group: &Group, name: &str) -> (Numbers, Arrivals) {
    let topic = of_this_run(name);
    let (input, output) = (group.path("numbers.txt"), group.path("arrived.txt"));
    let numbers = Numbers::write_to(&input);
    let rest = &group.nodes[0].rest;
    let source = connector("FileStreamSource", &input, ("topic", &topic));
    let sink = connector("FileStreamSink", &output, ("topics", &topic));
    rest.create(&format!("{topic}-source"), source).await;
    rest.create(&format!("{topic}-sink"), sink).await;
    for kind in ["source", "sink"] {
        rest.wait_running(&format!("{topic}-{kind}"), 1).await;
    }
    let arrivals = Arrivals::at(&output);
    arrivals.grow_by(SOME).await;
    (numbers, arrivals)
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_are_restarted_one_by_one_and_no_request_fails_and_no_task_is_interrupted() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let mut group = Group::start(services.kafka_bootstrap()).await;
    std::fs::write(group.file("in.txt"), "one\n").unwrap();
    let (numbers, arrivals) = streaming(&group, "restarted").await;
    let writer = Writer::start(all(&group), idle(&group));
    writer.more(SOME).await;

    // The leader last, and so once more after it was restarted: each node has led and followed.
    let leader = group.leading().await;
    let others = (0..3).filter(|index| *index != leader);
    for index in others.chain([leader, leader]) {
        writer.offer(all_but(&group, index)).await;
        let ended = group.nodes[index].process.terminate(READY).await.unwrap();
        assert!(ended.success(), "{ended}: {}", group.nodes[index].log());
        writer.more(SOME).await;
        group.restart(index);
        group.nodes[index].wait_plugins().await;
        writer.offer(all(&group)).await;
        writer.more(SOME).await;
    }
    assert!(writer.stop().await > 8 * SOME);
    arrivals.are_exactly(numbers.stop().await).await;
    for unit in ["source-0", "sink-0"] {
        let unit = format!("unit={}-{unit} ", of_this_run("restarted"));
        let log = group.worker_log();
        let ends = log
            .lines()
            .filter(|line| line.contains("unit ended") && line.contains(&unit));
        assert_eq!(ends.count(), 0, "{unit} had no reason to stop");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_is_told_to_stop_hands_over_and_no_request_fails() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let mut group = Group::start(services.kafka_bootstrap()).await;
    std::fs::write(group.file("in.txt"), "one\n").unwrap();
    let writer = Writer::start(all(&group), idle(&group));
    writer.more(SOME).await;
    let leader = group.leading().await;
    writer.offer(all_but(&group, leader)).await;
    let ended = group.nodes[leader].process.terminate(READY).await.unwrap();
    assert!(ended.success(), "{ended}");
    writer.more(SOME).await;
    writer.stop().await;
    // Asked, not by anybody's time-out.
    let asked = |node: &crate::nodes::Node| {
        node.log()
            .matches("the leader stops and asks this node to lead")
            .count()
    };
    assert_eq!(group.nodes.iter().map(asked).sum::<usize>(), 1);
    assert!(group.nodes[leader].log().contains("another node leads now"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_disk_is_full_stops_and_says_so_and_the_others_go_on() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    // 12 MB.
    let mut group = Group::start_limited(services.kafka_bootstrap(), 24_000).await;
    std::fs::write(group.file("in.txt"), "one\n").unwrap();
    let mut acknowledged = idle(&group);
    let mut number = 0;
    while group.nodes[0].process.ended().unwrap().is_none() {
        number += 1;
        let mut config = idle(&group);
        config["padding"] = json!(format!("{number}{}", "x".repeat(500_000)));
        let put = || async {
            let rest = &group.nodes[1].rest;
            let (status, answer) = rest
                .call(Method::PUT, "/connectors/large/config", Some(&config))
                .await;
            // A leader that dies while it answers says that it cannot.
            (status != StatusCode::SERVICE_UNAVAILABLE).then_some((status, answer))
        };
        let (status, answer) = wait_until("an answer", PATIENCE, put).await.unwrap();
        assert!(status.is_success(), "{number}: {status} {answer}");
        acknowledged = config;
        assert!(number < 200, "the disk is not full");
    }
    let ended = group.nodes[0].process.ended().unwrap().unwrap();
    assert_eq!(ended.code(), Some(1), "{ended}");
    let log = group.nodes[0].log();
    let message = log
        .lines()
        .find(|line| line.contains("the control plane stopped"))
        .expect("a reason");
    for part in [
        &*group.data(0).join("db").display().to_string(),
        "File too large",
        "see that the disk has free space",
    ] {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
    group.nodes[2].rest.create("afterwards", idle(&group)).await;
    group.nodes[2].rest.wait_running("afterwards", 1).await;

    // There is space again.
    group.restart(0);
    group.nodes[0].wait_plugins().await;
    acknowledged["name"] = json!("large");
    let shown = group.nodes[0].rest.get("/connectors/large/config").await;
    assert!(shown == acknowledged, "the last change that was acknowledged");
    // It counts for the majority.
    group.nodes[1].process.kill().unwrap();
    group.nodes[2].rest.create("with-it", idle(&group)).await;
    let names = group.nodes[0].rest.get("/connectors").await;
    assert!(names.as_array().unwrap().contains(&json!("with-it")), "{names}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_all_that_it_takes_after_every_folder_is_lost() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let mut group = Group::start(services.kafka_bootstrap()).await;
    let (numbers, arrivals) = streaming(&group, "restored").await;
    let rest = group.nodes[0].rest.clone();
    let source_name = format!("{}-source", of_this_run("restored"));
    let position = format!("/connectors/{source_name}/offsets");
    let has_position = || async { rest.get(&position).await["offsets"] != json!([]) };
    wait_until("an offset", PATIENCE, has_position).await.unwrap();
    rest.create("idle", source(&group.file("in.txt"), "restored-idle"))
        .await;
    rest.call(Method::PUT, "/connectors/idle/stop", None).await;
    let (names, config) = (
        rest.get("/connectors").await,
        rest.get("/connectors/idle/config").await,
    );

    let backup = group.file("towpath.backup");
    let saved = kcctl(&group.nodes[2], &["cluster", "backup", &backup]);
    assert!(
        saved.status.success(),
        "{}",
        String::from_utf8_lossy(&saved.stderr)
    );
    // Nothing more is committed: what the group did after the backup is lost with it.
    for index in 0..3 {
        group.nodes[index].process.kill().unwrap();
        std::fs::remove_dir_all(group.data(index)).unwrap();
    }
    group.restart_with(0, &[format!("--restore={backup}")]);
    group.restart(1);
    group.restart(2);
    for node in &group.nodes {
        node.wait_plugins().await;
        assert_eq!(node.rest.get("/connectors").await, names);
        assert_eq!(node.rest.get("/connectors/idle/config").await, config);
    }
    let stopped = Some(("STOPPED".to_owned(), Vec::new()));
    let state = || async { rest.states("idle").await == stopped };
    wait_until("the stopped connector to be stopped", PATIENCE, state)
        .await
        .unwrap();
    for kind in ["source", "sink"] {
        rest.wait_running(&format!("{}-{kind}", of_this_run("restored")), 1)
            .await;
    }
    arrivals.grow_by(SOME).await;
    arrivals.hold_all(numbers.stop().await).await;

    // The folder is in use now.
    group.nodes[0].process.terminate(READY).await.unwrap();
    group.restart_with(0, &[format!("--restore={backup}")]);
    let ended = group.nodes[0].process.wait(READY).await.unwrap();
    assert_eq!(ended.code(), Some(1), "{ended}");
    let log = group.nodes[0].log();
    assert!(
        log.contains("is in use already: it holds the state of a node"),
        "{log}"
    );
}
