//! Polls a source task, and waits out what is retriable.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use towpath_connect::{Result, SourceRecord, SourceTask};
use tracing::warn;

use super::processing::Processing;
use crate::backoff::Backoff;
use crate::errors::{Disposition, Stage, decide};

/// How long one `poll` may wait: commits, pauses and stops are looked at in between.
pub(super) const MAX_POLL_WAIT: Duration = Duration::from_secs(1);
/// First wait after `poll` failed with something retriable.
const FIRST_POLL_RETRY: Duration = Duration::from_millis(100);
/// Longest wait after `poll` failed with something retriable.
const MAX_POLL_RETRY: Duration = Duration::from_secs(10);

pub(super) struct Polling {
    pub(super) task: Box<dyn SourceTask>,
    backoff: Backoff,
}

impl Polling {
    pub(super) fn new(task: Box<dyn SourceTask>) -> Self {
        Self {
            task,
            backoff: Backoff::new(FIRST_POLL_RETRY, MAX_POLL_RETRY),
        }
    }

    /// The next records; `None` when the unit is to stop or there is something else to look at first.
    ///
    /// # Errors
    /// When the task ends with it.
    pub(super) async fn poll(
        &mut self,
        max_wait: Duration,
        processing: &mut Processing,
        stop: &CancellationToken,
    ) -> Result<Option<Vec<SourceRecord>>> {
        let polled = tokio::select! {
            polled = self.task.poll(max_wait) => polled,
            // The task is about to be stopped: what it had read is not committed and will be read again.
            () = stop.cancelled() => return Ok(None),
        };
        match polled {
            Ok(records) => {
                self.backoff.reset();
                Ok((!records.is_empty()).then_some(records))
            }
            Err(error)
                if decide(Stage::TaskPoll, error.kind(), processing.policy.tolerance)
                    == Disposition::Retry =>
            {
                let wait = self.backoff.next_wait();
                processing.counters.retries.add(1);
                // Once an outage, not once an attempt.
                if self.backoff.attempts() == 1 {
                    let chain = towpath_connect::error::Chain(&error);
                    warn!(error = %chain, "the source cannot be polled now; trying again until it can");
                }
                tokio::select! { () = tokio::time::sleep(wait) => {}, () = stop.cancelled() => {} }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
