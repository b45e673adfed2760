//! The queue that all assigned partitions are forwarded to, and reading from it in batches.

use std::any::Any;
use std::collections::VecDeque;
use std::ffi::{CString, c_void};
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use bytes::Bytes;
use rdkafka_sys as sys;
use rdkafka_sys::types::RDKafkaErrorCode;
use tokio::sync::Notify;

use super::events::GroupError;
use super::headers;
use super::{Message, Timestamp, TimestampKind, TopicPartition};
use crate::native::{self, Queue};

const NO_ERROR: sys::rd_kafka_resp_err_t = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;

/// Messages that are taken out of librdkafka together: few enough to be in the processor's cache from the look at their
/// lengths until they are freed, enough for the locks to cost nothing. Their copy is held as long as one of the records.
const CHUNK: usize = 256;

type Topics = Vec<(*mut sys::rd_kafka_topic_t, Arc<str>)>;

pub(super) struct DataQueue {
    /// The messages of the batch that is being read; kept for its memory.
    batch: Vec<*mut sys::rd_kafka_message_t>,
    /// Names of topics by librdkafka's handle. Valid for one assignment, which keeps the handles alive.
    topics: Topics,
    queue: Queue,
}

// SAFETY: the pointers are handles to objects that are locked inside librdkafka; they are used with `&mut self` only.
unsafe impl Send for DataQueue {}
// SAFETY: nothing is reachable through `&self`.
unsafe impl Sync for DataQueue {}

impl DataQueue {
    pub(super) fn new(
        client: *mut sys::rd_kafka_t,
        ready: Arc<Notify>,
        keep: Arc<dyn Any + Send + Sync>,
    ) -> Self {
        // SAFETY: the client is alive (`keep`).
        let queue = unsafe { sys::rd_kafka_queue_new(client) };
        let queue = NonNull::new(queue).expect("librdkafka aborts when it has no memory");
        // SAFETY: the queue is ours and the client goes along.
        let queue = unsafe { Queue::new(queue, ready, keep) };
        Self {
            batch: Vec::new(),
            topics: Vec::new(),
            queue,
        }
    }

    /// Lets a partition's records come to this queue. Must be called before the partition is assigned.
    pub(super) fn forward(&self, client: *mut sys::rd_kafka_t, partition: &TopicPartition) {
        let Ok(topic) = CString::new(&*partition.topic) else {
            return;
        };
        // SAFETY: the client is alive, since the consumer that calls this owns it.
        let source =
            unsafe { sys::rd_kafka_queue_get_partition(client, topic.as_ptr(), partition.partition) };
        if source.is_null() {
            return;
        }
        // SAFETY: both queues are alive.
        unsafe { sys::rd_kafka_queue_forward(source, self.queue.ptr()) };
        // SAFETY: only our reference goes; the partition keeps its queue.
        unsafe { sys::rd_kafka_queue_destroy(source) };
    }

    /// Drops the records that are there.
    pub(super) fn discard(&mut self) {
        while !self.take(CHUNK).is_empty() {}
    }

    /// Tells librdkafka that somebody is there.
    pub(super) fn poll_nothing(&mut self) {
        self.take(0);
    }

    /// To be called when partitions go: their topic handles may be freed, and the memory given to another topic.
    pub(super) fn forget_topics(&mut self) {
        self.topics.clear();
    }

    /// Reads up to `max` records without waiting.
    pub(super) fn read(
        &mut self,
        max: usize,
        mut out: impl FnMut(Message),
        errors: &mut VecDeque<GroupError>,
    ) -> usize {
        let mut topics = std::mem::take(&mut self.topics);
        let mut count = 0;
        loop {
            let wanted = CHUNK.min(max - count);
            let batch = self.take(wanted);
            let taken = batch.0.len();
            count += batch.read(&mut topics, &mut out, errors);
            let is_over = errors.front().is_some_and(|error| error.fatal);
            if count >= max || taken < wanted || is_over {
                break;
            }
        }
        self.topics = topics;
        count
    }

    fn take(&mut self, max: usize) -> Batch<'_> {
        self.batch.resize(max, ptr::null_mut());
        // SAFETY: the queue is alive, and the array has room for `max` pointers.
        let count = unsafe {
            sys::rd_kafka_consume_batch_queue(self.queue.ptr(), 0, self.batch.as_mut_ptr(), self.batch.len())
        };
        self.batch.truncate(usize::try_from(count).unwrap_or(0));
        Batch(&mut self.batch)
    }
}

impl fmt::Debug for DataQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataQueue").finish_non_exhaustive()
    }
}

/// Messages that we own until this is dropped.
struct Batch<'a>(&'a mut Vec<*mut sys::rd_kafka_message_t>);

impl Batch<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn messages(&self) -> impl Iterator<Item = &sys::rd_kafka_message_t> {
        // SAFETY: librdkafka returned the pointers and the messages are ours while `self` lives.
        self.0.iter().map(|&message| unsafe { &*message })
    }

    /// Calls `out` with each record, in order, and returns how many there were.
    fn read(
        &self,
        topics: &mut Topics,
        out: &mut impl FnMut(Message),
        errors: &mut VecDeque<GroupError>,
    ) -> usize {
        let mut arena = Arena::of(self);
        let mut count = 0;
        for message in self.messages() {
            let read = match message.err {
                NO_ERROR => {
                    read_message(message, topics, &mut arena).map_err(|code| unreadable(message, code))
                }
                _ => {
                    stay_at(message);
                    Err(error_of(message))
                }
            };
            match read {
                Ok(message) => {
                    out(message);
                    count += 1;
                }
                // Nothing after it may be consumed.
                Err(error) if error.fatal => {
                    errors.push_front(error);
                    break;
                }
                // One is enough: they are told of again if they go on.
                Err(error) if errors.is_empty() => errors.push_back(error),
                Err(_) => {}
            }
        }
        count
    }
}

/// One copy of all keys and values of a batch, handed out in slices.
struct Arena {
    bytes: Bytes,
    used: usize,
}

impl Arena {
    fn of(batch: &Batch<'_>) -> Self {
        let records = || batch.messages().filter(|message| message.err == NO_ERROR);
        let mut bytes = Vec::with_capacity(records().map(|message| message.len + message.key_len).sum());
        for message in records() {
            bytes.extend_from_slice(key_of(message).unwrap_or_default());
            bytes.extend_from_slice(value_of(message).unwrap_or_default());
        }
        Self {
            bytes: bytes.into(),
            used: 0,
        }
    }

    /// The copy of the next slice, which must be asked for in the order in which it was copied.
    fn next(&mut self, copied: &[u8]) -> Bytes {
        let start = self.used;
        self.used += copied.len();
        self.bytes.slice(start..self.used)
    }
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        for message in self.0.drain(..) {
            // SAFETY: the message is ours, and nothing borrows from it any more.
            unsafe { sys::rd_kafka_message_destroy(message) };
        }
    }
}

fn read_message(
    message: &sys::rd_kafka_message_t,
    topics: &mut Topics,
    arena: &mut Arena,
) -> Result<Message, RDKafkaErrorCode> {
    Ok(Message {
        topic: topic_of(message, topics),
        partition: message.partition,
        offset: message.offset,
        timestamp: timestamp_of(message),
        key: key_of(message).map(|key| arena.next(key)),
        value: value_of(message).map(|value| arena.next(value)),
        headers: headers::of(message)?,
    })
}

fn key_of(message: &sys::rd_kafka_message_t) -> Option<&[u8]> {
    // SAFETY: the key of a message has the length it says, and lives as long as it does.
    unsafe { slice(message.key, message.key_len) }
}

fn value_of(message: &sys::rd_kafka_message_t) -> Option<&[u8]> {
    // SAFETY: as above.
    unsafe { slice(message.payload, message.len) }
}

/// # Safety
/// `start` is null or has `len` bytes that live for `'a`.
pub(super) unsafe fn slice<'a>(start: *const c_void, len: usize) -> Option<&'a [u8]> {
    if start.is_null() {
        return None;
    }
    // SAFETY: see above.
    Some(unsafe { std::slice::from_raw_parts(start.cast::<u8>(), len) })
}

fn topic_of(message: &sys::rd_kafka_message_t, topics: &mut Topics) -> Arc<str> {
    if let Some(at) = topics.iter().position(|(handle, _)| *handle == message.rkt) {
        // Records come in runs of one topic.
        topics.swap(0, at);
        return Arc::clone(&topics[0].1);
    }
    // SAFETY: a message that was consumed has a topic.
    let name = unsafe { sys::rd_kafka_topic_name(message.rkt) };
    // SAFETY: a topic's name is a C string that lives as long as the message.
    let name: Arc<str> = Arc::from(unsafe { native::text(name) });
    topics.push((message.rkt, Arc::clone(&name)));
    name
}

fn timestamp_of(message: &sys::rd_kafka_message_t) -> Option<Timestamp> {
    use sys::rd_kafka_timestamp_type_t as kind;
    let mut found = kind::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
    // SAFETY: the message is alive.
    let millis = unsafe { sys::rd_kafka_message_timestamp(message, &raw mut found) };
    let kind = match found {
        kind::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE => return None,
        kind::RD_KAFKA_TIMESTAMP_CREATE_TIME => TimestampKind::Create,
        kind::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => TimestampKind::LogAppend,
    };
    (millis >= 0).then_some(Timestamp { kind, millis })
}

/// A record that is left out would be lost, so nothing after it may count as consumed.
fn unreadable(message: &sys::rd_kafka_message_t, code: RDKafkaErrorCode) -> GroupError {
    let text = format!(
        "the headers of the record at offset {} cannot be read",
        message.offset
    );
    GroupError {
        code,
        text,
        fatal: true,
    }
}

/// librdkafka takes an error for a record that was read: a pause before the next record would skip one. Where the error was
/// is where reading goes on.
fn stay_at(message: &sys::rd_kafka_message_t) {
    if message.offset < 0 || message.rkt.is_null() {
        return;
    }
    // SAFETY: the message is alive and keeps its topic. Without a time it waits for nothing; a partition that is not fetched
    // any more needs no position.
    unsafe { sys::rd_kafka_seek(message.rkt, message.partition, message.offset, 0) };
}

fn error_of(message: &sys::rd_kafka_message_t) -> GroupError {
    // SAFETY: the message is alive and lends its text.
    let text = unsafe { sys::rd_kafka_message_errstr(message) };
    // SAFETY: null or a C string.
    let text = unsafe { native::text(text) }.into_owned();
    let code = RDKafkaErrorCode::from(message.err);
    GroupError {
        code,
        text,
        fatal: is_unreadable(code),
    }
}

/// Of a batch that is not as it was written. The next one may be.
fn is_unreadable(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::BadMessage | RDKafkaErrorCode::BadCompression | RDKafkaErrorCode::InvalidMessage
    )
}
