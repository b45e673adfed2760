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
mod lane;
mod lanes;
pub(crate) mod sticky;
mod transactions;
mod window;

use std::collections::HashMap;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka_sys as sys;
use rdkafka_sys::types::RDKafkaErrorCode;
use tokio::sync::Notify;

use crate::Header;
use crate::ending::drop_here;
use crate::error::{ClientError, SendError};
use crate::native::{Client, Event, Queue, Topic};
pub use lane::Lane;
use lanes::Lanes;
use sticky::Sticky;
use window::Window;

/// How many bits of a token are the caller's; the rest of librdkafka's 64-bit opaque says which lane it belongs to.
pub const TOKEN_BITS: u32 = 48;
/// The largest token.
pub const MAX_TOKEN: u64 = (1 << TOKEN_BITS) - 1;

/// What a message costs in librdkafka beside its key and value: its descriptor, and malloc's share.
pub const MESSAGE_OVERHEAD_BYTES: usize = 256;

/// Java's default of `batch.size`: how many bytes without a key go to a partition before there is another.
const STRETCH: usize = 16_384;

/// Records go to librdkafka in chunks of this many, so that the array they are listed in fits on the stack.
const CHUNK: usize = 128;

/// How long it is worth to have librdkafka look for a producer id earlier than it would by itself.
const HASTE: Duration = Duration::from_secs(1);
const MAX_HASTY_QUESTIONS: usize = 3;

/// A record to be sent; nothing in it is owned.
#[derive(Debug, Clone, Copy)]
pub struct RecordRef<'a> {
    pub topic: &'a Arc<str>,
    /// `None`: where the hash of the key says, as in Java; without a key, where those before went, for a while.
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

/// What is wrong with the connection to the cluster. librdkafka goes on trying, whatever it is; whether there is a point
/// in waiting (a wrong password, say) is the caller's to judge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub code: RDKafkaErrorCode,
    pub text: String,
}

/// A producer, to be shared: clones are the same producer, which ends with the last of them and of its lanes.
#[derive(Debug, Clone)]
pub struct BatchProducer {
    shared: Arc<Shared>,
}

/// What the lanes have in common. Topics and the queue come before the client, which must be the last to go.
struct Shared {
    topics: Mutex<HashMap<Arc<str>, Option<Arc<Topic>>>>,
    /// Whether keys choose partitions.
    by_key: bool,
    stretch: usize,
    lanes: Mutex<Lanes>,
    queue: Queue,
    /// Woken when deliveries made room.
    freed: Notify,
    trouble: Mutex<Option<Trouble>>,
    /// Whether an idempotent producer may still wait for its id without need; see [`Shared::hasten_id`].
    may_lack_id: AtomicBool,
    client: Arc<Client>,
}

impl BatchProducer {
    /// `buffer_bytes` limits what waits in librdkafka, [`MESSAGE_OVERHEAD_BYTES`] a record included.
    pub fn new(config: &ClientConfig, buffer_bytes: NonZeroUsize) -> Result<Self, ClientError> {
        let mut config = config.clone();
        // Ours is the limit that counts: librdkafka's ignores keys and overhead, and knows no lanes.
        let most_messages = buffer_bytes.get().div_ceil(MESSAGE_OVERHEAD_BYTES).max(CHUNK);
        config.set("queue.buffering.max.messages", most_messages.to_string());
        // Ours is the partitioner too, which is to be asked when it is time for a choice.
        config.set("sticky.partitioning.linger.ms", "0");
        let by_key = config.get("partitioner") != Some("random");
        let stretch = config
            .get("batch.size")
            .and_then(|bytes| bytes.parse().ok())
            .unwrap_or(STRETCH);
        let client = Arc::new(Client::producer(&config)?);
        let queue = Queue::main(&client);
        let lanes = Mutex::new(Lanes::new(buffer_bytes.get(), Window::of(&config)));
        let (freed, trouble) = (Notify::new(), Mutex::default());
        let shared = Shared {
            topics: Mutex::default(),
            by_key,
            stretch,
            lanes,
            queue,
            freed,
            trouble,
            may_lack_id: AtomicBool::new(may_lack_id(&config)),
            client,
        };
        Ok(Self {
            shared: Arc::new(shared),
        })
    }

    /// A new user of this producer.
    pub fn lane(&self) -> Result<Lane, SendError> {
        Lane::open(&self.shared)
    }

    /// How many lanes are open.
    pub fn lane_count(&self) -> usize {
        self.shared.lanes().open_count()
    }

    /// Whether both are one producer.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Why the producer must be replaced, if it must.
    pub fn fatal_error(&self) -> Option<String> {
        self.shared.client.fatal_error()
    }

    /// What kind of error [`BatchProducer::fatal_error`] is.
    pub fn fatal_code(&self) -> Option<RDKafkaErrorCode> {
        self.shared.client.fatal_code()
    }

    /// The last trouble with the connection, if nothing has worked since.
    pub fn trouble(&self) -> Option<Trouble> {
        self.shared.pump();
        self.shared.trouble().clone()
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
        let _closed = tokio::task::spawn_blocking(move || drop_here(self)).await;
    }
}

impl Shared {
    fn lanes(&self) -> MutexGuard<'_, Lanes> {
        // Nothing in there can panic half-way; a poisoned lock would only hide the first panic.
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn trouble(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The handle of a topic, or `None` if no topic can have that name.
    fn topic(&self, name: &Arc<str>) -> Option<Arc<Topic>> {
        let mut topics = self.topics.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = topics.get(name) {
            return known.clone();
        }
        let sticky = Sticky::new(self.by_key, self.stretch);
        let topic = Topic::new(&self.client, name, sticky).map(Arc::new);
        topics.insert(Arc::clone(name), topic.clone());
        topic
    }

    fn partition_count(&self, name: &Arc<str>, timeout: Duration) -> Result<Option<i32>, RDKafkaErrorCode> {
        let Some(topic) = self.topic(name) else {
            return Err(RDKafkaErrorCode::InvalidTopic);
        };
        let answer = enqueue::partition_count(&self.client, &topic, timeout);
        if answer.is_ok() {
            *self.trouble() = None;
            self.hasten_id(&topic, timeout);
        }
        answer
    }

    /// librdkafka asks for the id of an idempotent producer whenever a broker has told of the cluster, but the broker of
    /// the bootstrap servers, which did that first, is being left then, and the others may not be connected yet. In that
    /// case it looks again after 500 ms, and nothing is sent until then. Another question about the cluster, which waits
    /// for a broker that is connected, has it look as soon as there is one.
    fn hasten_id(&self, topic: &Topic, timeout: Duration) {
        if !self.may_lack_id.swap(false, Ordering::Relaxed) {
            return;
        }
        let end = Instant::now() + timeout.min(HASTE);
        let asks = || {
            let left = end.saturating_duration_since(Instant::now());
            enqueue::partition_count(&self.client, topic, left).is_ok()
        };
        // One that is put to the connection that is being left fails at once.
        let _asked = (0..MAX_HASTY_QUESTIONS).any(|_| asks());
    }

    /// Hands out the delivery reports that are there. Returns whether there were any.
    fn pump(&self) -> bool {
        let mut any = false;
        loop {
            let mut lanes = self.lanes();
            // Polled under the lock, so that two lanes doing this at once keep the reports' order.
            let Some(event) = self.queue.poll() else { break };
            match event.kind() {
                sys::RD_KAFKA_EVENT_DR => {
                    let mut written = false;
                    enqueue::deliveries(&event, |opaque, bytes, result| {
                        written |= result.is_ok();
                        lanes.deliver(opaque, bytes, result);
                    });
                    if written {
                        *self.trouble() = None;
                    }
                    any = true;
                }
                sys::RD_KAFKA_EVENT_ERROR => self.note_trouble(&event),
                _ => {}
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

impl Shared {
    fn note_trouble(&self, event: &Event) {
        let trouble = Trouble {
            code: RDKafkaErrorCode::from(event.error()),
            text: event.error_text(),
        };
        tracing::warn!(client = %self.client.name(), code = %trouble.code, "{}", trouble.text);
        // The end of the producer says nothing of the connection, and that all brokers are down nothing of why.
        if !matches!(
            trouble.code,
            RDKafkaErrorCode::Fatal | RDKafkaErrorCode::Fenced | RDKafkaErrorCode::AllBrokersDown
        ) {
            *self.trouble() = Some(trouble);
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// Headers are not counted: a report does not say how large they were.
fn cost_of(record: &RecordRef<'_>) -> usize {
    MESSAGE_OVERHEAD_BYTES + record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len)
}

/// A transactional producer has its id from its coordinator, before it is asked for anything else.
fn may_lack_id(config: &ClientConfig) -> bool {
    config.get("enable.idempotence") == Some("true") && config.get("transactional.id").is_none()
}
