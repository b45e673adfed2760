//! The loop of a sink task: consume, process, put, and commit what the task says is written. Runs in the unit's task;
//! stopped by the unit's token, after which it commits, closes and leaves the group.

mod assignment;
mod commit;
mod deliver;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use towpath_connect::{
    ConnectorError, Plugin, Result, SinkConnector, SinkRecord, SinkTask, SinkTaskContext,
    TopicPartitionOffsets,
};
use towpath_types::UnitState;
use tracing::info;

use self::assignment::Assigned;
use super::fenced::{Ended, while_wanted};
use super::supervise::UnitContext;
use super::task_start::{Activity, TaskStart, begun};
use crate::backoff::Backoff;
use crate::clients::{ClientError, ConsumedRecord, ConsumerEvent, GroupConsumer, Subscription};
use crate::counters::TaskCounters;
use crate::pipeline::{ErrorPolicy, SinkPipeline};

/// How long one wait for records may take: pauses and stops wake it anyway.
const MAX_POLL_WAIT: Duration = Duration::from_secs(1);
/// First wait before a batch is put again.
const FIRST_PUT_RETRY: Duration = Duration::from_millis(100);
/// Longest wait before a batch is put again.
const MAX_PUT_RETRY: Duration = Duration::from_secs(10);

struct SinkLoop {
    context: UnitContext,
    task: Box<dyn SinkTask>,
    requests: SinkTaskContext,
    activity: Activity,
    pipeline: SinkPipeline,
    policy: ErrorPolicy,
    consumer: Box<dyn GroupConsumer>,
    assigned: Assigned,
    /// Bytes as consumed, until records are made of them.
    consumed: Vec<ConsumedRecord>,
    /// The batch for `put`; kept as it is while `put` is repeated.
    records: Vec<SinkRecord>,
    /// One past the last record of `consumed`, per partition: taken over when the batch was put.
    positions: TopicPartitionOffsets,
    /// `put` asked for the batch to come again.
    put_again_at: Option<Instant>,
    put_backoff: Backoff,
    commit_due_at: Instant,
    /// The wait asked for through the task's context; holds once.
    requested_timeout: Option<Duration>,
    /// Whether records are to be put, as the loop has seen it last.
    is_wanted: bool,
    /// Another run of the task has its place in the group.
    is_fenced: bool,
    counters: TaskCounters,
}

pub(super) async fn run(
    context: UnitContext,
    plugin: Plugin,
    new: fn() -> Box<dyn SinkConnector>,
) -> Result<()> {
    let again = || run_once(&context, plugin, new().new_task());
    while_wanted(&context, "sink", plugin, || Box::pin(again())).await
}

async fn run_once(context: &UnitContext, plugin: Plugin, mut task: Box<dyn SinkTask>) -> Result<(), Ended> {
    let environment = context.environment.clone();
    let start = TaskStart::of(context)?;
    let pipeline = environment
        .plugins
        .sink_pipeline(&start.config)
        .map_err(ConnectorError::from)?;
    let requests = SinkTaskContext::new(Arc::clone(&start.connector), start.number);
    if !begun(task.start(requests.clone(), &start.task_config), &context.stop).await? {
        return Ok(());
    }
    let owner = start.owner("consumer.override.");
    let consumer = match environment
        .clients
        .consumer(&owner, &Subscription::of(&start.config)?)
        .await
    {
        Ok(consumer) => consumer,
        Err(error) => {
            task.stop().await;
            return Err(super::client_error(error).into());
        }
    };
    let mut sink = SinkLoop {
        policy: ErrorPolicy::of(&start.config),
        commit_due_at: Instant::now() + environment.settings.offset_flush_interval,
        assigned: Assigned::new(environment.settings.topic_tracking),
        context: context.clone(),
        task,
        requests,
        activity: Activity::begin(plugin.version),
        pipeline,
        consumer,
        consumed: Vec::new(),
        records: Vec::new(),
        positions: TopicPartitionOffsets::new(),
        put_again_at: None,
        put_backoff: Backoff::new(FIRST_PUT_RETRY, MAX_PUT_RETRY),
        requested_timeout: None,
        is_wanted: false,
        is_fenced: false,
        counters: TaskCounters::default(),
    };
    let outcome = sink.follow().await;
    sink.finish(outcome.is_ok()).await;
    outcome.map_err(|cause| {
        if sink.is_fenced {
            return Ended::Fenced(cause);
        }
        let what = "Exiting WorkerSinkTask due to unrecoverable exception.";
        Ended::Failed(ConnectorError::new(cause.kind(), what).with_source(cause))
    })
}

impl SinkLoop {
    async fn follow(&mut self) -> Result<()> {
        let stop = self.context.stop.clone();
        while !stop.is_cancelled() {
            self.follow_target().await?;
            self.take_requests().await?;
            if Instant::now() >= self.commit_due_at {
                self.commit().await?;
            }
            if self.put_again_at.is_some_and(|at| Instant::now() >= at) {
                self.put().await?;
            } else if let Some(event) = self.next_event(&stop).await? {
                self.handle(event).await?;
            }
        }
        Ok(())
    }

    /// Pauses or goes on as the user wants.
    async fn follow_target(&mut self) -> Result<()> {
        let state = Activity::wanted(&mut self.context);
        self.is_wanted = state == UnitState::Running;
        if self.activity.is_new(state) {
            self.set_paused(state != UnitState::Running).await?;
            self.activity.report(state, &self.context);
        }
        Ok(())
    }

    /// The next event of the consumer; `None` when there is something else to look at first.
    async fn next_event(
        &mut self,
        stop: &tokio_util::sync::CancellationToken,
    ) -> Result<Option<ConsumerEvent>> {
        let now = Instant::now();
        let mut wait = MAX_POLL_WAIT.min(self.commit_due_at.saturating_duration_since(now));
        if let Some(at) = self.put_again_at {
            wait = wait.min(at.saturating_duration_since(now));
        }
        if let Some(timeout) = self.requested_timeout.take() {
            wait = wait.min(timeout);
        }
        let mut late = Vec::new();
        // While a batch waits to be put again all partitions are paused; what still arrives is read again after a seek.
        let batch = if self.put_again_at.is_none() {
            &mut self.consumed
        } else {
            &mut late
        };
        let event = tokio::select! {
            event = self.consumer.next(wait, batch) => event,
            () = stop.cancelled() => return Ok(None),
            _changed = self.context.target.changed() => return Ok(None),
        };
        let event = event.map_err(|error| self.consumer_error(error))?;
        if !late.is_empty() {
            self.put_back(&late).await?;
            return Ok(Some(ConsumerEvent::Idle));
        }
        Ok(Some(event))
    }

    /// What ends the task; whether it starts over depends on it.
    fn consumer_error(&mut self, error: ClientError) -> ConnectorError {
        self.is_fenced |= matches!(error, ClientError::Fenced(_));
        super::client_error(error)
    }

    async fn handle(&mut self, event: ConsumerEvent) -> Result<()> {
        match event {
            ConsumerEvent::Records => {
                self.counters.read.add_len(self.consumed.len());
                self.process().await?;
                self.put().await
            }
            // An empty put lets a task write what it gathers.
            ConsumerEvent::Idle if self.put_again_at.is_none() => self.put().await,
            ConsumerEvent::Idle => Ok(()),
            ConsumerEvent::Assigned(partitions) => self.open(partitions).await,
            ConsumerEvent::Revoked(partitions) => self.revoke(&partitions).await,
            ConsumerEvent::Lost(partitions) => self.lose(&partitions).await,
        }
    }

    /// Commits what is written, closes, and leaves the group. After an error nothing more is written than the task
    /// already has, but what it has written is committed.
    async fn finish(&mut self, orderly: bool) {
        let partitions = self.assigned.partitions();
        if orderly && let Err(error) = self.closing_commit(&partitions).await {
            tracing::warn!(error = %towpath_connect::error::Chain(&error), "the last offsets were not committed; records will come again");
        }
        self.task.close(&partitions).await;
        self.task.stop().await;
        self.consumer.close().await;
        info!(
            consumed = self.counters.read.get(),
            put = self.counters.delivered.get(),
            filtered = self.counters.filtered.get(),
            skipped = self.counters.skipped.get(),
            "task ended"
        );
    }
}
