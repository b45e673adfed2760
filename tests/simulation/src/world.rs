//! Everything that there is, and the loop that lets one thing happen after another. It stops at the first invariant that
//! does not hold, or when everything is as it should be some time after the last fault.

mod brief;
mod links;
mod nodes;
mod processes;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;
use towpath_state::ClusterState;
use towpath_testkit::linearizable;

use self::brief::brief;
pub(crate) use self::links::Link;
use crate::agenda::{Actor, Agenda, Event, LinkId, Millis};
use crate::group::{Group, NODES, SharedGroup, Written, hash_of, lock};
use crate::invariants::{
    Acknowledged, Check, Drains, Replay, StaleRuns, converged, leases_hold, moves_are_few, one_runner,
};
use crate::node::Node;
use crate::users::{self, CLASSES, Users};
use crate::worker::{LeaseLost, Worker};
use crate::{Summary, Violation};

/// How long things go wrong.
const FAULTY_MS: std::ops::RangeInclusive<Millis> = 5_000..=25_000;
/// How long it may take afterwards until everything is as it should be: a lease and its margin, an election, waits
/// before reconnecting, and some rounds of moves.
const CONVERGENCE_MS: Millis = 25_000;
/// And so long on top for each unit of a worker that drains, because it lets them go one by one: the longest that a task
/// of the model takes to stop, and to write that.
const DRAINED_UNIT_MS: Millis = 1_200;
const LOOK_MS: Millis = 250;
/// What is kept of what happened.
const TRAIL: usize = 60;

pub(crate) struct World {
    seed: u64,
    pub(crate) rng: StdRng,
    pub(crate) agenda: Arc<Agenda>,
    pub(crate) group: SharedGroup,
    nodes: Vec<Option<Node>>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) links: BTreeMap<LinkId, Link>,
    last_link: LinkId,
    users: Users,
    /// Which workers wait to hear that it is known that they leave, by the numbers of their requests.
    departures: BTreeMap<u64, (usize, u64)>,
    tasks: JoinSet<()>,
    pub(crate) is_mended: bool,
    stale_runs: StaleRuns,
    drains: Drains,
    acknowledged: Acknowledged,
    replay: Replay,
    /// The first that did not hold.
    broken: Check,
    begun: u64,
    fingerprint: u64,
    trail: VecDeque<String>,
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let agenda = Arc::new(Agenda::new());
        let group = Arc::new(std::sync::Mutex::new(Group::new(&agenda, seed)));
        let mut tasks = JoinSet::new();
        let nodes = (0..NODES)
            .map(|node| Some(Node::start(&group, node, &agenda, &mut tasks)))
            .collect();
        let worker_count = rng.random_range(1..=4);
        let workers = (0..worker_count)
            .map(|number| Worker {
                id: format!("w{number}"),
                // Not everybody has every plugin.
                classes: CLASSES[..if rng.random_bool(0.6) { 3 } else { 2 }].to_vec(),
                policy: if rng.random_bool(0.25) {
                    LeaseLost::Continue
                } else {
                    LeaseLost::Stop
                },
                incarnation: 0,
                process: None,
                alarm: None,
            })
            .collect();
        Self {
            users: Users::new(&mut rng),
            departures: BTreeMap::new(),
            seed,
            rng,
            agenda,
            group,
            nodes,
            workers,
            links: BTreeMap::new(),
            last_link: 0,
            tasks,
            is_mended: false,
            stale_runs: StaleRuns::default(),
            drains: Drains::default(),
            acknowledged: Acknowledged::default(),
            replay: Replay::default(),
            broken: Ok(()),
            begun: 0,
            fingerprint: 0,
            trail: VecDeque::new(),
        }
    }

    pub(crate) async fn run(&mut self) -> Result<Summary, Violation> {
        for worker in 0..self.workers.len() {
            self.start_worker(worker);
        }
        self.plan_fault();
        self.plan_user();
        let end = self.rng.random_range(FAULTY_MS);
        self.until(end).await?;
        self.mend();
        let converged_after_ms = self.converge(end).await?;
        self.check_history().await?;
        let group = lock(&self.group);
        Ok(Summary {
            written: group.log.len(),
            begun: self.begun,
            sessions: self.last_link,
            fingerprint: self.fingerprint,
            converged_after_ms,
        })
    }

    /// Everything stops.
    pub(crate) async fn end(&mut self) {
        for node in self.nodes.iter().flatten() {
            node.stop();
        }
        self.tasks.shutdown().await;
    }

    pub(crate) fn now(&self) -> Millis {
        self.agenda.now()
    }

    /// Remembers what happened, for whoever has to understand a violation.
    pub(crate) fn note(&mut self, line: impl FnOnce(&Self) -> String) {
        let line = format!("{:>6} {}", self.now(), line(self));
        self.fingerprint = hash_of(&(self.fingerprint, &line));
        if self.trail.len() >= TRAIL {
            self.trail.pop_front();
        }
        self.trail.push_back(line);
    }

    async fn until(&mut self, end: Millis) -> Result<(), Violation> {
        while let Some((actor, event)) = self.agenda.next(end).await {
            self.happen(&actor, event);
            self.judge()?;
        }
        Ok(())
    }

    fn judge(&mut self) -> Result<(), Violation> {
        let so_far = std::mem::replace(&mut self.broken, Ok(()));
        let now = self.now();
        so_far
            .and_then(|()| one_runner(&self.workers, now))
            .and_then(|()| leases_hold(lock(&self.group).newest(), &self.workers, now))
            .map_err(|what| self.violation(what))
    }

    fn violation(&self, what: String) -> Violation {
        Violation {
            seed: self.seed,
            at_ms: self.now(),
            what,
            trail: self.trail.iter().cloned().collect(),
        }
    }

    fn must_hold(&mut self, check: Check) {
        if self.broken.is_ok() {
            self.broken = check;
        }
    }

    async fn converge(&mut self, begin: Millis) -> Result<Millis, Violation> {
        let mut most_to_drain = 0;
        loop {
            let next = self.now() + LOOK_MS;
            self.until(next).await?;
            let state = {
                let group = lock(&self.group);
                group.leader.map(|leader| group.nodes[leader].state.clone())
            };
            let seen = match &state {
                Some(state) => {
                    most_to_drain = most_to_drain.max(to_drain(state));
                    converged(state, &self.workers)
                }
                None => Err("nobody leads".to_owned()),
            };
            let patience = CONVERGENCE_MS + most_to_drain * DRAINED_UNIT_MS;
            match seen {
                Ok(()) => return Ok(self.now() - begin),
                Err(what) if self.now() > begin + patience => {
                    return Err(self.violation(format!(
                        "not as it should be {patience} ms after the last fault: {what}"
                    )));
                }
                Err(_) => {}
            }
        }
    }

    async fn check_history(&mut self) -> Result<(), Violation> {
        let now = self.now();
        self.users.give_up(now);
        let names: Vec<_> = self.users.names().collect();
        for name in names {
            let number = self.users.ask_for(&name, self.now());
            self.ask(number, users::Request::Read(name));
        }
        self.until(now + LOOK_MS).await?;
        linearizable::check(&self.users.history).map_err(|error| self.violation(error.to_string()))?;
        let group = lock(&self.group);
        let leader = group.leader.unwrap_or(0);
        let checked = self
            .acknowledged
            .are_there(&group.nodes[leader].state)
            .and_then(|()| {
                let mut current = group
                    .nodes
                    .iter()
                    .enumerate()
                    .filter(|(_, node)| node.applied == group.log.len());
                current.try_for_each(|(number, node)| self.replay.same_as(number, &node.state))
            });
        checked.map_err(|what| self.violation(what))
    }

    fn happen(&mut self, actor: &Actor, event: Event) {
        match event {
            Event::Decide(id) => self.decide(id),
            Event::Replicate { node, log_length } => lock(&self.group).catch_up(node, log_length),
            Event::Elect { term } => {
                lock(&self.group).elect(term);
                self.note(|world| format!("{:?} leads", lock(&world.group).leader));
            }
            Event::NoticeLoss { node, term } => lock(&self.group).notice_loss(node, term),
            Event::ToServer(link, message) => self.deliver_to_server(link, message),
            Event::FromServer(link, message) => self.carry_to_worker(link, message),
            Event::ToWorker(link, message) => self.deliver_to_worker(link, message),
            Event::EndedByServer(link, leader) => self.carry_end(link, leader),
            Event::Ended(link, leader) => self.deliver_end(link, leader),
            Event::Reset(link) => self.reset(link),
            Event::Wake { worker, incarnation } => {
                if self.workers[worker].incarnation == incarnation {
                    self.step_worker(worker);
                }
            }
            Event::Thaw { worker, incarnation } => self.thaw(worker, incarnation),
            Event::StartWorker(worker) => self.start_worker(worker),
            Event::StartNode(node) => self.start_node(node),
            Event::Act => self.let_user_act(),
            Event::Answered(number, answer) => {
                let now = self.now();
                self.users.answered(number, &answer, now);
                self.departure_answered(number, &answer);
            }
            Event::ReadDone(number, found, is_answer) => {
                let now = self.now();
                self.users.read(number, found, is_answer, now);
            }
            Event::Fault if self.is_mended => {}
            Event::Fault => self.fault(),
        }
        self.fingerprint = hash_of(&(self.fingerprint, format!("{actor:?}"), self.now()));
    }

    fn decide(&mut self, id: u64) {
        let written = lock(&self.group).decide(id);
        let Some(Written { command, outcome }) = written else {
            return;
        };
        self.note(|_| match &outcome {
            Ok(_) => format!("written: {}", brief(&command)),
            Err(refusal) => format!("refused: {}: {refusal}", brief(&command)),
        });
        let of_state = {
            let group = lock(&self.group);
            let drains = self.drains.written(&command, &outcome, group.newest());
            moves_are_few(group.newest()).and(drains)
        };
        let stale = self.stale_runs.written(&command, &outcome);
        let replayed = self.replay.written(&command, &outcome);
        self.must_hold(of_state.and(stale).and(replayed));
    }
}

/// Units that workers which drain still have.
fn to_drain(state: &ClusterState) -> Millis {
    let draining = state.workers().iter().filter(|(_, worker)| worker.draining);
    let units: usize = draining.map(|(id, _)| state.units_of(id).len()).sum();
    Millis::try_from(units).unwrap_or(Millis::MAX)
}
