//! Everything that there is, and the loop that lets one thing happen after another. It stops at the first invariant that
//! does not hold, or when everything is as it should be some time after the last fault.

mod links;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::task::JoinSet;
use towpath_state::Command;
use towpath_testkit::linearizable;
use towpath_wire::v1;

pub(crate) use self::links::Link;
use crate::agenda::{Actor, Agenda, Event, LinkId, Millis};
use crate::group::{Group, NODES, SharedGroup, Written, hash_of, lock};
use crate::invariants::{Acknowledged, Check, Replay, StaleRuns, converged, moves_are_few, one_runner};
use crate::node::Node;
use crate::users::{self, CLASSES, Users};
use crate::worker::{Act, Process, Worker};
use crate::{Summary, Violation};

/// How long things go wrong.
const FAULTY_MS: std::ops::RangeInclusive<Millis> = 5_000..=25_000;
/// How long it may take afterwards until everything is as it should be: a lease and its margin, an election, waits
/// before reconnecting, and some rounds of moves.
const CONVERGENCE_MS: Millis = 25_000;
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
    tasks: JoinSet<()>,
    pub(crate) is_mended: bool,
    stale_runs: StaleRuns,
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
                incarnation: 0,
                process: None,
                alarm: None,
            })
            .collect();
        Self {
            users: Users::new(&mut rng),
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
        loop {
            let next = self.now() + LOOK_MS;
            self.until(next).await?;
            let state = {
                let group = lock(&self.group);
                group.leader.map(|leader| group.nodes[leader].state.clone())
            };
            let seen = match &state {
                Some(state) => converged(state, &self.workers),
                None => Err("nobody leads".to_owned()),
            };
            match seen {
                Ok(()) => return Ok(self.now() - begin),
                Err(what) if self.now() > begin + CONVERGENCE_MS => {
                    return Err(self.violation(format!(
                        "not as it should be {CONVERGENCE_MS} ms after the last fault: {what}"
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
        let moves = {
            let group = lock(&self.group);
            let leader = group.leader.unwrap_or(0);
            moves_are_few(&group.nodes[leader].state)
        };
        let stale = self.stale_runs.written(&command, &outcome);
        let replayed = self.replay.written(&command, &outcome);
        self.must_hold(moves.and(stale).and(replayed));
    }

    // Workers.

    pub(crate) fn start_worker(&mut self, number: usize) {
        if self.workers[number].process.is_some() {
            return;
        }
        let now = self.now();
        let node = self.rng.random_range(0..NODES);
        let rng = StdRng::seed_from_u64(self.rng.random());
        let worker = &mut self.workers[number];
        worker.incarnation += 1;
        worker.alarm = None;
        let mut process = Process::new(rng, now, node);
        if self.is_mended {
            process.stop_failing();
        }
        worker.process = Some(process);
        self.note(|world| format!("{} starts", world.workers[number].id));
        self.step_worker(number);
    }

    /// Without a word. Comes back later.
    pub(crate) fn end_process(&mut self, number: usize, outage: Millis) {
        if self.workers[number].process.take().is_none() {
            return;
        }
        self.workers[number].incarnation += 1;
        let links: Vec<LinkId> = self.links_of(number);
        for link in links {
            self.close(link);
        }
        let at = self.now() + outage;
        self.agenda
            .add(at, Actor::Worker(number), Event::StartWorker(number));
    }

    pub(crate) fn thaw(&mut self, number: usize, incarnation: u64) {
        let now = self.now();
        let worker = &mut self.workers[number];
        if worker.incarnation != incarnation {
            return;
        }
        let Some(process) = worker.process.as_mut().filter(|process| process.clock.is_frozen) else {
            return;
        };
        process.clock.is_frozen = false;
        process.clock.thawed = Some(now);
        self.note(|world| format!("{} goes on", world.workers[number].id));
        // What came meanwhile waits in its sockets, and its timers are late: whichever is seen first.
        let hears_first = self.rng.random_bool(0.5);
        if hears_first {
            self.hear_what_waits(number);
        }
        self.step_worker(number);
        self.hear_what_waits(number);
    }

    /// Lets a worker do what is due, and does what it asks for.
    pub(crate) fn step_worker(&mut self, number: usize) {
        let now = self.now();
        let identity = identity(&self.workers[number]);
        let mut acts = VecDeque::new();
        loop {
            let worker = &mut self.workers[number];
            let Some(process) = worker.process.as_mut().filter(|process| !process.clock.is_frozen) else {
                return;
            };
            process.advance(&identity, now);
            acts.extend(process.take_acts());
            if acts.is_empty() {
                let at = process.next_due().max(now + 1);
                let incarnation = worker.incarnation;
                let wake = Event::Wake {
                    worker: number,
                    incarnation,
                };
                if worker.sets_alarm(at, now) {
                    self.agenda.add(at, Actor::Worker(number), wake);
                }
                return;
            }
            for act in acts.drain(..) {
                self.act(number, act, &identity);
            }
        }
    }

    fn act(&mut self, number: usize, act: Act, identity: &v1::Register) {
        match act {
            Act::Open(node) => self.open(number, node, identity),
            Act::Say(link, message) => self.carry_to_server(link, message),
            Act::Close(link) => self.close(link),
            Act::Exit => {
                self.note(|world| format!("{} has stopped", world.workers[number].id));
                let outage = self.rng.random_range(50..3_000);
                self.end_process(number, outage);
            }
            Act::Began { unit, epoch, offset } => {
                self.begun += 1;
                self.note(|world| {
                    format!(
                        "{} runs {unit} epoch {epoch} from {offset}",
                        world.workers[number].id
                    )
                });
                self.stale_runs.began(&unit, epoch);
                let check = self.acknowledged.began(&unit, offset);
                self.must_hold(check);
            }
            Act::Committed { unit, offset } => {
                let check = {
                    let group = lock(&self.group);
                    let newest = group.nodes.iter().max_by_key(|node| node.applied);
                    let newest = newest.expect("there are three");
                    self.acknowledged.committed(&unit, offset, &newest.state)
                };
                self.must_hold(check);
            }
        }
    }

    // Nodes.

    pub(crate) fn stop_node(&mut self, number: usize) {
        let links: Vec<LinkId> = self
            .links
            .iter()
            .filter(|(_, link)| link.node == number)
            .map(|(id, _)| *id)
            .collect();
        for link in links {
            self.reset(link);
        }
        if let Some(node) = self.nodes[number].take() {
            node.stop();
        }
        lock(&self.group).crash(number);
    }

    pub(crate) fn start_node(&mut self, number: usize) {
        let mut group = lock(&self.group);
        if group.isolated == Some(number) {
            group.rejoin();
        }
        if group.nodes[number].is_up {
            return;
        }
        group.restart(number);
        drop(group);
        self.note(|_| format!("node {number} starts"));
        self.nodes[number] = Some(Node::start(&self.group, number, &self.agenda, &mut self.tasks));
    }

    // Users.

    fn plan_user(&mut self) {
        let at = self.now() + self.rng.random_range(20..=1_200);
        self.agenda.add(at, Actor::User(0), Event::Act);
    }

    fn let_user_act(&mut self) {
        if self.is_mended {
            return;
        }
        let workers: Vec<String> = self.workers.iter().map(|worker| worker.id.clone()).collect();
        let now = self.now();
        let (number, request) = self.users.act(&mut self.rng, &workers, now);
        self.ask(number, request);
        self.plan_user();
    }

    /// Of a node that takes itself for the leader, if there is one.
    fn ask(&mut self, number: u64, request: users::Request) {
        let leading: Vec<usize> = {
            let group = lock(&self.group);
            (0..NODES)
                .filter(|node| group.takes_itself_for_leader(*node))
                .collect()
        };
        let node = match leading.len() {
            0 => self.rng.random_range(0..NODES),
            count => leading[self.rng.random_range(0..count)],
        };
        let store = self.nodes[node].as_ref().map(|node| Arc::clone(&node.store));
        if let Some(store) = store {
            users::ask(number, request, store, Arc::clone(&self.agenda), &mut self.tasks);
        }
    }

    fn node(&self, number: usize) -> Option<&Node> {
        self.nodes[number].as_ref()
    }
}

fn identity(worker: &Worker) -> v1::Register {
    let plugin = |class: &&str| v1::RegisteredPlugin {
        class: (*class).to_owned(),
        r#type: if *class == "Sink" { "sink" } else { "source" }.to_owned(),
        version: "1".to_owned(),
        names: vec![(*class).to_owned()],
        keys_json: "[]".to_owned(),
    };
    v1::Register {
        worker_id: worker.id.clone(),
        version: "1".to_owned(),
        plugins: worker.classes.iter().map(plugin).collect(),
        ..v1::Register::default()
    }
}

/// Without session ids, which differ from run to run.
fn brief(command: &Command) -> String {
    match command {
        Command::RegisterWorker(registration) => {
            let held: Vec<String> = registration
                .held
                .iter()
                .map(|held| format!("{}@{}", held.unit, held.epoch))
                .collect();
            format!(
                "{} registers, resumes {}, holds {held:?}",
                registration.worker,
                registration.resumes.is_some()
            )
        }
        Command::RemoveWorker { from, reason } => format!("{} is removed: {reason:?}", from.worker),
        Command::ReportUnitStates { from, reports } => {
            let reports: Vec<String> = reports
                .iter()
                .map(|report| format!("{}@{} {}", report.unit, report.epoch, report.state))
                .collect();
            format!("{} reports {reports:?}", from.worker)
        }
        Command::PutTaskConfigs {
            from,
            connector,
            epoch,
            configs,
        } => {
            format!(
                "{} makes {} tasks of {connector}@{epoch}",
                from.worker,
                configs.len()
            )
        }
        Command::CommitOffsets { from, commits } => {
            let commits: Vec<String> = commits
                .iter()
                .map(|commit| format!("{}@{}", commit.unit, commit.epoch))
                .collect();
            format!("{} commits {commits:?}", from.worker)
        }
        Command::RecordTopics { from, .. } => format!("{} names topics", from.worker),
        other => format!("{other:?}"),
    }
}
