//! The loop of a source task: poll, process, send, and commit what Kafka has acknowledged. Runs in the unit's task;
//! stopped by the unit's token, after which it waits for what is in flight and commits once more.

mod commit;
mod dispatch;
pub(super) mod exactly_once;
mod polling;
mod processing;
mod start_offsets;
mod topics;

use std::sync::Arc;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use towpath_connect::{ConnectorError, Plugin, Result, SourceConnector, SourceTask, SourceTaskContext};
use towpath_types::UnitState;
use tracing::{debug, info, warn};

use self::commit::Committer;
use self::polling::{MAX_POLL_WAIT, Polling};
use self::processing::Processing;
use self::start_offsets::StartOffsets;
use self::topics::TopicsSent;
use super::fenced::{Ended, while_wanted};
use super::supervise::UnitContext;
use super::task_start::{Activity, TaskStart, begun};
use crate::clients::{ClientError, Delivery, RecordProducer};
use crate::errors::{Disposition, Stage, decide};
use crate::pipeline::ErrorPolicy;
use crate::tracker::Tracker;

struct SourceLoop {
    context: UnitContext,
    polling: Polling,
    activity: Activity,
    processing: Processing,
    producer: Box<dyn RecordProducer>,
    tracker: Tracker,
    committer: Committer,
    /// Records that the producer was given and has not told of yet.
    with_producer: usize,
    /// Reused between drains.
    deliveries: Vec<Delivery>,
    /// The first delivery that failed; the task ends with it at the next look.
    failed_delivery: Option<ConnectorError>,
    /// The producer can write nothing more, but another one could.
    is_fenced: bool,
    topics: TopicsSent,
}

pub(super) async fn run(
    context: UnitContext,
    plugin: Plugin,
    new: fn() -> Box<dyn SourceConnector>,
) -> Result<()> {
    let again = || run_once(&context, plugin, new().new_task());
    while_wanted(&context, "source", plugin, || Box::pin(again())).await
}

async fn run_once(context: &UnitContext, plugin: Plugin, mut task: Box<dyn SourceTask>) -> Result<(), Ended> {
    let environment = context.environment.clone();
    let start = Arc::new(TaskStart::of(context)?);
    let pipeline = environment
        .plugins
        .source_pipeline(&start.config)
        .map_err(ConnectorError::from)?;
    let owner = start.owner("producer.override.");
    let producer = environment
        .clients
        .producer(&owner)
        .await
        .map_err(super::client_error)?;
    let reader = Arc::new(StartOffsets::new(context, &start));
    let requests = SourceTaskContext::new(Arc::clone(&start.connector), start.number, reader);
    if !begun(task.start(requests, &start.task_config), &context.stop).await? {
        return Ok(());
    }
    let mut source = SourceLoop {
        committer: Committer::new(context),
        context: context.clone(),
        processing: Processing::new(pipeline, ErrorPolicy::of(&start.config), &*task),
        polling: Polling::new(task),
        activity: Activity::begin(plugin.version),
        producer,
        tracker: Tracker::new(),
        with_producer: 0,
        deliveries: Vec::new(),
        failed_delivery: None,
        is_fenced: false,
        topics: TopicsSent::default(),
    };
    let outcome = source.follow().await;
    let is_fenced = source.is_fenced;
    source.finish().await;
    if is_fenced {
        let records = source.tracker.in_flight();
        warn!(
            records,
            "what was not written is read again, if the source can read it again"
        );
    }
    outcome.map_err(if is_fenced { Ended::Fenced } else { Ended::Failed })
}

impl SourceLoop {
    async fn follow(&mut self) -> Result<()> {
        let stop = self.context.stop.clone();
        while !stop.is_cancelled() {
            let state = Activity::wanted(&mut self.context);
            self.activity.report(state, &self.context);
            self.settle()?;
            self.commit_if_due().await;
            if state == UnitState::Running {
                if let Some(records) = self
                    .polling
                    .poll(MAX_POLL_WAIT, &mut self.processing, &stop)
                    .await?
                {
                    self.processing.counters.read.add_len(records.len());
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
        self.with_producer = self.with_producer.saturating_sub(self.deliveries.len());
        for delivery in self.deliveries.drain(..) {
            match delivery.result {
                Ok(()) => self.processing.counters.delivered.add(1),
                Err(cause) => {
                    let is_lost = matches!(cause, ClientError::Fenced(_));
                    self.is_fenced |= is_lost;
                    let cause = super::client_error(cause);
                    let tolerance = self.processing.policy.tolerance;
                    // What another producer may write is not skipped.
                    if is_lost || decide(Stage::KafkaProduce, cause.kind(), tolerance) != Disposition::Skip {
                        // Not acknowledged in the tracker: its offset is never committed (invariant 1).
                        self.failed_delivery.get_or_insert_with(|| {
                            ConnectorError::external("Unrecoverable exception from producer send callback")
                                .with_source(cause)
                        });
                        continue;
                    }
                    self.processing.counters.skipped.add(1);
                    warn!(error = %towpath_connect::error::Chain(&cause), "a record could not be produced and is skipped");
                }
            }
            self.tracker.acknowledge(delivery.token);
        }
        if self.tracker.in_flight() == 0 || self.topics.has_news() {
            self.topics
                .report(&self.context, self.processing.counters.delivered.get());
        }
        self.failed_delivery.take().map_or(Ok(()), Err)
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
            && let Err(error) = self.polling.task.commit(&durable).await
        {
            warn!(error = %towpath_connect::error::Chain(&error), "the source could not be told of committed offsets");
        }
    }

    /// Waits for what is in flight, commits once more and releases the task.
    async fn finish(&mut self) {
        self.producer.flush();
        let deadline = Instant::now() + self.context.environment.settings.offset_flush_timeout;
        while self.with_producer > 0 {
            if tokio::time::timeout_at(deadline, self.producer.delivered())
                .await
                .is_err()
            {
                warn!(
                    records = self.with_producer,
                    "records were not acknowledged in time; they will be read again"
                );
                break;
            }
            if let Err(error) = self.settle() {
                // What ended the task was returned already, or it was asked to stop.
                debug!(error = %towpath_connect::error::Chain(&error), "a record was not written; it will be read again");
            }
        }
        self.commit().await;
        self.polling.task.stop().await;
        info!(
            polled = self.processing.counters.read.get(),
            delivered = self.processing.counters.delivered.get(),
            filtered = self.processing.counters.filtered.get(),
            skipped = self.processing.counters.skipped.get(),
            "task ended"
        );
    }
}
