//! Which workers are connected, and since when each of them is silent. Kept by the leader only, in memory only.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use towpath_state::{ClusterState, LiveWorkers, Reporter};
use towpath_types::{ProcessId, WorkerId};

use super::live::LiveSession;
use super::registration::OfferedPlugin;

/// Before it is looked again whether a worker whose lease is over has come back.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// How long a worker may be silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lease {
    /// What the worker is told.
    pub(crate) duration: Duration,
    /// What the control plane waits on top, because the worker counts from when it sent what we count from when we
    /// received it, by another clock.
    pub(crate) margin: Duration,
}

impl Lease {
    /// After which silence a worker is removed.
    pub(crate) fn patience(&self) -> Duration {
        self.duration + self.margin
    }
}

#[derive(Debug)]
pub(crate) struct Directory {
    lease: Lease,
    /// A std mutex: never held across an await.
    entries: Mutex<Entries>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Entries {
    is_leading: bool,
    /// Nobody is expired sooner than one lease after this: workers need time to find a new leader.
    leading_since: Instant,
    workers: BTreeMap<WorkerId, Entry>,
    /// The last one that a worker named.
    kafka_cluster_id: Option<Arc<str>>,
}

#[derive(Debug)]
struct Entry {
    heard: Instant,
    live: Option<Arc<LiveSession>>,
}

/// Whose lease ran out, and when to look again.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Silence {
    pub(crate) expired: Vec<Reporter>,
    pub(crate) next: Option<Instant>,
}

impl Directory {
    pub(crate) fn new(lease: Lease) -> Self {
        let entries = Entries {
            is_leading: false,
            leading_since: Instant::now(),
            workers: BTreeMap::new(),
            kafka_cluster_id: None,
        };
        Self {
            lease,
            entries: Mutex::new(entries),
            changed: watch::Sender::new(()),
        }
    }

    pub(crate) fn lease(&self) -> Lease {
        self.lease
    }

    /// Marked when a worker comes or goes.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// This node has become the leader: nobody has registered yet, and everybody gets a lease to do it.
    pub(crate) fn begin(&self) {
        let mut entries = self.lock();
        entries.is_leading = true;
        entries.leading_since = Instant::now();
        end_all(std::mem::take(&mut entries.workers));
        drop(entries);
        self.changed.send_replace(());
    }

    /// This node leads no more, or stops.
    pub(crate) fn end(&self) {
        let mut entries = self.lock();
        entries.is_leading = false;
        end_all(std::mem::take(&mut entries.workers));
        drop(entries);
        self.changed.send_replace(());
    }

    /// Whether workers may register here.
    pub(super) fn is_leading(&self) -> bool {
        self.lock().is_leading
    }

    /// This process itself was held up, so it could not hear anybody: silence says nothing about the workers. Waiting
    /// longer for them is always safe.
    pub(crate) fn excuse_all(&self) {
        let now = Instant::now();
        let mut entries = self.lock();
        entries.leading_since = now;
        for entry in entries.workers.values_mut() {
            entry.heard = now;
        }
    }

    pub(super) fn heard(&self, worker: &WorkerId) {
        let now = Instant::now();
        let mut entries = self.lock();
        match entries.workers.get_mut(worker) {
            Some(entry) => entry.heard = now,
            None => {
                entries.workers.insert(
                    worker.clone(),
                    Entry {
                        heard: now,
                        live: None,
                    },
                );
            }
        }
    }

    /// Whether this is still the session of its worker, which it then is for another lease. One that is not must not be
    /// answered: the worker would take its lease for renewed.
    pub(super) fn heard_from(&self, session: &LiveSession) -> bool {
        let mut entries = self.lock();
        let entry = entries.workers.get_mut(&session.reporter.worker);
        let Some(entry) = entry.filter(|entry| entry.is_of(session)) else {
            return false;
        };
        entry.heard = Instant::now();
        true
    }

    /// A worker is to be removed for its silence. Nothing it says from now on is answered, because its units are given
    /// away as soon as the removal is written. False if it has been heard of meanwhile.
    pub(crate) fn give_up(&self, worker: &WorkerId) -> bool {
        let now = Instant::now();
        let mut entries = self.lock();
        let Some(entry) = entries.workers.get_mut(worker) else {
            return true;
        };
        if entry.heard + self.lease.patience() > now {
            return false;
        }
        let live = entry.live.take();
        drop(entries);
        if let Some(live) = live {
            live.over.cancel();
            self.changed.send_replace(());
        }
        true
    }

    /// Whether another process is connected as this worker.
    pub(super) fn is_taken(&self, worker: &WorkerId, process: &ProcessId) -> bool {
        let entries = self.lock();
        let live = entries.workers.get(worker).and_then(|entry| entry.live.as_ref());
        live.is_some_and(|live| live.process.as_ref().is_some_and(|other| other != process))
    }

    /// A session of the same worker that is still there is over: the worker has a new life.
    pub(super) fn open(&self, session: &Arc<LiveSession>) {
        let entry = Entry {
            heard: Instant::now(),
            live: Some(Arc::clone(session)),
        };
        let mut entries = self.lock();
        if !entries.is_leading {
            // Another node leads since this one wrote the registration.
            session.over.cancel();
            return;
        }
        let before = entries.workers.insert(session.reporter.worker.clone(), entry);
        drop(entries);
        if let Some(old) = before.and_then(|entry| entry.live) {
            old.over.cancel();
        }
        self.changed.send_replace(());
    }

    /// Which cluster a worker works for. It may find out after it has registered; empty is not known yet.
    pub(super) fn note_kafka_cluster(&self, id: &str) {
        let mut entries = self.lock();
        if !id.is_empty() && entries.kafka_cluster_id.as_deref() != Some(id) {
            entries.kafka_cluster_id = Some(id.into());
        }
    }

    /// The connection is lost; the lease goes on.
    pub(super) fn close(&self, session: &LiveSession) {
        let mut entries = self.lock();
        let entry = entries.workers.get_mut(&session.reporter.worker);
        let own = entry.filter(|entry| entry.is_of(session));
        if let Some(entry) = own {
            entry.live = None;
        }
        drop(entries);
        self.changed.send_replace(());
    }

    /// The worker was removed for its silence. One that has begun to register anew meanwhile is not forgotten.
    pub(crate) fn forget(&self, worker: &Reporter) {
        let now = Instant::now();
        let mut entries = self.lock();
        let is_silent = |entry: &Entry| entry.heard + self.lease.patience() <= now;
        let removed = if entries.workers.get(&worker.worker).is_some_and(is_silent) {
            entries.workers.remove(&worker.worker)
        } else {
            None
        };
        drop(entries);
        if let Some(live) = removed.and_then(|entry| entry.live) {
            live.over.cancel();
        }
    }

    /// Workers that can be told something now.
    pub(crate) fn live_workers(&self) -> LiveWorkers {
        let entries = self.lock();
        entries
            .workers
            .iter()
            .filter(|(_, entry)| entry.live.is_some())
            .map(|(id, _)| id.clone())
            .collect()
    }

    pub(crate) fn sessions(&self) -> Vec<Arc<LiveSession>> {
        self.lock()
            .workers
            .values()
            .filter_map(|entry| entry.live.clone())
            .collect()
    }

    pub(crate) fn kafka_cluster_id(&self) -> Option<Arc<str>> {
        self.lock().kafka_cluster_id.clone()
    }

    /// Whoever is registered and silent for too long by our own clock.
    pub(crate) fn silence(&self, state: &ClusterState) -> Silence {
        let now = Instant::now();
        let mut entries = self.lock();
        // A worker that tried to register and could not leaves nothing behind.
        entries.workers.retain(|id, entry| {
            entry.live.is_some()
                || state.workers().contains_key(id)
                || entry.heard + self.lease.patience() > now
        });
        let mut silence = Silence {
            expired: Vec::new(),
            next: None,
        };
        for (id, worker) in state.workers() {
            let deadline = entries.heard(id) + self.lease.patience();
            if deadline <= now {
                silence.expired.push(Reporter {
                    worker: id.clone(),
                    session: worker.session.clone(),
                });
            } else {
                silence.next = Some(silence.next.map_or(deadline, |next| next.min(deadline)));
            }
        }
        silence
    }

    /// Workers whose lease is over by what they were told: nobody knows what they do, though they are removed only a margin
    /// later.
    pub(crate) fn overdue(&self, state: &ClusterState) -> BTreeSet<WorkerId> {
        let entries = self.lock();
        let now = Instant::now();
        let workers = state.workers().keys().filter(|_| entries.is_leading);
        workers
            .filter(|id| entries.heard(id) + self.lease.duration <= now)
            .cloned()
            .collect()
    }

    /// When [`Self::overdue`] may change for the sake of time; one that is overdue may be heard again at any moment.
    pub(crate) fn next_overdue(&self, state: &ClusterState) -> Option<Instant> {
        let entries = self.lock();
        let now = Instant::now();
        let workers = state.workers().keys().filter(|_| entries.is_leading);
        let ends = workers.map(|id| entries.heard(id) + self.lease.duration);
        ends.map(|end| if end <= now { now + LOOK_AGAIN } else { end })
            .min()
    }

    /// The same definition that another worker has sent already: workers of one version send the same texts.
    pub(super) fn share_keys(&self, plugins: &mut [OfferedPlugin]) {
        for live in self.sessions() {
            for plugin in &mut *plugins {
                let mut twins = live
                    .offer
                    .plugins
                    .iter()
                    .filter(|other| other.class == plugin.class);
                let twin = twins.find(|other| other.keys.get() == plugin.keys.get());
                if let Some(twin) = twin {
                    plugin.keys = Arc::clone(&twin.keys);
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Entries {
    /// When a registered worker was heard last: everybody was when this node began to lead.
    fn heard(&self, worker: &WorkerId) -> Instant {
        let entry = self.workers.get(worker);
        entry.map_or(self.leading_since, |entry| entry.heard)
    }
}

impl Entry {
    fn is_of(&self, session: &LiveSession) -> bool {
        self.live
            .as_ref()
            .is_some_and(|live| live.reporter.session == session.reporter.session)
    }
}

fn end_all(workers: BTreeMap<WorkerId, Entry>) {
    for live in workers.into_values().filter_map(|entry| entry.live) {
        live.over.cancel();
    }
}
