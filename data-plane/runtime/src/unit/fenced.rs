//! Runs of tasks that can go on with nothing, while the task could: what it needs to start is away, another run has
//! taken their place in the consumer group or behind the transactional id, or their producer is beyond repair. A place
//! may be taken by a task of ours which begins late what it was once told, or this may be one that was told to run once
//! and no longer is: only the control plane can tell, so it is asked, and waited for, before the task starts over.

use std::time::Duration;

use futures::future::BoxFuture;
use towpath_connect::{ConnectorError, ErrorKind, Plugin, Result};
use tracing::warn;

use super::supervise::UnitContext;
use super::task_start::StartRetry;
use crate::backoff::Backoff;
use crate::offsets::OffsetCommit;
use crate::offsets::topics::retry_backoff;

/// First wait before a task that was fenced begins again.
const FIRST_RESTART: Duration = Duration::from_millis(100);
/// Longest wait before a task that was fenced begins again.
const MAX_RESTART: Duration = Duration::from_secs(10);

/// How a run of a task ended before it was asked to stop.
pub(super) enum Ended {
    /// What it needs to start is away for the moment.
    NotStarted(ConnectorError),
    /// Another run has its place, or its producer is beyond repair.
    Fenced(ConnectorError),
    Failed(ConnectorError),
}

impl From<ConnectorError> for Ended {
    fn from(error: ConnectorError) -> Self {
        Self::Failed(error)
    }
}

/// Runs a task, and again when it could not start yet, or was fenced and is still to run here.
pub(super) async fn while_wanted<'a>(
    context: &'a UnitContext,
    kind: &str,
    plugin: Plugin,
    run_once: impl Fn() -> BoxFuture<'a, Result<(), Ended>>,
) -> Result<()> {
    let stop = context.stop.clone();
    let mut backoff = Backoff::new(FIRST_RESTART, MAX_RESTART);
    let mut start = StartRetry::new(plugin.version);
    loop {
        let began = tokio::time::Instant::now();
        let cause = match run_once().await {
            Ok(()) => return Ok(()),
            Err(Ended::NotStarted(_)) if stop.is_cancelled() => return Ok(()),
            Err(Ended::NotStarted(error)) => {
                let wait = start.next_wait(&error, context);
                tokio::select! { () = tokio::time::sleep(wait) => {}, () = stop.cancelled() => return Ok(()) }
                continue;
            }
            Err(Ended::Fenced(error) | Ended::Failed(error)) if stop.is_cancelled() => {
                warn!(error = %towpath_connect::error::Chain(&error), "what was not committed will be read again");
                return Ok(());
            }
            Err(Ended::Failed(error)) => return Err(error),
            Err(Ended::Fenced(cause)) => cause,
        };
        start.reset();
        if began.elapsed() > MAX_RESTART {
            backoff.reset();
        }
        warn!(error = %towpath_connect::error::Chain(&cause), "fenced; starting over if this task is still to run here");
        tokio::select! {
            holds = holds(context, kind, Vec::new()) => holds?,
            () = stop.cancelled() => return Ok(()),
        }
        tokio::select! { () = tokio::time::sleep(backoff.next_wait()) => {}, () = stop.cancelled() => return Ok(()) }
    }
}

/// Returns once the control plane has said that this run is the wanted one, and knows the topics that it keeps its
/// offsets in, if any are given; waits while it is away.
///
/// # Errors
/// When another run is wanted.
pub(super) async fn holds(context: &UnitContext, kind: &str, topics: Vec<String>) -> Result<()> {
    let unit = &context.spec.unit;
    let mut backoff = retry_backoff();
    loop {
        // A commit of nothing: accepted or refused like one of offsets.
        let nothing = OffsetCommit {
            unit: unit.clone(),
            epoch: context.spec.epoch,
            offsets: Vec::new(),
            in_kafka: topics.clone(),
        };
        match context.environment.offsets.commit(nothing).await {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Retriable => {
                if backoff.attempts() == 0 {
                    warn!(error = %towpath_connect::error::Chain(&error), "waiting for the control plane to say whether this task is to run");
                }
                tokio::time::sleep(backoff.next_wait()).await;
            }
            Err(error) => {
                let what = format!(
                    "Cannot start {kind} task {unit} as it has already been revoked from this worker"
                );
                return Err(ConnectorError::external(what).with_source(error));
            }
        }
    }
}
