//! Workers come, come back, drain and go.

use std::collections::BTreeMap;

use towpath_types::{Epoch, ProcessId, UnitId, WorkerId};

use super::units::mark_unassigned;
use super::{Effect, Handled};
use crate::{ClusterState, Holder, Leaving, Refusal, Registration, RemovalReason, Reporter, Worker};

/// Drained workers that are remembered after their lease ran out. Most of them never come back.
const MAX_DRAINED: usize = 1_000;

impl ClusterState {
    /// Refused if another session of the worker has begun since this one was last known to live.
    pub(super) fn register_worker(&mut self, registration: &Registration) -> Handled {
        let Registration {
            worker: id, session, ..
        } = registration;
        let (revision, _) = self.next();
        let known = self.tables.workers.get(id);
        let is_new_session = known.is_none_or(|known| known.session != *session);
        let may_replace = known.is_none_or(|known| registration.replaces.may_replace(&known.session));
        if is_new_session && !may_replace {
            return Err(Refusal::SessionOver {
                worker: id.clone(),
                session: session.clone(),
            });
        }
        let worker = Worker {
            session: session.clone(),
            process: registration.process.clone(),
            address: registration.address.as_str().into(),
            version: registration.version.clone(),
            labels: registration.labels.clone(),
            plugins: registration.plugins.clone(),
            draining: self.goes_on_draining(registration),
        };
        if known == Some(&worker) {
            return Ok(Effect::NOTHING);
        }
        self.tables.workers.insert(id.clone(), worker);
        self.tables.drained.remove(id);
        self.index.touch(id, revision);
        if is_new_session {
            let held = registration
                .held
                .iter()
                .map(|held| (&held.unit, held.epoch))
                .collect();
            self.settle_held(registration, &held);
            self.settle_leaving(registration, &held);
            self.settle_others(registration, &held);
        }
        Ok(Effect::LAYOUT)
    }

    /// A process that was only cut off goes on draining; a new one has nothing to drain.
    fn goes_on_draining(&self, registration: &Registration) -> bool {
        let process = registration.process.as_ref();
        match self.tables.workers.get(&registration.worker) {
            Some(known) => {
                known.draining
                    && (known.session == registration.session
                        || registration.resumes.as_ref() == Some(&known.session)
                        || (process.is_some() && known.process.as_ref() == process))
            }
            None => process.is_some() && self.tables.drained.get(&registration.worker) == process,
        }
    }

    /// What it should run and does run goes on; what it should run and does not starts anew.
    fn settle_held(&mut self, registration: &Registration, held: &BTreeMap<&UnitId, Epoch>) {
        let (_, epoch) = self.next();
        for id in self.index.held(&registration.worker) {
            let unit = self
                .tables
                .unit_mut(id)
                .expect("the index names units that exist");
            let current = unit.epoch;
            let holder = unit.holder.as_mut().expect("the index names units that are held");
            holder.session = registration.session.clone();
            match held.get(id) {
                Some(run) if (holder.fence..=current).contains(run) => holder.fence = *run,
                Some(_) | None => {
                    holder.fence = epoch;
                    unit.epoch = epoch;
                    mark_unassigned(unit);
                }
            }
        }
    }

    /// What it was to let go of and does not run is let go of.
    fn settle_leaving(&mut self, registration: &Registration, held: &BTreeMap<&UnitId, Epoch>) {
        for id in self.index.leaving(&registration.worker).clone() {
            if held.contains_key(&id) {
                let leaving = self
                    .tables
                    .leaving
                    .get_mut(&id)
                    .expect("the index names units that are leaving");
                leaving.session = registration.session.clone();
            } else {
                self.let_go(&id);
            }
        }
    }

    /// What it runs although nobody else does and it was not asked to: its lease ran out, and it came back. If the unit
    /// was not given away or changed since, it goes on; otherwise it has to stop before anybody else starts.
    fn settle_others(&mut self, registration: &Registration, held: &BTreeMap<&UnitId, Epoch>) {
        let Registration { worker, session, .. } = registration;
        let (revision, epoch) = self.next();
        for (&id, &run) in held {
            if self.tables.leaving.contains_key(id) {
                continue;
            }
            let unit = self.tables.unit_mut(id);
            if unit.as_ref().is_some_and(|unit| unit.holder.is_some()) {
                continue;
            }
            match unit {
                Some(unit) if unit.epoch == run => {
                    unit.headed_for = None;
                    unit.holder = Some(Holder {
                        worker: worker.clone(),
                        session: session.clone(),
                        fence: run,
                    });
                    self.index.add_held(worker, id.clone(), revision);
                }
                Some(_) | None => {
                    let leaving = Leaving {
                        worker: worker.clone(),
                        session: session.clone(),
                        // Above its run: somebody else may have run the unit since, so nothing that it commits counts.
                        fence: epoch,
                        last_run: run.min(epoch),
                        release: epoch,
                    };
                    self.tables.leaving.insert(id.clone(), leaving);
                    self.index.add_leaving(worker, id.clone(), revision);
                }
            }
        }
    }

    /// Its units are free at once: whoever sends this has waited until the worker must have stopped them.
    pub(super) fn remove_worker(&mut self, from: &Reporter, reason: RemovalReason) -> Handled {
        self.reporting_worker(from)?;
        let worker = self.tables.workers.remove(&from.worker);
        let drained = worker.filter(|worker| worker.draining && reason == RemovalReason::LeaseExpired);
        if let Some(process) = drained.and_then(|worker| worker.process) {
            self.tables.drained.insert(from.worker.clone(), process);
            if self.tables.drained.len() > MAX_DRAINED {
                self.tables.drained.pop_first();
            }
        }
        let (held, leaving) = self.index.remove_worker(&from.worker);
        for id in held {
            let unit = self
                .tables
                .unit_mut(&id)
                .expect("the index names units that exist");
            unit.holder = None;
            mark_unassigned(unit);
        }
        for id in leaving {
            self.tables.leaving.remove(&id);
            self.tables.unit_mut(&id).into_iter().for_each(mark_unassigned);
        }
        Ok(Effect::LAYOUT)
    }

    pub(super) fn set_draining(
        &mut self,
        id: &WorkerId,
        process: Option<&ProcessId>,
        draining: bool,
    ) -> Handled {
        let is_meant = |worker: &&mut Worker| process.is_none() || worker.process.as_ref() == process;
        let Some(worker) = self.tables.workers.get_mut(id).filter(is_meant) else {
            return Err(Refusal::WorkerNotFound { worker: id.clone() });
        };
        if worker.draining == draining {
            return Ok(Effect::NOTHING);
        }
        worker.draining = draining;
        Ok(Effect::LAYOUT)
    }
}
