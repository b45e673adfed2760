//! The reconcile loop: the only place that decides who runs what, and that a silent worker is gone. Level-triggered: it
//! takes no other input than the state and who is connected, runs on every change and every second, and does not
//! retry by itself, because it runs again anyway. One task; the leader's acts, the others' wait. Stopped by its token.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use towpath_raft::{ClusterStore, Reads as _, StoreError, StoreMetrics};
use towpath_state::{Command, LiveWorkers, Refusal, RemovalReason, plan};
use towpath_types::Revision;

use crate::app::Chain;
use crate::sessions::Directory;

/// At least this often, whatever happened.
const INTERVAL: Duration = Duration::from_secs(1);
/// A loop that wakes so much later than it should was held up: the process was stopped, or the machine is overloaded.
const HELD_UP: Duration = Duration::from_secs(1);
/// After a write that nobody took. Also keeps a store that is ill from being asked in a tight loop.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(crate) struct Reconciler {
    store: Arc<dyn ClusterStore>,
    directory: Arc<Directory>,
    changes: watch::Receiver<Revision>,
    sessions: watch::Receiver<()>,
    metrics: watch::Receiver<StoreMetrics>,
    is_leader: bool,
    /// What the last plan was made of. Most changes, offsets first of all, change nothing about it.
    planned: Option<(Revision, LiveWorkers)>,
}

impl Reconciler {
    pub(crate) fn new(store: Arc<dyn ClusterStore>, directory: Arc<Directory>) -> Self {
        let mut reconciler = Self {
            changes: store.subscribe(),
            sessions: directory.changes(),
            metrics: store.metrics(),
            store,
            directory,
            is_leader: false,
            planned: None,
        };
        // A node that leads already takes workers from its first moment.
        reconciler.notice_leadership();
        reconciler
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let pause = self.round().await;
            let wake = Instant::now() + pause.unwrap_or(INTERVAL);
            // Biased, here and below, so that the simulation repeats a run by its seed. Whatever woke it, a round looks at
            // everything.
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                changed = self.something_changed(), if pause.is_none() => if !changed { return },
                () = tokio::time::sleep_until(wake) => self.planned = None,
            }
            if wake + HELD_UP < Instant::now() {
                tracing::warn!("this process was held up, so the leases of all workers begin anew");
                self.directory.excuse_all();
            }
        }
    }

    /// False when the store is gone.
    async fn something_changed(&mut self) -> bool {
        let due = self.store.read_local(|state| self.directory.silence(state)).next;
        tokio::select! {
            biased;
            changed = self.changes.changed() => changed.is_ok(),
            changed = self.sessions.changed() => changed.is_ok(),
            changed = self.metrics.changed() => changed.is_ok(),
            () = sleep_until(due) => true,
        }
    }

    /// How long to wait before the next one, if it must wait.
    async fn round(&mut self) -> Option<Duration> {
        self.changes.borrow_and_update();
        self.sessions.borrow_and_update();
        self.notice_leadership();
        if !self.is_leader {
            return None;
        }
        let mut metrics = self.metrics.clone();
        // Without a majority a write waits long for one, and sessions have to end as soon as this node leads no more.
        let acted = tokio::select! {
            biased;
            acted = self.act() => acted,
            _ = metrics.wait_for(|metrics| !metrics.is_leader()) => {
                self.planned = None;
                self.notice_leadership();
                return None;
            }
        };
        match acted {
            Ok(()) => None,
            Err(error) => {
                self.planned = None;
                tracing::warn!(error = %Chain(&error), "who runs what could not be written, trying again");
                Some(PAUSE_AFTER_ERROR)
            }
        }
    }

    fn notice_leadership(&mut self) {
        let is_leader = self.metrics.borrow_and_update().is_leader();
        if is_leader == self.is_leader {
            return;
        }
        self.is_leader = is_leader;
        if is_leader {
            tracing::info!("this node leads: workers get one lease to register");
            self.directory.begin();
        } else {
            tracing::info!("this node leads no more: its worker sessions end");
            self.directory.end();
        }
    }

    async fn act(&mut self) -> Result<(), StoreError> {
        for from in self
            .store
            .read_local(|state| self.directory.silence(state))
            .expired
        {
            if !self.directory.give_up(&from.worker) {
                continue;
            }
            tracing::warn!(worker = %from.worker, session = %from.session, "worker is silent for longer than its lease");
            let command = Command::RemoveWorker {
                from: from.clone(),
                reason: RemovalReason::LeaseExpired,
            };
            match self.store.propose(command).await? {
                // Registered anew meanwhile.
                Err(Refusal::SessionOver { .. }) => {}
                Ok(_) | Err(_) => self.directory.forget(&from),
            }
        }
        for command in self.plan() {
            if let Err(refusal) = self.store.propose(command).await? {
                tracing::debug!(reason = %refusal, "a planned change was refused, planning anew");
            }
        }
        Ok(())
    }

    fn plan(&mut self) -> Vec<Command> {
        let live = self.directory.live_workers();
        let planned = self.planned.take();
        let (layout, commands) = self.store.read_local(|state| {
            let layout = state.layout_revision();
            let is_same = planned
                .as_ref()
                .is_some_and(|(before, workers)| *before == layout && *workers == live);
            (layout, if is_same { Vec::new() } else { plan(state, &live) })
        });
        self.planned = Some((layout, live));
        commands
    }
}

/// For ever, if there is no such moment.
pub(crate) async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
