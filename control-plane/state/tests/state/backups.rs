//! A state that is saved, and the group that begins with it.

use towpath_state::{
    BackupError, ClusterState, Command, OffsetChange, OffsetCommit, Refusal, RestartFilter, RestartScope,
    SourceOffset, SourcePartition,
};
use towpath_types::{UnitState, WorkerId};

use crate::cluster::{Cluster, instance, name, report, task};

const GOLDEN: &[u8] = include_bytes!("../golden/backup-v1.towpath");
const SNAPSHOT: &str = include_str!("../golden/snapshot-v1.json");

fn with(find: &str, replacement: &str) -> Vec<u8> {
    let text = std::str::from_utf8(GOLDEN).unwrap();
    assert!(text.contains(find), "{find}");
    text.replacen(find, replacement, 1).into_bytes()
}

#[test]
fn a_backup_of_version_1_is_read_and_written_as_ever() {
    let state = ClusterState::from_backup(GOLDEN).unwrap();
    assert!(state == ClusterState::decode(SNAPSHOT.as_bytes()).unwrap());
    assert!(state.to_backup() == GOLDEN);
}

#[test]
fn a_file_that_is_no_whole_backup_is_refused_with_what_is_wrong_and_what_to_do() {
    let refusal = |file: &[u8]| ClusterState::from_backup(file).unwrap_err().to_string();
    for (file, expected) in [
        (&b""[..], "it is not a backup"),
        (b"{}\n", "it is not a backup"),
        (b"not json\nat all", "it is not a backup"),
        (SNAPSHOT.as_bytes(), "it is not a backup"),
        (&GOLDEN[..40], "it is not a backup"),
        (&GOLDEN[..GOLDEN.len() - 1], "it is cut off: "),
        (
            &GOLDEN[..GOLDEN.len() / 2],
            "copy it again, or take another backup",
        ),
        (&[GOLDEN, b"x"].concat(), "it is damaged: more follows"),
        (&with("FileSource", "FileSourcE"), "it is damaged: its checksum"),
        (
            &with(r#"{"towpath_backup":1,"#, r#"{"towpath_backup":2,"else":0,"#),
            "written by a newer version (format 2, this build reads up to 1): restore it with that version",
        ),
    ] {
        let refusal = refusal(file);
        assert!(refusal.contains(expected), "{refusal}");
    }
}

#[test]
fn a_backup_that_was_cut_off_anywhere_is_refused() {
    for length in 0..GOLDEN.len() {
        assert!(ClusterState::from_backup(&GOLDEN[..length]).is_err(), "{length}");
    }
}

#[test]
fn a_state_of_a_newer_version_in_a_backup_is_refused() {
    let state = SNAPSHOT
        .trim_end()
        .replacen(r#"{"version":1"#, r#"{"version":2"#, 1);
    let file = with_content(&state);
    let error = ClusterState::from_backup(&file).unwrap_err();
    assert!(matches!(error, BackupError::State(_)), "{error}");
}

/// A backup that is whole, whatever is in it.
fn with_content(content: &str) -> Vec<u8> {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(content.as_bytes());
    let header = serde_json::json!({
        "towpath_backup": 1,
        "revision": 1,
        "bytes": content.len(),
        "sha256": digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>(),
    });
    format!("{header}\n{content}").into_bytes()
}

/// A connector with a task and an offset, on one worker.
fn running() -> Cluster {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    let commit = OffsetCommit {
        unit: task("orders", 0),
        epoch: cluster.epoch(&task("orders", 0)),
        offsets: vec![OffsetChange {
            partition: SourcePartition::parse(r#"{"file":"a"}"#).unwrap(),
            offset: Some(SourceOffset::parse(r#"{"position":7}"#).unwrap()),
        }],
        in_kafka: Vec::new(),
    };
    let from = cluster.reporter("w1");
    cluster.must(Command::CommitOffsets {
        from,
        commits: vec![commit],
    });
    cluster
}

#[test]
fn a_new_group_keeps_what_users_made_and_nothing_of_the_old_workers() {
    let old = running();
    let saved = ClusterState::from_backup(&old.state.to_backup()).unwrap();
    assert!(saved == old.state);
    let reborn = saved.reborn();
    let config = |state: &ClusterState| state.connector("orders").unwrap().config.clone();
    assert_eq!(config(&reborn), config(&old.state));
    assert_eq!(
        reborn.source_offsets("orders"),
        old.state.source_offsets("orders")
    );
    assert!(reborn.workers().is_empty() && reborn.leaving().len() == 0);
    for unit in [instance("orders"), task("orders", 0)] {
        let unit = reborn.unit(&unit).unwrap();
        assert!(unit.holder.is_none());
        assert_eq!(unit.status.as_ref().unwrap().state, UnitState::Unassigned);
    }
    assert!(
        reborn.units_of(&WorkerId::new("w1")).is_empty(),
        "the index agrees"
    );
    assert!(ClusterState::decode(&reborn.encode()).unwrap() == reborn);

    // A worker comes, and everything runs.
    let mut new = Cluster::beginning_with(reborn, 1);
    new.settle();
    for unit in [instance("orders"), task("orders", 0)] {
        assert_eq!(new.unit_state(&unit), Some(UnitState::Running));
    }
}

#[test]
fn nothing_that_the_old_group_ever_handed_out_counts_in_the_new_one() {
    let mut old = running();
    let saved = ClusterState::from_backup(&old.state.to_backup()).unwrap();
    // The old group goes on for a while after the backup was made.
    for _ in 0..50 {
        old.must(Command::RestartUnits {
            name: name("orders"),
            scope: RestartScope::ConnectorAndTasks,
            filter: RestartFilter::All,
        });
        old.settle();
    }
    let (unit, last) = (task("orders", 0), old.epoch(&task("orders", 0)));
    let mut new = Cluster::beginning_with(saved.reborn(), 0);
    assert!(new.epoch(&unit).get() > old.state.revision().get());

    // A session of the old group is over, and what it ran has to stop before anybody else gets it.
    let running = report(unit.clone(), last, UnitState::Running);
    let command = Command::ReportUnitStates {
        from: old.reporter("w1"),
        reports: vec![running],
    };
    let refused = new.refusal(command);
    assert!(matches!(refused, Refusal::SessionOver { .. }), "{refused}");
    new.reconnect("w1", &[(unit.clone(), last)]);
    new.reconcile();
    assert_eq!(new.owner(&unit), None);
    let released = new.state.releases(&WorkerId::new("w1"));
    assert_eq!(released.len(), 1);
    assert_eq!(released[0].unit, unit);
    new.settle();
    assert_eq!(new.unit_state(&unit), Some(UnitState::Running));
}
