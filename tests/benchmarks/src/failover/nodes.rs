//! What becomes of the API, and of what runs, when a node of the control plane is killed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use towpath_testkit::wait_until;

use super::figures::Figures;
use super::towpath::Towpath;
use crate::Outcome;
use crate::flow::{self, Flow};
use crate::rest::Rest;

/// The connector that is written to. It is stopped: no task of it starts.
const PROBE: &str = "probe";
const PATIENCE: Duration = Duration::from_secs(60);
/// How long records are watched, and requests go on, after a kill: elections and everything that follows are over by then.
const AFTERMATH: Duration = Duration::from_secs(5);
/// Between two attempts of a client that was refused.
const RETRY: Duration = Duration::from_millis(10);
/// Clients of the steady stream, and the pause of each between two requests.
const CLIENTS: usize = 4;
const REQUEST_PAUSE: Duration = Duration::from_millis(5);
/// What a worker logs when a task begins.
const TASK_STARTED: &str = "task started";

/// One trial.
pub(super) async fn kill_leader(
    towpath: &mut Towpath,
    flow: &Flow,
    (trial, figures): (usize, &mut Figures),
) -> Outcome<String> {
    let group = &mut towpath.group;
    put_probe(&group.nodes[0].rest).await?;
    flow.catch_up(PATIENCE).await?;
    let starts = group.logged(TASK_STARTED, PROBE)?;
    let repeated = || flow.streams.iter().map(flow::Stream::repeated).sum::<usize>();
    let before = repeated();
    let leader = group.leader()?;
    let rests: Vec<Rest> = others(
        &towpath
            .group
            .nodes
            .iter()
            .map(|node| node.rest.clone())
            .collect::<Vec<_>>(),
        leader,
    );

    let killed = Instant::now();
    let group = &mut towpath.group;
    group.kill_node(leader)?;
    let (written, attempts) = first_write(&rests, trial).await?;
    let written = written - killed;
    let is_over = || async { killed.elapsed() > AFTERMATH };
    wait_until("the aftermath to be over", PATIENCE, is_over).await?;
    let gap = flow.streams.iter().map(|stream| stream.longest_gap(killed)).max();
    let gap = gap.unwrap_or_default();
    let lost = flow.catch_up(PATIENCE).await?;
    let restarts = group.logged(TASK_STARTED, PROBE)?.abs_diff(starts);
    figures.add("leader-kill", "towpath", written);
    figures.count(("leader-kill", "towpath"), "tasks restarted", restarts);
    figures.count(("leader-kill", "towpath"), "repeated", repeated() - before);
    figures.count(("leader-kill", "towpath"), "lost", lost);
    figures.add("leader-kill-record-gap", "towpath", gap);
    group.start_node(leader).await?;
    Ok(format!(
        "next write after {written:.1?} ({attempts} attempts), longest gap of records {gap:.1?}, \
         {restarts} tasks restarted"
    ))
}

fn others(rests: &[Rest], without: usize) -> Vec<Rest> {
    let kept = rests.iter().enumerate().filter(|(index, _)| *index != without);
    kept.map(|(_, rest)| rest.clone()).collect()
}

/// A connector for writes.
async fn put_probe(rest: &Rest) -> Outcome<()> {
    let (status, body) = rest.call(Method::PUT, &config_path(), Some(&config(0))).await?;
    if !status.is_success() {
        return Err(format!("connector \"{PROBE}\" was refused: {body}").into());
    }
    rest.call(Method::PUT, &format!("/connectors/{PROBE}/stop"), None)
        .await?;
    let is_stopped = || async {
        let shown = rest.get(&format!("/connectors/{PROBE}/status")).await;
        shown.is_some_and(|shown| shown["connector"]["state"] == "STOPPED")
    };
    wait_until("the connector for writes to be stopped", PATIENCE, is_stopped).await?;
    Ok(())
}

fn config_path() -> String {
    format!("/connectors/{PROBE}/config")
}

/// A write of the most demanding kind: a worker has to validate it.
fn config(number: usize) -> Value {
    json!({
        "connector.class": "FileStreamSource", "tasks.max": "1", "topic": "probe",
        "file": format!("/nowhere/{number}"),
    })
}

/// Writes to one node after the other until one takes it; when, and at which attempt.
async fn first_write(rests: &[Rest], trial: usize) -> Outcome<(Instant, usize)> {
    let end = Instant::now() + PATIENCE;
    let mut seen = String::new();
    for (attempt, rest) in (1..).zip(rests.iter().cycle()) {
        if Instant::now() > end {
            break;
        }
        match rest.call(Method::PUT, &config_path(), Some(&config(trial))).await {
            Ok((status, _)) if status.is_success() => return Ok((Instant::now(), attempt)),
            Ok((status, body)) => seen = format!("{status}: {body}"),
            Err(error) => seen = error.to_string(),
        }
        tokio::time::sleep(RETRY).await;
    }
    Err(format!("no write succeeded within {PATIENCE:?}; last answer {seen}").into())
}

/// What the clients of a steady stream have seen.
#[derive(Debug, Default)]
struct Stream {
    requests: AtomicUsize,
    failed: AtomicUsize,
    /// Microseconds.
    longest: AtomicUsize,
    /// What the last failure was.
    failure: Mutex<String>,
}

/// One trial. Clients are connected to the nodes that stay: what was sent to a process that died has failed for everybody.
pub(super) async fn kill_follower(
    towpath: &mut Towpath,
    (trial, figures): (usize, &mut Figures),
) -> Outcome<String> {
    let group = &mut towpath.group;
    put_probe(&group.nodes[0].rest).await?;
    let count = group.nodes.len();
    let leader = group.leader()?;
    let victim = (leader + 1 + trial % (count - 1)) % count;
    let all: Vec<Rest> = group.nodes.iter().map(|node| node.rest.clone()).collect();
    let stream = Arc::new(Stream::default());
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let rests = others(&all, victim);
        clients.spawn(request_steadily(
            rests[number % rests.len()].clone(),
            number,
            Arc::clone(&stream),
        ));
    }
    let is_flowing = || async { stream.requests.load(Ordering::Relaxed) > 10 * CLIENTS };
    wait_until("requests to be answered", PATIENCE, is_flowing).await?;

    let killed = Instant::now();
    group.kill_node(victim)?;
    let is_over = || async { killed.elapsed() > AFTERMATH };
    wait_until("the aftermath to be over", PATIENCE, is_over).await?;
    clients.shutdown().await;
    let micros = u64::try_from(stream.longest.load(Ordering::Relaxed))?;
    let longest = Duration::from_micros(micros);
    let (failed, requests) = (
        stream.failed.load(Ordering::Relaxed),
        stream.requests.load(Ordering::Relaxed),
    );
    figures.add("follower-kill", "towpath", longest);
    figures.count(("follower-kill", "towpath"), "failed", failed);
    figures.count(("follower-kill", "towpath"), "requests", requests);
    group.start_node(victim).await?;
    Ok(format!(
        "{failed} of {requests} requests failed, the longest took {longest:.1?}"
    ))
}

/// Reads and writes in turn.
async fn request_steadily(rest: Rest, client: usize, stream: Arc<Stream>) {
    for number in 0.. {
        let begun = Instant::now();
        let failure = request(&rest, number, client).await.err();
        let micros = usize::try_from(begun.elapsed().as_micros()).unwrap_or(usize::MAX);
        stream.longest.fetch_max(micros, Ordering::Relaxed);
        stream.requests.fetch_add(1, Ordering::Relaxed);
        if let Some(failure) = failure {
            stream.failed.fetch_add(1, Ordering::Relaxed);
            *stream.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
        }
        tokio::time::sleep(REQUEST_PAUSE).await;
    }
}

/// Fails with what was answered.
async fn request(rest: &Rest, number: usize, client: usize) -> Result<(), String> {
    let (method, path, body) = if number.is_multiple_of(2) {
        (Method::GET, "/connectors?expand=status".to_owned(), None)
    } else {
        (Method::PUT, config_path(), Some(config(client)))
    };
    match rest.call(method.clone(), &path, body.as_ref()).await {
        Ok((StatusCode::OK | StatusCode::CREATED, _)) => Ok(()),
        Ok((status, body)) => Err(format!("{method} {path}: {status}: {body}")),
        Err(error) => Err(format!("{method} {path}: {error}")),
    }
}
