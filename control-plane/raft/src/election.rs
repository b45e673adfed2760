//! Who stands for election, and when.
//!
//! openraft's own timers wait for the old leader's lease to be over and then for a time that each node has drawn once, look
//! at the clock every one and a half heartbeats, and wait for twice as long again after a node with more of the log has
//! refused its vote: a leader that was killed was missed for two to seven seconds. They are off here.
//!
//! Instead, a node that has heard from no leader for long enough first asks the others whether they would vote for it: a
//! node grants that if it has heard from no leader either and has no more of the log. With a majority behind it the node
//! stands. So one that is alone in hearing nothing disturbs nobody, and one that cannot win is in nobody's way. Votes and
//! leases are openraft's, as ever: this only decides when to ask for them.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use openraft::error::Fatal;
use openraft::{RaftMetrics, ServerState};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::Timing;
use crate::peers::Peer;
use crate::register::Register;
use crate::types::{LogId, Member, Raft};

/// How often is looked whether there is a leader.
const LOOK: Duration = Duration::from_millis(25);
/// How long a node that asks may take to answer; those that are gone are not waited for if a majority has.
const ANSWER: Duration = Duration::from_millis(300);
/// Whom a node has encouraged has this long to stand, and nobody else is encouraged meanwhile.
const PROMISE: Duration = Duration::from_millis(200);
/// The wait of the first node before it asks again, of the second twice that, and so on: not all at the same time.
const STAGGER: Duration = Duration::from_millis(40);

type Metrics = RaftMetrics<u64, Member>;

/// The question whether a node would vote for another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Canvass {
    pub(crate) candidate: u64,
    pub(crate) last_log_id: Option<LogId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Support {
    pub(crate) granted: bool,
}

/// What a node has heard, and whom it has encouraged.
#[derive(Debug)]
pub(crate) struct Hearing {
    silence: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// From a leader; its own beginning at first.
    heard_at: Instant,
    encouraged: Option<(u64, Instant)>,
    /// A node that stops does not.
    stands: bool,
}

impl Hearing {
    pub(crate) fn new(timing: &Timing) -> Self {
        Self {
            silence: timing.silence,
            state: Mutex::new(State {
                heard_at: Instant::now(),
                encouraged: None,
                stands: true,
            }),
        }
    }

    /// A leader of this or a later term has said something.
    pub(crate) fn hear(&self) {
        self.lock().heard_at = Instant::now();
    }

    pub(crate) fn stand_no_more(&self) {
        self.lock().stands = false;
    }

    fn is_silent(&self) -> bool {
        self.lock().heard_at.elapsed() >= self.silence
    }

    fn may_stand(&self) -> bool {
        let state = self.lock();
        state.stands && !is_promised(state.encouraged, None)
    }

    fn encourage(&self, candidate: u64) -> bool {
        let mut state = self.lock();
        let free = !is_promised(state.encouraged, Some(candidate));
        if free {
            state.encouraged = Some((candidate, Instant::now()));
        }
        free
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// To somebody else than this one.
fn is_promised(encouraged: Option<(u64, Instant)>, candidate: Option<u64>) -> bool {
    encouraged.is_some_and(|(whom, when)| Some(whom) != candidate && when.elapsed() < PROMISE)
}

/// Answers another node's question.
pub(crate) fn support(raft: &Raft, hearing: &Hearing, asked: &Canvass) -> Support {
    let leads = raft.metrics().borrow().state == ServerState::Leader;
    let granted = !leads
        && hearing.is_silent()
        && last_log_id(raft) <= asked.last_log_id
        && hearing.encourage(asked.candidate);
    Support { granted }
}

/// Runs as one task of a store until it stops.
pub(crate) async fn run(raft: Raft, hearing: Arc<Hearing>, register: Arc<Register>, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let metrics = raft.metrics().borrow().clone();
        if metrics.running_state.is_err() {
            return;
        }
        let mut pause = LOOK;
        if metrics.state == ServerState::Leader {
            // Whatever ends its lead, it begins to wait then.
            hearing.hear();
        } else if is_due(&metrics, &hearing) {
            tokio::select! {
                stood = stand(&raft, &register, &metrics) => match stood {
                    Ok(true) => pause = hearing.silence / 2,
                    Ok(false) => pause = STAGGER * rank(&metrics),
                    Err(_stopped) => return,
                },
                () = stop.cancelled() => return,
            }
        }
        tokio::select! { () = tokio::time::sleep(pause) => {}, () = stop.cancelled() => {} }
    }
}

fn voters(metrics: &Metrics) -> BTreeSet<u64> {
    metrics.membership_config.voter_ids().collect()
}

fn is_due(metrics: &Metrics, hearing: &Hearing) -> bool {
    let voters = voters(metrics);
    // Who is alone has nobody to hear from.
    let is_alone = voters.len() == 1;
    voters.contains(&metrics.id) && hearing.may_stand() && (is_alone || hearing.is_silent())
}

/// The first has 1.
fn rank(metrics: &Metrics) -> u32 {
    let before = voters(metrics).into_iter().filter(|other| *other <= metrics.id);
    u32::try_from(before.count()).unwrap_or(u32::MAX)
}

/// Stands for election if a majority would vote for this node; says whether it did.
async fn stand(raft: &Raft, register: &Arc<Register>, metrics: &Metrics) -> Result<bool, Fatal<u64>> {
    let question = Canvass {
        candidate: metrics.id,
        last_log_id: last_log_id(raft),
    };
    if !is_supported(register, metrics, &question).await {
        return Ok(false);
    }
    tracing::info!(
        node = metrics.id,
        "no leader is heard: this node stands for election"
    );
    raft.trigger().elect().await?;
    Ok(true)
}

async fn is_supported(register: &Arc<Register>, metrics: &Metrics, question: &Canvass) -> bool {
    let membership = metrics.membership_config.membership();
    // While the membership changes, a majority of both the old and the new members.
    let groups = membership.get_joint_config();
    let mut supporters = BTreeSet::from([metrics.id]);
    let is_majority = |supporters: &BTreeSet<u64>| {
        let has = |group: &BTreeSet<u64>| group.intersection(supporters).count() * 2 > group.len();
        groups.iter().all(has)
    };
    let others = voters(metrics).into_iter().filter(|other| *other != metrics.id);
    let peer = |other| Some(Peer::new(other, membership.get_node(&other)?, register.clone()));
    let peers = others.filter_map(peer);
    let mut answers: FuturesUnordered<_> = peers
        .map(async |peer| (peer.target(), peer.canvass(question, ANSWER).await))
        .collect();
    while !is_majority(&supporters) {
        match answers.next().await {
            Some((other, Ok(Support { granted: true }))) => drop(supporters.insert(other)),
            Some((_, Ok(_))) => {}
            Some((other, Err(error))) => {
                tracing::debug!(node = metrics.id, other, %error, "a node did not say whether it would vote");
            }
            None => return false,
        }
    }
    true
}

fn last_log_id(raft: &Raft) -> Option<LogId> {
    raft.data_metrics().borrow().last_log
}
