//! What was acknowledged is there: committed offsets never go back, and a task that begins is given them. Except one whose
//! worker has lost its lease and does not know it yet, or prefers duplicates to a pause: the answer that it begins with
//! may be old, but nothing that it commits counts.

use std::collections::BTreeMap;

use towpath_state::{ClusterState, SourcePartition};
use towpath_types::UnitId;

use super::Check;
use crate::worker::{offset_of, partition_of};

#[derive(Debug, Default)]
pub(crate) struct Acknowledged {
    offsets: BTreeMap<UnitId, u64>,
}

impl Acknowledged {
    pub(crate) fn committed(&mut self, unit: &UnitId, offset: u64, state: &ClusterState) -> Check {
        let known = self.offsets.entry(unit.clone()).or_default();
        *known = offset.max(*known);
        self.are_there(state)
    }

    pub(crate) fn began(&self, unit: &UnitId, offset: u64) -> Check {
        match self.offsets.get(unit) {
            Some(known) if offset < *known => Err(format!(
                "{unit} goes on at {offset} although {known} was acknowledged"
            )),
            Some(_) | None => Ok(()),
        }
    }

    pub(crate) fn are_there(&self, state: &ClusterState) -> Check {
        for (unit, known) in &self.offsets {
            let partition = SourcePartition::parse(partition_of(unit)).expect("it is JSON");
            let stored = state
                .source_offsets(unit.connector_name().as_str())
                .and_then(|offsets| offset_of(offsets.get(&partition)?.as_str()));
            if stored.is_none_or(|stored| stored < *known) {
                return Err(format!(
                    "{known} was acknowledged to {unit}, but {stored:?} is stored"
                ));
            }
        }
        Ok(())
    }
}
