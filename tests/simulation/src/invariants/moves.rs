//! So that a worker that joins or drains does not stop everything at once.

use towpath_state::{ClusterState, MAX_MOVES_IN_FLIGHT};
use towpath_types::{UnitId, WorkerId};

use super::Check;

pub(crate) fn moves_are_few(state: &ClusterState) -> Check {
    let count = state
        .leaving()
        .filter(|(unit, worker)| is_move(state, unit, worker))
        .count();
    if count <= MAX_MOVES_IN_FLIGHT {
        return Ok(());
    }
    Err(format!(
        "{count} units are on the move, but {MAX_MOVES_IN_FLIGHT} may be"
    ))
}

/// A unit whose worker cannot run it has to leave at once, so it does not count.
fn is_move(state: &ClusterState, unit: &UnitId, from: &WorkerId) -> bool {
    let name = unit.connector_name().as_str();
    let (Some(connector), Some(worker)) = (state.connector(name), state.workers().get(from)) else {
        return false;
    };
    let is_headed = state.unit(unit).is_some_and(|unit| unit.headed_for.is_some());
    is_headed && worker.connector_plugin(connector.class()).is_some()
}
