//! What must stay true of the offset file and of the store on top of it.

use std::path::{Path, PathBuf};

use tempfile::TempDir;
use towpath_raft::{ClusterStore as _, Reads as _, StoreError};
use towpath_state::{
    Assignment, Command, Detail, Expect, OffsetChange, OffsetCommit, Outcome, Registration, Replaces,
    Reporter,
};
use towpath_types::{ConnectorKind, Epoch, TargetState, UnitId};

use super::*;

const RECORDED: &[u8] = include_bytes!("../../tests/golden/standalone-4.3.1.offsets");

struct Standalone {
    store: OffsetFileStore,
    file: PathBuf,
    folder: TempDir,
}

impl Standalone {
    fn new() -> Self {
        Self::with(b"")
    }

    fn with(content: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("state/offsets");
        std::fs::create_dir(folder.path().join("state")).unwrap();
        std::fs::write(&file, content).unwrap();
        let store = open(&file).unwrap();
        Self { store, file, folder }
    }

    async fn must(&self, command: Command) -> Detail {
        self.store.propose(command).await.unwrap().unwrap().detail
    }

    /// A connector whose offsets may be altered.
    async fn stopped(&self, name: &str) {
        self.must(put(name, TargetState::Stopped)).await;
    }

    async fn alter(
        &self,
        connector: &str,
        partition: &str,
        offset: Option<&str>,
    ) -> Result<Outcome, StoreError> {
        let command = Command::AlterOffsets {
            connector: name(connector),
            changes: vec![change(partition, offset)],
            in_kafka: Vec::new(),
        };
        self.store.propose(command).await
    }

    fn content(&self) -> Vec<u8> {
        std::fs::read(&self.file).unwrap()
    }

    /// What a process that starts now begins with.
    fn after_a_restart(&self) -> Vec<(String, String)> {
        let offsets = OffsetFile::open(&self.file).unwrap().offsets().unwrap();
        let offsets = offsets.into_iter();
        offsets
            .map(|(connector, partition, offset)| {
                (
                    format!("{connector} {}", partition.as_str()),
                    String::from(offset),
                )
            })
            .collect()
    }
}

fn open(file: &Path) -> Result<OffsetFileStore, OffsetFileError> {
    OffsetFileStore::new(OffsetFile::open(file)?)
}

fn name(text: &str) -> ConnectorName {
    ConnectorName::new(text).unwrap()
}

fn put(connector: &str, initial_state: TargetState) -> Command {
    Command::PutConnector {
        name: name(connector),
        config: std::sync::Arc::default(),
        kind: ConnectorKind::Source,
        expect: Expect::MustNotExist,
        initial_state,
    }
}

fn change(partition: &str, offset: Option<&str>) -> OffsetChange {
    OffsetChange {
        partition: SourcePartition::parse(partition).unwrap(),
        offset: offset.map(|offset| SourceOffset::parse(offset).unwrap()),
    }
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn java_file(entries: &[(&str, Option<&str>)]) -> Vec<u8> {
    let entries = entries.iter();
    java_map::write(entries.map(|(key, value)| (key.as_bytes(), value.map(str::as_bytes))))
}

/// A worker that runs task 0 of the connector: who it is, and the epoch of the run.
async fn running_task(standalone: &Standalone, connector: &str) -> (Reporter, Epoch) {
    let from = Reporter {
        worker: "w1".into(),
        session: "s1".into(),
    };
    standalone
        .must(Command::RegisterWorker(Registration {
            worker: from.worker.clone(),
            session: from.session.clone(),
            resumes: None,
            process: None,
            replaces: Replaces::default(),
            address: "w1:8083".to_owned(),
            version: "1.0".to_owned(),
            labels: [].into(),
            plugins: Vec::new(),
            held: Vec::new(),
        }))
        .await;
    standalone.must(put(connector, TargetState::Running)).await;
    let assign = |unit| Command::AssignUnits {
        assignments: vec![Assignment {
            unit,
            worker: from.worker.clone(),
        }],
    };
    let epoch_of = |unit: &UnitId| {
        standalone
            .store
            .read_local(|state| state.unit(unit).unwrap().epoch)
    };
    let instance = UnitId::Connector(name(connector));
    standalone.must(assign(instance.clone())).await;
    standalone
        .must(Command::PutTaskConfigs {
            from: from.clone(),
            connector: name(connector),
            epoch: epoch_of(&instance),
            configs: vec![std::sync::Arc::default()],
        })
        .await;
    let task = UnitId::task(&name(connector), 0);
    standalone.must(assign(task.clone())).await;
    let epoch = epoch_of(&task);
    (from, epoch)
}

#[tokio::test]
async fn a_commit_is_in_the_file_when_it_is_answered_and_that_of_another_run_is_not() {
    let standalone = Standalone::new();
    let (from, epoch) = running_task(&standalone, "files").await;
    let commit = |epoch, position: u32| Command::CommitOffsets {
        from: from.clone(),
        commits: vec![OffsetCommit {
            unit: UnitId::task(&name("files"), 0),
            epoch,
            offsets: vec![change(
                r#"{"filename":"in.txt"}"#,
                Some(&format!(r#"{{"position":{position}}}"#)),
            )],
            in_kafka: Vec::new(),
        }],
    };
    let kept = [pair(r#"files {"filename":"in.txt"}"#, r#"{"position":10}"#)];
    assert_eq!(standalone.must(commit(epoch, 10)).await, Detail::Done);
    assert_eq!(standalone.after_a_restart(), kept);
    let other_run = standalone.must(commit(Epoch(epoch.get() + 1), 99)).await;
    assert!(matches!(other_run, Detail::PartlyStale(_)), "{other_run:?}");
    assert_eq!(standalone.after_a_restart(), kept);
}

#[tokio::test]
async fn a_file_of_the_java_runtime_is_gone_on_from_and_keeps_its_bytes() {
    let standalone = Standalone::with(RECORDED);
    let offsets = standalone.store.read_local(|state| {
        let offsets = state.offsets("local-file-source");
        offsets
            .map(|(partition, offset)| pair(partition.as_str(), offset.as_str()))
            .collect::<Vec<_>>()
    });
    assert_eq!(offsets, [pair(r#"{"filename":"in.txt"}"#, r#"{"position":14}"#)]);
    standalone.stopped("local-file-source").await;
    let same_partition = r#"{ "filename" : "in.txt" }"#;
    let altered = standalone
        .alter("local-file-source", same_partition, Some(r#"{"position":20}"#))
        .await;
    altered.unwrap().unwrap();
    let mut expected = RECORDED.to_vec();
    let at = expected.len() - 1 - r#"14}"#.len();
    assert_eq!(&expected[at..], b"14}x");
    expected[at..at + 2].copy_from_slice(b"20");
    assert_eq!(standalone.content(), expected);
}

#[tokio::test]
async fn a_reset_leaves_the_keys_without_values_as_java_does() {
    let standalone = Standalone::with(RECORDED);
    standalone.stopped("json-src").await;
    let reset = Command::ResetOffsets {
        connector: name("json-src"),
        in_kafka: Vec::new(),
    };
    standalone.must(reset).await;
    assert_eq!(
        standalone.content(),
        java_file(&[
            (r#"["json-src",{"filename":"in2.txt"}]"#, None),
            (
                r#"["local-file-source",{"filename":"in.txt"}]"#,
                Some(r#"{"position":14}"#)
            ),
        ])
    );
    assert!(open(&standalone.file).is_ok());
}

#[tokio::test]
async fn keys_that_mean_the_same_get_the_same_value_and_strange_ones_stay() {
    let standalone = Standalone::with(&java_file(&[
        (r#"["c",{"a":1,"b":2}]"#, Some(r#"{"p":1}"#)),
        (r#"["c",{"b":2,"a":1}]"#, Some(r#"{"p":2}"#)),
        ("strange", Some("too")),
        (r#"["c",null]"#, Some(r#"{"p":3}"#)),
    ]));
    standalone.stopped("c").await;
    standalone
        .alter("c", r#"{"a":1,"b":2}"#, Some(r#"{"p":4}"#))
        .await
        .unwrap()
        .unwrap();
    standalone
        .alter("c", r#"{ "new": "ü" }"#, Some(r#"{"p":5}"#))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        standalone.content(),
        java_file(&[
            (r#"["c",{"a":1,"b":2}]"#, Some(r#"{"p":4}"#)),
            (r#"["c",{"b":2,"a":1}]"#, Some(r#"{"p":4}"#)),
            ("strange", Some("too")),
            (r#"["c",null]"#, Some(r#"{"p":3}"#)),
            (r#"["c",{"new":"ü"}]"#, Some(r#"{"p":5}"#)),
        ])
    );
}

#[tokio::test]
async fn without_its_folder_nothing_is_acknowledged_until_it_is_back() {
    let standalone = Standalone::new();
    standalone.stopped("one").await;
    standalone.stopped("other").await;
    let moved = standalone.folder.path().join("moved");
    std::fs::rename(standalone.file.parent().unwrap(), &moved).unwrap();

    let one = || standalone.alter("one", r#"{"f":1}"#, Some(r#"{"p":1}"#));
    for attempt in ["first", "second, which changes nothing in the state"] {
        let error = one().await.unwrap_err();
        assert!(matches!(error, StoreError::NotDurable { .. }), "{attempt}");
        let told = format!(
            "the offset file {} cannot be written: ",
            standalone.file.display()
        );
        assert!(error.to_string().contains(&told), "{attempt}: {error}");
    }
    let unconcerned = standalone.store.propose(put("third", TargetState::Running));
    unconcerned.await.unwrap().unwrap();

    std::fs::rename(&moved, standalone.file.parent().unwrap()).unwrap();
    assert!(standalone.after_a_restart().is_empty(), "nothing was written");
    one().await.unwrap().unwrap();
    assert_eq!(
        standalone.after_a_restart(),
        [pair(r#"one {"f":1}"#, r#"{"p":1}"#)]
    );
}

#[tokio::test]
async fn what_could_not_be_written_is_written_with_the_next_change_of_any_connector() {
    let standalone = Standalone::new();
    standalone.stopped("one").await;
    standalone.stopped("other").await;
    let in_the_way = standalone.file.with_extension("new");
    std::fs::create_dir(&in_the_way).unwrap();
    let failed = standalone.alter("one", r#"{"f":1}"#, Some(r#"{"p":1}"#)).await;
    assert!(matches!(failed, Err(StoreError::NotDurable { .. })), "{failed:?}");
    assert_eq!(standalone.content(), b"", "the file is what it was");

    std::fs::remove_dir(&in_the_way).unwrap();
    let other = standalone.alter("other", r#"{"f":2}"#, Some(r#"{"p":2}"#)).await;
    other.unwrap().unwrap();
    assert_eq!(
        standalone.after_a_restart(),
        [
            pair(r#"one {"f":1}"#, r#"{"p":1}"#),
            pair(r#"other {"f":2}"#, r#"{"p":2}"#)
        ]
    );
}

#[tokio::test]
async fn what_could_not_be_written_is_written_at_the_shutdown() {
    let standalone = Standalone::new();
    standalone.stopped("one").await;
    let in_the_way = standalone.file.with_extension("new");
    std::fs::create_dir(&in_the_way).unwrap();
    let failed = standalone.alter("one", r#"{"f":1}"#, Some(r#"{"p":1}"#)).await;
    assert!(matches!(failed, Err(StoreError::NotDurable { .. })), "{failed:?}");
    std::fs::remove_dir(&in_the_way).unwrap();
    standalone.store.shutdown().await;
    assert_eq!(
        standalone.after_a_restart(),
        [pair(r#"one {"f":1}"#, r#"{"p":1}"#)]
    );
    let late = standalone.alter("one", r#"{"f":1}"#, None).await;
    assert!(matches!(late, Err(StoreError::Stopped { .. })), "{late:?}");
}

#[test]
fn a_missing_file_holds_no_offsets() {
    let folder = tempfile::tempdir().unwrap();
    let file = OffsetFile::open(&folder.path().join("offsets")).unwrap();
    assert!(file.offsets().unwrap().is_empty());
}

#[test]
fn a_damaged_file_is_named_and_not_taken_for_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("offsets");
    std::fs::write(&file, "damaged").unwrap();
    let error = open(&file).unwrap_err().to_string();
    let expected = format!("the offset file {} is damaged; restore it, or", file.display());
    assert!(error.starts_with(&expected), "{error}");
}

#[test]
fn an_offset_that_cannot_be_read_is_not_taken_for_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("offsets");
    std::fs::write(&file, java_file(&[(r#"["c",{"f":1}]"#, Some("7"))])).unwrap();
    let error = open(&file).unwrap_err().to_string();
    let expected = format!(
        "the offset file {} holds an offset of connector \"c\" that cannot be read",
        file.display()
    );
    assert!(error.starts_with(&expected), "{error}");
}
