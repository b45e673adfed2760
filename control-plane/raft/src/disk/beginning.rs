//! A new group that begins with a state that was saved, instead of with none.

use std::collections::BTreeMap;

use openraft::{CommittedLeaderId, Membership};
use towpath_state::ClusterState;

use super::{Disk, DiskError, Head, StoredSnapshot};
use crate::register::Known;
use crate::types::{LogId, Member, SnapshotMeta, StoredMembership, Vote};

/// No node has this number.
const NOBODY: u64 = u64::MAX;

impl Disk {
    /// As if the state had come of the first entry of the log, which names the members of a group: the entry is there only
    /// in this snapshot. False, and nothing is written, if this is the disk of a node already.
    pub(crate) fn begin_with(
        &self,
        members: BTreeMap<u64, Member>,
        state: &ClusterState,
    ) -> Result<bool, DiskError> {
        let is_used = self.get::<Vote>(Head::Vote)?.is_some()
            || self.last_entry()?.is_some()
            || self.snapshot_index()?.is_some()
            || self.get::<LogId>(Head::Purged)?.is_some();
        if is_used {
            return Ok(false);
        }
        // Term 0 is over before anybody is elected. Not the id that openraft gives the first entry of an empty group: who
        // has that one must not be taken for one that has this state.
        let first = LogId::new(CommittedLeaderId::new(0, NOBODY), 0);
        let voters = members.keys().copied().collect();
        let membership = Membership::new(vec![voters], members);
        let snapshot = StoredSnapshot {
            meta: SnapshotMeta {
                last_log_id: Some(first),
                last_membership: StoredMembership::new(Some(first), membership),
                snapshot_id: first.to_string(),
            },
            bytes: state.encode(),
        };
        let known = Known {
            group: Some(self.identity()?),
            disks: BTreeMap::new(),
            ..Known::default()
        };
        // Durable with the snapshot. Without it, it is written again.
        self.put(Head::Known, &known)?;
        self.write_snapshot(&snapshot)?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_for_the_state_is_not_what_an_empty_group_begins_with() {
        let dir = tempfile::TempDir::new().unwrap();
        let disk = Disk::open(dir.path()).unwrap();
        let members = BTreeMap::from([(1, Member::default())]);
        assert!(disk.begin_with(members, &ClusterState::new()).unwrap());
        let begun = disk.read_snapshot().unwrap().unwrap().meta.last_log_id.unwrap();
        assert_ne!(begun, LogId::default());
        assert_eq!(begun.leader_id.term, 0, "no leader has written it");
        let known: Known = disk.get(Head::Known).unwrap().unwrap();
        assert_eq!(known.group, Some(disk.identity().unwrap()));
    }
}
