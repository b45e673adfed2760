//! From a polled batch to the producer: process each record, submit it to the tracker, send in order.

use std::time::Duration;

use tokio_util::sync::CancellationToken;
use towpath_connect::{ConnectorError, Result, SourceRecord};
use tracing::warn;

use super::SourceLoop;
use crate::clients::{ClientError, OutgoingRecord};
use crate::pipeline::Processed;

/// Wait before a send that failed with something retriable is tried again.
pub(super) const SEND_RETRY: Duration = Duration::from_millis(100);

impl SourceLoop {
    /// Sends a batch. Waiting for room in the producer is the back-pressure.
    pub(super) async fn dispatch(
        &mut self,
        records: Vec<SourceRecord>,
        stop: &CancellationToken,
    ) -> Result<()> {
        let mut outgoing = Vec::with_capacity(records.len());
        for record in records {
            let processed = match self.processing.process(record) {
                Ok(processed) => processed,
                Err(unprocessed) => self.processing.handle(unprocessed, stop).await?,
            };
            if let Some(processed) = processed {
                self.submit(processed, &mut outgoing)?;
            }
        }
        self.send(&outgoing, stop).await
    }

    #[inline]
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

    async fn send(&mut self, outgoing: &[OutgoingRecord], stop: &CancellationToken) -> Result<()> {
        let mut sent = 0;
        while let Some(rest) = outgoing.get(sent..).filter(|rest| !rest.is_empty()) {
            let taken = tokio::select! {
                taken = self.producer.send(rest) => taken,
                () = stop.cancelled() => Ok(0),
            };
            match taken {
                Ok(taken) => {
                    sent += taken;
                    self.with_producer += taken;
                }
                Err(ClientError::Retriable(what)) => {
                    self.processing.counters.retries.add(1);
                    warn!(
                        error = what,
                        "records could not be handed to the producer; trying again"
                    );
                    tokio::time::sleep(SEND_RETRY).await;
                }
                Err(fatal) => {
                    self.is_fenced |= matches!(fatal, ClientError::Fenced(_));
                    return Err(ConnectorError::external("Unrecoverable exception trying to send")
                        .with_source(super::super::client_error(fatal)));
                }
            }
            self.settle()?;
            if stop.is_cancelled() {
                break;
            }
        }
        Ok(())
    }
}
