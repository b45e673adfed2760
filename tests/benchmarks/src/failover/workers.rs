//! What becomes of a worker's tasks when it is killed or stopped.

use std::time::{Duration, Instant};

use super::figures::Figures;
use super::placement::{Placement, resumed, settled};
use crate::Outcome;
use crate::flow::{Flow, Kind, Stream};
use crate::rest::Rest;

/// How often the API is asked where the tasks of a killed worker are.
const LOOK: Duration = Duration::from_millis(20);
/// Kills come at different times after the last heartbeat: this much later from one trial to the next.
const SHIFT: Duration = Duration::from_millis(370);

/// A cluster whose workers can be taken away.
pub(super) trait Workers {
    fn system(&self) -> &'static str;
    /// As statuses name them.
    fn ids(&self) -> Vec<String>;
    /// An API that is there without this worker.
    fn rest_without(&self, worker: usize) -> Rest;
    /// How long its tasks may be away at most, and some.
    fn patience(&self) -> Duration;
    /// SIGKILL.
    fn kill(&mut self, worker: usize) -> Outcome<()>;
    /// SIGTERM. Returns when it has ended.
    async fn stop(&mut self, worker: usize) -> Outcome<()>;
    /// The same worker again.
    async fn start(&mut self, worker: usize) -> Outcome<()>;
}

/// One trial.
pub(super) async fn kill(
    cluster: &mut impl Workers,
    flow: &Flow,
    (trial, figures): (usize, &mut Figures),
) -> Outcome<String> {
    let (system, patience, ids) = (cluster.system(), cluster.patience(), cluster.ids());
    let placement = settled(&cluster.rest_without(0), flow, patience).await?;
    let victim = placement.victim(trial, (&ids, flow))?;
    let rest = cluster.rest_without(victim);
    let streams = placement.streams_of(&ids[victim], flow);
    flow.catch_up(patience).await?;
    tokio::time::sleep(SHIFT * u32::try_from(trial % 3)?).await;

    let killed = Instant::now();
    cluster.kill(victim)?;
    let watched = shown_until(&rest, &ids[victim], killed);
    let (resumed, shown) = tokio::join!(resumed(&streams, killed, patience), async {
        tokio::time::timeout(patience, watched).await.unwrap_or(patience)
    });
    let (source, sink) = resumed?;
    for (case, time) in [
        ("worker-kill", source.max(sink)),
        ("worker-kill-sources", source),
        ("worker-kill-sinks", sink),
    ] {
        time.into_iter().for_each(|time| figures.add(case, system, time));
    }
    figures.add("worker-kill-shown-running", system, shown);

    cluster.start(victim).await?;
    settled(&rest, flow, patience).await?;
    let lost = flow.catch_up(patience).await?;
    figures.count(("worker-kill", system), "lost", lost);
    Ok(format!(
        "{} of {} tasks, sources {source:.1?}, sinks {sink:.1?}, shown as running for {shown:.1?}, lost {lost}",
        streams.len(),
        flow.streams.len()
    ))
}

/// How long after this the API shows a task of the worker as RUNNING there.
async fn shown_until(rest: &Rest, worker: &str, killed: Instant) -> Duration {
    let mut last = Duration::ZERO;
    loop {
        match Placement::look(rest).await {
            Some(placement) if !placement.names(worker) => return last,
            Some(_still) => last = killed.elapsed(),
            None => {}
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// One trial.
pub(super) async fn stop(
    cluster: &mut impl Workers,
    flow: &Flow,
    (trial, figures): (usize, &mut Figures),
) -> Outcome<String> {
    let (system, patience, ids) = (cluster.system(), cluster.patience(), cluster.ids());
    let placement = settled(&cluster.rest_without(0), flow, patience).await?;
    let victim = placement.victim(trial, (&ids, flow))?;
    let streams = placement.streams_of(&ids[victim], flow);
    flow.catch_up(patience).await?;
    let repeated = || flow.streams.iter().map(Stream::repeated).sum::<usize>();
    let before = repeated();

    let stopped = Instant::now();
    cluster.stop(victim).await?;
    // After the worker has gone, each of its tasks is elsewhere when something passes.
    resumed(&streams, Instant::now(), patience).await?;
    let gap = |kind| {
        let of_kind = streams.iter().filter(move |stream| stream.kind == kind);
        of_kind
            .map(|stream| stream.longest_gap(stopped))
            .max()
            .unwrap_or_default()
    };
    let (source, sink) = (gap(Kind::Source), gap(Kind::Sink));
    let lost = flow.catch_up(patience).await?;
    let twice = repeated() - before;
    figures.add("worker-stop", system, source.max(sink));
    figures.count(("worker-stop", system), "repeated", twice);
    figures.count(("worker-stop", system), "lost", lost);
    figures.add("worker-stop-sources", system, source);
    figures.add("worker-stop-sinks", system, sink);

    cluster.start(victim).await?;
    Ok(format!(
        "{} tasks, longest gap of sources {source:.1?}, of sinks {sink:.1?}, repeated {twice}, lost {lost}",
        streams.len()
    ))
}
