//! Source offsets and active topics.

use towpath_types::{ConnectorName, Epoch};

use super::{Changed, Effect, Handled};
use crate::{
    ClusterState, Detail, KafkaOffsets, OffsetChange, OffsetCommit, Reporter, SourceOffsets, Stale,
    TaskTopics,
};

impl ClusterState {
    pub(super) fn commit_offsets(&mut self, from: &Reporter, commits: &[OffsetCommit]) -> Handled {
        self.reporting_worker(from)?;
        let mut changed = Changed::Nothing;
        let mut stale = Vec::new();
        for commit in commits {
            if let Err(refused) = self.check_run(from, &commit.unit, commit.epoch) {
                stale.push(refused);
            } else if self.store_commit(commit) {
                changed = Changed::Facts;
            }
        }
        Ok(Effect {
            changed,
            detail: detail_of(stale),
        })
    }

    pub(super) fn alter_offsets(
        &mut self,
        name: &ConnectorName,
        changes: &[OffsetChange],
        in_kafka: &[String],
    ) -> Handled {
        self.check_offsets_can_change(name)?;
        // Whatever ran before has an earlier epoch, whatever runs next a later one.
        let (_, epoch) = self.next();
        let noted = self.note_where(name, epoch, changes, in_kafka);
        Ok(if self.store_offsets(name, changes) | noted {
            Effect::FACTS
        } else {
            Effect::NOTHING
        })
    }

    pub(super) fn reset_offsets(&mut self, name: &ConnectorName, in_kafka: &[String]) -> Handled {
        self.check_offsets_can_change(name)?;
        let kept = self.tables.offsets.remove(name).unwrap_or_default();
        let noted = if in_kafka.is_empty() {
            let (_, epoch) = self.next();
            let marks = self.tables.in_kafka.get_mut(name);
            marks.is_some_and(|marks| marks.changed_here(kept.keys(), epoch))
        } else {
            let marks = self.tables.in_kafka.entry(name.clone()).or_default();
            marks.are_in(in_kafka) | !std::mem::take(&mut marks.newer_here).is_empty()
        };
        Ok(if noted || !kept.is_empty() {
            Effect::FACTS
        } else {
            Effect::NOTHING
        })
    }

    fn store_commit(&mut self, commit: &OffsetCommit) -> bool {
        let name = commit.unit.connector_name();
        let mut changed = self.note_where(name, commit.epoch, &commit.offsets, &commit.in_kafka);
        if !commit.in_kafka.is_empty()
            && let (Some(marks), Some(number)) =
                (self.tables.in_kafka.get_mut(name), commit.unit.task_number())
        {
            changed |= marks.has_task(number);
        }
        self.store_offsets(name, &commit.offsets) | changed
    }

    /// Remembers whether Kafka has these offsets too. Before they are stored: what was here before the first ones that are
    /// in Kafka is nowhere else.
    fn note_where(
        &mut self,
        name: &ConnectorName,
        epoch: Epoch,
        changes: &[OffsetChange],
        in_kafka: &[String],
    ) -> bool {
        let partitions = changes.iter().map(|change| &change.partition);
        if in_kafka.is_empty() {
            let marks = self.tables.in_kafka.get_mut(name);
            return marks.is_some_and(|marks| marks.changed_here(partitions, epoch));
        }
        let kept = self.tables.offsets.get(name);
        let marks = self
            .tables
            .in_kafka
            .entry(name.clone())
            .or_insert_with(|| KafkaOffsets::begin(kept.into_iter().flat_map(|kept| kept.keys())));
        marks.are_in(in_kafka) | marks.changed_there(partitions)
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
