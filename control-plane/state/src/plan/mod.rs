//! Placement: which commands are missing so that each unit that should run is on exactly one live worker that has its
//! plugin and the labels that its connector asks for. Level-triggered and without memory: applying what it answers and asking again answers nothing.
//!
//! It moves as little as it can. Units without a place go where the fewest of their kind are, and among equals where
//! the fewest tasks of their connector are. When counts differ by more than one, or a worker drains, some units move,
//! never more than [`MAX_MOVES_IN_FLIGHT`] at a time, and of a worker that drains one at a time: each is first taken
//! from its worker with the destination noted, and given to the destination once the worker has let go.

mod board;
mod fit;
mod moves;
mod survey;

use std::collections::BTreeSet;

use towpath_types::WorkerId;

use self::board::Board;
pub use self::fit::Obstacle;
use crate::{Assignment, ClusterState, Command, Revocation};

/// How many units may be on their way from one worker to another, so that a worker that joins or drains does not stop
/// everything at once.
pub const MAX_MOVES_IN_FLIGHT: usize = 32;

/// Keeps an entry of the log well below a megabyte.
pub const MAX_UNITS_PER_COMMAND: usize = 1_000;

/// Workers that can be told something now. A registered worker that is not among them keeps its units until it is
/// removed, but gets no more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveWorkers(BTreeSet<WorkerId>);

impl LiveWorkers {
    pub fn contains(&self, worker: &WorkerId) -> bool {
        self.0.contains(worker)
    }
}

impl FromIterator<WorkerId> for LiveWorkers {
    fn from_iter<I: IntoIterator<Item = WorkerId>>(workers: I) -> Self {
        Self(workers.into_iter().collect())
    }
}

pub fn plan(state: &ClusterState, live: &LiveWorkers) -> Vec<Command> {
    let mut board = Board::new(state, live);
    let survey = survey::survey(state, live, &mut board);
    for group in &survey.homeless {
        board.place_homeless(group);
    }
    let mut budget = MAX_MOVES_IN_FLIGHT.saturating_sub(survey.in_flight);
    let mut revocations = Vec::new();
    for wanted in &survey.misplaced {
        budget = budget.saturating_sub(1);
        let to = board.place_coming(wanted);
        revocations.push(board.revocation(wanted, to));
    }
    let mut stopping: BTreeSet<&WorkerId> = state.leaving().map(|(_, worker)| worker).collect();
    for wanted in &survey.draining {
        if budget == 0 {
            break;
        }
        let lets_one_go = wanted.holder.is_some_and(|worker| stopping.contains(worker));
        if lets_one_go {
            continue;
        }
        if let Some(to) = board.place_coming(wanted) {
            budget -= 1;
            stopping.extend(wanted.holder);
            revocations.push(board.revocation(wanted, Some(to)));
        }
    }
    revocations.extend(moves::rebalance(&mut board, budget));
    commands(revocations, board.into_assignments())
}

fn commands(revocations: Vec<Revocation>, assignments: Vec<Assignment>) -> Vec<Command> {
    let revocations = revocations.chunks(MAX_UNITS_PER_COMMAND).map(<[_]>::to_vec);
    let assignments = assignments.chunks(MAX_UNITS_PER_COMMAND).map(<[_]>::to_vec);
    let unassign = revocations.map(|revocations| Command::UnassignUnits { revocations });
    let assign = assignments.map(|assignments| Command::AssignUnits { assignments });
    unassign.chain(assign).collect()
}
