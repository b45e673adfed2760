//! The native calls that carry records and their reports.

use std::ffi::{c_int, c_void};
use std::ptr;
use std::time::Duration;

use rdkafka_sys as sys;
use rdkafka_sys::types::RDKafkaErrorCode;

use super::lanes::LaneIndex;
use super::sticky::UNASSIGNED;
use super::{CHUNK, MESSAGE_OVERHEAD_BYTES, Position, RecordRef, cost_of};
use crate::Header;
use crate::native::{Client, Event, Topic};

const NO_ERROR: sys::rd_kafka_resp_err_t = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;

/// How many reports are read from an event at a time.
const REPORTS: usize = 256;

/// What became of a run of records.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) taken: usize,
    /// Set if the record after the taken ones stays with the caller.
    pub(super) halt: Option<Halt>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    Full,
    UnknownTopic,
    Fatal,
}

/// Where a record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// What it says itself, or [`UNASSIGNED`] if its key says it.
    Given(i32),
    /// What the topic's records without a key have, or [`UNASSIGNED`] if there is a choice to be made.
    Sticky(i32),
}

impl Target {
    fn of(topic: &Topic, record: &RecordRef<'_>) -> Self {
        match record.partition {
            Some(partition) => Self::Given(partition),
            None if topic.sticky().is_for(record.key) => Self::Sticky(topic.sticky().partition()),
            None => Self::Given(UNASSIGNED),
        }
    }

    fn partition(self) -> i32 {
        let (Self::Given(partition) | Self::Sticky(partition)) = self;
        partition
    }
}

/// Enqueues the records at the front that one native call can take: plain ones for the same topic and partition, or one
/// record that has a timestamp or headers, which the batch call knows nothing of.
pub(super) fn run<'r, R>(
    topic: Option<&Topic>,
    lane: LaneIndex,
    records: &'r [R],
    view: &impl Fn(&'r R) -> RecordRef<'r>,
    refused: &mut Vec<(u64, usize, RDKafkaErrorCode)>,
) -> Run {
    let first = view(&records[0]);
    let Some(topic) = topic else {
        refused.push((first.token, cost_of(&first), RDKafkaErrorCode::InvalidTopic));
        return Run { taken: 1, halt: None };
    };
    let target = Target::of(topic, &first);
    if !is_plain(&first) {
        return single(topic, target, lane, &first, refused);
    }
    let most = if target == Target::Sticky(UNASSIGNED) {
        1
    } else {
        CHUNK
    };
    let mut messages = [EMPTY_MESSAGE; CHUNK];
    let has_same_target = |record: &RecordRef<'_>| match record.partition {
        Some(_) => record.partition == first.partition,
        None => {
            first.partition.is_none() && topic.sticky().is_for(record.key) == topic.sticky().is_for(first.key)
        }
    };
    let (mut count, mut bytes) = (0, 0);
    for (message, record) in messages.iter_mut().take(most).zip(records) {
        let record = view(record);
        if !is_plain(&record) || record.topic != first.topic || !has_same_target(&record) {
            break;
        }
        fill(message, lane, &record);
        bytes += message.len + message.key_len;
        count += 1;
    }
    // SAFETY: the topic is alive; `count` messages are filled, and what they point to is borrowed for the call, which
    // copies it (`F_COPY`). The partition is passed once and not in the messages (`F_PARTITION`): with it, librdkafka
    // 2.12 loses a message whose partition does not exist, and its share of the queue with it.
    let accepted = unsafe {
        sys::rd_kafka_produce_batch(
            topic.ptr(),
            target.partition(),
            sys::RD_KAFKA_MSG_F_COPY,
            messages.as_mut_ptr(),
            c_int::try_from(count).expect("a chunk is small"),
        )
    };
    if matches!(target, Target::Sticky(_)) {
        topic.sticky().used(bytes);
    }
    if usize::try_from(accepted) == Ok(count) {
        return Run {
            taken: count,
            halt: None,
        };
    }
    for (taken, (message, record)) in messages.iter().zip(records).take(count).enumerate() {
        match judge(message.err, target, topic, &view(record), refused) {
            Judged::Done => {}
            Judged::Again => return Run { taken, halt: None },
            Judged::Halt(halt) => {
                return Run {
                    taken,
                    halt: Some(halt),
                };
            }
        }
    }
    Run {
        taken: count,
        halt: None,
    }
}

fn is_plain(record: &RecordRef<'_>) -> bool {
    record.timestamp.is_none() && record.headers.is_empty()
}

/// What a record's error means for it.
enum Judged {
    /// Enqueued, or refused for good.
    Done,
    /// It has to choose another partition.
    Again,
    /// It stays with the caller.
    Halt(Halt),
}

fn judge(
    error: sys::rd_kafka_resp_err_t,
    target: Target,
    topic: &Topic,
    record: &RecordRef<'_>,
    refused: &mut Vec<(u64, usize, RDKafkaErrorCode)>,
) -> Judged {
    if error == NO_ERROR {
        return Judged::Done;
    }
    match (RDKafkaErrorCode::from(error), target) {
        (RDKafkaErrorCode::QueueFull, _) => Judged::Halt(Halt::Full),
        (RDKafkaErrorCode::UnknownTopic, _) => Judged::Halt(Halt::UnknownTopic),
        (RDKafkaErrorCode::Fatal, _) => Judged::Halt(Halt::Fatal),
        // The topic was made anew with fewer partitions.
        (RDKafkaErrorCode::UnknownPartition, Target::Sticky(0..)) => {
            topic.sticky().forget();
            Judged::Again
        }
        (code, _) => {
            refused.push((record.token, cost_of(record), code));
            Judged::Done
        }
    }
}

const EMPTY_MESSAGE: sys::rd_kafka_message_t = sys::rd_kafka_message_t {
    err: NO_ERROR,
    rkt: ptr::null_mut(),
    partition: 0,
    payload: ptr::null_mut(),
    len: 0,
    key: ptr::null_mut(),
    key_len: 0,
    offset: 0,
    _private: ptr::null_mut(),
};

fn fill(message: &mut sys::rd_kafka_message_t, lane: LaneIndex, record: &RecordRef<'_>) {
    (message.payload, message.len) = raw(record.value);
    (message.key, message.key_len) = raw(record.key);
    message._private = opaque(lane, record.token);
}

/// Null and empty are different things: an empty slice has a pointer that is not null.
fn raw(bytes: Option<&[u8]>) -> (*mut c_void, usize) {
    bytes.map_or((ptr::null_mut(), 0), |bytes| {
        (bytes.as_ptr().cast_mut().cast::<c_void>(), bytes.len())
    })
}

/// A number in a pointer's clothes; it is never followed.
fn opaque(lane: LaneIndex, token: u64) -> *mut c_void {
    const { assert!(usize::BITS == u64::BITS, "an opaque must hold a lane and a token") };
    #[expect(clippy::cast_possible_truncation, reason = "usize has 64 bits, see above")]
    ptr::without_provenance_mut(lane.opaque(token) as usize)
}

/// One record with a timestamp or headers.
fn single(
    topic: &Topic,
    target: Target,
    lane: LaneIndex,
    record: &RecordRef<'_>,
    refused: &mut Vec<(u64, usize, RDKafkaErrorCode)>,
) -> Run {
    use sys::rd_kafka_vtype_t as vtype;
    let mem = |bytes| {
        let (ptr, size) = raw(bytes);
        sys::rd_kafka_vu_s__bindgen_ty_1 {
            mem: sys::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 { ptr, size },
        }
    };
    let arg = |vtype, u| sys::rd_kafka_vu_t { vtype, u };
    type Arg = sys::rd_kafka_vu_s__bindgen_ty_1;
    let headers = Headers::new(record.headers);
    let args = [
        arg(vtype::RD_KAFKA_VTYPE_RKT, Arg { rkt: topic.ptr() }),
        arg(
            vtype::RD_KAFKA_VTYPE_PARTITION,
            Arg {
                i32_: target.partition(),
            },
        ),
        arg(
            vtype::RD_KAFKA_VTYPE_MSGFLAGS,
            Arg {
                i: sys::RD_KAFKA_MSG_F_COPY,
            },
        ),
        arg(vtype::RD_KAFKA_VTYPE_VALUE, mem(record.value)),
        arg(vtype::RD_KAFKA_VTYPE_KEY, mem(record.key)),
        arg(
            vtype::RD_KAFKA_VTYPE_TIMESTAMP,
            Arg {
                i64_: record.timestamp.unwrap_or(0),
            },
        ),
        arg(
            vtype::RD_KAFKA_VTYPE_OPAQUE,
            Arg {
                ptr: opaque(lane, record.token),
            },
        ),
        arg(vtype::RD_KAFKA_VTYPE_HEADERS, Arg { headers: headers.0 }),
    ];
    // The list of headers comes last, so that it can be left out.
    let count = args.len() - usize::from(headers.0.is_null());
    let client = topic.client().ptr();
    // SAFETY: client and topic are alive, `count` arguments are set with the union field their type names, and what they
    // point to is borrowed for the call, which copies it (`F_COPY`).
    let error = unsafe { sys::rd_kafka_produceva(client, args.as_ptr(), count) };
    if matches!(target, Target::Sticky(_)) {
        topic.sticky().used(cost_of(record) - MESSAGE_OVERHEAD_BYTES);
    }
    if error.is_null() {
        headers.taken();
        return Run { taken: 1, halt: None };
    }
    // SAFETY: the error is ours until it is destroyed.
    let code = unsafe { sys::rd_kafka_error_code(error) };
    // SAFETY: as above; it is not used after this.
    unsafe { sys::rd_kafka_error_destroy(error) };
    match judge(code, target, topic, record, refused) {
        Judged::Done => Run { taken: 1, halt: None },
        Judged::Again => Run { taken: 0, halt: None },
        Judged::Halt(halt) => Run {
            taken: 0,
            halt: Some(halt),
        },
    }
}

/// A list of headers on its way to librdkafka, which takes it over only if it accepts the message. Null if empty.
struct Headers(*mut sys::rd_kafka_headers_t);

impl Headers {
    fn new(headers: &[Header]) -> Self {
        if headers.is_empty() {
            return Self(ptr::null_mut());
        }
        // SAFETY: takes only a number.
        let list = unsafe { sys::rd_kafka_headers_new(headers.len()) };
        for (name, value) in headers {
            let (value, len) = raw(value.as_deref());
            let sizes = (isize::try_from(name.len()), isize::try_from(len));
            let (Ok(name_len), Ok(len)) = sizes else {
                unreachable!("a slice is never longer than isize::MAX")
            };
            // SAFETY: the list is ours; name and value are borrowed for the call, which copies them.
            unsafe { sys::rd_kafka_header_add(list, name.as_ptr().cast(), name_len, value, len) };
        }
        Self(list)
    }

    fn taken(self) {
        std::mem::forget(self);
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: the list is ours, librdkafka did not take it.
            unsafe { sys::rd_kafka_headers_destroy(self.0) };
        }
    }
}

/// Calls `each` with opaque, size (key and value) and outcome of every message of a delivery event.
pub(super) fn deliveries(
    event: &Event,
    mut each: impl FnMut(u64, usize, Result<Position, RDKafkaErrorCode>),
) {
    let mut messages = [ptr::null::<sys::rd_kafka_message_t>(); REPORTS];
    loop {
        // SAFETY: the event is alive and the array has the length that is passed.
        let count =
            unsafe { sys::rd_kafka_event_message_array(event.ptr(), messages.as_mut_ptr(), messages.len()) };
        if count == 0 {
            return;
        }
        for &message in messages.iter().take(count) {
            // SAFETY: the event owns the message and outlives this loop.
            let message = unsafe { &*message };
            let result = if message.err == NO_ERROR {
                Ok(Position {
                    partition: message.partition,
                    offset: message.offset,
                })
            } else {
                Err(match RDKafkaErrorCode::from(message.err) {
                    // It was there when the record was taken: the topic is gone, or was created anew.
                    RDKafkaErrorCode::UnknownPartition => RDKafkaErrorCode::UnknownTopicOrPartition,
                    code => code,
                })
            };
            each(
                message._private.addr() as u64,
                message.len + message.key_len,
                result,
            );
        }
    }
}

/// The number of partitions of a topic; `None` if there is no such topic. Blocks for up to `timeout`.
pub(super) fn partition_count(
    client: &Client,
    topic: &Topic,
    timeout: Duration,
) -> Result<Option<i32>, RDKafkaErrorCode> {
    let mut metadata = ptr::null::<sys::rd_kafka_metadata_t>();
    let timeout = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
    // SAFETY: client and topic are alive, and `metadata` is written only on success.
    let error = unsafe { sys::rd_kafka_metadata(client.ptr(), 0, topic.ptr(), &raw mut metadata, timeout) };
    if error != NO_ERROR {
        return Err(RDKafkaErrorCode::from(error));
    }
    // SAFETY: the call succeeded, so there is metadata, which is ours until it is destroyed.
    let found = unsafe { &*metadata };
    let answer = if found.topic_cnt == 1 {
        // SAFETY: the array has `topic_cnt` entries.
        let topic = unsafe { &*found.topics };
        match RDKafkaErrorCode::from(topic.err) {
            RDKafkaErrorCode::NoError => Ok(Some(topic.partition_cnt)),
            RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::LeaderNotAvailable => Ok(None),
            code => Err(code),
        }
    } else {
        Ok(None)
    };
    // SAFETY: it is ours and not used after this.
    unsafe { sys::rd_kafka_metadata_destroy(metadata) };
    answer
}

/// Has everything sent without lingering. Blocks until all is reported, or for `limit`.
pub(super) fn flush(client: &Client, limit: Duration) {
    let limit = c_int::try_from(limit.as_millis()).unwrap_or(c_int::MAX);
    // SAFETY: the client is alive. That the time runs out is no error: nobody waits for the outcome.
    let _all_sent = unsafe { sys::rd_kafka_flush(client.ptr(), limit) };
}
