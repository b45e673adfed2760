//! Invariant 5: a unit runs on at most one worker, as far as section 3 of the architecture promises.
//!
//! A source task is fenced by nothing but the lease, so two workers never run it at once. The one exception is a process
//! that was stopped longer than its lease and goes on: it has [`STOP_AFTER_LEASE_MS`] to notice, and what it commits
//! meanwhile is refused. Connector instances and sink tasks are fenced elsewhere or do no harm: a worker that has lost
//! its lease, or has not been told anew since, may go on with them. So may one that is told to prefer duplicates.

use std::collections::BTreeMap;

use towpath_types::UnitId;

use super::Check;
use crate::agenda::Millis;
use crate::worker::{Process, Run, STOP_AFTER_LEASE_MS, Worker};

/// The slowest clock that is simulated stretches the time to notice.
const NOTICE_MS: Millis = STOP_AFTER_LEASE_MS * 110 / 100;

pub(crate) fn one_runner(workers: &[Worker], now: Millis) -> Check {
    let mut runners: BTreeMap<&UnitId, (&Worker, &Process, &Run)> = BTreeMap::new();
    for worker in workers {
        // A process that is stopped runs nothing.
        let Some(process) = worker.process.as_ref().filter(|process| !process.clock.is_frozen) else {
            continue;
        };
        for (unit, run) in &process.runs {
            let Some((other, other_process, other_run)) = runners.insert(unit, (worker, process, run)) else {
                continue;
            };
            let is_excused = excused(unit, process, run, now) || excused(unit, other_process, other_run, now);
            if !is_excused {
                return Err(format!(
                    "{unit} runs on two workers at once: on {} as {other_run:?} ({}), on {} as {run:?} ({})",
                    other.id,
                    other_process.describe_lease(),
                    worker.id,
                    process.describe_lease(),
                ));
            }
        }
    }
    Ok(())
}

fn excused(unit: &UnitId, process: &Process, run: &Run, now: Millis) -> bool {
    let has_just_thawed = process
        .clock
        .thawed
        .is_some_and(|thawed| now <= thawed + NOTICE_MS);
    has_just_thawed || !process.needs_lease(unit, run) && (process.is_uninformed() || run.is_stopping())
}
