//! The network: connections between workers and nodes, each in order, none in step with another. What is on its way when
//! a connection breaks is lost.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use towpath_wire::v1;

use super::World;
use crate::agenda::{Actor, Event, LinkId, Millis};
use crate::node::Connection;

/// Messages that a process that is stopped has not read.
type Unread = Vec<Event>;

pub(crate) struct Link {
    worker: usize,
    pub(crate) node: usize,
    connection: Option<Connection>,
    /// When what was said last arrives: nothing overtakes it.
    pub(crate) to_server_at: Millis,
    pub(crate) to_worker_at: Millis,
    unread: Unread,
    rng: StdRng,
}

impl Link {
    fn delay(&mut self) -> Millis {
        match self.rng.random_range(0..100) {
            0..90 => self.rng.random_range(0..=5),
            90..98 => self.rng.random_range(5..=100),
            _ => self.rng.random_range(100..=900),
        }
    }
}

impl World {
    pub(super) fn open(&mut self, worker: usize, node: usize, identity: &v1::Register) {
        self.last_link += 1;
        let id = self.last_link;
        let now = self.now();
        let mut link = Link {
            worker,
            node,
            connection: None,
            to_server_at: now,
            to_worker_at: now,
            unread: Unread::new(),
            rng: StdRng::seed_from_u64(self.rng.random()),
        };
        let reaches = self.is_mended || link.rng.random_bool(0.95);
        let mut tasks = std::mem::take(&mut self.tasks);
        link.connection = self
            .node(node)
            .filter(|_| reaches)
            .map(|node| node.connect(id, &mut tasks));
        self.tasks = tasks;
        let is_refused = link.connection.is_none();
        self.links.insert(id, link);
        if let Some(process) = &mut self.workers[worker].process {
            process.connected(id, identity);
        }
        if is_refused {
            self.carry_end(id, None);
        }
    }

    pub(super) fn carry_to_server(&mut self, id: LinkId, message: v1::WorkerMessage) {
        let now = self.now();
        if let Some(link) = self.links.get_mut(&id) {
            link.to_server_at = link.to_server_at.max(now + link.delay());
            self.agenda
                .add(link.to_server_at, Actor::Link(id), Event::ToServer(id, message));
        }
    }

    pub(super) fn deliver_to_server(&mut self, id: LinkId, message: v1::WorkerMessage) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let is_taken = link
            .connection
            .as_ref()
            .is_some_and(|connection| connection.deliver(message));
        if !is_taken {
            self.reset(id);
        }
    }

    pub(super) fn carry_to_worker(&mut self, id: LinkId, message: v1::ControlMessage) {
        let now = self.now();
        if let Some(link) = self.links.get_mut(&id) {
            link.to_worker_at = link.to_worker_at.max(now + link.delay());
            self.agenda
                .add(link.to_worker_at, Actor::Link(id), Event::ToWorker(id, message));
        }
    }

    pub(super) fn carry_end(&mut self, id: LinkId, leader: Option<usize>) {
        let now = self.now();
        if let Some(link) = self.links.get_mut(&id) {
            link.to_worker_at = link.to_worker_at.max(now + link.delay());
            self.agenda
                .add(link.to_worker_at, Actor::Link(id), Event::Ended(id, leader));
        }
    }

    pub(super) fn deliver_to_worker(&mut self, id: LinkId, message: v1::ControlMessage) {
        let Some(worker) = self.reader_of(id) else { return };
        if self.is_frozen(worker) {
            return self.leave_unread(id, Event::ToWorker(id, message));
        }
        let now = self.now();
        if let Some(process) = &mut self.workers[worker].process {
            process.receive(id, message, now);
        }
        self.step_worker(worker);
    }

    pub(super) fn deliver_end(&mut self, id: LinkId, leader: Option<usize>) {
        let Some(worker) = self.reader_of(id) else { return };
        if self.is_frozen(worker) {
            return self.leave_unread(id, Event::Ended(id, leader));
        }
        self.close(id);
        let now = self.now();
        if let Some(process) = &mut self.workers[worker].process {
            process.disconnected(id, leader, now);
        }
        self.step_worker(worker);
    }

    fn reader_of(&self, id: LinkId) -> Option<usize> {
        self.links.get(&id).map(|link| link.worker)
    }

    fn is_frozen(&self, worker: usize) -> bool {
        self.workers[worker]
            .process
            .as_ref()
            .is_some_and(|process| process.clock.is_frozen)
    }

    fn leave_unread(&mut self, id: LinkId, event: Event) {
        if let Some(link) = self.links.get_mut(&id) {
            link.unread.push(event);
        }
    }

    /// After it was stopped, a worker reads what came meanwhile.
    pub(super) fn hear_what_waits(&mut self, worker: usize) {
        for id in self.links_of(worker) {
            let unread = self
                .links
                .get_mut(&id)
                .map(|link| std::mem::take(&mut link.unread));
            for event in unread.into_iter().flatten() {
                self.happen(&Actor::Link(id), event);
            }
        }
    }

    pub(super) fn links_of(&self, worker: usize) -> Vec<LinkId> {
        let own = self.links.iter().filter(|(_, link)| link.worker == worker);
        own.map(|(id, _)| *id).collect()
    }

    /// The connection breaks: the node sees it at once, the worker when it hears of it.
    pub(crate) fn reset(&mut self, id: LinkId) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let Some(connection) = link.connection.take() else {
            return;
        };
        connection.cut();
        let worker = link.worker;
        self.note(|world| format!("connection {id} of {} breaks", world.workers[worker].id));
        self.carry_end(id, None);
    }

    /// The worker is done with it.
    pub(crate) fn close(&mut self, id: LinkId) {
        if let Some(connection) = self.links.remove(&id).and_then(|link| link.connection) {
            connection.cut();
        }
    }
}
