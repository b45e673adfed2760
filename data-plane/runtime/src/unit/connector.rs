//! A connector instance: started, asked for its tasks, paused, resumed, stopped. Runs in the unit's task; stopped by
//! the unit's token.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;
use towpath_connect::connector::ConnectorEvents;
use towpath_connect::{
    ConfigMap, ConnectorContext, ConnectorError, Plugin, PluginFactory, Result, SinkConnector,
    SourceConnector,
};
use towpath_types::{TargetState, UnitState};
use tracing::{info, warn};

use super::TaskConfigsReport;
use super::supervise::UnitContext;
use super::task_start::StartRetry;
use crate::backoff::Backoff;
use crate::errors::begins_again;

/// First wait after `task_configs` failed.
const FIRST_RETRY: Duration = Duration::from_millis(250);
/// Longest wait after `task_configs` failed.
const MAX_RETRY: Duration = Duration::from_secs(60);

/// A source or a sink: the same calls.
enum Instance {
    Source(Box<dyn SourceConnector>),
    Sink(Box<dyn SinkConnector>),
}

impl Instance {
    fn new(factory: PluginFactory) -> Result<Self> {
        match factory {
            PluginFactory::Source(new) => Ok(Self::Source(new())),
            PluginFactory::Sink(new) => Ok(Self::Sink(new())),
            PluginFactory::Converter(_)
            | PluginFactory::HeaderConverter(_)
            | PluginFactory::Transform(_)
            | PluginFactory::Predicate(_) => Err(ConnectorError::bug("the plugin is no connector")),
        }
    }

    async fn start(&mut self, context: ConnectorContext, config: &ConfigMap) -> Result<()> {
        match self {
            Self::Source(connector) => connector.start(context, config).await,
            Self::Sink(connector) => connector.start(context, config).await,
        }
    }

    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        match self {
            Self::Source(connector) => connector.task_configs(max_tasks).await,
            Self::Sink(connector) => connector.task_configs(max_tasks).await,
        }
    }

    async fn stop(&mut self) {
        match self {
            Self::Source(connector) => connector.stop().await,
            Self::Sink(connector) => connector.stop().await,
        }
    }

    fn task_class(&self) -> &'static str {
        match self {
            Self::Source(connector) => connector.task_class(),
            Self::Sink(connector) => connector.task_class(),
        }
    }
}

/// What the instance said through its context.
#[derive(Default)]
struct Said {
    wake: Notify,
    /// A std mutex: held for a flag, never across an await.
    state: Mutex<SaidState>,
}

#[derive(Default)]
struct SaidState {
    reconfigure: bool,
    error: Option<ConnectorError>,
}

impl Said {
    fn take(&self) -> SaidState {
        std::mem::take(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl ConnectorEvents for Said {
    fn request_task_reconfiguration(&self) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .reconfigure = true;
        self.wake.notify_one();
    }

    fn raise_error(&self, error: ConnectorError) {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .error
            .get_or_insert(error);
        self.wake.notify_one();
    }
}

struct ConnectorUnit {
    context: UnitContext,
    factory: PluginFactory,
    instance: Instance,
    said: Arc<Said>,
    config: ConfigMap,
    version: &'static str,
    started: bool,
    start_retry: StartRetry,
    /// Not before this it is started: a start that did not work is not repeated at once.
    start_at: Instant,
    reported: Option<UnitState>,
    /// `task_configs` is to be asked.
    tasks_due: bool,
    backoff: Backoff,
}

pub(super) async fn run(context: UnitContext, plugin: Plugin, factory: PluginFactory) -> Result<()> {
    let config = (context.environment.resolve)(&context.spec.connector_config)?;
    let mut unit = ConnectorUnit {
        instance: Instance::new(factory)?,
        factory,
        said: Arc::default(),
        config,
        version: plugin.version,
        started: false,
        start_retry: StartRetry::new(plugin.version),
        start_at: Instant::now(),
        reported: None,
        tasks_due: false,
        backoff: Backoff::new(FIRST_RETRY, MAX_RETRY),
        context,
    };
    let outcome = unit.follow().await;
    // `stop` is called also after a failed start, so that nothing stays open.
    unit.instance.stop().await;
    outcome
}

impl ConnectorUnit {
    /// Until it is stopped, makes the instance what is wanted of it.
    async fn follow(&mut self) -> Result<()> {
        while !self.context.stop.is_cancelled() {
            let target = *self.context.target.borrow_and_update();
            let retry = match self.reach(target).await? {
                None if self.started && self.tasks_due => self.publish_tasks().await?,
                wait => wait,
            };
            let retry_wait = async {
                match retry {
                    Some(wait) => tokio::time::sleep(wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.context.stop.cancelled() => return Ok(()),
                changed = self.context.target.changed() => {
                    if changed.is_err() { return Ok(()); }
                }
                () = self.said.wake.notified() => {}
                () = retry_wait => {}
            }
            let said = self.said.take();
            if let Some(error) = said.error {
                return Err(error);
            }
            self.tasks_due |= said.reconfigure;
        }
        Ok(())
    }

    /// `Some(wait)`: it is not there yet, again after this time.
    async fn reach(&mut self, target: TargetState) -> Result<Option<Duration>> {
        let state = match target {
            TargetState::Running => UnitState::Running,
            TargetState::Paused => UnitState::Paused,
            TargetState::Stopped => UnitState::Stopped,
        };
        if target == TargetState::Running && !self.started {
            let wait = self.start_at.duration_since(Instant::now());
            if !wait.is_zero() {
                return Ok(Some(wait));
            }
            if let Some(wait) = self.start().await? {
                return Ok(Some(wait));
            }
        } else if target != TargetState::Running {
            if self.started {
                self.instance.stop().await;
                self.started = false;
                self.tasks_due = false;
            }
            self.start_at = Instant::now();
            self.start_retry.reset();
        }
        if self.reported.replace(state) != Some(state) {
            self.context.report(state, Some(self.version));
        }
        Ok(None)
    }

    /// `Some(wait)`: it has not started, because what it needs is away or because something else is wanted of it.
    async fn start(&mut self) -> Result<Option<Duration>> {
        let name = self.context.spec.unit.connector_name().as_str();
        let events: Arc<dyn ConnectorEvents> = Arc::clone(&self.said) as _;
        let context = ConnectorContext::new(name, events);
        let outcome = tokio::select! {
            outcome = self.instance.start(context, &self.config) => Some(outcome),
            () = self.context.stop.cancelled() => None,
            _changed = self.context.target.changed() => None,
        };
        let wait = match outcome {
            Some(Ok(())) => {
                self.started = true;
                self.tasks_due = true;
                self.start_retry.reset();
                info!("connector started");
                return Ok(None);
            }
            Some(Err(error)) if begins_again(error.kind()) => {
                // RESTARTING was said, so the next state is news.
                self.reported = None;
                self.start_retry.next_wait(&error, &self.context)
            }
            Some(Err(error)) => return Err(error),
            None => Duration::ZERO,
        };
        // Of no more use, and what it may still say is not the next one's.
        self.instance.stop().await;
        self.instance = Instance::new(self.factory)?;
        self.said = Arc::default();
        self.start_at = Instant::now() + wait;
        Ok(Some(wait))
    }

    /// Asks for the tasks and reports them. `Some(wait)`: it did not work, again after this time.
    async fn publish_tasks(&mut self) -> Result<Option<Duration>> {
        let max = self
            .config
            .get("tasks.max")
            .and_then(|text| text.trim().parse::<usize>().ok())
            .unwrap_or(1);
        let configs = match self.instance.task_configs(max).await {
            Ok(configs) => configs,
            Err(error) => {
                let wait = self.backoff.next_wait();
                let chain = towpath_connect::error::Chain(&error);
                warn!(error = %chain, retry_ms = wait.as_millis(), "the connector could not say its tasks");
                return Ok(Some(wait));
            }
        };
        self.backoff.reset();
        self.tasks_due = false;
        self.check_count(configs.len(), max)?;
        let configs = configs.into_iter().map(|config| self.complete(config)).collect();
        self.context.environment.reports.task_configs(TaskConfigsReport {
            connector: self.context.spec.unit.clone(),
            epoch: self.context.spec.epoch,
            revision: self.context.spec.revision,
            configs,
        });
        Ok(None)
    }

    fn check_count(&self, count: usize, max: usize) -> Result<()> {
        if count <= max {
            return Ok(());
        }
        let name = self.context.spec.unit.connector_name();
        let enforced = self
            .config
            .get("tasks.max.enforce")
            .is_none_or(|v| !v.trim().eq_ignore_ascii_case("false"));
        if !enforced {
            warn!(
                tasks = count,
                max, "the connector has generated more tasks than `tasks.max`"
            );
            return Ok(());
        }
        Err(ConnectorError::external(format!(
            "The connector {name} has generated {count} tasks, which is greater than {max}, the maximum number of tasks \
             it is configured to create. This behaviour should be considered a bug and is disallowed. If necessary, it \
             can be permitted by reconfiguring the connector with 'tasks.max.enforce' set to false; however, this \
             option will be removed in a future release of Kafka Connect."
        )))
    }

    /// The task's configuration as it is stored: with the class, a sink's topics, and references to secrets put back.
    fn complete(&self, mut config: ConfigMap) -> ConfigMap {
        config.insert("task.class", self.instance.task_class());
        if matches!(self.instance, Instance::Sink(_)) {
            for key in ["topics", "topics.regex"] {
                if let Some(value) = self.config.get(key).filter(|value| !value.trim().is_empty()) {
                    config.insert(key, value);
                }
            }
        }
        let raw = &self.context.spec.connector_config;
        // Invariant 8: what the user wrote as a reference leaves the worker as a reference.
        for (key, value) in raw.iter() {
            if let Some(value) = value.filter(|value| is_reference(value))
                && config.contains_key(key)
            {
                config.insert(key, value);
            }
        }
        config
    }
}

/// Whether a value holds `${provider:…}`.
fn is_reference(value: &str) -> bool {
    value.split("${").skip(1).any(|rest| {
        rest.split_once('}')
            .is_some_and(|(inside, _)| inside.contains(':'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_with_a_provider_are_references() {
        for (value, expected) in [
            ("${file:/etc/p.properties:password}", true),
            ("a ${env:HOME} b", true),
            ("${topic}-x", false),
            ("plain", false),
            ("${unclosed:", false),
        ] {
            assert_eq!(is_reference(value), expected, "{value}");
        }
    }
}
