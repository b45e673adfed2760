//! Sources that deliver exactly once.

mod expiry;
mod java;
mod offsets;
mod switching;
mod tables;

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use towpath_testkit::{Service, Services, wait_until};

use crate::cluster::Cluster;
use crate::rest::Rest;

const PATIENCE: Duration = Duration::from_secs(120);
const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";
/// How often the worker is killed, unless `TOWPATH_EOS_KILLS` says otherwise.
const KILLS: usize = 4;
/// Lines that are copied while it is killed.
const LINES: usize = 20_000;
/// The same where fewer commits take less time, unless `TOWPATH_EOS_LINES` says otherwise.
const MORE_LINES: usize = 20 * LINES;
/// Small, so that there are many transactions to be killed in.
const BATCH: &str = "10";

fn source(file: &Path, topic: &str) -> Value {
    json!({
        "connector.class": "FileStreamSource", "tasks.max": "1", "file": file, "topic": topic, "batch.size": BATCH,
        "key.converter": STRING, "value.converter": STRING,
    })
}

/// A name that no earlier run on the same servers has used.
fn unique(name: &str) -> String {
    format!("{name}-{}", std::process::id())
}

fn lines(numbers: std::ops::Range<usize>) -> String {
    numbers.fold(String::new(), |mut text, number| {
        writeln!(text, "{number}").expect("a string takes everything");
        text
    })
}

fn append(file: &Path, text: &str) {
    let opened = OpenOptions::new().create(true).append(true).open(file);
    opened.unwrap().write_all(text.as_bytes()).unwrap();
}

/// What readers of committed records see in a topic, given what they should.
async fn committed(services: &Services, topic: &str, expected: usize) -> Vec<usize> {
    // One more than there should be: a duplicate would be seen.
    let most = (expected + 1).to_string();
    let arguments = [
        "ConsoleConsumer",
        "--topic",
        topic,
        "--from-beginning",
        "--isolation-level",
        "read_committed",
        "--max-messages",
        &most,
        "--timeout-ms",
        "5000",
    ];
    let output = services.tool(Service::Kafka, &arguments).await.unwrap();
    output.lines().map(|line| line.parse().unwrap()).collect()
}

/// The position that the API shows.
async fn position(rest: &Rest, connector: &str) -> usize {
    let offsets = rest.get(&format!("/connectors/{connector}/offsets")).await;
    let position = offsets["offsets"][0]["offset"]["position"].as_u64();
    usize::try_from(position.unwrap_or(0)).unwrap()
}

async fn wait_position(cluster: &Cluster, connector: &str, at_least: usize) {
    let reached = || async { position(&cluster.rest, connector).await >= at_least };
    let waited = wait_until("the source to come on", PATIENCE, reached).await;
    if let Err(error) = waited {
        panic!("{error}; {}", cluster.rest.traces(connector).await);
    }
}

async fn stop(rest: &Rest, connector: &str) {
    let path = format!("/connectors/{connector}/stop");
    assert_eq!(rest.call(Method::PUT, &path, None).await.0, 204);
    let stopped = || async { rest.states(connector).await == Some(("STOPPED".to_owned(), Vec::new())) };
    wait_until("the stop", PATIENCE, stopped).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_arrives_exactly_once_though_the_worker_is_killed_again_and_again() {
    copy_and_kill("eos-killed", LINES, json!({ "exactly.once.support": "required" })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_of_many_batches_are_as_exact() {
    let boundary = json!({ "transaction.boundary": "interval", "transaction.boundary.interval.ms": "20" });
    copy_and_kill("eos-interval", setting("TOWPATH_EOS_LINES", MORE_LINES), boundary).await;
}

/// A number from the environment: whoever has more time than a whole run of the tests can see more of it.
fn setting(name: &str, default: usize) -> usize {
    let value = std::env::var_os(name).map(|value| value.into_string().expect("a number"));
    value.map_or(default, |value| value.parse().expect("a number"))
}

async fn copy_and_kill(name: &str, count: usize, more: Value) {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let kafka = services.kafka_bootstrap();
    let name = unique(name);
    let mut cluster = Cluster::start_exactly_once(kafka, &format!("{name}-offsets")).await;
    let input = cluster.file("in.txt");
    let mut text = String::new();
    let mut config = source(&input, &name);
    crate::news::merge(&mut config, more);
    cluster.rest.create(&name, config).await;
    let kills = setting("TOWPATH_EOS_KILLS", KILLS);
    let mut reached = 0;
    for kill in 0..kills {
        // However fast it is, it has something to do before each kill.
        let more = lines(count * kill / kills..count * (kill + 1) / kills);
        append(&input, &more);
        text += &more;
        wait_position(&cluster, &name, reached + 1).await;
        cluster.kill_worker(0);
        reached = position(&cluster.rest, &name).await;
    }
    wait_position(&cluster, &name, text.len()).await;
    let seen = committed(&services, &name, count).await;
    let wrong = (0..count).zip(&seen).find(|(expected, got)| expected != *got);
    assert_eq!((seen.len(), wrong), (count, None));
    let log = cluster.logs();
    assert!(
        !log.contains("PartitionEOF"),
        "the end of a topic is no error: {log}"
    );
}

/// The worker that the status names for the first task.
async fn worker_of(rest: &Rest, connector: &str) -> usize {
    let status = rest.get(&format!("/connectors/{connector}/status")).await;
    let worker = status["tasks"][0]["worker_id"].as_str().unwrap_or_default();
    usize::from(worker == "worker-1:8083")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_frozen_in_the_middle_of_its_work_repeats_nothing() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let name = unique("eos-frozen");
    let offsets_topic = format!("{name}-offsets");
    let mut cluster = Cluster::start_exactly_once(services.kafka_bootstrap(), &offsets_topic).await;
    cluster.add_worker();
    let (input, text) = (cluster.file("in.txt"), lines(0..LINES));
    std::fs::write(&input, &text).unwrap();
    cluster.rest.create(&name, source(&input, &name)).await;
    wait_position(&cluster, &name, text.len() / 10).await;
    let frozen = worker_of(&cluster.rest, &name).await;
    cluster.workers[frozen].pause().unwrap();
    let moved = || async {
        let is_running = cluster.rest.states(&name).await == Some(("RUNNING".into(), vec!["RUNNING".into()]));
        is_running && worker_of(&cluster.rest, &name).await != frozen
    };
    wait_until("the task to run elsewhere", PATIENCE, moved)
        .await
        .unwrap();
    // It goes on with what it was about to write.
    cluster.workers[frozen].resume().unwrap();
    wait_position(&cluster, &name, text.len()).await;
    cluster.rest.wait_running(&name, 1).await;
    let seen = committed(&services, &name, LINES).await;
    assert!(
        seen.iter().copied().eq(0..LINES),
        "{} lines: {seen:?}",
        seen.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_control_plane_stops_no_source_that_kafka_fences() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let kafka = services.kafka_bootstrap();
    let name = unique("eos-static");
    let mut cluster = Cluster::start_exactly_once(kafka, &format!("{name}-offsets")).await;
    let input = cluster.file("in.txt");
    std::fs::write(&input, lines(0..10)).unwrap();
    cluster.rest.create(&name, source(&input, &name)).await;
    wait_position(&cluster, &name, lines(0..10).len()).await;

    cluster.control_plane.kill().unwrap();
    let log =
        cluster.workers[0].wait_for_line("the control plane has not answered within the lease", PATIENCE);
    log.await.unwrap();
    std::fs::write(&input, lines(0..500)).unwrap();
    let end = || async {
        let arguments = ["GetOffsetShell", "--topic", &name];
        services.tool(Service::Kafka, &arguments).await.unwrap()
    };
    // Each of the transactions takes a place too, so the end is beyond the number of lines.
    let is_there = || async {
        end()
            .await
            .trim()
            .rsplit(':')
            .next()
            .unwrap()
            .parse::<usize>()
            .unwrap()
            >= 500
    };
    wait_until("the lines while nobody controls", PATIENCE, is_there)
        .await
        .unwrap();
    cluster.kill_control_plane().await;
    wait_position(&cluster, &name, lines(0..500).len()).await;
    cluster.rest.wait_running(&name, 1).await;
    let seen = committed(&services, &name, 500).await;
    assert!(seen.iter().copied().eq(0..500), "{} lines: {seen:?}", seen.len());
}
