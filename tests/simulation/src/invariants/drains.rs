//! Who is told to drain does so until it is told otherwise or its process ends, whatever becomes of its connection, and is
//! given nothing meanwhile.

use std::collections::BTreeMap;

use towpath_state::{Applied, Assignment, ClusterState, Command, Outcome, RemovalReason, Worker};
use towpath_types::{ProcessId, Revision, WorkerId};

use super::Check;

#[derive(Debug, Default)]
pub(crate) struct Drains {
    draining: BTreeMap<WorkerId, Option<ProcessId>>,
    /// Of the last command that was written.
    revision: Revision,
}

impl Drains {
    /// `state`: with this command applied.
    pub(crate) fn written(&mut self, command: &Command, outcome: &Outcome, state: &ClusterState) -> Check {
        let Ok(applied) = outcome else { return Ok(()) };
        self.note(command, state);
        let before = std::mem::replace(&mut self.revision, applied.revision);
        // Otherwise it came too late and changed nothing.
        if let Command::AssignUnits { assignments } = command
            && applied.revision > before
        {
            self.gives_nothing(assignments, applied, state)?;
        }
        for worker in self.draining.keys() {
            if state.workers().get(worker).is_some_and(|known| !known.draining) {
                return Err(format!("{worker} was told to drain and drains no more"));
            }
        }
        Ok(())
    }

    fn note(&mut self, command: &Command, state: &ClusterState) {
        match command {
            Command::SetDraining {
                worker,
                draining,
                process,
            } => {
                let known = state.workers().get(worker);
                let is_meant = |known: &&Worker| process.is_none() || known.process == *process;
                if let Some(known) = known.filter(is_meant) {
                    self.draining.remove(worker);
                    if *draining {
                        self.draining.insert(worker.clone(), known.process.clone());
                    }
                }
            }
            Command::RegisterWorker(registration) => {
                let worker = &registration.worker;
                let is_another = |process: &Option<ProcessId>| *process != registration.process;
                if self.draining.get(worker).is_some_and(is_another) {
                    self.draining.remove(worker);
                }
            }
            Command::RemoveWorker {
                from,
                reason: RemovalReason::Left,
            } => {
                self.draining.remove(&from.worker);
            }
            _ => {}
        }
    }

    fn gives_nothing(&self, assignments: &[Assignment], applied: &Applied, state: &ClusterState) -> Check {
        let to_draining = assignments
            .iter()
            .filter(|assignment| self.draining.contains_key(&assignment.worker));
        for Assignment { unit, worker } in to_draining {
            // One that was there before has an older epoch.
            let is_new = state
                .unit(unit)
                .is_some_and(|unit| unit.epoch.get() == applied.revision.get());
            if is_new && state.owner_of(unit) == Some(worker) {
                return Err(format!("{worker} drains, and is given {unit}"));
            }
        }
        Ok(())
    }
}
