//! What an old run says changes nothing: as soon as a newer run of a task has read where to go on, no commit and no state
//! of an older one counts. And a run is of one process only: a unit that changes hands gets a new epoch.

use std::collections::BTreeMap;

use towpath_state::{Command, Outcome};
use towpath_types::{Epoch, UnitId, UnitState};

use super::{Check, counted};

/// A worker and which of its processes.
pub(crate) type Runner = (String, u64);

#[derive(Debug, Default)]
pub(crate) struct StaleRuns {
    newest: BTreeMap<UnitId, Epoch>,
    runners: BTreeMap<(UnitId, Epoch), Runner>,
}

impl StaleRuns {
    pub(crate) fn began(&mut self, unit: &UnitId, epoch: Epoch, runner: Runner) -> Check {
        let newest = self.newest.entry(unit.clone()).or_insert(epoch);
        *newest = epoch.max(*newest);
        let first = self
            .runners
            .entry((unit.clone(), epoch))
            .or_insert(runner.clone());
        if *first == runner {
            return Ok(());
        }
        let ((worker, process), (before, its_process)) = (runner, first);
        Err(format!(
            "process {process} of {worker} runs {unit} in epoch {epoch}, as did process {its_process} of {before}"
        ))
    }

    pub(crate) fn written(&self, command: &Command, outcome: &Outcome) -> Check {
        match command {
            Command::CommitOffsets { commits, .. } => {
                let accepted = commits.iter().filter(|commit| counted(outcome, &commit.unit));
                self.none_is_old(accepted.map(|commit| (&commit.unit, commit.epoch)), "commit")
            }
            Command::ReportUnitStates { reports, .. } => {
                let accepted = reports
                    .iter()
                    .filter(|report| report.state != UnitState::Unassigned && counted(outcome, &report.unit));
                self.none_is_old(accepted.map(|report| (&report.unit, report.epoch)), "state")
            }
            _ => Ok(()),
        }
    }

    fn none_is_old<'a>(&self, accepted: impl Iterator<Item = (&'a UnitId, Epoch)>, what: &str) -> Check {
        for (unit, epoch) in accepted {
            if let Some(newest) = self.newest.get(unit).filter(|newest| epoch < **newest) {
                return Err(format!(
                    "a {what} of {unit} of epoch {epoch} counted although epoch {newest} has begun"
                ));
            }
        }
        Ok(())
    }
}
