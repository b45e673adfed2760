//! Which units each worker has to do with: found without looking at all units. Computed, never persisted.

use std::collections::{BTreeMap, BTreeSet};

use towpath_types::{Revision, UnitId, WorkerId};

use crate::Connector;
use crate::state::Tables;

#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    workers: BTreeMap<WorkerId, Shelf>,
    pub(crate) layout: Revision,
}

#[derive(Debug, Clone, Default)]
struct Shelf {
    held: BTreeSet<UnitId>,
    leaving: BTreeSet<UnitId>,
    /// When what this worker is to be told last changed.
    changed: Revision,
}

static NO_UNITS: BTreeSet<UnitId> = BTreeSet::new();

impl Index {
    pub(crate) fn of(tables: &Tables) -> Self {
        let mut index = Self {
            workers: BTreeMap::new(),
            layout: tables.revision,
        };
        for worker in tables.workers.keys() {
            index.touch(worker, tables.revision);
        }
        for (name, connector) in &tables.connectors {
            if let Some(holder) = &connector.unit.holder {
                index.add_held(&holder.worker, UnitId::Connector(name.clone()), tables.revision);
            }
            for (number, task) in (0..).zip(&connector.tasks) {
                if let Some(holder) = &task.unit.holder {
                    index.add_held(&holder.worker, UnitId::task(name, number), tables.revision);
                }
            }
        }
        for (unit, leaving) in &tables.leaving {
            index.add_leaving(&leaving.worker, unit.clone(), tables.revision);
        }
        index
    }

    pub(crate) fn held(&self, worker: &WorkerId) -> &BTreeSet<UnitId> {
        self.workers.get(worker).map_or(&NO_UNITS, |shelf| &shelf.held)
    }

    pub(crate) fn leaving(&self, worker: &WorkerId) -> &BTreeSet<UnitId> {
        self.workers.get(worker).map_or(&NO_UNITS, |shelf| &shelf.leaving)
    }

    pub(crate) fn changed(&self, worker: &WorkerId) -> Revision {
        self.workers
            .get(worker)
            .map_or(Revision(0), |shelf| shelf.changed)
    }

    pub(crate) fn touch(&mut self, worker: &WorkerId, at: Revision) {
        self.shelf(worker, at);
    }

    /// For a change that every holder of a unit of this connector has to hear of.
    pub(crate) fn touch_holders(&mut self, connector: &Connector, at: Revision) {
        let units = std::iter::once(&connector.unit).chain(connector.tasks.iter().map(|task| &task.unit));
        for holder in units.filter_map(|unit| unit.holder.as_ref()) {
            self.touch(&holder.worker, at);
        }
    }

    pub(crate) fn add_held(&mut self, worker: &WorkerId, unit: UnitId, at: Revision) {
        self.shelf(worker, at).held.insert(unit);
    }

    pub(crate) fn remove_held(&mut self, worker: &WorkerId, unit: &UnitId, at: Revision) {
        self.shelf(worker, at).held.remove(unit);
    }

    pub(crate) fn add_leaving(&mut self, worker: &WorkerId, unit: UnitId, at: Revision) {
        self.shelf(worker, at).leaving.insert(unit);
    }

    pub(crate) fn remove_leaving(&mut self, worker: &WorkerId, unit: &UnitId, at: Revision) {
        self.shelf(worker, at).leaving.remove(unit);
    }

    /// Gives what the worker held and what it was leaving.
    pub(crate) fn remove_worker(&mut self, worker: &WorkerId) -> (BTreeSet<UnitId>, BTreeSet<UnitId>) {
        let shelf = self.workers.remove(worker).unwrap_or_default();
        (shelf.held, shelf.leaving)
    }

    fn shelf(&mut self, worker: &WorkerId, at: Revision) -> &mut Shelf {
        if !self.workers.contains_key(worker) {
            self.workers.insert(worker.clone(), Shelf::default());
        }
        let shelf = self.workers.get_mut(worker).expect("inserted above");
        shelf.changed = at;
        shelf
    }
}
