//! The loop of a source task: poll, process, send, and commit what Kafka has acknowledged. Runs in the unit's task;
//! stopped by the unit's token, after which it waits for what is in flight and commits once more.

mod commit;
mod dispatch;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use towpath_connect::{ConnectorError, Plugin, Result, SourceRecord, SourceTask, SourceTaskContext};
use towpath_types::{TargetState, UnitState};
use tracing::{info, warn};

use self::commit::Committer;
use super::supervise::UnitContext;
use super::task_start::TaskStart;
use crate::backoff::Backoff;
use crate::clients::{Delivery, RecordProducer};
use crate::counters::TaskCounters;
use crate::errors::{Disposition, Stage, decide};
use crate::offsets::ConnectorOffsets;
use crate::pipeline::{ErrorPolicy, SourcePipeline};
use crate::tracker::Tracker;

/// How long one `poll` may wait: commits, pauses and stops are looked at in between.
const MAX_POLL_WAIT: Duration = Duration::from_secs(1);
/// First wait after `poll` failed with something retriable.
const FIRST_POLL_RETRY: Duration = Duration::from_millis(100);
/// Longest wait after `poll` failed with something retriable.
const MAX_POLL_RETRY: Duration = Duration::from_secs(10);

struct SourceLoop {
    context: UnitContext,
    task: Box<dyn SourceTask>,
    version: &'static str,
    pipeline: SourcePipeline,
    policy: ErrorPolicy,
    producer: Box<dyn RecordProducer>,
    tracker: Tracker,
    committer: Committer,
    /// Reused between drains.
    deliveries: Vec<Delivery>,
    /// The first delivery that failed; the task ends with it at the next look.
    failed_delivery: Option<ConnectorError>,
    topics: dispatch::TopicsSent,
    counters: TaskCounters,
    poll_backoff: Backoff,
}

pub(super) async fn run(context: UnitContext, plugin: Plugin, mut task: Box<dyn SourceTask>) -> Result<()> {
    let environment = context.environment.clone();
    let start = TaskStart::of(&context)?;
    let pipeline = environment.plugins.source_pipeline(&start.config)?;
    let owner = start.owner("producer.override.");
    let producer = environment
        .clients
        .producer(&owner)
        .await
        .map_err(super::client_error)?;
    let reader = Arc::new(ConnectorOffsets::new(
        Arc::clone(&start.connector),
        Arc::clone(&environment.offsets),
    ));
    let requests = SourceTaskContext::new(Arc::clone(&start.connector), start.number, reader);
    let started = tokio::select! {
        started = task.start(requests, &start.task_config) => started,
        () = context.stop.cancelled() => return Ok(()),
    };
    started?;
    let mut source = SourceLoop {
        policy: ErrorPolicy::of(&start.config),
        committer: Committer::new(&context),
        context,
        task,
        version: plugin.version,
        pipeline,
        producer,
        tracker: Tracker::new(),
        deliveries: Vec::new(),
        failed_delivery: None,
        topics: dispatch::TopicsSent::default(),
        counters: TaskCounters::default(),
        poll_backoff: Backoff::new(FIRST_POLL_RETRY, MAX_POLL_RETRY),
    };
    let outcome = source.follow().await;
    source.finish().await;
    outcome
}

impl SourceLoop {
    async fn follow(&mut self) -> Result<()> {
        info!("task started");
        let stop = self.context.stop.clone();
        let mut reported = None;
        while !stop.is_cancelled() {
            let running = *self.context.target.borrow_and_update() == TargetState::Running;
            let state = if running {
                UnitState::Running
            } else {
                UnitState::Paused
            };
            if reported.replace(state) != Some(state) {
                self.context.report(state, Some(self.version));
            }
            self.settle()?;
            self.commit_if_due().await;
            if running {
                if let Some(records) = self.poll(&stop).await? {
                    self.counters.read.add_len(records.len());
                    self.dispatch(records, &stop).await?;
                }
            } else {
                self.wait_while_paused(&stop).await;
            }
        }
        Ok(())
    }

    /// Resolves what Kafka has answered.
    ///
    /// # Errors
    /// The first delivery that failed and is not tolerated.
    fn settle(&mut self) -> Result<()> {
        self.producer.drain_deliveries(&mut self.deliveries);
        for delivery in self.deliveries.drain(..) {
            match delivery.result {
                Ok(()) => self.counters.delivered.add(1),
                Err(cause) => {
                    let cause = super::client_error(cause);
                    if decide(Stage::KafkaProduce, cause.kind(), self.policy.tolerance) != Disposition::Skip {
                        // Not acknowledged in the tracker: its offset is never committed (invariant 1).
                        self.failed_delivery.get_or_insert_with(|| {
                            ConnectorError::external("Unrecoverable exception from producer send callback")
                                .with_source(cause)
                        });
                        continue;
                    }
                    self.counters.skipped.add(1);
                    warn!(error = %towpath_connect::error::Chain(&cause), "a record could not be produced and is skipped");
                }
            }
            self.tracker.acknowledge(delivery.token);
        }
        if self.tracker.in_flight() == 0 || self.topics.has_news() {
            self.topics.report(&self.context, self.counters.delivered.get());
        }
        self.failed_delivery.take().map_or(Ok(()), Err)
    }

    /// The next records; `None` when the unit is to stop or there is something else to look at first.
    async fn poll(&mut self, stop: &CancellationToken) -> Result<Option<Vec<SourceRecord>>> {
        let polled = tokio::select! {
            polled = self.task.poll(MAX_POLL_WAIT) => polled,
            // The task is about to be stopped: what it had read is not committed and will be read again.
            () = stop.cancelled() => return Ok(None),
        };
        match polled {
            Ok(records) => {
                self.poll_backoff.reset();
                Ok((!records.is_empty()).then_some(records))
            }
            Err(error)
                if decide(Stage::TaskPoll, error.kind(), self.policy.tolerance) == Disposition::Retry =>
            {
                let wait = self.poll_backoff.next_wait();
                self.counters.retries.add(1);
                // Once an outage, not once an attempt.
                if self.poll_backoff.attempts() == 1 {
                    let chain = towpath_connect::error::Chain(&error);
                    warn!(error = %chain, "the source cannot be polled now; trying again until it can");
                }
                tokio::select! { () = tokio::time::sleep(wait) => {}, () = stop.cancelled() => {} }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn wait_while_paused(&mut self, stop: &CancellationToken) {
        let next_commit = self.committer.due_at();
        tokio::select! {
            () = stop.cancelled() => {}
            _changed = self.context.target.changed() => {}
            () = self.producer.delivered(), if self.tracker.in_flight() > 0 => {}
            () = tokio::time::sleep_until(next_commit) => {}
        }
    }

    async fn commit_if_due(&mut self) {
        if Instant::now() >= self.committer.due_at() {
            self.commit().await;
        }
    }

    async fn commit(&mut self) {
        if let Some(durable) = self.committer.commit(&mut self.tracker).await
            && let Err(error) = self.task.commit(&durable).await
        {
            warn!(error = %towpath_connect::error::Chain(&error), "the source could not be told of committed offsets");
        }
    }

    /// Waits for what is in flight, commits once more and releases the task.
    async fn finish(&mut self) {
        self.producer.flush();
        let deadline = Instant::now() + self.context.environment.settings.offset_flush_timeout;
        while self.tracker.in_flight() > self.topics.unsent() {
            if tokio::time::timeout_at(deadline, self.producer.delivered())
                .await
                .is_err()
            {
                warn!(
                    records = self.tracker.in_flight(),
                    "records were not acknowledged in time; they will be read again"
                );
                break;
            }
            // The error that ended the task was returned already, or the task was asked to stop.
            if self.settle().is_err() {
                break;
            }
        }
        self.commit().await;
        self.task.stop().await;
        info!(
            polled = self.counters.read.get(),
            delivered = self.counters.delivered.get(),
            filtered = self.counters.filtered.get(),
            skipped = self.counters.skipped.get(),
            "task ended"
        );
    }
}
