//! What goes wrong, and how it is mended.

use rand::Rng;

use crate::agenda::{Actor, Event, Millis};
use crate::group::{NODES, lock};
use crate::world::World;

/// Between two faults.
const PAUSE_MS: std::ops::RangeInclusive<Millis> = 100..=2_500;
/// Longer than a lease, so that some faults are noticed and some are not.
const MAX_OUTAGE_MS: Millis = 8_000;

impl World {
    pub(crate) fn plan_fault(&mut self) {
        let at = self.now() + self.rng.random_range(PAUSE_MS);
        self.agenda.add(at, Actor::Faults, Event::Fault);
    }

    pub(crate) fn fault(&mut self) {
        let worker = self.rng.random_range(0..self.workers.len());
        let outage = self.rng.random_range(50..=MAX_OUTAGE_MS);
        match self.rng.random_range(0..100) {
            0..20 => self.reset_some_link(),
            20..40 => self.hold_up_some_link(outage),
            40..55 => self.crash_worker(worker, outage),
            55..70 => self.freeze_worker(worker, outage),
            70..78 => self.leave(worker),
            78..88 => self.crash_node(outage),
            88..95 => self.isolate_leader(outage),
            _ => self.change_leader(),
        }
        self.plan_fault();
    }

    fn reset_some_link(&mut self) {
        if let Some(link) = self.some_link() {
            self.reset(link);
        }
    }

    /// Nothing comes through in one direction or both, then everything does, or the connection is found to be dead.
    fn hold_up_some_link(&mut self, outage: Millis) {
        let until = self.now() + outage;
        let (there, back, breaks) = (
            self.rng.random_bool(0.7),
            self.rng.random_bool(0.7),
            self.rng.random_bool(0.5),
        );
        let Some(id) = self.some_link() else { return };
        if let Some(link) = self.links.get_mut(&id) {
            if there {
                link.to_server_at = link.to_server_at.max(until);
            }
            if back {
                link.to_worker_at = link.to_worker_at.max(until);
            }
        }
        if breaks {
            self.agenda.add(until, Actor::Link(id), Event::Reset(id));
        }
    }

    fn some_link(&mut self) -> Option<u64> {
        let links: Vec<u64> = self.links.keys().copied().collect();
        if links.is_empty() {
            return None;
        }
        Some(links[self.rng.random_range(0..links.len())])
    }

    fn crash_worker(&mut self, worker: usize, outage: Millis) {
        self.note(|world| format!("{} is killed for {outage} ms", world.workers[worker].id));
        self.end_process(worker, outage);
    }

    fn freeze_worker(&mut self, worker: usize, outage: Millis) {
        let now = self.now();
        let incarnation = self.workers[worker].incarnation;
        let Some(process) = &mut self.workers[worker].process else {
            return;
        };
        if process.clock.is_frozen {
            return;
        }
        process.clock.is_frozen = true;
        let thaw = Event::Thaw { worker, incarnation };
        self.agenda.add(now + outage, Actor::Worker(worker), thaw);
        self.note(|world| format!("{} is stopped for {outage} ms", world.workers[worker].id));
    }

    fn leave(&mut self, worker: usize) {
        let now = self.now();
        if let Some(process) = &mut self.workers[worker].process
            && !process.clock.is_frozen
        {
            process.leave(now);
            self.note(|world| format!("{} is asked to stop", world.workers[worker].id));
            self.step_worker(worker);
            self.announce_departure(worker);
        }
    }

    /// Never two at a time: the others could not vote.
    fn crash_node(&mut self, outage: Millis) {
        let node = self.rng.random_range(0..NODES);
        {
            let group = lock(&self.group);
            if group.isolated.is_some() || group.nodes.iter().any(|node| !node.is_up) {
                return;
            }
        }
        self.note(|_| format!("node {node} is killed for {outage} ms"));
        self.stop_node(node);
        let at = self.now() + outage;
        self.agenda.add(at, Actor::Group(node), Event::StartNode(node));
    }

    /// Workers reach it still.
    fn isolate_leader(&mut self, outage: Millis) {
        let mut group = lock(&self.group);
        let Some(leader) = group.leader else { return };
        if group.isolated.is_some() || group.nodes.iter().any(|node| !node.is_up) {
            return;
        }
        group.isolated = Some(leader);
        group.lose_leader();
        drop(group);
        self.note(|_| format!("leader {leader} is cut off from its peers for {outage} ms"));
        let at = self.now() + outage;
        self.agenda
            .add(at, Actor::Group(leader), Event::StartNode(leader));
    }

    fn change_leader(&mut self) {
        self.note(|_| "the leader loses an election".to_owned());
        lock(&self.group).lose_leader();
    }

    /// From now on nothing goes wrong.
    pub(crate) fn mend(&mut self) {
        self.is_mended = true;
        self.note(|_| "everything is mended".to_owned());
        lock(&self.group).writes_may_fail = false;
        for node in 0..NODES {
            self.start_node(node);
        }
        for worker in 0..self.workers.len() {
            let incarnation = self.workers[worker].incarnation;
            if self.workers[worker].process.is_none() {
                self.start_worker(worker);
            }
            self.thaw(worker, incarnation);
            if let Some(process) = &mut self.workers[worker].process {
                process.stop_failing();
            }
        }
    }
}
