//! One user's part of a producer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::lanes::{Hurry, LaneIndex};
use super::{BatchProducer, CHUNK, Delivery, MAX_TOKEN, RecordRef, Sent, Shared, Stop, cost_of, enqueue};
use crate::error::SendError;
use crate::native::Topic;

/// How long one flush may take of those that hurry records along: it wakes librdkafka's threads at its beginning only, and
/// a partition whose leader is not known then lingers on.
const HURRY: Duration = Duration::from_millis(100);

/// One user's part of a producer. Its records keep their order in each partition, retries included, as far as the
/// producer's settings promise it. Dropping it drops the reports that are still to come; the records themselves cannot
/// be called back.
pub struct Lane {
    shared: Arc<Shared>,
    index: LaneIndex,
    delivered: Arc<Notify>,
    /// How many messages had been freed when the last send found no room.
    drained_seen: u64,
    /// Most records go to the topic of the one before.
    last_topic: Option<(Arc<str>, Option<Arc<Topic>>)>,
}

impl Lane {
    pub(super) fn open(shared: &Arc<Shared>) -> Result<Self, SendError> {
        let (index, delivered) = shared.lanes().open()?;
        let shared = Arc::clone(shared);
        Ok(Self {
            shared,
            index,
            delivered,
            drained_seen: 0,
            last_topic: None,
        })
    }

    /// Hands over as many records from the front as there is room for. Never waits.
    ///
    /// A record that can never be sent (too large, no such partition) is taken too and gets a delivery that says so.
    /// Deliveries are kept until they are drained: drain between two calls.
    pub fn try_send<'r, R>(
        &mut self,
        records: &'r [R],
        view: impl Fn(&'r R) -> RecordRef<'r>,
    ) -> Result<Sent, SendError> {
        self.shared.pump();
        let mut count = 0;
        while count < records.len() {
            let rest = records.get(count..).unwrap_or_default();
            let chunk = self.reserve(rest, &view)?;
            if chunk.is_empty() {
                return Ok(Sent {
                    count,
                    stop: Stop::Full,
                });
            }
            let sent = self.enqueue(chunk, &view)?;
            count += sent.count;
            if sent.stop != Stop::Done {
                return Ok(Sent {
                    count,
                    stop: sent.stop,
                });
            }
        }
        Ok(Sent {
            count,
            stop: Stop::Done,
        })
    }

    /// Waits until deliveries, of whichever lane, have made room since the last send that found none. Dropping the
    /// future loses nothing.
    pub async fn room(&self) {
        loop {
            let freed = self.shared.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            self.shared.pump();
            if self.shared.lanes().drained() != self.drained_seen {
                return;
            }
            tokio::select! {
                () = freed => {}
                () = self.shared.queue.ready().notified() => {}
            }
        }
    }

    /// Moves the deliveries that have arrived to the end of `out`. Never waits.
    pub fn drain_deliveries(&mut self, out: &mut Vec<Delivery>) {
        self.shared.pump();
        self.shared.lanes().drain(self.index, out);
    }

    /// Whether deliveries wait to be drained.
    pub fn has_deliveries(&self) -> bool {
        self.shared.lanes().has_deliveries(self.index)
    }

    /// Waits until there is a delivery to drain. Dropping the future loses nothing.
    pub async fn delivered(&self) {
        loop {
            self.shared.pump();
            if self.shared.lanes().has_deliveries(self.index) {
                return;
            }
            // Both keep a permit if they were notified since the look above.
            tokio::select! {
                () = self.delivered.notified() => {}
                () = self.shared.queue.ready().notified() => {}
            }
        }
    }

    /// How many records of this lane have no report yet.
    pub fn in_flight(&self) -> usize {
        self.shared.lanes().in_flight(self.index)
    }

    /// Lets librdkafka send what it still gathers for larger batches, until as many records are reported as are in flight
    /// now, or the lane is dropped. Records of other lanes do not linger meanwhile either.
    pub fn hurry(&mut self) {
        if self.shared.lanes().hurry(self.index) == Hurry::Begin {
            let (shared, index) = (Arc::clone(&self.shared), self.index);
            let _ends_by_itself = tokio::task::spawn_blocking(move || {
                while shared.lanes().is_hurried(index) {
                    enqueue::flush(&shared.client, HURRY);
                    shared.pump();
                }
            });
        }
    }

    /// Waits until every record of this lane has its report, which stays to be drained.
    pub async fn flushed(&self) {
        loop {
            let freed = self.shared.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            self.shared.pump();
            if self.in_flight() == 0 {
                return;
            }
            tokio::select! {
                () = freed => {}
                () = self.shared.queue.ready().notified() => {}
            }
        }
    }

    /// The producer behind this lane.
    pub fn producer(&self) -> BatchProducer {
        BatchProducer {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Books room for the records at the front that fit, one chunk at most.
    fn reserve<'r, R>(
        &mut self,
        records: &'r [R],
        view: &impl Fn(&'r R) -> RecordRef<'r>,
    ) -> Result<&'r [R], SendError> {
        let mut lanes = self.shared.lanes();
        let mut count = 0;
        for record in records.iter().take(CHUNK) {
            let record = view(record);
            if record.token > MAX_TOKEN {
                lanes.unbook(self.index, records.iter().take(count).map(|r| cost_of(&view(r))));
                return Err(SendError::Token { token: record.token });
            }
            if !lanes.book(self.index, cost_of(&record)) {
                break;
            }
            count += 1;
        }
        self.drained_seen = lanes.drained();
        Ok(records.get(..count).unwrap_or_default())
    }

    /// Enqueues records that have room booked, and gives back the room of those that were not taken.
    fn enqueue<'r, R>(
        &mut self,
        records: &'r [R],
        view: &impl Fn(&'r R) -> RecordRef<'r>,
    ) -> Result<Sent, SendError> {
        let mut sent = Sent {
            count: 0,
            stop: Stop::Done,
        };
        while sent.count < records.len() && sent.stop == Stop::Done {
            let rest = records.get(sent.count..).unwrap_or_default();
            let first = view(&rest[0]);
            let topic = self.topic_of(first.topic);
            let mut refused = Vec::new();
            let run = enqueue::run(topic.as_deref(), self.index, rest, view, &mut refused);
            if !refused.is_empty() {
                self.shared.lanes().refuse(self.index, &refused);
            }
            sent.count += run.taken;
            sent.stop = match run.halt {
                None => Stop::Done,
                Some(enqueue::Halt::Full) => Stop::Full,
                Some(enqueue::Halt::UnknownTopic) => Stop::UnknownTopic(Arc::clone(first.topic)),
                Some(enqueue::Halt::Fatal) => {
                    self.give_back(records, sent.count, view);
                    let reason = self.shared.client.fatal_error().unwrap_or_default();
                    return Err(SendError::Fatal { reason });
                }
            };
        }
        self.give_back(records, sent.count, view);
        Ok(sent)
    }

    fn give_back<'r, R>(&self, records: &'r [R], taken: usize, view: &impl Fn(&'r R) -> RecordRef<'r>) {
        if taken < records.len() {
            let costs = records.iter().skip(taken).map(|record| cost_of(&view(record)));
            self.shared.lanes().unbook(self.index, costs);
        }
    }

    fn topic_of(&mut self, name: &Arc<str>) -> Option<Arc<Topic>> {
        match &self.last_topic {
            Some((last, topic)) if Arc::ptr_eq(last, name) || last == name => topic.clone(),
            _ => {
                let topic = self.shared.topic(name);
                self.last_topic = Some((Arc::clone(name), topic.clone()));
                topic
            }
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.shared.lanes().close(self.index);
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lane")
            .field("shared", &self.shared)
            .field("index", &self.index)
            .finish_non_exhaustive()
    }
}
