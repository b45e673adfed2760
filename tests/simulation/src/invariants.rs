//! What must be true at every step, whatever goes wrong.

mod acknowledged;
mod converged;
mod drains;
mod leases;
mod moves;
mod one_runner;
mod replay;
mod stale_runs;

pub(crate) use self::acknowledged::Acknowledged;
pub(crate) use self::converged::converged;
pub(crate) use self::drains::Drains;
pub(crate) use self::leases::leases_hold;
pub(crate) use self::moves::moves_are_few;
pub(crate) use self::one_runner::one_runner;
pub(crate) use self::replay::Replay;
pub(crate) use self::stale_runs::StaleRuns;

/// What is wrong, in a sentence.
pub(crate) type Check = Result<(), String>;

use towpath_state::{Detail, Outcome, Stale};
use towpath_types::UnitId;

/// Whether an entry of a command counted.
fn counted(outcome: &Outcome, unit: &UnitId) -> bool {
    match outcome {
        Ok(applied) => !stale(&applied.detail).iter().any(|stale| stale.unit == *unit),
        Err(_) => false,
    }
}

fn stale(detail: &Detail) -> &[Stale] {
    match detail {
        Detail::PartlyStale(stale) => stale,
        Detail::Done
        | Detail::Created
        | Detail::Updated
        | Detail::Restarting(_)
        | Detail::TasksReplaced
        | Detail::TasksUnchanged => &[],
    }
}
