//! The loop of a source task that delivers exactly once: records and their source offsets are written in one transaction.
//! Runs in the unit's task; stopped by the unit's token, after which it commits what it may and releases the task.
//!
//! Kafka fences a second run of the task, so this one goes on while the control plane is away.

mod boundary;
mod copies;
mod offsets;
mod open;
mod stored;
mod transaction;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use towpath_connect::{
    ConnectorError, Plugin, Result, SourceConnector, SourceRecord, SourceTaskContext, TransactionEnd,
};
use towpath_types::UnitState;
use tracing::{info, warn};

use self::boundary::Boundary;
use self::copies::Copies;
use self::open::Opened;
use self::transaction::{Batch, Transaction};
use super::polling::{MAX_POLL_WAIT, Polling};
use super::processing::Processing;
use super::topics::TopicsSent;
use crate::clients::ClientError;
use crate::pipeline::ErrorPolicy;
use crate::unit::fenced::{Ended, while_wanted};
use crate::unit::supervise::UnitContext;
use crate::unit::task_start::{Activity, TaskStart, begun};

const SOURCE: &str = "source";

impl Ended {
    /// What an error of the task's producer leads to.
    fn of(error: ClientError, attempt: &str, task: &str) -> Self {
        let is_fenced = matches!(error, ClientError::Fenced(_));
        let attempt = if matches!(error, ClientError::TransactionExpired(_)) {
            format!(
                "The task {task} was unable to finish writing records to Kafka before its producer transaction expired. It \
                 may be necessary to reconfigure this connector in order for it to run healthily with exactly-once \
                 support. Options for this include: tune the connector's producer configuration for higher throughput, \
                 increase the transaction timeout for the connector's producers, decrease the offset commit interval (if \
                 using interval-based transaction boundaries), or use the 'poll' transaction boundary (if the connector is \
                 not already configured to use it)."
            )
        } else {
            attempt.to_owned()
        };
        let error = ConnectorError::external(attempt).with_source(crate::unit::client_error(error));
        if is_fenced {
            Self::Fenced(error)
        } else {
            Self::Failed(error)
        }
    }
}

struct ExactlyOnceLoop {
    context: UnitContext,
    polling: Polling,
    activity: Activity,
    processing: Processing,
    transaction: Transaction,
    boundary: Boundary,
    copies: Copies,
    topics: TopicsSent,
}

pub(in crate::unit) async fn run(
    context: UnitContext,
    plugin: Plugin,
    new: fn() -> Box<dyn SourceConnector>,
) -> Result<()> {
    let again = || run_once(&context, plugin, new);
    while_wanted(&context, SOURCE, plugin, || Box::pin(again())).await
}

async fn run_once(
    context: &UnitContext,
    plugin: Plugin,
    new: fn() -> Box<dyn SourceConnector>,
) -> Result<(), Ended> {
    let start = TaskStart::of(context)?;
    let pipeline = context
        .environment
        .plugins
        .source_pipeline(&start.config)
        .map_err(ConnectorError::from)?;
    let opened = tokio::select! {
        opened = open::open(context, &start) => opened?,
        () = context.stop.cancelled() => return Ok(()),
    };
    let Opened { producer, stored } = opened;
    let boundary = Boundary::of(&start.config, context.environment.settings.offset_flush_interval);
    let mut requests = SourceTaskContext::new(
        Arc::clone(&start.connector),
        start.number,
        Arc::clone(&stored) as _,
    );
    if let Boundary::Connector(transactions) = &boundary {
        requests = requests.with_transactions(transactions.clone());
    }
    let mut task = new().new_task();
    if !begun(task.start(requests, &start.task_config), &context.stop).await? {
        return Ok(());
    }
    let mut source = ExactlyOnceLoop {
        processing: Processing::new(pipeline, ErrorPolicy::of(&start.config), &*task),
        polling: Polling::new(task),
        activity: Activity::begin(plugin.version),
        copies: Copies::new(context, &stored),
        transaction: Transaction::new(context, producer, stored),
        boundary,
        topics: TopicsSent::default(),
        context: context.clone(),
    };
    let outcome = source.follow().await;
    source.finish(outcome).await
}

impl ExactlyOnceLoop {
    async fn follow(&mut self) -> Result<(), Ended> {
        let stop = self.context.stop.clone();
        while !stop.is_cancelled() {
            let state = Activity::wanted(&mut self.context);
            let running = state == UnitState::Running;
            if !running {
                self.commit(&stop).await?;
            }
            self.activity.report(state, &self.context);
            self.copies.send_if_due();
            if running {
                self.copy_batch(&stop).await?;
            } else {
                self.wait_while_paused(&stop).await;
            }
        }
        Ok(())
    }

    async fn copy_batch(&mut self, stop: &CancellationToken) -> Result<(), Ended> {
        let wait = self.boundary.max_wait(MAX_POLL_WAIT);
        let polled = self.polling.poll(wait, &mut self.processing, stop).await?;
        if stop.is_cancelled() {
            // What was polled is read again; what is sent already is for the last commit.
            return Ok(());
        }
        let records = polled.unwrap_or_default();
        self.processing.counters.read.add_len(records.len());
        if let Boundary::Connector(transactions) = &self.boundary {
            let requests = transactions.take_requests();
            return self.dispatch_to_ends(records, &requests, stop).await;
        }
        self.dispatch(records, stop).await?;
        if self.boundary.is_reached() {
            self.commit(stop).await?;
        }
        Ok(())
    }

    /// Sends a batch. Waiting for room in the producer is the back-pressure.
    async fn dispatch(
        &mut self,
        records: impl IntoIterator<Item = SourceRecord>,
        stop: &CancellationToken,
    ) -> Result<(), Ended> {
        let mut batch = Batch::default();
        for record in records {
            let processed = match self.processing.process(record) {
                Ok(processed) => processed,
                Err(unprocessed) => self.processing.handle(unprocessed, stop).await?,
            };
            if let Some(processed) = processed {
                self.topics.note(&processed.record.topic);
                batch.push(processed);
            }
        }
        self.transaction
            .send(batch, &self.processing.counters, stop)
            .await
    }

    /// Sends a batch in which the task may have marked the ends of transactions.
    async fn dispatch_to_ends(
        &mut self,
        records: Vec<SourceRecord>,
        requests: &towpath_connect::TransactionRequests,
        stop: &CancellationToken,
    ) -> Result<(), Ended> {
        let mut part = Vec::new();
        for (index, record) in records.into_iter().enumerate() {
            let end = requests.after_record(index, || boundary::place_of(&record))?;
            part.push(record);
            if let Some(end) = end {
                self.dispatch(std::mem::take(&mut part), stop).await?;
                self.end(end, stop).await?;
            }
        }
        self.dispatch(part, stop).await?;
        match requests.after_batch()? {
            Some(end) => self.end(end, stop).await,
            None => Ok(()),
        }
    }

    async fn end(&mut self, end: TransactionEnd, stop: &CancellationToken) -> Result<(), Ended> {
        if stop.is_cancelled() {
            // Not all of it may have been sent.
            return Ok(());
        }
        if end == TransactionEnd::Abort {
            if !self.transaction.is_open() {
                warn!(
                    "the connector asked to abort a transaction that has no records; nothing is to be done"
                );
                return Ok(());
            }
            self.transaction.drop_records().await?;
        }
        self.commit(stop).await
    }

    /// Commits what was sent, with its source offsets.
    async fn commit(&mut self, stop: &CancellationToken) -> Result<(), Ended> {
        let durable = self.transaction.commit(&self.processing.counters, stop).await?;
        // Invariant 2: the offsets are durable here.
        self.boundary.begin_anew();
        if let Err(error) = self.polling.task.commit(&durable).await {
            warn!(error = %towpath_connect::error::Chain(&error), "the source could not be told of committed offsets");
        }
        self.copies.add(durable);
        self.topics
            .report(&self.context, self.processing.counters.delivered.get());
        Ok(())
    }

    async fn wait_while_paused(&mut self, stop: &CancellationToken) {
        let next_copy = self.copies.due_at();
        tokio::select! {
            () = stop.cancelled() => {}
            _changed = self.context.target.changed() => {}
            () = tokio::time::sleep_until(next_copy) => {}
        }
    }

    /// Commits or aborts what is open, and releases the task.
    async fn finish(&mut self, outcome: Result<(), Ended>) -> Result<(), Ended> {
        let stop = self.context.stop.clone();
        let outcome = match outcome {
            // The connector has not said that this transaction is whole.
            Ok(()) if self.boundary.is_the_connectors() => {
                self.transaction.abandon().await;
                Ok(())
            }
            Ok(()) => self.commit(&stop).await,
            Err(Ended::Failed(error)) => {
                self.transaction.abandon().await;
                Err(Ended::Failed(error))
            }
            Err(ended @ (Ended::Fenced(_) | Ended::NotStarted(_))) => Err(ended),
        };
        self.copies.finish().await;
        self.polling.task.stop().await;
        let counters = &self.processing.counters;
        info!(
            polled = counters.read.get(),
            delivered = counters.delivered.get(),
            filtered = counters.filtered.get(),
            skipped = counters.skipped.get(),
            "task ended"
        );
        outcome
    }
}
