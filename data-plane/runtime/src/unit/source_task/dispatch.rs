//! From a polled batch to the producer: process each record, submit it to the tracker, send in order.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;
use towpath_connect::{ConnectorError, Result, SourceRecord, Topic};
use tracing::warn;

use super::super::supervise::UnitContext;
use super::SourceLoop;
use crate::clients::{ClientError, OutgoingRecord};
use crate::errors::{Disposition, decide};
use crate::pipeline::{Failure, Processed};

/// Wait before a send that failed with something retriable is tried again.
const SEND_RETRY: Duration = Duration::from_millis(100);

/// The topics a task has sent to, and what of the last batch was not sent.
#[derive(Debug, Default)]
pub(super) struct TopicsSent {
    known: Vec<Topic>,
    news: Vec<Topic>,
    unsent: usize,
}

impl TopicsSent {
    pub(super) fn has_news(&self) -> bool {
        !self.news.is_empty()
    }

    /// Records of the tracker that never reached the producer.
    pub(super) fn unsent(&self) -> usize {
        self.unsent
    }

    /// Says the topics that are new, once a record was acknowledged.
    pub(super) fn report(&mut self, context: &UnitContext, delivered: u64) {
        if self.news.is_empty() || delivered == 0 || !context.environment.settings.topic_tracking {
            return;
        }
        context
            .environment
            .reports
            .topics(&context.spec.unit, std::mem::take(&mut self.news));
    }

    fn note(&mut self, topic: &Topic) {
        // Nearly every record goes where the last one went.
        let is_same = |known: &Topic| std::sync::Arc::ptr_eq(known, topic) || known == topic;
        if !self.known.iter().rev().any(is_same) {
            self.known.push(Topic::clone(topic));
            self.news.push(Topic::clone(topic));
        }
    }
}

impl SourceLoop {
    /// Sends a batch. Waiting for room in the producer is the back-pressure.
    pub(super) async fn dispatch(
        &mut self,
        records: Vec<SourceRecord>,
        stop: &CancellationToken,
    ) -> Result<()> {
        let mut outgoing = Vec::with_capacity(records.len());
        for record in records {
            if let Some(processed) = self.process(record, stop).await? {
                self.submit(processed, &mut outgoing)?;
            }
        }
        self.send(&outgoing, stop).await
    }

    fn submit(&mut self, processed: Processed, outgoing: &mut Vec<OutgoingRecord>) -> Result<()> {
        let Processed {
            mut record,
            source_partition,
            source_offset,
        } = processed;
        record.token = self
            .tracker
            .submit(source_partition.as_ref(), source_offset)
            .ok_or_else(|| {
                ConnectorError::external("the task uses more source partitions than can be tracked")
            })?;
        self.topics.note(&record.topic);
        outgoing.push(record);
        Ok(())
    }

    async fn process(&mut self, record: SourceRecord, stop: &CancellationToken) -> Result<Option<Processed>> {
        let kept = self.policy.retries().then(|| record.clone());
        match self.pipeline.process(record) {
            Ok(Some(processed)) => Ok(Some(processed)),
            Ok(None) => {
                self.counters.filtered.add(1);
                Ok(None)
            }
            Err(failure) => self.handle(failure, kept, stop).await,
        }
    }

    /// A record that could not be processed: again, skipped, or the end of the task.
    async fn handle(
        &mut self,
        mut failure: Failure,
        kept: Option<SourceRecord>,
        stop: &CancellationToken,
    ) -> Result<Option<Processed>> {
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

    async fn send(&mut self, outgoing: &[OutgoingRecord], stop: &CancellationToken) -> Result<()> {
        let mut sent = 0;
        while let Some(rest) = outgoing.get(sent..).filter(|rest| !rest.is_empty()) {
            let taken = tokio::select! {
                taken = self.producer.send(rest) => taken,
                () = stop.cancelled() => Ok(0),
            };
            match taken {
                Ok(taken) => sent += taken,
                Err(ClientError::Retriable(what)) => {
                    self.counters.retries.add(1);
                    warn!(
                        error = what,
                        "records could not be handed to the producer; trying again"
                    );
                    tokio::time::sleep(SEND_RETRY).await;
                }
                Err(fatal) => {
                    self.topics.unsent = outgoing.len() - sent;
                    return Err(ConnectorError::external("Unrecoverable exception trying to send")
                        .with_source(super::super::client_error(fatal)));
                }
            }
            self.settle()?;
            if stop.is_cancelled() {
                self.topics.unsent = outgoing.len() - sent;
                break;
            }
        }
        Ok(())
    }
}
