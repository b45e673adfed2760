//! Looks at every unit once: lays those that have a place on the board and collects the others.

use towpath_types::{ConnectorName, TaskNumber, UnitId};

use super::LiveWorkers;
use super::board::{Board, Homeless, Origin, Wanted};
use crate::{ClusterState, Connector, Unit};

#[derive(Debug, Default)]
pub(super) struct Survey<'a> {
    /// Free to be assigned, by connector.
    pub(super) homeless: Vec<Homeless<'a>>,
    /// Held by a worker that cannot run them.
    pub(super) misplaced: Vec<Wanted<'a>>,
    /// Held by a worker that is being emptied.
    pub(super) draining: Vec<Wanted<'a>>,
    /// Units that their last holder has not let go of yet.
    pub(super) in_flight: usize,
}

pub(super) fn survey<'a>(
    state: &'a ClusterState,
    live: &'a LiveWorkers,
    board: &mut Board<'a>,
) -> Survey<'a> {
    let mut survey = Survey::default();
    for (rank, (name, connector)) in state.tables.connectors.iter().enumerate() {
        let class = board.class_of(connector);
        let mut visit = Visit {
            state,
            live,
            board,
            name,
            homeless: Vec::new(),
            siblings: Vec::new(),
        };
        for (task, unit) in units(connector) {
            let wanted = Wanted {
                rank,
                task,
                class,
                holder: unit.holder.as_ref().map(|holder| &holder.worker),
                headed_for: unit.headed_for.as_ref(),
            };
            visit.unit(wanted, &mut survey);
        }
        let Visit {
            homeless: units,
            siblings,
            ..
        } = visit;
        if !units.is_empty() {
            survey.homeless.push(Homeless { units, siblings });
        }
    }
    survey
}

fn units(connector: &Connector) -> impl Iterator<Item = (Option<TaskNumber>, &Unit)> {
    let tasks = (0..)
        .map(TaskNumber)
        .map(Some)
        .zip(connector.tasks.iter().map(|task| &task.unit));
    std::iter::once((None, &connector.unit)).chain(tasks)
}

struct Visit<'b, 'a> {
    state: &'a ClusterState,
    live: &'a LiveWorkers,
    board: &'b mut Board<'a>,
    name: &'a ConnectorName,
    homeless: Vec<Wanted<'a>>,
    siblings: Vec<usize>,
}

impl<'a> Visit<'_, 'a> {
    fn unit(&mut self, wanted: Wanted<'a>, survey: &mut Survey<'a>) {
        let Some(holder) = wanted.holder else {
            return self.unheld(wanted, survey);
        };
        match self.board.number_of(holder) {
            Some(worker) if self.board.can_run(wanted.class, worker) => {
                self.lay(worker, wanted, Origin::Held);
            }
            Some(_) => survey.misplaced.push(wanted),
            None if self.live.contains(holder) => survey.draining.push(wanted),
            // The worker is silent: its units stay until it is removed.
            None => {}
        }
    }

    fn unheld(&mut self, wanted: Wanted<'a>, survey: &mut Survey<'a>) {
        if !self.is_leaving(wanted.task) {
            self.homeless.push(wanted);
            return;
        }
        survey.in_flight += 1;
        let noted = wanted.headed_for.and_then(|worker| self.board.number_of(worker));
        if let Some(worker) = noted
            && self.board.can_run(wanted.class, worker)
        {
            self.lay(worker, wanted, Origin::Coming);
        }
    }

    fn lay(&mut self, worker: usize, wanted: Wanted<'a>, origin: Origin) {
        self.board.lay(worker, wanted.piece(origin));
        if wanted.task.is_some() {
            self.siblings.push(worker);
        }
    }

    fn is_leaving(&self, task: Option<TaskNumber>) -> bool {
        if self.state.tables.leaving.is_empty() {
            return false;
        }
        let unit = match task {
            Some(number) => UnitId::Task(self.name.clone(), number),
            None => UnitId::Connector(self.name.clone()),
        };
        self.state.tables.leaving.contains_key(&unit)
    }
}
