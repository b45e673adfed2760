//! From consumed bytes to `put`, and the same batch again when the sink asks for it.

use std::time::Instant as StdInstant;

use tokio::time::Instant;
use towpath_connect::{ConnectorError, Result, TopicPartition};
use tracing::{info, warn};

use super::super::client_error;
use super::SinkLoop;
use crate::clients::ConsumedRecord;
use crate::errors::{Disposition, Stage, decide};
use crate::pipeline::Failure;

impl SinkLoop {
    /// Makes records of what was consumed.
    pub(super) async fn process(&mut self) -> Result<()> {
        self.take_positions();
        self.records.clear();
        self.records.reserve(self.consumed.len());
        let mut consumed = std::mem::take(&mut self.consumed);
        // Each is dropped as soon as its record is made: it is still in the processor's cache then.
        for consumed in consumed.drain(..) {
            let before = self.records.len();
            match self.pipeline.process(&consumed, &mut self.records) {
                Ok(()) if self.records.len() == before => self.counters.filtered.add(1),
                Ok(()) => {}
                Err(failure) => self.recover(&consumed, failure).await?,
            }
        }
        self.consumed = consumed;
        let news = self.assigned.new_topics(&self.positions);
        if !news.is_empty() {
            self.context
                .environment
                .reports
                .topics(&self.context.spec.unit, news);
        }
        Ok(())
    }

    /// A record that could not be processed: again, skipped, or the end of the task.
    async fn recover(&mut self, consumed: &ConsumedRecord, mut failure: Failure) -> Result<()> {
        let first = StdInstant::now();
        let stop = self.context.stop.clone();
        for attempt in 1.. {
            match decide(failure.stage, failure.error.kind(), self.policy.tolerance) {
                Disposition::Fail => {
                    self.log(consumed, &failure);
                    return Err(ConnectorError::external("Tolerance exceeded in error handler")
                        .with_source(failure.error));
                }
                Disposition::Skip => break,
                Disposition::Retry => {
                    let Some(wait) = self.policy.next_retry(attempt, first.elapsed()) else {
                        break;
                    };
                    tokio::select! { () = tokio::time::sleep(wait) => {}, () = stop.cancelled() => break }
                    self.counters.retries.add(1);
                    match self.pipeline.process(consumed, &mut self.records) {
                        Ok(()) => return Ok(()),
                        Err(again) => failure = again,
                    }
                }
            }
        }
        self.log(consumed, &failure);
        self.counters.skipped.add(1);
        Ok(())
    }

    fn log(&self, record: &ConsumedRecord, failure: &Failure) {
        if self.policy.log {
            let (stage, class) = (failure.stage.name(), failure.class);
            let chain = towpath_connect::error::Chain(&failure.error);
            warn!(stage, class, topic = %record.topic, partition = record.partition, offset = record.offset, error = %chain, "a record could not be processed");
        }
    }

    /// Hands the batch to the task. `Retriable` keeps it, pauses, and sets when it comes again.
    pub(super) async fn put(&mut self) -> Result<()> {
        match self.task.put(&self.records).await {
            Ok(()) => self.delivered_batch(),
            Err(error)
                if decide(Stage::TaskPut, error.kind(), self.policy.tolerance) == Disposition::Retry =>
            {
                let requested = self.requests.take_timeout();
                let wait = self.put_backoff.next_wait();
                let wait = requested.map_or(wait, |timeout| wait.min(timeout));
                self.counters.retries.add(1);
                if self.put_again_at.is_none() {
                    // Once an outage, not once an attempt.
                    let chain = towpath_connect::error::Chain(&error);
                    warn!(error = %chain, "the sink cannot take records now; trying again until it can");
                    let all = self.assigned.partitions();
                    self.consumer.pause(&all).map_err(client_error)?;
                }
                self.put_again_at = Some(Instant::now() + wait);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    fn delivered_batch(&mut self) -> Result<()> {
        self.counters.delivered.add_len(self.records.len());
        for (partition, next) in std::mem::take(&mut self.positions) {
            if let Some(state) = self.assigned.by_partition.get_mut(&partition) {
                state.delivered = Some(next);
            }
        }
        self.records.clear();
        if self.put_again_at.take().is_some() {
            info!(
                attempts = self.put_backoff.attempts(),
                "the sink takes records again"
            );
            self.put_backoff.reset();
            self.resume_wanted()?;
        }
        Ok(())
    }

    /// One past the last record of each partition, and where reading began. Records of a partition are in order, and
    /// mostly stand together.
    fn take_positions(&mut self) {
        self.positions.clear();
        let same = |a: &ConsumedRecord, b: &ConsumedRecord| a.partition == b.partition && a.topic == b.topic;
        for run in self.consumed.chunk_by(same) {
            let [first, ..] = run else { continue };
            let partition = TopicPartition {
                topic: first.topic.clone(),
                partition: first.partition,
            };
            if let Some(state) = self.assigned.by_partition.get_mut(&partition) {
                state.start.get_or_insert(first.offset);
            }
            let next = run.last().map_or(first.offset, |last| last.offset) + 1;
            self.positions.insert(partition, next);
        }
    }
}
