//! Takes bulks as they fill up and sends several at once, in a task of its own: so documents go on while the sink task
//! waits for records. What is held is limited; the sink task waits for room.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use towpath_connect::{ConnectorError, Result};

use crate::bulk::Bulk;
use crate::client::Client;
use crate::config::Batching;
use crate::deliver::{Delivery, Policy};

/// Beside `max.buffered.records`: bodies of bulks that a task holds before it takes no more records.
const MAX_BUFFERED_BYTES: usize = 32 * 1024 * 1024;

/// What the sink task and the sending task share. A std mutex: held for a few lines, never across an await.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// There is something to send.
    work: Notify,
    /// Something was written, or went wrong.
    progress: Notify,
    limits: Batching,
}

#[derive(Debug, Default)]
struct State {
    /// The bulk that still takes entries.
    open: Option<Bulk>,
    /// Bulks to be sent, in order.
    full: VecDeque<Bulk>,
    /// Entries and bytes that are held, sent or not.
    records: usize,
    bytes: usize,
    failure: Failure,
}

#[derive(Debug, Default)]
enum Failure {
    #[default]
    None,
    /// Not told yet.
    New(ConnectorError),
    Told,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sink task's end. Dropping it ends the sending.
#[derive(Debug)]
pub(crate) struct Writer {
    shared: Arc<Shared>,
    sending: JoinSet<()>,
}

impl Writer {
    pub(crate) fn start(client: Arc<Client>, policy: Policy, limits: Batching) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            work: Notify::new(),
            progress: Notify::new(),
            limits,
        });
        let mut sending = JoinSet::new();
        let sender = Sender {
            shared: Arc::clone(&shared),
            client,
            policy,
            in_flight: JoinSet::new(),
            ids: HashSet::new(),
        };
        sending.spawn(sender.run());
        Self { shared, sending }
    }

    /// Waits until `count` more records may be held, at most until `deadline`. More than may ever be held are taken
    /// when nothing is.
    pub(crate) async fn wait_for_room(&self, count: usize, deadline: Instant) -> bool {
        let has_room = |state: &State| {
            let fits = state.records.saturating_add(count) <= self.shared.limits.buffered;
            state.records == 0 || (fits && state.bytes < MAX_BUFFERED_BYTES)
        };
        self.wait_until(has_room, deadline).await
    }

    /// Sends everything that is held, and waits until it is written, at most until `deadline`.
    pub(crate) async fn flush(&self, deadline: Instant) -> bool {
        {
            let mut state = self.shared.state();
            let open = state.open.take();
            state.full.extend(open);
        }
        self.shared.work.notify_one();
        self.wait_until(|state| state.records == 0, deadline).await
    }

    /// `true` once the condition holds; `false` at the deadline or after a failure.
    async fn wait_until(&self, condition: impl Fn(&State) -> bool, deadline: Instant) -> bool {
        loop {
            {
                let state = self.shared.state();
                if condition(&state) {
                    return true;
                }
                if !matches!(state.failure, Failure::None) {
                    return false;
                }
            }
            if tokio::time::timeout_at(deadline, self.shared.progress.notified())
                .await
                .is_err()
            {
                return condition(&self.shared.state());
            }
        }
    }

    /// # Errors
    /// What went wrong in the background, once; after that only that something did.
    pub(crate) fn check(&self) -> Result<()> {
        let mut state = self.shared.state();
        match std::mem::replace(&mut state.failure, Failure::Told) {
            Failure::None => {
                state.failure = Failure::None;
                Ok(())
            }
            Failure::New(error) => Err(error),
            Failure::Told => Err(ConnectorError::external(
                "an earlier write did not succeed; restart the task",
            )),
        }
    }

    /// Begins to add entries. Nothing is sent of the open bulk until the result is dropped.
    pub(crate) fn fill(&self) -> Filling<'_> {
        let open = self.shared.state().open.take();
        Filling {
            shared: &self.shared,
            bulk: open,
            full: Vec::new(),
            records: 0,
            bytes: 0,
        }
    }

    /// Ends the sending, whatever is on its way.
    pub(crate) async fn stop(mut self) {
        self.sending.shutdown().await;
    }
}

/// Entries being added.
#[derive(Debug)]
pub(crate) struct Filling<'a> {
    shared: &'a Shared,
    bulk: Option<Bulk>,
    full: Vec<Bulk>,
    records: usize,
    bytes: usize,
}

impl Filling<'_> {
    /// The bulk to append to.
    pub(crate) fn bulk(&mut self) -> &mut Bulk {
        self.bulk.get_or_insert_with(Bulk::new)
    }

    /// An entry was appended: hands the bulk on if it is full. An entry that must come after another one of the same
    /// document, or for which there is no room, begins a bulk of its own.
    pub(crate) fn appended(&mut self) {
        let limits = &self.shared.limits;
        let bulk = self.bulk.get_or_insert_with(Bulk::new);
        let Some(last) = bulk.operations.last() else {
            return;
        };
        self.records += 1;
        self.bytes += last.text.len();
        let is_too_large = bulk.operations.len() > 1 && bulk.body.len() > limits.bytes;
        let must_follow = last.entry.ordered_id.is_some_and(|id| {
            let earlier = &bulk.operations[..bulk.operations.len() - 1];
            earlier
                .iter()
                .any(|operation| operation.entry.ordered_id == Some(id))
        });
        if (is_too_large || must_follow)
            && let Some(next) = bulk.split_last()
        {
            self.full.push(std::mem::replace(bulk, next));
        }
        if bulk.operations.len() >= limits.records || bulk.body.len() >= limits.bytes {
            self.full.extend(self.bulk.take());
        }
    }
}

impl Drop for Filling<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        state.open = self.bulk.take().filter(|bulk| !bulk.operations.is_empty());
        state.full.extend(self.full.drain(..));
        state.records += self.records;
        state.bytes += self.bytes;
        drop(state);
        self.shared.work.notify_one();
    }
}

/// The sending task: starts bulks and takes up their outcomes until it is aborted.
struct Sender {
    shared: Arc<Shared>,
    client: Arc<Client>,
    policy: Policy,
    in_flight: JoinSet<Sent>,
    /// Of the documents in flight that must not be written out of order.
    ids: HashSet<u64>,
}

/// A bulk that is done with.
struct Sent {
    records: usize,
    bytes: usize,
    ids: Vec<u64>,
    outcome: Result<()>,
}

impl Sender {
    async fn run(mut self) {
        loop {
            let linger_until = self.start_bulks();
            let wake_at = linger_until.unwrap_or_else(|| Instant::now() + Duration::from_secs(3600));
            tokio::select! {
                Some(sent) = self.in_flight.join_next() => self.take_up(sent),
                () = self.shared.work.notified() => {}
                () = tokio::time::sleep_until(wake_at), if linger_until.is_some() => {}
            }
        }
    }

    /// Starts what can be started. Answers when the open bulk has lingered long enough.
    fn start_bulks(&mut self) -> Option<Instant> {
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        if !matches!(state.failure, Failure::None) {
            return None;
        }
        while self.in_flight.len() < shared.limits.in_flight {
            if state.full.is_empty()
                && state
                    .open
                    .as_ref()
                    .is_some_and(|bulk| bulk.opened_at + shared.limits.linger <= Instant::now())
            {
                let open = state.open.take();
                state.full.extend(open);
            }
            let Some(next) = state.full.front() else {
                return state
                    .open
                    .as_ref()
                    .map(|bulk| bulk.opened_at + shared.limits.linger);
            };
            // An older write to the same document is on its way: this one must not overtake it.
            if next.ordered_ids().any(|id| self.ids.contains(&id)) {
                return None;
            }
            let next = state.full.pop_front();
            self.in_flight_push(next);
        }
        None
    }

    fn in_flight_push(&mut self, bulk: Option<Bulk>) {
        let Some(bulk) = bulk else { return };
        let ids: Vec<u64> = bulk.ordered_ids().collect();
        self.ids.extend(&ids);
        let (records, bytes) = (bulk.operations.len(), bulk.body.len());
        let (client, policy) = (Arc::clone(&self.client), self.policy);
        self.in_flight.spawn(async move {
            let outcome = Delivery::new(&client, policy).run(bulk).await;
            Sent {
                records,
                bytes,
                ids,
                outcome,
            }
        });
    }

    fn take_up(&mut self, sent: Result<Sent, tokio::task::JoinError>) {
        let mut state = self.shared.state();
        let outcome = match sent {
            Ok(sent) => {
                for id in &sent.ids {
                    self.ids.remove(id);
                }
                state.records = state.records.saturating_sub(sent.records);
                state.bytes = state.bytes.saturating_sub(sent.bytes);
                sent.outcome
            }
            Err(cause) => Err(ConnectorError::bug("sending a bulk ended unexpectedly").with_source(cause)),
        };
        if let Err(error) = outcome
            && matches!(state.failure, Failure::None)
        {
            state.failure = Failure::New(error);
        }
        drop(state);
        self.shared.progress.notify_one();
    }
}
