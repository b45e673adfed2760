//! A worker whose lease holds by its own clock can rely on it: it is registered, and whatever source task it runs is its
//! own, or is waiting for it to let go. This is what makes it safe to give the tasks of a removed worker to others.

use towpath_state::ClusterState;
use towpath_types::{UnitId, WorkerId};

use super::Check;
use crate::agenda::Millis;
use crate::worker::Worker;

pub(crate) fn leases_hold(state: &ClusterState, workers: &[Worker], now: Millis) -> Check {
    for worker in workers {
        let Some(process) = worker.process.as_ref().filter(|process| process.holds_lease(now)) else {
            continue;
        };
        let id = WorkerId::new(&worker.id);
        if !state.workers().contains_key(&id) {
            return Err(format!(
                "{} is not registered any more, but has its {}",
                worker.id,
                process.describe_lease()
            ));
        }
        let mut own = process
            .runs
            .iter()
            .filter(|(unit, run)| run.is_unfenced(unit) && !run.is_stopping());
        if let Some((unit, run)) = own.find(|(unit, _)| !belongs_to(state, unit, &id)) {
            return Err(format!(
                "{} runs {unit} as {run:?} with its {}, but {:?} holds it and nobody waits for {} to let go",
                worker.id,
                process.describe_lease(),
                state.owner_of(unit),
                worker.id
            ));
        }
    }
    Ok(())
}

fn belongs_to(state: &ClusterState, unit: &UnitId, worker: &WorkerId) -> bool {
    let mut leaving = state.leaving();
    state.owner_of(unit) == Some(worker) || leaving.any(|(id, from)| id == unit && from == worker)
}
