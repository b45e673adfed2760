//! The board on which units are placed: who could take what, and how much everybody has.

use std::collections::BTreeMap;

use towpath_types::{ConnectorName, TaskNumber, UnitId, WorkerId};

use super::LiveWorkers;
use super::fit::Needs;
use crate::{Assignment, ClusterState, Connector, Revocation};

/// Connector instances and tasks are counted apart: an instance costs little, a task a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Connector,
    Task,
}

/// A unit on the board. The rank is the place of its connector in the order of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Piece {
    pub(super) rank: usize,
    pub(super) task: Option<TaskNumber>,
    pub(super) class: usize,
    pub(super) origin: Origin,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// The worker where it lies holds it.
    Held,
    /// It is on its way there, or about to be: it cannot be moved again.
    Coming,
    /// Free, and to be assigned to where it lies in the end.
    Fresh,
}

/// A unit that is not on the board yet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) rank: usize,
    pub(super) task: Option<TaskNumber>,
    pub(super) class: usize,
    /// Who holds it although it should not, for units that have to leave.
    pub(super) holder: Option<&'a WorkerId>,
    /// Where it was meant to go.
    pub(super) headed_for: Option<&'a WorkerId>,
}

/// The units of one connector that have no place.
#[derive(Debug)]
pub(super) struct Homeless<'a> {
    pub(super) units: Vec<Wanted<'a>>,
    /// Where the other tasks of this connector lie.
    pub(super) siblings: Vec<usize>,
}

#[derive(Debug, Default)]
struct Hand {
    connectors: Vec<Piece>,
    tasks: Vec<Piece>,
}

impl Hand {
    fn len(&self) -> usize {
        self.connectors.len() + self.tasks.len()
    }
}

#[derive(Debug)]
pub(super) struct Board<'a> {
    names: Vec<&'a ConnectorName>,
    /// Live workers that take units, by id.
    workers: Vec<&'a WorkerId>,
    hands: Vec<Hand>,
    numbers: BTreeMap<&'a WorkerId, usize>,
    /// By plugin and selector.
    classes: BTreeMap<(&'a str, &'a str), usize>,
    /// By class, then by worker.
    can_run: Vec<Vec<bool>>,
    state: &'a ClusterState,
}

impl<'a> Board<'a> {
    pub(super) fn new(state: &'a ClusterState, live: &LiveWorkers) -> Self {
        let takes_units = state
            .workers()
            .iter()
            .filter(|(id, worker)| !worker.draining && live.contains(id));
        let workers: Vec<&WorkerId> = takes_units.map(|(id, _)| id).collect();
        Self {
            names: state.list().collect(),
            hands: workers.iter().map(|_| Hand::default()).collect(),
            numbers: workers
                .iter()
                .enumerate()
                .map(|(number, id)| (*id, number))
                .collect(),
            workers,
            classes: BTreeMap::new(),
            can_run: Vec::new(),
            state,
        }
    }

    /// Connectors of one class can run on the same workers.
    pub(super) fn class_of(&mut self, connector: &'a Connector) -> usize {
        let class = (connector.class(), connector.selector());
        if let Some(number) = self.classes.get(&class) {
            return *number;
        }
        let needs = Needs::of(connector);
        let workers = self.workers.iter().map(|id| &self.state.workers()[*id]);
        self.can_run
            .push(workers.map(|worker| needs.are_met_by(worker)).collect());
        self.classes.insert(class, self.can_run.len() - 1);
        self.can_run.len() - 1
    }

    pub(super) fn number_of(&self, worker: &WorkerId) -> Option<usize> {
        self.numbers.get(worker).copied()
    }

    pub(super) fn worker_count(&self) -> usize {
        self.workers.len()
    }

    pub(super) fn can_run(&self, class: usize, worker: usize) -> bool {
        self.can_run[class][worker]
    }

    /// In the order of rank and task number.
    pub(super) fn pieces(&self, worker: usize, kind: Kind) -> &[Piece] {
        match kind {
            Kind::Connector => &self.hands[worker].connectors,
            Kind::Task => &self.hands[worker].tasks,
        }
    }

    pub(super) fn load(&self, worker: usize, kind: Kind) -> usize {
        self.pieces(worker, kind).len()
    }

    pub(super) fn lay(&mut self, worker: usize, piece: Piece) {
        let pieces = self.pieces_mut(worker, piece.kind());
        // The survey lays them in order.
        if pieces.last().is_none_or(|last| *last < piece) {
            pieces.push(piece);
        } else {
            let at = pieces.partition_point(|other| *other < piece);
            pieces.insert(at, piece);
        }
    }

    pub(super) fn take(&mut self, worker: usize, kind: Kind, at: usize) -> Piece {
        self.pieces_mut(worker, kind).remove(at)
    }

    pub(super) fn place_homeless(&mut self, group: &Homeless<'a>) {
        let mut siblings = vec![0; self.workers.len()];
        for worker in &group.siblings {
            siblings[*worker] += 1;
        }
        for wanted in &group.units {
            let Some(to) = self.choose(wanted, &siblings) else {
                continue;
            };
            self.lay(to, wanted.piece(Origin::Fresh));
            if wanted.task.is_some() {
                siblings[to] += 1;
            }
        }
    }

    /// For a unit that has to leave where it is: finds where it goes, if anywhere.
    pub(super) fn place_coming(&mut self, wanted: &Wanted<'a>) -> Option<usize> {
        let siblings: Vec<usize> = (0..self.workers.len())
            .map(|worker| {
                let tasks = self.pieces(worker, Kind::Task);
                tasks[tasks.partition_point(|piece| piece.rank < wanted.rank)..]
                    .iter()
                    .take_while(|piece| piece.rank == wanted.rank)
                    .count()
            })
            .collect();
        let to = self.choose(wanted, &siblings)?;
        self.lay(to, wanted.piece(Origin::Coming));
        Some(to)
    }

    fn choose(&self, wanted: &Wanted<'_>, siblings: &[usize]) -> Option<usize> {
        let can_run = &self.can_run[wanted.class];
        if let Some(noted) = wanted.headed_for.and_then(|worker| self.number_of(worker))
            && can_run[noted]
        {
            return Some(noted);
        }
        let able = (0..self.workers.len()).filter(|worker| can_run[*worker]);
        // Compared lazily: with many workers and many units, this is where planning spends its time.
        able.min_by(|one, two| {
            let (here, there) = (&self.hands[*one], &self.hands[*two]);
            match wanted.task {
                None => here.connectors.len().cmp(&there.connectors.len()),
                Some(_) => here
                    .tasks
                    .len()
                    .cmp(&there.tasks.len())
                    .then_with(|| siblings[*one].cmp(&siblings[*two])),
            }
            .then_with(|| here.len().cmp(&there.len()))
        })
    }

    pub(super) fn revocation(&self, wanted: &Wanted<'a>, to: Option<usize>) -> Revocation {
        Revocation {
            unit: self.unit_id(wanted.rank, wanted.task),
            worker: wanted
                .holder
                .expect("only held units are taken from somebody")
                .clone(),
            to: to.map(|to| self.workers[to].clone()),
        }
    }

    pub(super) fn move_of(&self, piece: &Piece, from: usize, to: usize) -> Revocation {
        Revocation {
            unit: self.unit_id(piece.rank, piece.task),
            worker: self.workers[from].clone(),
            to: Some(self.workers[to].clone()),
        }
    }

    /// Where the free units lie.
    pub(super) fn into_assignments(self) -> Vec<Assignment> {
        let mut assignments = Vec::new();
        for (hand, worker) in self.hands.iter().zip(&self.workers) {
            let pieces = hand.connectors.iter().chain(&hand.tasks);
            let fresh = pieces.filter(|piece| piece.origin == Origin::Fresh);
            assignments.extend(fresh.map(|piece| Assignment {
                unit: self.unit_id(piece.rank, piece.task),
                worker: (*worker).clone(),
            }));
        }
        assignments
    }

    fn unit_id(&self, rank: usize, task: Option<TaskNumber>) -> UnitId {
        let name = self.names[rank].clone();
        match task {
            Some(number) => UnitId::Task(name, number),
            None => UnitId::Connector(name),
        }
    }

    fn pieces_mut(&mut self, worker: usize, kind: Kind) -> &mut Vec<Piece> {
        match kind {
            Kind::Connector => &mut self.hands[worker].connectors,
            Kind::Task => &mut self.hands[worker].tasks,
        }
    }
}

impl Piece {
    fn kind(&self) -> Kind {
        if self.task.is_some() {
            Kind::Task
        } else {
            Kind::Connector
        }
    }
}

impl Wanted<'_> {
    pub(super) fn piece(&self, origin: Origin) -> Piece {
        Piece {
            rank: self.rank,
            task: self.task,
            class: self.class,
            origin,
        }
    }
}
