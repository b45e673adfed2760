//! A new group that begins with a state that was saved, instead of with none.

use std::collections::BTreeMap;

use openraft::Membership;
use towpath_state::ClusterState;

use super::{Disk, DiskError, Head, StoredSnapshot};
use crate::types::{LogId, Member, SnapshotMeta, StoredMembership, Vote};

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
        let first = LogId::default();
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
        self.write_snapshot(&snapshot)?;
        Ok(true)
    }
}
