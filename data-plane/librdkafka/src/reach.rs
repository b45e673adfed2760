//! The way back to the cluster for clients that know no broker any more.
//!
//! The only broker of a KRaft cluster that stops answers for a moment still, but is no member any more: its metadata lists
//! topics and no broker. librdkafka 2.12 takes that for the news that all its brokers are gone and gives them up
//! (confluentinc/librdkafka issue 5301); what should go back to the bootstrap servers then does nothing in builds with CMake
//! (issue 5282). Such a client asks nobody for anything, says nothing, and would wait for ever.
//!
//! So one thread looks at all clients that last, and those that have lost all their brokers get their bootstrap servers again.
//! It is of the process, as librdkafka's own threads are, and is not joined: it has nothing to finish.
//!
//! Not for clients whose brokers are all gone for good while new ones are at the old bootstrap servers.

use std::ffi::CString;
use std::fmt;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _, ConsumerContext, DefaultConsumerContext};
use rdkafka::error::KafkaResult;
use rdkafka_sys as sys;

use crate::ending::EndsElsewhere;
use crate::native;

/// How often the clients are looked at: an outage of the only broker takes longer.
const LOOK: Duration = Duration::from_secs(1);
/// The most looks between two times that a client gets its servers: each time it keeps a copy of their addresses.
const RARELY: u32 = 64;

static GUARDED: Guarded = Guarded {
    clients: Mutex::new(Vec::new()),
    came: Condvar::new(),
};
static GUARD: Once = Once::new();

struct Guarded {
    clients: Mutex<Vec<Watched>>,
    came: Condvar,
}

struct Watched {
    rk: NonNull<sys::rd_kafka_t>,
    bootstrap_servers: CString,
    /// How often it was looked at since it knew a broker.
    looks_without: u32,
    /// Whether it ever knew one.
    knew_brokers: bool,
}

// SAFETY: librdkafka's client handle may be used from any thread. It is alive: its owner takes it off the list first.
unsafe impl Send for Watched {}

/// Has a client looked after until it is dropped, which has to be before the client ends.
#[derive(Debug)]
pub(crate) struct Reach(NonNull<sys::rd_kafka_t>);

// SAFETY: only compared, never followed.
unsafe impl Send for Reach {}
// SAFETY: as above.
unsafe impl Sync for Reach {}

impl Reach {
    /// # Safety
    /// The client is alive until the returned value is dropped.
    pub(crate) unsafe fn new(rk: NonNull<sys::rd_kafka_t>, config: &ClientConfig) -> Self {
        // Without servers, or with a zero byte in them, there is nobody to go back to. Nor by the canonical names of servers:
        // those would be added as they are, and hosts that authenticate by another name would refuse the client.
        let is_canonical =
            config.get("client.dns.lookup") == Some("resolve_canonical_bootstrap_servers_only");
        let servers = config.get("bootstrap.servers").filter(|_| !is_canonical);
        if let Some(Ok(bootstrap_servers)) = servers.map(CString::new) {
            GUARD.call_once(start);
            GUARDED.clients().push(Watched {
                rk,
                bootstrap_servers,
                looks_without: 0,
                knew_brokers: false,
            });
            GUARDED.came.notify_one();
        }
        Self(rk)
    }
}

impl Drop for Reach {
    fn drop(&mut self) {
        GUARDED.clients().retain(|watched| watched.rk != self.0);
    }
}

impl Guarded {
    /// While this is held, no client in it ends.
    fn clients(&self) -> MutexGuard<'_, Vec<Watched>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn start() {
    let started = std::thread::Builder::new()
        .name("kafka-reach".to_owned())
        .spawn(guard);
    if let Err(error) = started {
        tracing::error!(%error, "no thread for clients that lose all their brokers: they would wait for ever");
    }
}

fn guard() {
    loop {
        let clients = GUARDED.clients();
        let waited = GUARDED.came.wait_while(clients, |clients| clients.is_empty());
        let mut clients = waited.unwrap_or_else(PoisonError::into_inner);
        clients.iter_mut().for_each(Watched::look);
        drop(clients);
        // Nobody unparks it.
        std::thread::park_timeout(LOOK);
    }
}

impl Watched {
    /// Servers that the client still has are not added again, so it does not matter that one may know no broker because none
    /// has answered yet. One that has lost its brokers may lose them again between two looks, hence again and again.
    fn look(&mut self) {
        if self.knows_brokers() {
            self.looks_without = 0;
            self.knew_brokers = true;
            return;
        }
        self.looks_without = self.looks_without.saturating_add(1);
        if self.looks_without == 1 && self.knew_brokers {
            tracing::warn!(
                client = %native::client_name(self.rk.as_ptr()),
                "the cluster has named no broker; asking the bootstrap servers again"
            );
        }
        if self.looks_without.is_power_of_two() || self.looks_without.is_multiple_of(RARELY) {
            // SAFETY: the client is alive, and the text ends with a zero byte and is copied.
            unsafe { sys::rd_kafka_brokers_add(self.rk.as_ptr(), self.bootstrap_servers.as_ptr()) };
        }
    }

    fn knows_brokers(&self) -> bool {
        let mut count = 0;
        // SAFETY: the client is alive.
        let ids = unsafe { sys::rd_kafka_brokers_learned_ids(self.rk.as_ptr(), &raw mut count) };
        // SAFETY: the list is ours, and nothing borrows from it.
        unsafe { sys::rd_kafka_mem_free(ptr::null_mut(), ids.cast()) };
        count > 0
    }
}

/// A consumer of the `rdkafka` crate that finds back to a cluster that was away, and that may be dropped anywhere. For its
/// `Consumer` methods.
pub struct LastingConsumer<C: ConsumerContext + 'static = DefaultConsumerContext>(EndsElsewhere<Watching<C>>);

struct Watching<C: ConsumerContext + 'static> {
    /// Before the consumer: it ends first. One that loses its brokers while it closes does not come back to leave its group.
    _reach: Reach,
    consumer: BaseConsumer<C>,
}

impl<C: ConsumerContext> LastingConsumer<C> {
    pub fn new(config: &ClientConfig, context: C) -> KafkaResult<Self> {
        let consumer: BaseConsumer<C> = config.create_with_context(context)?;
        let rk =
            NonNull::new(consumer.client().native_ptr()).expect("the crate checks that there is a client");
        // SAFETY: the consumer owns the client and is dropped after the value; moving the consumer does not move the client.
        let reach = unsafe { Reach::new(rk, config) };
        Ok(Self(EndsElsewhere::new(Watching {
            _reach: reach,
            consumer,
        })))
    }

    /// Where a partition ended for the broker that answered the last fetch from it; 0 before the first.
    pub fn high_watermark(&self, topic: &str, partition: i32) -> i64 {
        let Ok(topic) = CString::new(topic) else { return 0 };
        let (mut low, mut high) = (0, 0);
        let rk = self.client().native_ptr();
        // SAFETY: the client and the name are alive; two numbers are written.
        let code = unsafe {
            sys::rd_kafka_get_watermark_offsets(rk, topic.as_ptr(), partition, &raw mut low, &raw mut high)
        };
        let is_known = code == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        if is_known { high } else { 0 }
    }
}

impl<C: ConsumerContext> Deref for LastingConsumer<C> {
    type Target = BaseConsumer<C>;

    fn deref(&self) -> &BaseConsumer<C> {
        &self.0.consumer
    }
}

impl<C: ConsumerContext> fmt::Debug for LastingConsumer<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastingConsumer").finish_non_exhaustive()
    }
}
