//! Who holds a unit, how it changes hands, and what holders report.

use std::sync::Arc;

use towpath_types::{Epoch, UnitId, UnitState, WorkerId};

use super::{Changed, Effect, Handled};
use crate::{
    Assignment, ClusterState, Detail, Holder, Leaving, MAX_TRACE_BYTES, Refusal, Reporter, Revocation, Stale,
    Unit, UnitReport, UnitStatus, Worker,
};

/// Asks for a new run. The status says so if somebody is there to run it; trace and version stay until the report.
pub(super) fn start_anew(unit: &mut Unit, epoch: Epoch) {
    unit.epoch = epoch;
    if let (Some(_), Some(status)) = (&unit.holder, &mut unit.status) {
        status.state = UnitState::Restarting;
    }
}

/// Nobody runs it any more.
pub(crate) fn mark_unassigned(unit: &mut Unit) {
    if let Some(status) = &mut unit.status {
        status.state = UnitState::Unassigned;
        status.trace = None;
    }
}

impl ClusterState {
    /// Fencing: only the current session of a worker is listened to.
    pub(super) fn reporting_worker(&self, from: &Reporter) -> Result<&Worker, Refusal> {
        let worker = self
            .tables
            .workers
            .get(&from.worker)
            .filter(|worker| worker.session == from.session);
        worker.ok_or_else(|| Refusal::SessionOver {
            worker: from.worker.clone(),
            session: from.session.clone(),
        })
    }

    pub(super) fn assign_units(&mut self, assignments: &[Assignment]) -> Effect {
        let mut effect = Effect::NOTHING;
        for Assignment { unit, worker } in assignments {
            if self.may_assign(unit, worker) {
                self.hold(unit, worker);
                effect = Effect::LAYOUT;
            }
        }
        effect
    }

    fn may_assign(&self, unit: &UnitId, worker: &WorkerId) -> bool {
        let is_free = self.tables.unit(unit).is_some_and(|unit| unit.holder.is_none());
        let takes_units = self
            .tables
            .workers
            .get(worker)
            .is_some_and(|worker| !worker.draining);
        // Invariant 5: whoever had it last has confirmed, or was removed.
        is_free && takes_units && !self.tables.leaving.contains_key(unit)
    }

    fn hold(&mut self, id: &UnitId, worker: &WorkerId) {
        let (revision, epoch) = self.next();
        let session = self.tables.workers[worker].session.clone();
        let unit = self.tables.unit_mut(id).expect("the caller found it");
        unit.epoch = epoch;
        unit.headed_for = None;
        unit.holder = Some(Holder {
            worker: worker.clone(),
            session,
            fence: epoch,
        });
        self.index.add_held(worker, id.clone(), revision);
    }

    pub(super) fn unassign_units(&mut self, revocations: &[Revocation]) -> Effect {
        let (_, epoch) = self.next();
        let mut effect = Effect::NOTHING;
        for Revocation { unit: id, worker, to } in revocations {
            let Some(unit) = self.tables.unit_mut(id) else {
                continue;
            };
            if unit.holder.as_ref().is_none_or(|holder| holder.worker != *worker) {
                continue;
            }
            unit.headed_for.clone_from(to);
            let holder = unit.holder.take();
            // What the old holder claims to run when it comes back must not pass for the wanted run.
            let last_run = std::mem::replace(&mut unit.epoch, epoch);
            self.dismiss(id.clone(), holder, last_run);
            effect = Effect::LAYOUT;
        }
        effect
    }

    /// Whoever holds the unit has to stop it and confirm, before anybody else gets it.
    pub(super) fn dismiss(&mut self, id: UnitId, holder: Option<Holder>, last_run: Epoch) {
        let (revision, epoch) = self.next();
        let Some(Holder {
            worker,
            session,
            fence,
        }) = holder
        else {
            return;
        };
        self.index.remove_held(&worker, &id, revision);
        self.index.add_leaving(&worker, id.clone(), revision);
        self.tables.leaving.insert(
            id,
            Leaving {
                worker,
                session,
                fence,
                last_run,
                release: epoch,
            },
        );
    }

    /// The worker that was leaving the unit is done with it.
    pub(super) fn let_go(&mut self, id: &UnitId) {
        let (revision, _) = self.next();
        if let Some(leaving) = self.tables.leaving.remove(id) {
            self.index.remove_leaving(&leaving.worker, id, revision);
            self.tables.unit_mut(id).into_iter().for_each(mark_unassigned);
        }
    }

    pub(super) fn report_unit_states(&mut self, from: &Reporter, reports: &[UnitReport]) -> Handled {
        let address = self.reporting_worker(from)?.address.clone();
        let mut changed = Changed::Nothing;
        let mut stale = Vec::new();
        for report in reports {
            match self.report_unit_state(from, report, &address) {
                Ok(Changed::Nothing) => {}
                Ok(Changed::Facts) if matches!(changed, Changed::Layout) => {}
                Ok(more) => changed = more,
                Err(refused) => stale.push(refused),
            }
        }
        let detail = if stale.is_empty() {
            Detail::Done
        } else {
            Detail::PartlyStale(stale)
        };
        Ok(Effect { changed, detail })
    }

    fn report_unit_state(
        &mut self,
        from: &Reporter,
        report: &UnitReport,
        address: &Arc<str>,
    ) -> Result<Changed, Stale> {
        let confirmed = self.tables.leaving.get(&report.unit).is_some_and(|leaving| {
            leaving.session == from.session
                && leaving.worker == from.worker
                && report.epoch >= leaving.last_run
        });
        if confirmed && report.state == UnitState::Unassigned {
            self.let_go(&report.unit);
            return Ok(Changed::Layout);
        }
        let (revision, _) = self.next();
        let Some(unit) = self.tables.unit_mut(&report.unit) else {
            return Err(stale(report, None));
        };
        let is_holder = unit.holder.as_ref().is_some_and(|holder| is_of(holder, from));
        if !is_holder || unit.epoch != report.epoch {
            return Err(stale(report, Some(unit.epoch)));
        }
        let status = status_of(report, address);
        if report.state == UnitState::Unassigned {
            // Given back, by a worker that shuts down.
            unit.holder = None;
            unit.status = unit.status.is_some().then_some(status);
            self.index.remove_held(&from.worker, &report.unit, revision);
            return Ok(Changed::Layout);
        }
        if let Some(holder) = &mut unit.holder {
            // The new run reports, so the old one has committed its last offsets.
            holder.fence = report.epoch;
        }
        if unit.status.as_ref() == Some(&status) {
            return Ok(Changed::Nothing);
        }
        unit.status = Some(status);
        Ok(Changed::Facts)
    }

    /// Whether what this run of a task commits still counts: it is the current one or the one that is being replaced
    /// or stopped, of the worker that holds or is leaving the unit.
    pub(super) fn check_run(&self, from: &Reporter, id: &UnitId, epoch: Epoch) -> Result<(), Stale> {
        let unit = self.tables.unit(id);
        let holds = unit.is_some_and(|unit| {
            let holder = unit.holder.as_ref().filter(|holder| is_of(holder, from));
            holder.is_some_and(|holder| (holder.fence..=unit.epoch).contains(&epoch))
        });
        let leaves = self.tables.leaving.get(id).is_some_and(|leaving| {
            leaving.session == from.session
                && leaving.worker == from.worker
                && (leaving.fence..=leaving.last_run).contains(&epoch)
        });
        if holds || leaves {
            Ok(())
        } else {
            Err(Stale {
                unit: id.clone(),
                epoch,
                current: unit.map(|unit| unit.epoch),
            })
        }
    }
}

pub(super) fn is_of(holder: &Holder, from: &Reporter) -> bool {
    holder.worker == from.worker && holder.session == from.session
}

fn stale(report: &UnitReport, current: Option<Epoch>) -> Stale {
    Stale {
        unit: report.unit.clone(),
        epoch: report.epoch,
        current,
    }
}

fn status_of(report: &UnitReport, address: &Arc<str>) -> UnitStatus {
    let trace = report
        .trace
        .as_deref()
        .filter(|trace| !trace.is_empty())
        .map(shortened);
    UnitStatus {
        state: report.state,
        worker_id: address.clone(),
        version: report.version.as_deref().map(Into::into),
        trace: trace.map(Into::into),
    }
}

fn shortened(trace: &str) -> &str {
    trace
        .get(..trace.floor_char_boundary(MAX_TRACE_BYTES))
        .unwrap_or(trace)
}
