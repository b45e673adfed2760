//! A client of our own making, and where its log lines go.

use std::ffi::{CStr, c_char, c_int};
use std::fmt;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;
use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::ClientConfig;
use rdkafka::config::NativeClientConfig;
use rdkafka_sys as sys;
use rdkafka_sys::types::RDKafkaErrorCode;

use super::{client_name, text};
use crate::ending::EndsElsewhere;
use crate::error::ClientError;
use crate::producer::sticky::Sticky;
use crate::reach::Reach;

/// librdkafka writes at most this much of an error text.
const ERROR_TEXT_BYTES: usize = 512;

/// A librdkafka client of our own making: its log lines go straight to `tracing`, so no queue has to be served for them.
pub(crate) struct Client {
    rk: NonNull<sys::rd_kafka_t>,
    ending: EndsElsewhere<Ending>,
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
            ending: EndsElsewhere::new(ending),
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

    pub(super) fn keep(&self, sticky: &Arc<Sticky>) {
        let mut kept = self
            .ending
            .stickies
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
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

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("name", &self.name()).finish()
    }
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
