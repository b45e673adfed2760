//! The partition of records without a key: one for a stretch of them, then another, as Java's producer does it.
//!
//! librdkafka would ask its partitioner for each record, under locks, and sort them one by one. With the partition named,
//! its batch call takes them all at once: that is a third of the cost of producing.

use std::ffi::c_void;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use rdkafka_sys as sys;

/// What librdkafka takes for "the partitioner chooses".
pub(crate) const UNASSIGNED: i32 = -1;

/// The choice for one topic. Lanes that use it at the same time may overrun the stretch by a batch each.
#[derive(Debug)]
pub(crate) struct Sticky {
    /// Records with a key go where its hash says. If not, keys do not count.
    by_key: bool,
    /// Bytes of keys and values until the next choice.
    stretch: usize,
    partition: AtomicI32,
    left: AtomicUsize,
}

impl Sticky {
    pub(crate) fn new(by_key: bool, stretch: usize) -> Self {
        Self {
            by_key,
            stretch,
            partition: AtomicI32::new(UNASSIGNED),
            left: AtomicUsize::new(0),
        }
    }

    /// Whether a record is one that this is about.
    pub(crate) fn is_for(&self, key: Option<&[u8]>) -> bool {
        key.is_none() || !self.by_key
    }

    /// [`UNASSIGNED`] if it is time for a choice: one record has to be sent so.
    pub(crate) fn partition(&self) -> i32 {
        self.partition.load(Ordering::Relaxed)
    }

    pub(crate) fn used(&self, bytes: usize) {
        let left = self.left.load(Ordering::Relaxed).saturating_sub(bytes);
        self.left.store(left, Ordering::Relaxed);
        if left == 0 {
            self.forget();
        }
    }

    /// Has the next record choose.
    pub(crate) fn forget(&self) {
        self.partition.store(UNASSIGNED, Ordering::Relaxed);
    }

    fn choose(&self, partition: i32) {
        self.left.store(self.stretch, Ordering::Relaxed);
        self.partition.store(partition, Ordering::Relaxed);
    }
}

/// The partitioner of every topic of a producer. Runs on the thread that produces, or on one of librdkafka's for records
/// that waited for the topic's metadata.
pub(crate) unsafe extern "C" fn partitioner(
    topic: *const sys::rd_kafka_topic_t,
    key: *const c_void,
    key_len: usize,
    partitions: i32,
    topic_opaque: *mut c_void,
    message_opaque: *mut c_void,
) -> i32 {
    // SAFETY: the opaque of every topic is its `Sticky`, which the client keeps until librdkafka has ended.
    let sticky = unsafe { &*topic_opaque.cast_const().cast::<Sticky>() };
    if sticky.by_key && !key.is_null() {
        // SAFETY: the arguments are those that librdkafka passed.
        return unsafe {
            sys::rd_kafka_msg_partitioner_murmur2(
                topic,
                key,
                key_len,
                partitions,
                topic_opaque,
                message_opaque,
            )
        };
    }
    // Records that waited for the topic's metadata come here one after another: the first of them chooses.
    let current = sticky.partition();
    if (0..partitions).contains(&current) {
        return current;
    }
    // SAFETY: as above. It prefers partitions that have a leader.
    let chosen = unsafe {
        sys::rd_kafka_msg_partitioner_random(topic, key, key_len, partitions, topic_opaque, message_opaque)
    };
    sticky.choose(chosen);
    chosen
}
