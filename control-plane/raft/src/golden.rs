//! What is on the disks of version 1 must stay readable.

use openraft::EntryPayload;

use crate::types::{Entry, SnapshotMeta, Vote};

const ENTRIES: &str = include_str!("../tests/golden/entries-v1.jsonl");
const VOTE: &str = include_str!("../tests/golden/vote-v1.json");
const SNAPSHOT_META: &str = include_str!("../tests/golden/snapshot-meta-v1.json");

#[test]
fn entries_votes_and_descriptions_of_snapshots_are_written_as_ever() {
    let mut kinds = Vec::new();
    for line in ENTRIES.lines() {
        let entry: Entry = serde_json::from_str(line).unwrap();
        kinds.push(match &entry.payload {
            EntryPayload::Blank => "blank",
            EntryPayload::Normal(_) => "normal",
            EntryPayload::Membership(_) => "membership",
        });
        assert_eq!(serde_json::to_string(&entry).unwrap(), line);
    }
    assert_eq!(kinds, ["membership", "blank", "normal"]);
    let vote: Vote = serde_json::from_str(VOTE).unwrap();
    assert_eq!(serde_json::to_string(&vote).unwrap(), VOTE.trim_end());
    let meta: SnapshotMeta = serde_json::from_str(SNAPSHOT_META).unwrap();
    assert_eq!(serde_json::to_string(&meta).unwrap(), SNAPSHOT_META.trim_end());
}
