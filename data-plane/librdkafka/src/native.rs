//! Owned native handles (client, queue, topic) and the callbacks that librdkafka's own threads run.
//!
//! Not for the calls that carry records: those are beside the producer and the consumer.

use std::any::Any;
use std::borrow::Cow;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::ClientConfig;
use rdkafka::config::NativeClientConfig;
use rdkafka_sys as sys;
use rdkafka_sys::types::RDKafkaErrorCode;
use tokio::sync::Notify;

use crate::ending::drop_where_allowed;
use crate::error::ClientError;
use crate::producer::sticky::{Sticky, partitioner};
use crate::reach::Reach;

/// librdkafka writes at most this much of an error text.
const ERROR_TEXT_BYTES: usize = 512;

/// A librdkafka client of our own making: its log lines go straight to `tracing`, so no queue has to be served for them.
pub(crate) struct Client {
    rk: NonNull<sys::rd_kafka_t>,
    /// `None` only while it ends.
    ending: Option<Ending>,
}

// SAFETY: librdkafka's client handle may be used from any thread, and from several at once (its documentation).
unsafe impl Send for Client {}
// SAFETY: as above.
unsafe impl Sync for Client {}

/// Ends a client when it is dropped. The fields go after that, but for the one that is taken before.
struct Ending {
    rk: NonNull<sys::rd_kafka_t>,
    reach: Option<Reach>,
    /// What the topics' partitioners refer to. librdkafka may call them until it has ended.
    stickies: Mutex<Vec<Arc<Sticky>>>,
}

// SAFETY: as for the client.
unsafe impl Send for Ending {}

impl Drop for Ending {
    fn drop(&mut self) {
        drop(self.reach.take());
        // SAFETY: this is the only owner; topics and queues hold an `Arc` of the client, so they are gone by now.
        unsafe { sys::rd_kafka_destroy(self.rk.as_ptr()) };
    }
}

impl Client {
    /// A producer whose delivery reports and errors arrive as events on its main queue. Errors are few: librdkafka repeats
    /// one at most twice a minute for each broker.
    pub(crate) fn producer(config: &ClientConfig) -> Result<Self, ClientError> {
        let native = config.create_native_config().map_err(ClientError::from)?;
        let events = sys::RD_KAFKA_EVENT_DR | sys::RD_KAFKA_EVENT_ERROR;
        // SAFETY: `native` owns a valid configuration that no client has taken over yet.
        unsafe { sys::rd_kafka_conf_set_events(native.ptr(), events) };
        // SAFETY: as above; `log_line` has the signature librdkafka asks for and lives for ever.
        unsafe { sys::rd_kafka_conf_set_log_cb(native.ptr(), Some(log_line)) };
        let rk = Self::create(sys::rd_kafka_type_t::RD_KAFKA_PRODUCER, native)?;
        // SAFETY: the client ends after the value, when it is dropped.
        let reach = unsafe { Reach::new(rk, config) };
        let ending = Ending {
            rk,
            reach: Some(reach),
            stickies: Mutex::default(),
        };
        Ok(Self {
            rk,
            ending: Some(ending),
        })
    }

    fn create(
        kind: sys::rd_kafka_type_t,
        config: NativeClientConfig,
    ) -> Result<NonNull<sys::rd_kafka_t>, ClientError> {
        let mut text = [0u8; ERROR_TEXT_BYTES];
        // SAFETY: the configuration is valid and the buffer has the length that is passed.
        let rk =
            unsafe { sys::rd_kafka_new(kind, config.ptr(), text.as_mut_ptr().cast::<c_char>(), text.len()) };
        let Some(rk) = NonNull::new(rk) else {
            // On failure the configuration is still ours: dropping `config` frees it.
            let reason = CStr::from_bytes_until_nul(&text)
                .map(CStr::to_string_lossy)
                .unwrap_or_default();
            return Err(ClientError::Create {
                reason: reason.into_owned(),
            });
        };
        // On success librdkafka took the configuration over.
        let _taken = ManuallyDrop::new(config);
        Ok(rk)
    }

    pub(crate) fn ptr(&self) -> *mut sys::rd_kafka_t {
        self.rk.as_ptr()
    }

    pub(crate) fn name(&self) -> String {
        client_name(self.ptr())
    }

    fn keep(&self, sticky: &Arc<Sticky>) {
        let Some(ending) = &self.ending else { return };
        let mut kept = ending.stickies.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(Arc::clone(sticky));
    }

    /// Why the client can no longer be used, if that is so.
    pub(crate) fn fatal_error(&self) -> Option<String> {
        let (code, reason) = self.fatal()?;
        Some(format!("{code}: {reason}"))
    }

    pub(crate) fn fatal_code(&self) -> Option<RDKafkaErrorCode> {
        self.fatal().map(|(code, _)| code)
    }

    fn fatal(&self) -> Option<(RDKafkaErrorCode, String)> {
        let mut text = [0u8; ERROR_TEXT_BYTES];
        // SAFETY: the handle lives as long as `self`; the buffer has the length that is passed.
        let code =
            unsafe { sys::rd_kafka_fatal_error(self.ptr(), text.as_mut_ptr().cast::<c_char>(), text.len()) };
        if code == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        let reason = CStr::from_bytes_until_nul(&text)
            .map(CStr::to_string_lossy)
            .unwrap_or_default();
        Some((RDKafkaErrorCode::from(code), reason.into_owned()))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        drop_where_allowed(self.ending.take());
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("name", &self.name()).finish()
    }
}

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

/// Runs on librdkafka's threads.
unsafe extern "C" fn log_line(
    client: *const sys::rd_kafka_t,
    level: c_int,
    facility: *const c_char,
    line: *const c_char,
) {
    // SAFETY: librdkafka passes two C strings that live for the call.
    let facility = unsafe { text(facility) };
    // SAFETY: as above.
    let line = unsafe { text(line) };
    log(level, &client_name(client), &facility, &line);
}

/// Puts a log line of librdkafka where ours go. Its levels are syslog's; what it calls an error (a lost connection) it
/// recovers from by itself, so that is a warning here.
pub(crate) fn log(level: c_int, client: &str, facility: &str, text: &str) {
    const TARGET: &str = "librdkafka";
    match level {
        ..=2 => tracing::error!(target: TARGET, client, facility, "{text}"),
        3 | 4 => tracing::warn!(target: TARGET, client, facility, "{text}"),
        5 => tracing::info!(target: TARGET, client, facility, "{text}"),
        6 => tracing::debug!(target: TARGET, client, facility, "{text}"),
        7.. => tracing::trace!(target: TARGET, client, facility, "{text}"),
    }
}
