//! The replicated log of three nodes, without disks and messages: who leads, what is written, how far each node has
//! applied it. What openraft promises is taken for granted here; that it keeps its promise is tested elsewhere.

mod store;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::{oneshot, watch};
use towpath_raft::{Leader, Role, StoreError, StoreMetrics};
use towpath_state::{ClusterState, Command, Outcome};
use towpath_types::{NodeId, Revision};

pub(crate) use self::store::NodeStore;
use crate::agenda::{Actor, Agenda, Event, Millis};

pub(crate) const NODES: usize = 3;
/// How long a leader that is cut off from the others takes itself for the leader, by the limit that the store has.
const STALE_LEADER_MS: Millis = 800;
/// A vote is given no sooner than this after the last word of the old leader, and no later than the other.
const ELECTION_MS: std::ops::RangeInclusive<Millis> = 1_000..=2_200;

/// How long a write waits for a majority, by the limit that the store has.
const QUORUM_MS: Millis = 10_000;

type Answer = oneshot::Sender<Result<Outcome, StoreError>>;

#[derive(Debug)]
struct Pending {
    node: usize,
    command: Command,
    answer: Answer,
    has_waited: bool,
}

#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) state: ClusterState,
    pub(crate) applied: usize,
    /// Counts the processes of this node; the store of an earlier one is dead.
    pub(crate) incarnation: u64,
    pub(crate) is_up: bool,
    role: Role,
    leader: Option<usize>,
    /// One sender for each subscriber: they are woken in the order in which they came.
    revisions: Vec<watch::Sender<Revision>>,
    metrics: Vec<watch::Sender<StoreMetrics>>,
    /// No proposal overtakes another on its way.
    last_decision: Millis,
}

/// Something that was written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) command: Command,
    pub(crate) outcome: Outcome,
}

#[derive(Debug)]
pub(crate) struct Group {
    agenda: Arc<Agenda>,
    rng: StdRng,
    seed: u64,
    pub(crate) log: Vec<Command>,
    pub(crate) nodes: Vec<Replica>,
    /// Who can write. Another node may take itself for the leader for a while.
    pub(crate) leader: Option<usize>,
    /// When there was one last.
    lost_at: Millis,
    pub(crate) term: u64,
    /// Reaches its peers neither to be told nor to tell.
    pub(crate) isolated: Option<usize>,
    pub(crate) writes_may_fail: bool,
    pending: BTreeMap<u64, Pending>,
    proposal_count: u64,
    proposed: BTreeMap<(usize, String), u64>,
}

pub(crate) type SharedGroup = Arc<Mutex<Group>>;

pub(crate) fn lock(group: &SharedGroup) -> MutexGuard<'_, Group> {
    group.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Group {
    pub(crate) fn new(agenda: &Arc<Agenda>, seed: u64) -> Self {
        let replica = |node| Replica {
            state: ClusterState::new(),
            applied: 0,
            incarnation: 0,
            is_up: true,
            role: if node == 0 { Role::Leader } else { Role::Follower },
            leader: Some(0),
            revisions: Vec::new(),
            metrics: Vec::new(),
            last_decision: 0,
        };
        Self {
            agenda: Arc::clone(agenda),
            rng: StdRng::seed_from_u64(seed ^ 0x6c6f67),
            seed,
            log: Vec::new(),
            nodes: (0..NODES).map(replica).collect(),
            leader: Some(0),
            lost_at: 0,
            term: 1,
            isolated: None,
            writes_may_fail: true,
            pending: BTreeMap::new(),
            proposal_count: 0,
            proposed: BTreeMap::new(),
        }
    }

    fn metrics_of(&self, node: usize) -> StoreMetrics {
        let replica = &self.nodes[node];
        StoreMetrics {
            node: node_id(node),
            role: replica.role,
            leader: replica.leader.map(|leader| Leader {
                node: node_id(leader),
                api_address: format!("node-{leader}"),
            }),
            term: self.term,
            last_log_index: None,
            applied_index: None,
            snapshot_index: None,
            purged_index: None,
            failure: None,
        }
    }

    fn set_role(&mut self, node: usize, role: Role, leader: Option<usize>) {
        self.nodes[node].role = role;
        self.nodes[node].leader = leader;
        let metrics = self.metrics_of(node);
        for sender in &self.nodes[node].metrics {
            sender.send_replace(metrics.clone());
        }
    }

    /// With everything that was written.
    pub(crate) fn newest(&self) -> &ClusterState {
        let newest = self.nodes.iter().max_by_key(|node| node.applied);
        &newest.expect("there are three").state
    }

    pub(crate) fn takes_itself_for_leader(&self, node: usize) -> bool {
        self.nodes[node].is_up && self.nodes[node].role == Role::Leader
    }

    /// A majority has answered it so lately that it still counts, though it may have lost the lead since.
    pub(crate) fn leads_surely(&self, node: usize) -> bool {
        let counts = self.leader == Some(node) || self.agenda.now() <= self.lost_at + STALE_LEADER_MS;
        self.takes_itself_for_leader(node) && counts
    }

    /// Whoever led does so no more; the others vote after a while.
    pub(crate) fn lose_leader(&mut self) {
        let Some(old) = self.leader.take() else { return };
        let now = self.agenda.now();
        self.lost_at = now;
        self.term += 1;
        let term = self.term;
        let notices = now + self.rng.random_range(0..=STALE_LEADER_MS);
        self.agenda
            .add(notices, Actor::Group(old), Event::NoticeLoss { node: old, term });
        let elected = now + self.rng.random_range(ELECTION_MS);
        self.agenda
            .add(elected, Actor::Group(NODES), Event::Elect { term });
    }

    pub(crate) fn notice_loss(&mut self, node: usize, term: u64) {
        if self.term == term && self.leader != Some(node) && self.nodes[node].is_up {
            self.set_role(node, Role::Follower, None);
        }
    }

    /// One that can be reached begins to lead, with everything that was written.
    pub(crate) fn elect(&mut self, term: u64) {
        if self.term != term || self.leader.is_some() {
            return;
        }
        let able: Vec<usize> = (0..NODES)
            .filter(|node| self.nodes[*node].is_up && self.isolated != Some(*node))
            .collect();
        if able.len() <= NODES / 2 {
            let again = self.agenda.now() + 500;
            return self.agenda.add(again, Actor::Group(NODES), Event::Elect { term });
        }
        let leader = able[self.rng.random_range(0..able.len())];
        self.leader = Some(leader);
        self.catch_up(leader, self.log.len());
        self.set_role(leader, Role::Leader, Some(leader));
        for node in able.into_iter().filter(|node| *node != leader) {
            self.set_role(node, Role::Follower, Some(leader));
        }
    }

    pub(crate) fn rejoin(&mut self) {
        let Some(node) = self.isolated.take() else { return };
        if self.leader != Some(node) && self.nodes[node].is_up {
            self.set_role(node, Role::Follower, self.leader);
            self.replicate(node);
        }
    }

    pub(crate) fn crash(&mut self, node: usize) {
        if self.leader == Some(node) {
            self.lose_leader();
        }
        let replica = &mut self.nodes[node];
        replica.is_up = false;
        replica.role = Role::Stopped;
        // Whoever waits for a change sees the end of it.
        replica.revisions.clear();
        replica.metrics.clear();
        self.pending.retain(|_, pending| pending.node != node);
    }

    pub(crate) fn restart(&mut self, node: usize) {
        let leader = self.leader;
        let replica = &mut self.nodes[node];
        replica.is_up = true;
        replica.incarnation += 1;
        replica.role = Role::Follower;
        replica.leader = leader;
        self.replicate(node);
    }

    fn propose(&mut self, node: usize, command: Command, answer: Answer) {
        let proposer = proposer_of(&command);
        let count = self.proposed.entry((node, proposer.clone())).or_default();
        *count += 1;
        // By proposer, because the order in which proposals of one instant come here is left to the runtime.
        let mut rng = StdRng::seed_from_u64(self.seed ^ hash_of(&(node, &proposer, *count)));
        let longest = if rng.random_bool(0.05) { 300 } else { 12 };
        let delay = rng.random_range(1..=longest);
        let at = (self.agenda.now() + delay).max(self.nodes[node].last_decision);
        self.nodes[node].last_decision = at;
        self.proposal_count += 1;
        let pending = Pending {
            node,
            command,
            answer,
            has_waited: false,
        };
        self.pending.insert(self.proposal_count, pending);
        self.agenda.add(
            at,
            Actor::Proposer(node, proposer),
            Event::Decide(self.proposal_count),
        );
    }

    /// What was written, if it was.
    pub(crate) fn decide(&mut self, id: u64) -> Option<Written> {
        let mut pending = self.pending.remove(&id)?;
        let no_quorum = Err(StoreError::NoQuorum { waited_ms: 10_000 });
        if self.leader != Some(pending.node) {
            if self.nodes[pending.node].role == Role::Leader && !pending.has_waited {
                // It waits for a majority that does not come.
                pending.has_waited = true;
                let actor = Actor::Group(pending.node);
                self.pending.insert(id, pending);
                self.agenda
                    .add(self.agenda.now() + QUORUM_MS, actor, Event::Decide(id));
                return None;
            }
            drop(pending.answer.send(no_quorum));
            return None;
        }
        let fate = self.rng.random_range(0..100);
        if self.writes_may_fail && fate < 5 {
            let refused = if fate < 2 {
                Err(StoreError::Overloaded)
            } else {
                no_quorum
            };
            drop(pending.answer.send(refused));
            return None;
        }
        let node = pending.node;
        self.log.push(pending.command.clone());
        let outcome = self.apply_next(node);
        let answer_is_lost = self.writes_may_fail && fate < 10;
        let answer = if answer_is_lost {
            no_quorum
        } else {
            Ok(outcome.clone())
        };
        drop(pending.answer.send(answer));
        for follower in (0..NODES).filter(|follower| *follower != node) {
            self.replicate(follower);
        }
        Some(Written {
            command: pending.command,
            outcome,
        })
    }

    fn replicate(&mut self, node: usize) {
        let at = self.agenda.now() + self.rng.random_range(1..=100);
        let log_length = self.log.len();
        self.agenda
            .add(at, Actor::Group(node), Event::Replicate { node, log_length });
    }

    pub(crate) fn catch_up(&mut self, node: usize, log_length: usize) {
        if !self.nodes[node].is_up || self.isolated == Some(node) {
            return;
        }
        while self.nodes[node].applied < log_length {
            drop(self.apply_next(node));
        }
    }

    fn apply_next(&mut self, node: usize) -> Outcome {
        let replica = &mut self.nodes[node];
        let outcome = replica.state.apply(&self.log[replica.applied]);
        replica.applied += 1;
        let revision = replica.state.revision();
        replica.revisions.retain(|sender| !sender.is_closed());
        for sender in &replica.revisions {
            sender.send_if_modified(|applied| std::mem::replace(applied, revision) != revision);
        }
        outcome
    }
}

fn node_id(node: usize) -> NodeId {
    NodeId(u64::try_from(node).expect("there are three"))
}

/// Sessions have random ids, so these are left out.
fn proposer_of(command: &Command) -> String {
    match command {
        Command::RegisterWorker(registration) => format!("{} registers", registration.worker),
        Command::RemoveWorker { from, reason } => format!("{} goes, {reason:?}", from.worker),
        Command::ReportUnitStates { from, .. }
        | Command::PutTaskConfigs { from, .. }
        | Command::CommitOffsets { from, .. }
        | Command::RecordTopics { from, .. } => format!("{} reports", from.worker),
        Command::AssignUnits { .. } | Command::UnassignUnits { .. } => "planner".to_owned(),
        _ => "user".to_owned(),
    }
}

pub(crate) fn hash_of(value: &impl std::hash::Hash) -> u64 {
    use std::hash::Hasher as _;
    // Without random keys, unlike that of a map.
    let mut hasher = std::hash::DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
