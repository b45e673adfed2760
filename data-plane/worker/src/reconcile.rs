//! Makes what runs here equal to what the control plane wants. Level-triggered: it looks at the whole desired set,
//! never at what changed. One task owns the units; it is stopped by the worker's token.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use towpath_runtime::unit::{Environment, UnitSpec, Units};
use towpath_runtime::worker_config::LeaseLost;
use towpath_types::{ConnectorKind, Epoch, UnitId};
use tracing::{info, warn};

use crate::outbox::Outbox;
use crate::session::Term;

/// One unit that is wanted here.
#[derive(Clone, Debug)]
pub(crate) struct Desired {
    pub(crate) spec: UnitSpec,
    pub(crate) kind: ConnectorKind,
}

/// The whole desired set.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) units: HashMap<UnitId, Desired>,
    /// Units to let go, and the epoch to confirm that with.
    pub(crate) releases: HashMap<UnitId, Epoch>,
}

/// A worker that stops says so before it gives its units back one by one: otherwise it would get them again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Departure {
    /// Cancelled when the worker stops and still has units.
    pub(crate) begun: CancellationToken,
    /// Cancelled when the control plane has noted it: this process gets no unit any more.
    pub(crate) noted: CancellationToken,
}

pub(crate) struct Reconciler {
    environment: Environment,
    outbox: Arc<Outbox>,
    wanted: watch::Receiver<Arc<Wanted>>,
    /// Until when the lease holds, by this worker's own clock.
    lease: watch::Receiver<Option<Term>>,
    policy: LeaseLost,
    departure: Departure,
    units: Units,
    kinds: HashMap<UnitId, ConnectorKind>,
    /// When units that were asked to stop are ended wherever they are.
    deadlines: HashMap<UnitId, Instant>,
    graceful: Duration,
    lease_is_lost: bool,
    /// What this worker, which stops, has told of: once is enough, since a new session begins with what is still here.
    given_back: HashSet<(UnitId, Epoch)>,
}

impl Reconciler {
    pub(crate) fn new(
        environment: Environment,
        outbox: Arc<Outbox>,
        wanted: watch::Receiver<Arc<Wanted>>,
        (lease, policy): (watch::Receiver<Option<Term>>, LeaseLost),
        departure: Departure,
    ) -> Self {
        let graceful = environment.settings.graceful_timeout;
        Self {
            environment,
            outbox,
            wanted,
            lease,
            policy,
            departure,
            units: Units::new(),
            kinds: HashMap::new(),
            deadlines: HashMap::new(),
            graceful,
            lease_is_lost: false,
            given_back: HashSet::new(),
        }
    }

    pub(crate) async fn run(mut self, stop: CancellationToken) {
        loop {
            let is_leaving = stop.is_cancelled();
            if is_leaving {
                self.leave();
            } else {
                self.make_equal();
            }
            if is_leaving && self.kinds.is_empty() {
                // The good-bye of the session gives back what is left.
                return;
            }
            let awaits_note = is_leaving && !self.departure.noted.is_cancelled();
            let next_deadline = self.deadlines.values().min().copied();
            let lease_until = self.lease.borrow().map(|term| term.until);
            tokio::select! {
                () = stop.cancelled(), if !is_leaving => {}
                () = self.departure.noted.cancelled(), if awaits_note => {}
                changed = self.wanted.changed() => if changed.is_err() { break },
                changed = self.lease.changed() => {
                    if changed.is_err() { break }
                    self.lease_is_lost = false;
                }
                ended = self.units.next_ended(), if !self.kinds.is_empty() => {
                    if let Some((unit, epoch)) = ended { self.on_ended(&unit, epoch); }
                }
                () = sleep_until(next_deadline) => self.end_overdue(),
                () = sleep_until(lease_until), if !self.lease_is_lost => self.on_lease_lost(),
            }
        }
        // The session is gone, so nobody says what is wanted.
        self.units.stop_all(self.graceful).await;
        for unit in self.kinds.keys() {
            self.outbox.let_go(unit);
        }
    }

    fn make_equal(&mut self) {
        let wanted = Arc::clone(&self.wanted.borrow_and_update());
        let here: Vec<(UnitId, Epoch)> = self
            .units
            .iter()
            .map(|(unit, epoch)| (unit.clone(), epoch))
            .collect();
        for (unit, epoch) in here {
            match wanted.units.get(&unit) {
                Some(desired) if desired.spec.epoch == epoch && !self.is_unfenced(desired.kind, &unit) => {
                    self.units.set_target(&unit, desired.spec.target);
                }
                _ => self.stop(&unit, self.stop_deadline(&unit)),
            }
        }
        for (unit, desired) in &wanted.units {
            if self.units.epoch_of(unit).is_none() && !self.is_unfenced(desired.kind, unit) {
                self.start(desired);
            }
        }
        for (unit, epoch) in &wanted.releases {
            if self.units.epoch_of(unit).is_none() {
                self.outbox.ended(unit, *epoch);
            }
        }
    }

    /// The worker stops: so do all its units, and each that has ended, its last offsets committed, is given back at once.
    /// It does not wait for the slowest.
    fn leave(&mut self) {
        let wanted = Arc::clone(&self.wanted.borrow_and_update());
        let here: Vec<UnitId> = self.units.iter().map(|(unit, _)| unit.clone()).collect();
        for unit in &here {
            self.stop(unit, self.stop_deadline(unit));
        }
        if !here.is_empty() {
            self.departure.begun.cancel();
        }
        if !self.departure.noted.is_cancelled() {
            return;
        }
        let units = wanted.units.iter();
        let runs = units.map(|(unit, desired)| (unit, desired.spec.epoch));
        let releases = wanted.releases.iter().map(|(unit, epoch)| (unit, *epoch));
        for (unit, epoch) in runs.chain(releases) {
            // Invariant 5: only what does not run here.
            if self.units.epoch_of(unit).is_none() && self.given_back.insert((unit.clone(), epoch)) {
                self.outbox.ended(unit, epoch);
            }
        }
    }

    /// Whether this unit may not run because the lease is lost and nothing else keeps a second one away: sinks have
    /// their consumer group, exactly-once sources their transactional id.
    fn is_unfenced(&self, kind: ConnectorKind, unit: &UnitId) -> bool {
        let is_source_task = kind == ConnectorKind::Source && unit.task_number().is_some();
        let kafka_fences = self.environment.exactly_once().is_some();
        self.lease_is_lost && self.policy == LeaseLost::Stop && is_source_task && !kafka_fences
    }

    fn start(&mut self, desired: &Desired) {
        let unit = desired.spec.unit.clone();
        self.outbox.hold(&unit, desired.spec.epoch);
        self.kinds.insert(unit, desired.kind);
        self.units.start(&self.environment, desired.spec.clone());
    }

    /// Until when a unit that stops now may take for it.
    fn stop_deadline(&self, unit: &UnitId) -> Instant {
        let graceful = Instant::now() + self.graceful;
        let is_unfenced = self
            .kinds
            .get(unit)
            .is_some_and(|kind| self.is_unfenced(*kind, unit));
        match *self.lease.borrow() {
            // Invariant 5: the leader gives it to another worker soon, and nobody would take a last commit.
            Some(term) if is_unfenced => graceful.min(term.until + term.grace),
            _ => graceful,
        }
    }

    /// A unit that is stopping already can only get less time than it had.
    fn stop(&mut self, unit: &UnitId, deadline: Instant) {
        if !self.units.is_stopping(unit) {
            self.units.stop(unit);
            self.deadlines.insert(unit.clone(), deadline);
        } else if let Some(at) = self.deadlines.get_mut(unit) {
            *at = deadline.min(*at);
        }
    }

    fn on_ended(&mut self, unit: &UnitId, epoch: Epoch) {
        self.deadlines.remove(unit);
        self.kinds.remove(unit);
        self.outbox.let_go(unit);
        info!(%unit, epoch = epoch.get(), "unit ended");
    }

    fn end_overdue(&mut self) {
        let now = Instant::now();
        let overdue: Vec<UnitId> = self
            .deadlines
            .iter()
            .filter(|(_, at)| **at <= now)
            .map(|(unit, _)| unit.clone())
            .collect();
        for unit in overdue {
            warn!(%unit, "the unit did not stop in time and is ended where it is");
            self.units.abort(&unit);
            self.deadlines.remove(&unit);
        }
    }

    fn on_lease_lost(&mut self) {
        self.lease_is_lost = true;
        let what = match self.policy {
            LeaseLost::Stop | LeaseLost::Continue if self.environment.exactly_once().is_some() => {
                "all tasks go on, Kafka fences each against a second one"
            }
            LeaseLost::Stop => "source tasks stop until it answers again, sinks go on",
            LeaseLost::Continue => "all tasks go on, so a source task may run twice",
        };
        warn!("the control plane has not answered within the lease: {what}");
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
