//! Transforms and converters of a source task, and what becomes of a record that they cannot process.

use std::time::Instant;

use tokio_util::sync::CancellationToken;
use towpath_connect::{ConnectorError, Result, SourceRecord, SourceTask};
use tracing::warn;

use crate::counters::TaskCounters;
use crate::errors::{Disposition, decide};
use crate::pipeline::{ErrorPolicy, Failure, Processed, SourcePipeline};

pub(super) struct Processing {
    pub(super) pipeline: SourcePipeline,
    pub(super) policy: ErrorPolicy,
    pub(super) counters: TaskCounters,
}

/// A record that could not be processed, and the record itself if it may be tried again.
pub(super) struct Unprocessed {
    failure: Failure,
    kept: Option<SourceRecord>,
}

impl Processing {
    /// For a task that has been started.
    pub(super) fn new(mut pipeline: SourcePipeline, policy: ErrorPolicy, task: &dyn SourceTask) -> Self {
        if task.stamps_with_now() {
            pipeline.leave_timestamps_to_the_client();
        }
        Self {
            pipeline,
            policy,
            counters: TaskCounters::default(),
        }
    }

    /// The record for Kafka; `None` if it is dropped. What could not be processed is for [`Self::handle`]; nothing here
    /// waits, so that records are not moved in and out of futures.
    #[inline]
    pub(super) fn process(&mut self, record: SourceRecord) -> Result<Option<Processed>, Box<Unprocessed>> {
        let kept = self.policy.retries().then(|| record.clone());
        match self.pipeline.process(record) {
            Ok(Some(processed)) => Ok(Some(processed)),
            Ok(None) => {
                self.counters.filtered.add(1);
                Ok(None)
            }
            Err(failure) => Err(Box::new(Unprocessed { failure, kept })),
        }
    }

    /// A record that could not be processed: again, skipped, or the end of the task.
    ///
    /// # Errors
    /// When the task ends with it.
    pub(super) async fn handle(
        &mut self,
        unprocessed: Box<Unprocessed>,
        stop: &CancellationToken,
    ) -> Result<Option<Processed>> {
        let Unprocessed { mut failure, kept } = *unprocessed;
        let first = Instant::now();
        for attempt in 1.. {
            match (
                decide(failure.stage, failure.error.kind(), self.policy.tolerance),
                &kept,
            ) {
                (Disposition::Fail, _) => {
                    self.log(&failure);
                    return Err(ConnectorError::external("Tolerance exceeded in error handler")
                        .with_source(failure.error));
                }
                (Disposition::Skip, _) | (Disposition::Retry, None) => break,
                (Disposition::Retry, Some(record)) => {
                    let Some(wait) = self.policy.next_retry(attempt, first.elapsed()) else {
                        break;
                    };
                    tokio::select! { () = tokio::time::sleep(wait) => {}, () = stop.cancelled() => break }
                    self.counters.retries.add(1);
                    match self.pipeline.process(record.clone()) {
                        Ok(processed) => return Ok(processed),
                        Err(again) => failure = again,
                    }
                }
            }
        }
        self.log(&failure);
        self.counters.skipped.add(1);
        Ok(None)
    }

    fn log(&self, failure: &Failure) {
        if self.policy.log {
            let (stage, class) = (failure.stage.name(), failure.class);
            let chain = towpath_connect::error::Chain(&failure.error);
            warn!(stage, class, error = %chain, "a record could not be processed");
        }
    }
}
