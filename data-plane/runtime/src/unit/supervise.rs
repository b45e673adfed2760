//! Runs each unit in a task of its own; a panic or an error makes that unit FAILED and touches no other.

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use towpath_connect::ConnectorError;
use towpath_types::{Epoch, TargetState, UnitId, UnitState};
use tracing::{Instrument, error, info, warn};

use super::{Environment, UnitReport, UnitSpec, connector, sink_task, source_task};
use crate::errors::trace;

/// What a unit's own code is given beside the environment.
#[derive(Clone)]
pub(super) struct UnitContext {
    pub(super) environment: Environment,
    pub(super) spec: Arc<UnitSpec>,
    pub(super) target: watch::Receiver<TargetState>,
    pub(super) stop: CancellationToken,
}

impl UnitContext {
    /// Says that the unit is in this state now.
    pub(super) fn report(&self, state: UnitState, version: Option<&str>) {
        self.environment.reports.unit(self.state(state, version));
    }

    /// Says that the unit could not start, that it tries again, and why.
    pub(super) fn report_waiting(&self, trace: &str, version: &str) {
        // Not UNASSIGNED, which gives the unit back to the control plane.
        let report = self.state(UnitState::Restarting, Some(version));
        self.environment.reports.unit(UnitReport {
            trace: Some(trace.to_owned()),
            ..report
        });
    }

    fn state(&self, state: UnitState, version: Option<&str>) -> UnitReport {
        UnitReport {
            unit: self.spec.unit.clone(),
            epoch: self.spec.epoch,
            state,
            trace: None,
            version: version.map(str::to_owned),
            ended: false,
        }
    }
}

/// A unit whose run ended in an error, with the version of its class if that was known.
#[derive(Debug)]
pub(super) struct UnitFailure {
    pub(super) error: ConnectorError,
    pub(super) version: Option<&'static str>,
}

impl From<ConnectorError> for UnitFailure {
    fn from(error: ConnectorError) -> Self {
        Self { error, version: None }
    }
}

/// A unit that was started. Dropping it stops nothing.
#[derive(Debug)]
pub struct UnitHandle {
    /// Which run.
    pub epoch: Epoch,
    target: watch::Sender<TargetState>,
    stop: CancellationToken,
    abort: AbortHandle,
}

/// The units of a worker. Owned by one task; whoever starts units here also calls [`Units::next_ended`].
#[derive(Debug, Default)]
pub struct Units {
    running: HashMap<UnitId, UnitHandle>,
    set: JoinSet<(UnitId, Epoch)>,
    by_task: HashMap<tokio::task::Id, (UnitId, Epoch)>,
}

impl Units {
    /// No units.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a unit. The caller has seen an earlier run of it end; if that was aborted, its Kafka clients may still be
    /// ending, which Kafka fences (a static member, a transactional id) or which sends nothing any more.
    pub fn start(&mut self, environment: &Environment, spec: UnitSpec) {
        let (target, receiver) = watch::channel(spec.target);
        let stop = CancellationToken::new();
        let (unit, epoch) = (spec.unit.clone(), spec.epoch);
        let context = UnitContext {
            environment: environment.clone(),
            spec: Arc::new(spec),
            target: receiver,
            stop: stop.clone(),
        };
        let span = tracing::info_span!("unit", unit = %unit, epoch = epoch.get());
        let ended = (unit.clone(), epoch);
        let abort = self.set.spawn(
            async move { supervised(context).await }
                .map(|()| ended)
                .instrument(span),
        );
        self.by_task.insert(abort.id(), (unit.clone(), epoch));
        self.running.insert(
            unit,
            UnitHandle {
                epoch,
                target,
                stop,
                abort,
            },
        );
    }

    /// The run of a unit that is here, also one that is stopping.
    pub fn epoch_of(&self, unit: &UnitId) -> Option<Epoch> {
        self.running.get(unit).map(|handle| handle.epoch)
    }

    /// The units that are here.
    pub fn iter(&self) -> impl Iterator<Item = (&UnitId, Epoch)> {
        self.running.iter().map(|(unit, handle)| (unit, handle.epoch))
    }

    /// Tells a unit what is wanted of it.
    pub fn set_target(&self, unit: &UnitId, target: TargetState) {
        if let Some(handle) = self.running.get(unit) {
            handle
                .target
                .send_if_modified(|now| std::mem::replace(now, target) != target);
        }
    }

    /// Asks a unit to stop: it commits, closes and ends.
    pub fn stop(&self, unit: &UnitId) {
        if let Some(handle) = self.running.get(unit) {
            handle.stop.cancel();
        }
    }

    /// Whether a unit was asked to stop.
    pub fn is_stopping(&self, unit: &UnitId) -> bool {
        self.running
            .get(unit)
            .is_some_and(|handle| handle.stop.is_cancelled())
    }

    /// Ends a unit that did not stop in time, wherever it is.
    pub fn abort(&self, unit: &UnitId) {
        if let Some(handle) = self.running.get(unit) {
            handle.abort.abort();
        }
    }

    /// Waits for a unit to be gone; `None` when there is none. Dropping the future loses nothing.
    pub async fn next_ended(&mut self) -> Option<(UnitId, Epoch)> {
        let joined = self.set.join_next_with_id().await?;
        let id = match &joined {
            Ok((id, _)) => *id,
            Err(aborted) => aborted.id(),
        };
        let (unit, epoch) = self.by_task.remove(&id)?;
        if self.epoch_of(&unit) == Some(epoch) {
            self.running.remove(&unit);
        }
        Some((unit, epoch))
    }

    /// Stops all units and waits; those that take longer than `deadline` are ended where they are.
    pub async fn stop_all(&mut self, deadline: Duration) {
        for handle in self.running.values() {
            handle.stop.cancel();
        }
        let all = async { while self.next_ended().await.is_some() {} };
        if tokio::time::timeout(deadline, all).await.is_err() {
            warn!(
                units = self.running.len(),
                "units did not stop in time and were ended"
            );
            self.set.shutdown().await;
            self.running.clear();
            self.by_task.clear();
        }
    }
}

/// Runs a unit to its end and says what became of it. A FAILED unit stays, doing nothing, until it is stopped.
async fn supervised(context: UnitContext) {
    let unit = context.spec.unit.clone();
    let run = AssertUnwindSafe(run(context.clone())).catch_unwind();
    let failed = match run.await {
        Ok(Ok(())) => None,
        Ok(Err(failure)) => {
            let chain = towpath_connect::error::Chain(&failure.error);
            error!(error = %chain, "{} failed", kind(&unit));
            Some((trace::of(&failure.error), failure.version))
        }
        Err(panic) => {
            let trace = trace::of_panic(&format!("{} {unit}", kind(&unit)), panic.as_ref());
            error!(error = trace.trim_end(), "{} panicked", kind(&unit));
            Some((trace, None))
        }
    };
    if let Some((trace, version)) = failed {
        let report = context.state(UnitState::Failed, version);
        context.environment.reports.unit(UnitReport {
            trace: Some(trace),
            ..report
        });
        context.stop.cancelled().await;
    } else {
        info!("{} stopped", kind(&unit));
    }
}

fn kind(unit: &UnitId) -> &'static str {
    match unit {
        UnitId::Connector(_) => "connector",
        UnitId::Task(..) => "task",
    }
}

async fn run(context: UnitContext) -> Result<(), UnitFailure> {
    let class = context
        .spec
        .connector_config
        .get("connector.class")
        .unwrap_or_default()
        .to_owned();
    let plugin = *context
        .environment
        .plugins
        .set
        .find_connector(class.trim())
        .map_err(|cause| ConnectorError::config("the connector's class cannot be used").with_source(cause))?;
    let outcome = match (&context.spec.unit, plugin.factory) {
        (UnitId::Connector(_), factory) => connector::run(context, plugin, factory).await,
        (UnitId::Task(..), towpath_connect::PluginFactory::Source(new))
            if context.environment.exactly_once().is_some() =>
        {
            Box::pin(source_task::exactly_once::run(context, plugin, new)).await
        }
        (UnitId::Task(..), towpath_connect::PluginFactory::Source(new)) => {
            Box::pin(source_task::run(context, plugin, new)).await
        }
        (UnitId::Task(..), towpath_connect::PluginFactory::Sink(new)) => {
            Box::pin(sink_task::run(context, plugin, new)).await
        }
        (UnitId::Task(..), _) => Err(ConnectorError::bug("a task's plugin is neither source nor sink")),
    };
    outcome.map_err(|error| UnitFailure {
        error,
        version: Some(plugin.version),
    })
}
