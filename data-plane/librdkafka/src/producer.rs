//! A producer that several tasks share, each through a lane of its own.
//!
//! Records go in by librdkafka's batch call, delivery reports come out by its event queue, and neither costs an
//! allocation a record. There is no thread and no task here: a callback of librdkafka wakes one of the lanes that wait,
//! and that one hands the reports out to all. Log lines do not travel by the queue, so an idle producer needs no care.
//!
//! # Why it is done this way
//! Measured with `examples/throughput.rs`; the figures are in its header. Payloads are copied: librdkafka allocates one
//! block a message anyway and the copy of a small record is lost in that, while a borrowed payload would have to be kept
//! and looked up again for each report.

mod enqueue;
mod lanes;

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka_sys as sys;
use rdkafka_sys::types::RDKafkaErrorCode;
use tokio::sync::Notify;

use crate::Header;
use crate::error::{ClientError, SendError};
use crate::native::{Client, Queue, Topic};
use lanes::{LaneIndex, Lanes};

/// How many bits of a token are the caller's; the rest of librdkafka's 64-bit opaque says which lane it belongs to.
pub const TOKEN_BITS: u32 = 48;
/// The largest token.
pub const MAX_TOKEN: u64 = (1 << TOKEN_BITS) - 1;

/// What a message costs in librdkafka beside its key and value: its descriptor, and malloc's share.
pub const MESSAGE_OVERHEAD_BYTES: usize = 256;

/// Records go to librdkafka in chunks of this many, so that the array they are listed in fits on the stack.
const CHUNK: usize = 128;

/// A record to be sent; nothing in it is owned.
#[derive(Debug, Clone, Copy)]
pub struct RecordRef<'a> {
    pub topic: &'a Arc<str>,
    /// `None` leaves the choice to the partitioner.
    pub partition: Option<i32>,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    /// Milliseconds since 1970; `None` is now. librdkafka takes 0 for now too.
    pub timestamp: Option<i64>,
    pub headers: &'a [Header],
    /// Comes back with the delivery; at most [`MAX_TOKEN`].
    pub token: u64,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    pub token: u64,
    pub result: Result<Position, RDKafkaErrorCode>,
}

/// Where a record was written. The offset is negative if the broker was not asked to say (`acks=0`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    pub partition: i32,
    pub offset: i64,
}

/// What [`Lane::try_send`] did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// How many records from the front were taken; each of them gets one delivery.
    pub count: usize,
    /// Why the others were not.
    pub stop: Stop,
}

/// Why records were left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// None were.
    Done,
    /// There is no room; [`Lane::room`] waits for it.
    Full,
    /// The cluster says that it has no such topic. It is looked for again in the background.
    UnknownTopic(Arc<str>),
}

/// A producer, to be shared: clones are the same producer, which ends with the last of them and of its lanes.
#[derive(Debug, Clone)]
pub struct BatchProducer {
    shared: Arc<Shared>,
}

/// What the lanes have in common. Topics and the queue come before the client, which must be the last to go.
struct Shared {
    topics: Mutex<HashMap<Arc<str>, Option<Arc<Topic>>>>,
    lanes: Mutex<Lanes>,
    queue: Queue,
    /// Woken when deliveries made room.
    freed: Notify,
    client: Arc<Client>,
}

impl BatchProducer {
    /// `buffer_bytes` limits what waits in librdkafka, [`MESSAGE_OVERHEAD_BYTES`] a record included.
    pub fn new(config: &ClientConfig, buffer_bytes: NonZeroUsize) -> Result<Self, ClientError> {
        let mut config = config.clone();
        // Ours is the limit that counts: librdkafka's ignores keys and overhead, and knows no lanes.
        let most_messages = buffer_bytes.get().div_ceil(MESSAGE_OVERHEAD_BYTES).max(CHUNK);
        config.set("queue.buffering.max.messages", most_messages.to_string());
        let client = Arc::new(Client::producer(&config)?);
        let queue = Queue::main(&client);
        let lanes = Mutex::new(Lanes::new(buffer_bytes.get()));
        let shared = Shared {
            topics: Mutex::default(),
            lanes,
            queue,
            freed: Notify::new(),
            client,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// A new user of this producer.
    pub fn lane(&self) -> Result<Lane, SendError> {
        let (index, delivered) = self.shared.lanes().open()?;
        Ok(Lane {
            shared: Arc::clone(&self.shared),
            index,
            delivered,
            drained_seen: 0,
            last_topic: None,
        })
    }

    /// How many lanes are open.
    pub fn lane_count(&self) -> usize {
        self.shared.lanes().open_count()
    }

    /// Why the producer must be replaced, if it must.
    pub fn fatal_error(&self) -> Option<String> {
        self.shared.client.fatal_error()
    }

    /// How many partitions the cluster says a topic has; `None` if there is no such topic. The question lets a broker
    /// that creates topics by itself create this one. Waits on a thread that may block.
    pub async fn partition_count(
        &self,
        topic: &str,
        timeout: Duration,
    ) -> Result<Option<i32>, RDKafkaErrorCode> {
        let (shared, topic) = (Arc::clone(&self.shared), Arc::<str>::from(topic));
        let answer = tokio::task::spawn_blocking(move || shared.partition_count(&topic, timeout)).await;
        answer.unwrap_or(Err(RDKafkaErrorCode::BrokerDestroy))
    }

    /// Ends the producer if nobody else has it. What was not sent is dropped.
    pub async fn close(self) {
        // Joins librdkafka's threads, so not on a thread of the runtime. A panic in there is nothing to act on here.
        let _closed = tokio::task::spawn_blocking(move || drop(self)).await;
    }
}

impl Shared {
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        // Nothing in there can panic half-way; a poisoned lock would only hide the first panic.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handle of a topic, or `None` if no topic can have that name.
    fn topic(&self, name: &Arc<str>) -> Option<Arc<Topic>> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = topics.get(name) {
            return known.clone();
        }
        let topic = Topic::new(&self.client, name).map(Arc::new);
        topics.insert(Arc::clone(name), topic.clone());
        topic
    }

    fn partition_count(&self, name: &Arc<str>, timeout: Duration) -> Result<Option<i32>, RDKafkaErrorCode> {
        let Some(topic) = self.topic(name) else {
            return Err(RDKafkaErrorCode::InvalidTopic);
        };
        enqueue::partition_count(&self.client, &topic, timeout)
    }

    /// Hands out the delivery reports that are there. Returns whether there were any.
    fn pump(&self) -> bool {
        let mut any = false;
        loop {
            let mut lanes = self.lanes();
            // Polled under the lock, so that two lanes doing this at once keep the reports' order.
            let Some(event) = self.queue.poll() else { break };
            if event.kind() == sys::RD_KAFKA_EVENT_DR {
                enqueue::deliveries(&event, |opaque, bytes, result| {
                    lanes.deliver(opaque, bytes, result);
                });
                any = true;
            }
            drop(lanes);
            // Frees the messages, which takes longer than handing out what became of them.
            drop(event);
        }
        if any {
            self.freed.notify_waiters();
        }
        any
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

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

/// Headers are not counted: a report does not say how large they were.
fn cost_of(record: &RecordRef<'_>) -> usize {
    MESSAGE_OVERHEAD_BYTES + record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len)
}
