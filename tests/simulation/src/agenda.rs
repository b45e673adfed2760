//! What is to happen and when. Events of one instant happen in the order of their actors, whichever task wrote them down
//! first, so that nothing depends on the order in which the runtime polls its tasks.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::time::{Duration, Instant};
use towpath_raft::StoreError;
use towpath_state::Outcome;
use towpath_wire::v1;

/// Milliseconds since the simulation began.
pub(crate) type Millis = u64;
pub(crate) type LinkId = u64;

/// Whose event it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Actor {
    Group(usize),
    /// Who proposes something on which node.
    Proposer(usize, String),
    Link(LinkId),
    Worker(usize),
    User(u64),
    Faults,
}

#[derive(Debug)]
pub(crate) enum Event {
    /// A proposal reaches the end of its way: it is written, or not.
    Decide(u64),
    /// A follower catches up to here.
    Replicate {
        node: usize,
        log_length: usize,
    },
    /// A majority votes.
    Elect {
        term: u64,
    },
    /// A leader without a majority notices it.
    NoticeLoss {
        node: usize,
        term: u64,
    },
    ToServer(LinkId, v1::WorkerMessage),
    /// The node has sent it; its way begins.
    FromServer(LinkId, v1::ControlMessage),
    ToWorker(LinkId, v1::ControlMessage),
    /// The node ended it, perhaps naming the leader.
    EndedByServer(LinkId, Option<usize>),
    /// The worker notices the end.
    Ended(LinkId, Option<usize>),
    Reset(LinkId),
    /// The worker looks at its clock.
    Wake {
        worker: usize,
        incarnation: u64,
    },
    StartWorker(usize),
    Thaw {
        worker: usize,
        incarnation: u64,
    },
    StartNode(usize),
    /// A user does something.
    Act,
    Answered(u64, Result<Outcome, StoreError>),
    ReadDone(u64, Option<String>, bool),
    Fault,
}

#[derive(Debug)]
pub(crate) struct Agenda {
    begin: Instant,
    /// A std mutex: never held across an await.
    events: Mutex<Events>,
    added: Notify,
}

#[derive(Debug, Default)]
struct Events {
    by_time: BTreeMap<(Millis, Actor, u64), Event>,
    count: u64,
}

impl Agenda {
    pub(crate) fn new() -> Self {
        Self {
            begin: Instant::now(),
            events: Mutex::default(),
            added: Notify::new(),
        }
    }

    pub(crate) fn now(&self) -> Millis {
        u64::try_from(self.begin.elapsed().as_millis()).expect("a simulation is short")
    }

    pub(crate) fn add(&self, at: Millis, actor: Actor, event: Event) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        // Of one actor's events at one instant, the one that was added first comes first.
        events.count += 1;
        let key = (at.max(self.now()), actor, events.count);
        events.by_time.insert(key, event);
        drop(events);
        self.added.notify_one();
    }

    /// The next event when its time has come, or `None` when nothing happens until `end`.
    pub(crate) async fn next(&self, end: Millis) -> Option<(Actor, Event)> {
        // Whatever the last event woke runs before the next one is looked at.
        tokio::task::yield_now().await;
        loop {
            let due = self.first_time();
            if due.is_some_and(|at| at <= self.now()) {
                let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
                let ((_, actor, _), event) = events.by_time.pop_first()?;
                return Some((actor, event));
            }
            if self.now() >= end {
                return None;
            }
            let wake = self.begin + Duration::from_millis(due.unwrap_or(end).min(end));
            tokio::select! {
                biased;
                () = self.added.notified() => {}
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    fn first_time(&self) -> Option<Millis> {
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.by_time.first_key_value().map(|((at, _, _), _)| *at)
    }
}

impl Default for Agenda {
    fn default() -> Self {
        Self::new()
    }
}
