//! Where tasks run, as the API shows it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use towpath_testkit::wait_until;

use crate::Outcome;
use crate::flow::{Flow, Kind, Stream};
use crate::rest::Rest;

/// How often the API is asked.
const LOOK: Duration = Duration::from_millis(100);
/// So long nothing may change before a cluster counts as settled: tasks that move do it one after another.
const CALM: Duration = Duration::from_secs(2);

/// The worker of each RUNNING task, by the name of its connector; each has one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Placement {
    workers: BTreeMap<String, String>,
}

impl Placement {
    /// `None` if the API did not answer.
    pub(super) async fn look(rest: &Rest) -> Option<Self> {
        let all = rest.get("/connectors?expand=status").await?;
        let running = all.as_object()?.iter().filter_map(|(name, entry)| {
            let task = &entry["status"]["tasks"][0];
            let runs = task["state"] == "RUNNING";
            runs.then(|| Some((name.clone(), task["worker_id"].as_str()?.to_owned())))?
        });
        Some(Self {
            workers: running.collect(),
        })
    }

    pub(super) fn names(&self, worker: &str) -> bool {
        self.workers.values().any(|id| id == worker)
    }

    /// The streams whose task a worker has.
    pub(super) fn streams_of(&self, worker: &str, flow: &Flow) -> Vec<Stream> {
        let is_there = |stream: &&Stream| self.workers.get(&stream.connector).is_some_and(|id| id == worker);
        flow.streams.iter().filter(is_there).cloned().collect()
    }

    /// The next worker, from this one on, that has both a source and a sink; else the next that has anything.
    pub(super) fn victim(&self, first: usize, (workers, flow): (&[String], &Flow)) -> Outcome<usize> {
        let count = workers.len();
        let in_turn = || (first..first + count).map(move |number| number % count);
        let kinds = |number: usize, wanted: &[Kind]| {
            let streams = self.streams_of(&workers[number], flow);
            wanted
                .iter()
                .all(|kind| streams.iter().any(|stream| stream.kind == *kind))
        };
        let both = in_turn().find(|number| kinds(*number, &[Kind::Source, Kind::Sink]));
        let any = || in_turn().find(|number| self.names(&workers[*number]));
        Ok(both.or_else(any).ok_or("no worker has a task")?)
    }

    fn has_all(&self, flow: &Flow) -> bool {
        flow.streams
            .iter()
            .all(|stream| self.workers.contains_key(&stream.connector))
    }
}

/// Waits until every task runs and nothing moves any more.
pub(super) async fn settled(rest: &Rest, flow: &Flow, patience: Duration) -> Outcome<Placement> {
    let mut last = (Placement::default(), Instant::now());
    let end = Instant::now() + patience;
    while Instant::now() < end {
        let now = Placement::look(rest).await.unwrap_or_default();
        if now != last.0 {
            last = (now, Instant::now());
        }
        if last.0.has_all(flow) && last.1.elapsed() >= CALM {
            return Ok(last.0);
        }
        tokio::time::sleep(LOOK).await;
    }
    Err(format!("the tasks did not settle within {patience:?}: {:?}", last.0).into())
}

/// Waits until all these streams have passed a number that was written after `since`; when the last of each kind did.
pub(super) async fn resumed(
    streams: &[Stream],
    since: Instant,
    patience: Duration,
) -> Outcome<(Option<Duration>, Option<Duration>)> {
    let have_passed = || async {
        let waiting = streams
            .iter()
            .filter(|stream| stream.passed_since(since).is_none());
        let waiting: Vec<&str> = waiting.map(|stream| stream.connector.as_str()).collect();
        if waiting.is_empty() {
            Ok(())
        } else {
            Err(waiting.join(", "))
        }
    };
    wait_until("records to pass elsewhere", patience, have_passed).await?;
    let last = |kind| {
        let of_kind = streams.iter().filter(|stream| stream.kind == kind);
        let passed = of_kind.filter_map(|stream| stream.passed_since(since));
        passed.map(|at| at - since).max()
    };
    Ok((last(Kind::Source), last(Kind::Sink)))
}
