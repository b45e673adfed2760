//! A worker process as the control plane meets it: the same session, outbox, lease and reconciliation as in
//! `data-plane/worker`, as a machine without tasks and with a clock that may run fast, slow or not at all. Not the real
//! code, which is driven by a runtime and random maps: what it does is repeated here rule by rule.

mod clock;
mod outbox;
mod runs;
mod session;

use std::collections::{BTreeMap, BTreeSet};

use rand::Rng;
use rand::rngs::StdRng;
use towpath_types::{Epoch, UnitId};
use towpath_wire::v1;

pub(crate) use self::clock::Clock;
use self::outbox::Outbox;
use self::runs::Wanted;
pub(crate) use self::runs::{Phase, Run};
use self::session::Session;
pub(crate) use self::session::{offset_of, partition_of};
use crate::agenda::{LinkId, Millis};

/// Units that nothing but the lease fences must be gone so long after it, by the worker's own clock.
pub(crate) const STOP_AFTER_LEASE_MS: Millis = 200;
/// How long a unit may take to stop on other occasions.
const MAX_STOP_MS: Millis = 900;
const FLUSH_MS: Millis = 700;
const RECORD_MS: Millis = 250;

/// What a worker wants of the world.
#[derive(Debug)]
pub(crate) enum Act {
    Open(usize),
    Say(LinkId, v1::WorkerMessage),
    Close(LinkId),
    /// The process has ended by itself.
    Exit,
    /// A run was given the offset where it goes on.
    Began {
        unit: UnitId,
        epoch: Epoch,
        offset: u64,
    },
    /// A commit was acknowledged.
    Committed {
        unit: UnitId,
        offset: u64,
    },
}

/// What becomes of source tasks that nothing but the lease fences, when it is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeaseLost {
    Stop,
    /// They go on, because duplicates are preferred to a pause.
    Continue,
}

#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) id: String,
    pub(crate) classes: Vec<&'static str>,
    pub(crate) policy: LeaseLost,
    pub(crate) incarnation: u64,
    pub(crate) process: Option<Process>,
    /// When it is to be woken next.
    pub(crate) alarm: Option<Millis>,
}

impl Worker {
    /// False if it is woken early enough already.
    pub(crate) fn sets_alarm(&mut self, at: Millis, now: Millis) -> bool {
        let is_set = self.alarm.is_some_and(|alarm| alarm > now && alarm <= at);
        if !is_set {
            self.alarm = Some(at);
        }
        !is_set
    }
}

/// What dies with the process.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) clock: Clock,
    policy: LeaseLost,
    rng: StdRng,
    session: Session,
    outbox: Outbox,
    wanted: Wanted,
    pub(crate) runs: BTreeMap<UnitId, Run>,
    lease_until: Option<Millis>,
    /// Of the session that has begun and has not said yet what is wanted.
    early_lease: Option<Millis>,
    pub(crate) lease_is_lost: bool,
    is_told: bool,
    /// Something has happened since it last confirmed what it has let go of.
    looks_anew: bool,
    next_flush: Millis,
    next_record: Millis,
    is_leaving: bool,
    /// The control plane gives it nothing any more.
    departure_is_noted: bool,
    given_back: BTreeSet<(UnitId, Epoch)>,
    tasks_may_fail: bool,
    acts: Vec<Act>,
}

impl Process {
    pub(crate) fn new(rng: StdRng, now: Millis, node: usize, policy: LeaseLost) -> Self {
        let mut rng = rng;
        let clock = Clock::new(rng.random_range(930..=1_070));
        Self {
            clock,
            policy,
            session: Session::away(node, now),
            outbox: Outbox::default(),
            wanted: Wanted::default(),
            runs: BTreeMap::new(),
            lease_until: None,
            early_lease: None,
            lease_is_lost: false,
            is_told: false,
            looks_anew: false,
            next_flush: now,
            next_record: now,
            is_leaving: false,
            departure_is_noted: false,
            given_back: BTreeSet::new(),
            tasks_may_fail: true,
            acts: Vec::new(),
            rng,
        }
    }

    pub(crate) fn stop_failing(&mut self) {
        self.tasks_may_fail = false;
    }

    /// Whether it may run units of which it has no current word: nobody has told it otherwise yet.
    pub(crate) fn is_uninformed(&self) -> bool {
        self.lease_is_lost || self.lease_until.is_none() || !self.is_told
    }

    /// Whether nobody else may have been given what it runs. One that leaves gives up its lease with its good-bye.
    pub(crate) fn holds_lease(&self, now: Millis) -> bool {
        !self.is_leaving && self.lease_until.is_some_and(|until| now < until)
    }

    pub(crate) fn describe_lease(&self) -> String {
        let (until, clock) = (self.lease_until, self.clock);
        let state = if self.lease_is_lost { "lost" } else { "held" };
        format!("lease until {until:?}, {state}, {clock:?}")
    }

    /// Whether this run has to end with the lease, because nothing else keeps a second one away.
    pub(crate) fn needs_lease(&self, unit: &UnitId, run: &Run) -> bool {
        self.policy == LeaseLost::Stop && run.is_unfenced(unit)
    }

    /// Whether source tasks have to end because the lease has.
    fn sources_must_end(&self) -> bool {
        self.lease_is_lost && self.policy == LeaseLost::Stop
    }

    pub(crate) fn take_acts(&mut self) -> Vec<Act> {
        std::mem::take(&mut self.acts)
    }

    /// Stops everything, says so, and ends.
    pub(crate) fn leave(&mut self, now: Millis) {
        self.is_leaving = true;
        self.advance_at(now);
    }

    pub(crate) fn has_runs(&self) -> bool {
        !self.runs.is_empty()
    }

    pub(crate) fn departure_is_noted(&mut self) {
        self.departure_is_noted = true;
    }

    /// Does whatever is due.
    pub(crate) fn advance(&mut self, identity: &v1::Register, now: Millis) {
        self.advance_at(now);
        self.keep_session(identity, now);
        self.advance_at(now);
        self.flush(now);
    }

    fn advance_at(&mut self, now: Millis) {
        if self.lease_until.is_some_and(|until| until <= now) {
            self.lease_is_lost = true;
        }
        self.make_equal(now);
        self.progress(now);
        // What has ended makes room for what is wanted.
        self.make_equal(now);
    }

    /// The lease counts from the first word of what is wanted: until then an old word must not start anything.
    fn set_lease(&mut self, until: Millis) {
        if self.is_told {
            self.lease_until = Some(until);
            self.lease_is_lost = false;
            self.looks_anew = true;
        } else {
            self.early_lease = Some(until);
        }
    }

    fn is_told(&mut self) {
        self.is_told = true;
        if let Some(until) = self.early_lease.take() {
            self.set_lease(until);
        }
    }

    /// When something is due again.
    pub(crate) fn next_due(&self) -> Millis {
        let runs = self.runs.values().filter_map(Run::due);
        let lease = self.lease_until.filter(|_| !self.lease_is_lost);
        let dues = runs.chain(lease).chain([self.next_flush, self.next_record]);
        dues.chain(self.session.due(&self.clock))
            .min()
            .unwrap_or(self.next_flush)
    }
}
