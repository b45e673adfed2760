//! What a source task and a sink task begin with, what happens when it cannot begin yet, and how each follows what is
//! wanted of it.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use towpath_connect::error::Chain;
use towpath_connect::{ConfigMap, ConnectorError, Result};
use towpath_types::{TargetState, TaskNumber, UnitState};

use super::fenced::Ended;
use super::supervise::UnitContext;
use crate::backoff::Backoff;
use crate::clients::ClientOwner;
use crate::errors::{begins_again, trace};

/// First wait after a start that did not work for the moment.
const FIRST_START_RETRY: Duration = Duration::from_secs(1);
/// Longest wait after such a start: what is back should not be kept waiting.
const MAX_START_RETRY: Duration = Duration::from_secs(10);

/// A task's configurations, with what providers give in them: they stay in memory and are not logged.
pub(crate) struct TaskStart {
    pub(crate) connector: Arc<str>,
    pub(crate) number: u32,
    pub(crate) config: ConfigMap,
    pub(super) task_config: ConfigMap,
}

impl TaskStart {
    /// # Errors
    /// When a provider has no value for a reference.
    pub(super) fn of(context: &UnitContext) -> Result<Self> {
        let spec = &context.spec;
        let resolve = &context.environment.resolve;
        let task_config = spec
            .task_config
            .as_ref()
            .ok_or_else(|| ConnectorError::bug("a task was assigned without its configuration"))?;
        Ok(Self {
            connector: spec.unit.connector_name().as_str().into(),
            number: spec.unit.task_number().map_or(0, TaskNumber::get),
            config: resolve(&spec.connector_config)?,
            task_config: resolve(task_config)?,
        })
    }

    /// The task as the owner of a client whose overrides begin with this prefix.
    pub(super) fn owner(&self, prefix: &str) -> ClientOwner {
        ClientOwner {
            connector: Arc::clone(&self.connector),
            task: self.number,
            overrides: self.config.with_prefix(prefix),
        }
    }
}

/// Starts a task; `false` if it was told to stop before it had.
///
/// # Errors
/// When the task cannot start, or not yet.
pub(super) async fn begun(
    start: impl Future<Output = Result<()>>,
    stop: &CancellationToken,
) -> Result<bool, Ended> {
    tokio::select! {
        started = start => match started {
            Ok(()) => Ok(true),
            Err(error) if begins_again(error.kind()) => Err(Ended::NotStarted(error)),
            Err(error) => Err(Ended::Failed(error)),
        },
        () = stop.cancelled() => Ok(false),
    }
}

/// Of a unit whose `start` ends in errors that pass: how long it waits, and what it says meanwhile.
pub(super) struct StartRetry {
    version: &'static str,
    backoff: Backoff,
    /// What was last said, so that it is said once.
    told: Option<String>,
}

impl StartRetry {
    pub(super) fn new(version: &'static str) -> Self {
        Self {
            version,
            backoff: Backoff::new(FIRST_START_RETRY, MAX_START_RETRY),
            told: None,
        }
    }

    /// Says why the unit did not start; returns the wait before it begins again.
    pub(super) fn next_wait(&mut self, error: &ConnectorError, context: &UnitContext) -> Duration {
        let trace = trace::of(error);
        if self.told.as_ref() != Some(&trace) {
            tracing::warn!(error = %Chain(error), "not started yet; trying again until it works");
            context.report_waiting(&trace, self.version);
            self.told = Some(trace);
        }
        self.backoff.next_wait()
    }

    /// It runs, or nothing is to run.
    pub(super) fn reset(&mut self) {
        self.backoff.reset();
        self.told = None;
    }
}

/// What is wanted of a task, and what was said of it: each state once.
pub(super) struct Activity {
    version: &'static str,
    reported: Option<UnitState>,
}

impl Activity {
    /// Of a task that has just begun.
    pub(super) fn begin(version: &'static str) -> Self {
        tracing::info!("task started");
        Self {
            version,
            reported: None,
        }
    }

    /// RUNNING or PAUSED.
    pub(super) fn wanted(context: &mut UnitContext) -> UnitState {
        match *context.target.borrow_and_update() {
            TargetState::Running => UnitState::Running,
            TargetState::Paused | TargetState::Stopped => UnitState::Paused,
        }
    }

    /// Whether nobody was told of this state yet.
    pub(super) fn is_new(&self, state: UnitState) -> bool {
        self.reported != Some(state)
    }

    /// The task is in this state now.
    pub(super) fn report(&mut self, state: UnitState, context: &UnitContext) {
        if self.is_new(state) {
            self.reported = Some(state);
            context.report(state, Some(self.version));
        }
    }
}
