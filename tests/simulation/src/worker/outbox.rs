//! What the worker has to tell: the newest word of each unit, as state. A new session begins with all that still holds.

use std::collections::{BTreeMap, BTreeSet};

use towpath_types::{Epoch, UnitId};
use towpath_wire::v1;

#[derive(Debug, Default)]
pub(super) struct Outbox {
    units: BTreeMap<UnitId, v1::UnitReport>,
    news: BTreeSet<UnitId>,
    ended: BTreeMap<UnitId, Epoch>,
    configs: BTreeMap<UnitId, v1::TaskConfigs>,
    config_news: BTreeSet<UnitId>,
    /// Offsets of runs, to be committed together.
    pub(super) commits: BTreeMap<UnitId, (Epoch, u64)>,
    /// Tasks that want to know where to go on.
    pub(super) reads: BTreeSet<UnitId>,
}

impl Outbox {
    pub(super) fn begin_session(&mut self) {
        self.news = self.units.keys().cloned().collect();
        self.config_news = self.configs.keys().cloned().collect();
    }

    pub(super) fn report(&mut self, unit: &UnitId, epoch: Epoch, state: v1::UnitState) {
        let report = v1::UnitReport {
            unit: Some(unit.into()),
            epoch: epoch.get(),
            state: state.into(),
            trace: (state == v1::UnitState::Failed).then(|| "it failed".to_owned()),
            version: None,
            ended: false,
        };
        if self.units.get(unit) != Some(&report) {
            self.units.insert(unit.clone(), report);
            self.news.insert(unit.clone());
        }
    }

    pub(super) fn publish(&mut self, unit: &UnitId, configs: v1::TaskConfigs) {
        self.configs.insert(unit.clone(), configs);
        self.config_news.insert(unit.clone());
    }

    /// What an earlier run said is over.
    pub(super) fn forget(&mut self, unit: &UnitId) {
        self.units.remove(unit);
        self.configs.remove(unit);
        self.reads.remove(unit);
        // Nobody waits for the answer.
        self.commits.remove(unit);
    }

    /// Confirms that a unit does not run here.
    pub(super) fn ended(&mut self, unit: &UnitId, epoch: Epoch) {
        self.ended.insert(unit.clone(), epoch);
    }

    pub(super) fn begins(&mut self, unit: &UnitId) {
        self.forget(unit);
        self.ended.remove(unit);
    }

    pub(super) fn take_reports(&mut self) -> Vec<v1::UnitReport> {
        let ended = std::mem::take(&mut self.ended);
        let ended = ended.into_iter().map(|(unit, epoch)| v1::UnitReport {
            unit: Some((&unit).into()),
            epoch: epoch.get(),
            state: v1::UnitState::Unassigned.into(),
            trace: None,
            version: None,
            ended: true,
        });
        let news = std::mem::take(&mut self.news);
        let news = news.iter().filter_map(|unit| self.units.get(unit).cloned());
        ended.chain(news).collect()
    }

    pub(super) fn take_configs(&mut self) -> Vec<v1::TaskConfigs> {
        let news = std::mem::take(&mut self.config_news);
        news.iter()
            .filter_map(|unit| self.configs.get(unit).cloned())
            .collect()
    }
}
