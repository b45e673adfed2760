//! Produces into memory; acknowledges when it is let.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;

use super::Shared;
use crate::clients::{ClientError, Delivery, OutgoingRecord, RecordProducer};

/// Records that may wait for their acknowledgement; more wait in `send`.
const MAX_IN_FLIGHT: usize = 1000;

#[derive(Debug)]
pub(super) struct MemoryProducer {
    shared: Arc<Shared>,
    /// Taken, not yet reported.
    in_flight: VecDeque<OutgoingRecord>,
    /// How often producers had been lost when this one was made.
    made_after: u64,
    /// Of a transaction: acknowledged, not yet committed. `None`: what is acknowledged is there.
    pub(super) uncommitted: Option<Vec<OutgoingRecord>>,
}

impl MemoryProducer {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        let made_after = shared.lock().lost_producers;
        Self {
            shared,
            made_after,
            in_flight: VecDeque::new(),
            uncommitted: None,
        }
    }

    /// Nothing of what was sent is there any more.
    pub(super) fn forget(&mut self) {
        self.in_flight.clear();
        if let Some(uncommitted) = &mut self.uncommitted {
            uncommitted.clear();
        }
    }

    async fn until(&self, ready: impl Fn(&Self) -> bool) {
        loop {
            let changed = self.shared.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if ready(self) {
                return;
            }
            changed.await;
        }
    }
}

#[async_trait]
impl RecordProducer for MemoryProducer {
    async fn send(&mut self, records: &[OutgoingRecord]) -> Result<usize, ClientError> {
        self.until(|this| this.in_flight.len() < MAX_IN_FLIGHT).await;
        if self.shared.lock().lost_producers > self.made_after {
            return Err(ClientError::Fenced("the producer is lost".to_owned()));
        }
        let taken = records.len().min(MAX_IN_FLIGHT - self.in_flight.len());
        self.in_flight.extend(records.iter().take(taken).cloned());
        Ok(taken)
    }

    fn drain_deliveries(&mut self, out: &mut Vec<Delivery>) {
        let mut state = self.shared.lock();
        let is_lost = state.lost_producers > self.made_after;
        if state.acks_are_held && !is_lost {
            return;
        }
        for record in self.in_flight.drain(..) {
            let result = if is_lost {
                Err(ClientError::Fenced("the producer is lost".to_owned()))
            } else if state.poison.is_some() && state.poison == record.value {
                Err(ClientError::Fatal(format!(
                    "a record for topic \"{}\" is refused",
                    record.topic
                )))
            } else {
                Ok(())
            };
            out.push(Delivery {
                token: record.token,
                result,
            });
            if out.last().is_some_and(|delivery| delivery.result.is_ok()) {
                match &mut self.uncommitted {
                    Some(uncommitted) => uncommitted.push(record),
                    None => state.append(&record),
                }
            }
        }
        drop(state);
        self.shared.changed.notify_waiters();
    }

    async fn delivered(&mut self) {
        self.until(|this| {
            let state = this.shared.lock();
            let is_lost = state.lost_producers > this.made_after;
            !this.in_flight.is_empty() && (is_lost || !state.acks_are_held)
        })
        .await;
    }

    fn flush(&mut self) {}
}
