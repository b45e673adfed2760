//! Owned native handles (client, queue, topic) and the callbacks that librdkafka's own threads run.
//!
//! Not for the calls that carry records: those are beside the producer and the consumer.

mod client;

use std::any::Any;
use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use rdkafka_sys as sys;
use tokio::sync::Notify;

use crate::producer::sticky::{Sticky, partitioner};
pub(crate) use client::{Client, log};

/// A text that librdkafka lends; null is empty.
///
/// # Safety
/// `text` is null or a C string that lives for `'a`.
pub(crate) unsafe fn text<'a>(text: *const c_char) -> Cow<'a, str> {
    if text.is_null() {
        return Cow::Borrowed("");
    }
    // SAFETY: see above.
    unsafe { CStr::from_ptr(text) }.to_string_lossy()
}

pub(crate) fn client_name(rk: *const sys::rd_kafka_t) -> String {
    if rk.is_null() {
        return String::from("?");
    }
    // SAFETY: not null, and librdkafka passes or keeps a live client; the name lives as long as the client.
    let name = unsafe { sys::rd_kafka_name(rk) };
    // SAFETY: a client's name is a C string.
    unsafe { text(name) }.into_owned()
}

/// A queue of librdkafka that tells when it stops being empty.
pub(crate) struct Queue {
    queue: NonNull<sys::rd_kafka_queue_t>,
    /// The callback's argument: kept here so that it outlives the callback.
    ready: Arc<Notify>,
    /// The client that the queue belongs to; it must be destroyed after the queue.
    _client: Arc<dyn Any + Send + Sync>,
}

// SAFETY: librdkafka's queues are locked inside and may be used from any thread.
unsafe impl Send for Queue {}
// SAFETY: as above.
unsafe impl Sync for Queue {}

impl Queue {
    /// Takes over `queue`, a reference of our own. `ready` gets a permit each time the queue stops being empty.
    ///
    /// # Safety
    /// `queue` is a reference that the caller owns, to a queue of the client that `client` keeps alive.
    pub(crate) unsafe fn new(
        queue: NonNull<sys::rd_kafka_queue_t>,
        ready: Arc<Notify>,
        client: Arc<dyn Any + Send + Sync>,
    ) -> Self {
        let opaque = Arc::as_ptr(&ready).cast_mut().cast::<c_void>();
        // SAFETY: `ready` is kept in `self` until the callback is taken off again in `drop`.
        unsafe { sys::rd_kafka_queue_cb_event_enable(queue.as_ptr(), Some(queue_ready), opaque) };
        Self {
            queue,
            ready,
            _client: client,
        }
    }

    /// The main queue of a client that was made here.
    pub(crate) fn main(client: &Arc<Client>) -> Self {
        // SAFETY: the client is alive.
        let queue = unsafe { sys::rd_kafka_queue_get_main(client.ptr()) };
        let queue = NonNull::new(queue).expect("every client has a main queue");
        // SAFETY: the reference is ours, and the client's `Arc` goes along.
        unsafe {
            Self::new(
                queue,
                Arc::new(Notify::new()),
                Arc::clone(client) as Arc<dyn Any + Send + Sync>,
            )
        }
    }

    pub(crate) fn ptr(&self) -> *mut sys::rd_kafka_queue_t {
        self.queue.as_ptr()
    }

    pub(crate) fn ready(&self) -> &Arc<Notify> {
        &self.ready
    }

    /// The next event, without waiting.
    pub(crate) fn poll(&self) -> Option<Event> {
        // SAFETY: the queue lives as long as `self`.
        let event = unsafe { sys::rd_kafka_queue_poll(self.ptr(), 0) };
        NonNull::new(event).map(Event)
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: taking the callback off waits for one that is running (both hold the queue's lock).
        unsafe { sys::rd_kafka_queue_cb_event_enable(self.ptr(), None, ptr::null_mut()) };
        // SAFETY: the reference is ours and not used after this.
        unsafe { sys::rd_kafka_queue_destroy(self.ptr()) };
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").finish_non_exhaustive()
    }
}

/// An event taken from a queue; what it lends (messages, partitions) lives as long as it does.
pub(crate) struct Event(NonNull<sys::rd_kafka_event_t>);

impl Event {
    /// Takes over an event that the caller owns.
    pub(crate) fn of(event: NonNull<sys::rd_kafka_event_t>) -> Self {
        Self(event)
    }

    pub(crate) fn ptr(&self) -> *mut sys::rd_kafka_event_t {
        self.0.as_ptr()
    }

    pub(crate) fn kind(&self) -> c_int {
        // SAFETY: the event is ours.
        unsafe { sys::rd_kafka_event_type(self.ptr()) }
    }

    pub(crate) fn error(&self) -> sys::rd_kafka_resp_err_t {
        // SAFETY: the event is ours.
        unsafe { sys::rd_kafka_event_error(self.ptr()) }
    }

    pub(crate) fn error_text(&self) -> String {
        // SAFETY: the event is ours and lends the text.
        let lent = unsafe { sys::rd_kafka_event_error_string(self.ptr()) };
        // SAFETY: null or a C string, and the event is borrowed.
        unsafe { text(lent) }.into_owned()
    }

    /// The partitions that a rebalance or a commit is about.
    pub(crate) fn partitions(&self) -> &[sys::rd_kafka_topic_partition_t] {
        // SAFETY: the event is ours and owns the list.
        let list = unsafe { sys::rd_kafka_event_topic_partition_list(self.ptr()) };
        // SAFETY: null, or a list that lives as long as the event, which is borrowed.
        let Some(list) = (unsafe { list.as_ref() }) else {
            return &[];
        };
        let count = usize::try_from(list.cnt).unwrap_or(0);
        if count == 0 {
            return &[];
        }
        // SAFETY: a list that is not empty has `cnt` elements.
        unsafe { std::slice::from_raw_parts(list.elems, count) }
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the event is ours and not used after this.
        unsafe { sys::rd_kafka_event_destroy(self.ptr()) };
    }
}

/// A topic as the producer addresses it.
pub(crate) struct Topic {
    rkt: NonNull<sys::rd_kafka_topic_t>,
    sticky: Arc<Sticky>,
    client: Arc<Client>,
}

// SAFETY: topic handles are reference counted and locked inside librdkafka.
unsafe impl Send for Topic {}
// SAFETY: as above.
unsafe impl Sync for Topic {}

impl Topic {
    /// `None` if no topic can have this name. To be made once for each name: librdkafka keeps the first.
    pub(crate) fn new(client: &Arc<Client>, name: &str, sticky: Sticky) -> Option<Self> {
        let name = CString::new(name).ok()?;
        let sticky = Arc::new(sticky);
        client.keep(&sticky);
        // SAFETY: the client is alive. The configuration is ours until a topic is made of it.
        let config = unsafe { sys::rd_kafka_default_topic_conf_dup(client.ptr()) };
        let opaque = Arc::as_ptr(&sticky).cast_mut().cast::<c_void>();
        // SAFETY: the configuration is valid, and the client keeps the opaque's object.
        unsafe { sys::rd_kafka_topic_conf_set_opaque(config, opaque) };
        // SAFETY: as above; the function has the signature librdkafka asks for and lives for ever.
        unsafe { sys::rd_kafka_topic_conf_set_partitioner_cb(config, Some(partitioner)) };
        // SAFETY: the client is alive, the name is a C string, and the configuration is taken over.
        let rkt = unsafe { sys::rd_kafka_topic_new(client.ptr(), name.as_ptr(), config) };
        NonNull::new(rkt).map(|rkt| Self {
            rkt,
            sticky,
            client: Arc::clone(client),
        })
    }

    pub(crate) fn sticky(&self) -> &Sticky {
        &self.sticky
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) fn ptr(&self) -> *mut sys::rd_kafka_topic_t {
        self.rkt.as_ptr()
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        // SAFETY: the handle is ours and not used after this.
        unsafe { sys::rd_kafka_topic_destroy(self.ptr()) };
    }
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topic").finish_non_exhaustive()
    }
}

/// Runs on librdkafka's threads with the queue's lock held: it may only wake somebody up.
unsafe extern "C" fn queue_ready(_client: *mut sys::rd_kafka_t, opaque: *mut c_void) {
    // SAFETY: `opaque` is the `Notify` that the `Queue` keeps until the callback is taken off.
    let ready = unsafe { &*opaque.cast_const().cast::<Notify>() };
    ready.notify_one();
}
