//! Source offsets and active topics.

use towpath_types::{ConnectorName, TargetState, UnitId};

use super::{Changed, Effect, Handled};
use crate::{
    ClusterState, Detail, OffsetChange, OffsetCommit, Refusal, Reporter, SourceOffsets, Stale, TaskTopics,
};

impl ClusterState {
    pub(super) fn commit_offsets(&mut self, from: &Reporter, commits: &[OffsetCommit]) -> Handled {
        self.reporting_worker(from)?;
        let mut changed = Changed::Nothing;
        let mut stale = Vec::new();
        for commit in commits {
            if let Err(refused) = self.check_run(from, &commit.unit, commit.epoch) {
                stale.push(refused);
            } else if self.store_offsets(commit.unit.connector_name(), &commit.offsets) {
                changed = Changed::Facts;
            }
        }
        Ok(Effect {
            changed,
            detail: detail_of(stale),
        })
    }

    pub(super) fn alter_offsets(&mut self, name: &ConnectorName, changes: &[OffsetChange]) -> Handled {
        self.check_offsets_can_change(name)?;
        Ok(if self.store_offsets(name, changes) {
            Effect::FACTS
        } else {
            Effect::NOTHING
        })
    }

    pub(super) fn reset_offsets(&mut self, name: &ConnectorName) -> Handled {
        self.check_offsets_can_change(name)?;
        Ok(if self.tables.offsets.remove(name).is_some() {
            Effect::FACTS
        } else {
            Effect::NOTHING
        })
    }

    /// A task that is still stopping could commit over what the user asks for.
    fn check_offsets_can_change(&mut self, name: &ConnectorName) -> Result<(), Refusal> {
        let connector = self.connector_mut(name)?;
        if connector.target != TargetState::Stopped || !connector.tasks.is_empty() {
            return Err(Refusal::NotStopped {
                connector: name.clone(),
            });
        }
        let units = self
            .tables
            .leaving
            .range(UnitId::Connector(name.clone())..)
            .map(|(unit, _)| unit);
        let mut of_connector = units.take_while(|unit| unit.connector_name() == name);
        match of_connector.find(|unit| unit.task_number().is_some()) {
            Some(unit) => Err(Refusal::StillStopping { unit: unit.clone() }),
            None => Ok(()),
        }
    }

    fn store_offsets(&mut self, name: &ConnectorName, changes: &[OffsetChange]) -> bool {
        let offsets = self.tables.offsets.entry(name.clone()).or_default();
        let mut changed = false;
        for change in changes {
            changed |= store_offset(offsets, change);
        }
        if offsets.is_empty() {
            self.tables.offsets.remove(name);
        }
        changed
    }

    pub(super) fn record_topics(&mut self, from: &Reporter, reports: &[TaskTopics]) -> Handled {
        self.reporting_worker(from)?;
        let mut changed = Changed::Nothing;
        let mut stale = Vec::new();
        for report in reports {
            if let Err(refused) = self.check_run(from, &report.unit, report.epoch) {
                stale.push(refused);
                continue;
            }
            let Some(connector) = self.tables.connectors.get_mut(report.unit.connector_name()) else {
                continue;
            };
            for topic in &report.topics {
                if !connector.topics.contains(topic) {
                    connector.topics.insert(topic.clone());
                    changed = Changed::Facts;
                }
            }
        }
        Ok(Effect {
            changed,
            detail: detail_of(stale),
        })
    }

    pub(super) fn reset_topics(&mut self, name: &ConnectorName) -> Effect {
        let topics = self
            .tables
            .connectors
            .get_mut(name)
            .map(|connector| std::mem::take(&mut connector.topics));
        if topics.is_some_and(|topics| !topics.is_empty()) {
            Effect::FACTS
        } else {
            Effect::NOTHING
        }
    }
}

fn store_offset(offsets: &mut SourceOffsets, change: &OffsetChange) -> bool {
    let Some(offset) = &change.offset else {
        return offsets.remove(&change.partition).is_some();
    };
    // Writing into the entry keeps the text of its key.
    match offsets.get_mut(&change.partition) {
        Some(stored) if stored == offset => false,
        Some(stored) => {
            *stored = offset.clone();
            true
        }
        None => {
            offsets.insert(change.partition.clone(), offset.clone());
            true
        }
    }
}

fn detail_of(stale: Vec<Stale>) -> Detail {
    if stale.is_empty() {
        Detail::Done
    } else {
        Detail::PartlyStale(stale)
    }
}
