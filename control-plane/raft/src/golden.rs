//! What is on the disks of version 1 must stay readable, and what nodes of version 1 say to each other must stay understood.
//! A member that is added needs a default for those who do not send it, and is skipped by those who do not know it.

use std::collections::BTreeSet;
use std::fmt::Debug;

use openraft::EntryPayload;
use openraft::error::{Infallible, InstallSnapshotError, RaftError};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
    VoteRequest, VoteResponse,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::election::{Canvass, Support};
use crate::handover::HandOver;
use crate::register::Known;
use crate::types::{Entry, SnapshotMeta, TypeConfig, Vote};

const ENTRIES: &str = include_str!("../tests/golden/entries-v1.jsonl");
const VOTE: &str = include_str!("../tests/golden/vote-v1.json");
const SNAPSHOT_META: &str = include_str!("../tests/golden/snapshot-meta-v1.json");
/// Without and with a revision.
const KNOWN: &str = include_str!("../tests/golden/known-v1.jsonl");
/// The name of a message or of its answer, and its body.
const PEERS: &str = include_str!("../tests/golden/peers-v1.txt");

/// What was read, after it was written as ever, and read again as a later version may write it.
fn checked<T: Serialize + DeserializeOwned + Debug>(text: &str) -> T {
    let read: T = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    let mut later: Value = serde_json::from_str(text).unwrap();
    add_members(&mut later);
    let skipping: T =
        serde_json::from_value(later.clone()).unwrap_or_else(|error| panic!("{error}: {later}"));
    assert_eq!(serde_json::to_string(&skipping).unwrap(), text);
    read
}

/// Where members have fixed names: one of a kind is never the only one, and none is a number.
fn add_members(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.values_mut().for_each(add_members);
            let is_map = members.keys().any(|key| key.parse::<u64>().is_ok());
            if members.len() > 1 && !is_map {
                members.insert("of_a_later_version".to_owned(), json!({ "anything": [1] }));
            }
        }
        Value::Array(values) => values.iter_mut().for_each(add_members),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn entries_votes_and_descriptions_of_snapshots_are_written_as_ever() {
    let kind = |line| match checked::<Entry>(line).payload {
        EntryPayload::Blank => "blank",
        EntryPayload::Normal(_) => "normal",
        EntryPayload::Membership(_) => "membership",
    };
    let kinds: Vec<&str> = ENTRIES.lines().map(kind).collect();
    assert_eq!(kinds, ["membership", "blank", "normal"]);
    checked::<Vote>(VOTE.trim_end());
    checked::<SnapshotMeta>(SNAPSHOT_META.trim_end());
    KNOWN.lines().for_each(|line| drop(checked::<Known>(line)));
}

#[test]
fn what_nodes_say_to_each_other_is_said_as_ever() {
    let mut names = BTreeSet::new();
    for line in PEERS.lines() {
        let (name, body) = line.split_once(' ').expect(line);
        names.insert(name);
        match name {
            "append_entries" => drop(checked::<AppendEntriesRequest<TypeConfig>>(body)),
            "append_entries_answer" => {
                drop(checked::<Result<AppendEntriesResponse<u64>, RaftError<u64>>>(
                    body,
                ));
            }
            "vote" => drop(checked::<VoteRequest<u64>>(body)),
            "vote_answer" => drop(checked::<Result<VoteResponse<u64>, RaftError<u64>>>(body)),
            "install_snapshot" => drop(checked::<InstallSnapshotRequest<TypeConfig>>(body)),
            "install_snapshot_answer" => drop(checked::<
                Result<InstallSnapshotResponse<u64>, RaftError<u64, InstallSnapshotError>>,
            >(body)),
            "canvass" => drop(checked::<Canvass>(body)),
            "canvass_answer" => drop(checked::<Result<Support, Infallible>>(body)),
            "hand_over" => drop(checked::<HandOver>(body)),
            "hand_over_answer" => drop(checked::<Result<(), Infallible>>(body)),
            other => panic!("{other} is no message"),
        }
    }
    assert_eq!(names.len(), 10, "every message and every answer: {names:?}");
}
