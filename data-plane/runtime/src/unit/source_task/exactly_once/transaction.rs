//! One transaction after another: the records of a task, and with them their source offsets.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use towpath_connect::ConnectorError;
use tracing::warn;

use super::Ended;
use super::offsets::{NewestOffsets, PartitionOffset};
use super::stored::StoredOffsets;
use crate::clients::{ClientError, Delivery, OutgoingRecord, TransactionalProducer};
use crate::counters::TaskCounters;
use crate::pipeline::Processed;
use crate::tracker::Committable;
use crate::unit::source_task::dispatch::SEND_RETRY;
use crate::unit::supervise::UnitContext;

/// The token of an offset's record; those of the source have 0.
pub(super) const OFFSET_TOKEN: u64 = 1;

/// Records on their way to the producer, each with its source offset.
#[derive(Default)]
pub(super) struct Batch {
    records: Vec<OutgoingRecord>,
    offsets: Vec<PartitionOffset>,
}

impl Batch {
    pub(super) fn push(&mut self, processed: Processed) {
        self.records.push(processed.record);
        self.offsets
            .push((processed.source_partition, processed.source_offset));
    }
}

pub(super) struct Transaction {
    producer: Box<dyn TransactionalProducer>,
    stored: Arc<StoredOffsets>,
    /// Begun, and neither committed nor aborted.
    is_open: bool,
    /// Sent and without a report.
    in_flight: usize,
    /// Of the records that were sent.
    offsets: NewestOffsets,
    /// Reused between drains.
    deliveries: Vec<Delivery>,
    /// `connector-0`, for messages.
    task: String,
    /// How long a commit may still take once the task is asked to stop.
    patience: Duration,
}

impl Transaction {
    pub(super) fn new(
        context: &UnitContext,
        producer: Box<dyn TransactionalProducer>,
        stored: Arc<StoredOffsets>,
    ) -> Self {
        Self {
            producer,
            stored,
            is_open: false,
            in_flight: 0,
            offsets: NewestOffsets::default(),
            deliveries: Vec::new(),
            task: context.spec.unit.to_string(),
            patience: context.environment.settings.offset_flush_timeout,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Sends in order; begins a transaction if none is open. Less than all when the task is asked to stop: the offsets
    /// of the others are not tracked.
    pub(super) async fn send(
        &mut self,
        batch: Batch,
        counters: &TaskCounters,
        stop: &CancellationToken,
    ) -> Result<(), Ended> {
        if batch.records.is_empty() {
            return Ok(());
        }
        if batch
            .records
            .iter()
            .any(|record| self.stored.is_offsets_topic(&record.topic))
        {
            return Err(ConnectorError::external(
                "Source tasks may not produce to their own offsets topics when exactly-once support is enabled",
            )
            .into());
        }
        self.begin().await?;
        let mut offsets = batch.offsets.into_iter();
        let mut sent = 0;
        while let Some(rest) = batch.records.get(sent..).filter(|rest| !rest.is_empty()) {
            let taken = tokio::select! {
                taken = self.producer.send(rest) => taken,
                () = stop.cancelled() => return Ok(()),
            };
            let taken = or_wait(taken, counters, &self.task).await?;
            sent += taken;
            self.in_flight += taken;
            offsets
                .by_ref()
                .take(taken)
                .for_each(|offset| self.offsets.put(offset));
            self.settle(counters)?;
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<(), Ended> {
        if !self.is_open {
            self.producer
                .begin()
                .await
                .map_err(|error| Ended::of(error, "A transaction cannot be begun", &self.task))?;
            self.is_open = true;
        }
        Ok(())
    }

    /// Takes in what Kafka has answered.
    ///
    /// # Errors
    /// The first record that could not be written: the transaction cannot be committed without it, tolerated or not.
    fn settle(&mut self, counters: &TaskCounters) -> Result<(), Ended> {
        self.producer.drain_deliveries(&mut self.deliveries);
        for delivery in self.deliveries.drain(..) {
            self.in_flight = self.in_flight.saturating_sub(1);
            if let Err(error) = delivery.result {
                return Err(Ended::of(error, &flush_failed(&self.task), &self.task));
            }
            if delivery.token != OFFSET_TOKEN {
                counters.delivered.add(1);
            }
        }
        Ok(())
    }

    /// Commits what was sent and its source offsets; gives the offsets, none if nothing was open.
    pub(super) async fn commit(
        &mut self,
        counters: &TaskCounters,
        stop: &CancellationToken,
    ) -> Result<Vec<Committable>, Ended> {
        if !self.is_open {
            return Ok(Vec::new());
        }
        let patience = self.patience;
        let too_late = async {
            stop.cancelled().await;
            tokio::time::sleep(patience).await;
        };
        let flush_failed = flush_failed(&self.task);
        tokio::select! {
            written = self.write(counters) => written?,
            () = too_late => {
                return Err(ConnectorError::external(flush_failed).with_source("Kafka has not answered in time").into());
            }
        }
        self.is_open = false;
        let offsets = self.offsets.take().into_iter();
        Ok(offsets
            .filter_map(|(partition, offset)| Some((partition?, offset?)))
            .collect())
    }

    async fn write(&mut self, counters: &TaskCounters) -> Result<(), Ended> {
        self.send_offsets(counters).await?;
        self.delivered(counters).await?;
        // Invariant 1: every record of the transaction is acknowledged here, and its offsets are part of it.
        self.producer
            .commit()
            .await
            .map_err(|error| Ended::of(error, &flush_failed(&self.task), &self.task))
    }

    async fn send_offsets(&mut self, counters: &TaskCounters) -> Result<(), Ended> {
        let records: Vec<OutgoingRecord> = self
            .offsets
            .iter()
            .flat_map(|offset| self.stored.records(offset))
            .collect();
        let mut sent = 0;
        while let Some(rest) = records.get(sent..).filter(|rest| !rest.is_empty()) {
            let taken = self.producer.send(rest).await;
            let taken = or_wait(taken, counters, &self.task).await?;
            sent += taken;
            self.in_flight += taken;
            self.settle(counters)?;
        }
        Ok(())
    }

    /// Waits for all reports.
    async fn delivered(&mut self, counters: &TaskCounters) -> Result<(), Ended> {
        self.producer.flush();
        self.settle(counters)?;
        while self.in_flight > 0 {
            self.producer.delivered().await;
            self.settle(counters)?;
        }
        Ok(())
    }

    /// Drops the records that were sent; their offsets are kept for the transaction that is begun here.
    pub(super) async fn drop_records(&mut self) -> Result<(), Ended> {
        let aborted = self.producer.abort().await;
        aborted.map_err(|error| Ended::of(error, &flush_failed(&self.task), &self.task))?;
        self.is_open = false;
        self.in_flight = 0;
        self.begin().await
    }

    /// Aborts what is open, so that readers of committed records do not wait for it. If that does not work, Kafka does it
    /// when the next run begins or the transaction's time is over.
    pub(super) async fn abandon(&mut self) {
        if !self.is_open {
            return;
        }
        match tokio::time::timeout(self.patience, self.producer.abort()).await {
            Ok(Ok(())) => self.is_open = false,
            Ok(Err(error)) => {
                warn!(error = %error, "the open transaction could not be aborted; Kafka will do it");
            }
            Err(_elapsed) => warn!("the open transaction could not be aborted in time; Kafka will do it"),
        }
    }
}

/// How many records were taken; none, after a wait, if more may be taken later.
async fn or_wait(
    taken: Result<usize, ClientError>,
    counters: &TaskCounters,
    task: &str,
) -> Result<usize, Ended> {
    match taken {
        Ok(taken) => Ok(taken),
        Err(ClientError::Retriable(what)) => {
            counters.retries.add(1);
            warn!(
                error = what,
                "records could not be handed to the producer; trying again"
            );
            tokio::time::sleep(SEND_RETRY).await;
            Ok(0)
        }
        Err(error) => Err(Ended::of(error, "Unrecoverable exception trying to send", task)),
    }
}

fn flush_failed(task: &str) -> String {
    format!("Failed to flush offsets and/or records for task {task}")
}
