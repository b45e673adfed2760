//! The workers' processes: they start, end, are stopped and go on, and do what they ask for.

use std::collections::VecDeque;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use towpath_raft::StoreError;
use towpath_state::{Command, Outcome};
use towpath_types::{Epoch, UnitId, WorkerId};
use towpath_wire::v1;

use super::World;
use crate::agenda::{Actor, Event, LinkId, Millis};
use crate::group::{NODES, lock};
use crate::users::Request;
use crate::worker::{Act, Process, Worker};

impl World {
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
        let mut process = Process::new(rng, now, node, worker.policy);
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

    /// Once, while the real one asks until it is answered: a worker that nobody hears says good-bye all the same.
    pub(crate) fn announce_departure(&mut self, number: usize) {
        let worker = &self.workers[number];
        if !worker.process.as_ref().is_some_and(Process::has_runs) {
            return;
        }
        let asked = (number, worker.incarnation);
        let command = Command::SetDraining {
            worker: WorkerId::new(&worker.id),
            draining: true,
            process: Some(process_id(worker).into()),
        };
        let request = self.users.next_number();
        self.departures.insert(request, asked);
        self.ask(request, Request::Write(command));
    }

    pub(super) fn departure_answered(&mut self, request: u64, answer: &Result<Outcome, StoreError>) {
        let Some((number, incarnation)) = self.departures.remove(&request) else {
            return;
        };
        let worker = &mut self.workers[number];
        let is_noted = matches!(answer, Ok(Ok(_))) && worker.incarnation == incarnation;
        if let Some(process) = worker.process.as_mut().filter(|_| is_noted) {
            process.departure_is_noted();
            self.step_worker(number);
        }
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
                self.began(number, &unit, epoch, offset);
            }
            Act::Committed { unit, offset } => {
                let check = {
                    let group = lock(&self.group);
                    self.acknowledged.committed(&unit, offset, group.newest())
                };
                self.must_hold(check);
            }
        }
    }

    fn began(&mut self, number: usize, unit: &UnitId, epoch: Epoch, offset: u64) {
        let worker = &self.workers[number];
        let runner = (worker.id.clone(), worker.incarnation);
        let now = self.now();
        let holds_lease = worker
            .process
            .as_ref()
            .is_some_and(|process| process.holds_lease(now));
        let check = self.stale_runs.began(unit, epoch, runner);
        self.must_hold(check);
        if holds_lease {
            let check = self.acknowledged.began(unit, offset);
            self.must_hold(check);
        }
    }
}

fn process_id(worker: &Worker) -> String {
    format!("{}-{}", worker.id, worker.incarnation)
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
        process_id: process_id(worker),
        version: "1".to_owned(),
        plugins: worker.classes.iter().map(plugin).collect(),
        ..v1::Register::default()
    }
}
