//! Where the newest offsets of a connector are that has kept some in Kafka.

use towpath_state::{Command, KafkaOffsets, OffsetChange, OffsetCommit, SourceOffset, SourcePartition};
use towpath_types::{Epoch, TargetState, UnitId};

use crate::cluster::{Cluster, name, task};

fn partition(text: &str) -> SourcePartition {
    SourcePartition::parse(text).unwrap()
}

fn change(text: &str, n: u32) -> OffsetChange {
    OffsetChange {
        partition: partition(text),
        offset: Some(SourceOffset::parse(format!(r#"{{"n":{n}}}"#)).unwrap()),
    }
}

/// By a run of this task: with the topics if it keeps its offsets in Kafka.
fn commit(cluster: &mut Cluster, unit: &UnitId, changes: Vec<OffsetChange>, in_kafka: &[&str]) -> Epoch {
    let epoch = cluster.epoch(unit);
    let commits = vec![OffsetCommit {
        unit: unit.clone(),
        epoch,
        offsets: changes,
        in_kafka: in_kafka.iter().map(|topic| (*topic).to_owned()).collect(),
    }];
    let from = cluster.reporter("w1");
    cluster.must(Command::CommitOffsets { from, commits });
    epoch
}

fn marks(cluster: &Cluster) -> KafkaOffsets {
    cluster.state.kafka_offsets("c").unwrap().clone()
}

fn newer_here(entries: &[(&str, Epoch)]) -> std::collections::BTreeMap<SourcePartition, Epoch> {
    entries
        .iter()
        .map(|(text, epoch)| (partition(text), *epoch))
        .collect()
}

#[test]
fn a_connector_without_offsets_in_kafka_has_nothing_remembered() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("c", 1);
    commit(&mut cluster, &task("c", 0), vec![change("{}", 1)], &[]);
    assert_eq!(cluster.state.kafka_offsets("c"), None);
}

#[test]
fn what_was_there_before_the_first_exactly_once_run_is_nowhere_else() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("c", 2);
    commit(
        &mut cluster,
        &task("c", 0),
        vec![change(r#"{"p":1}"#, 1), change(r#"{"p":2}"#, 1)],
        &[],
    );
    let revision = cluster.state.revision();
    commit(&mut cluster, &task("c", 1), Vec::new(), &["own", "offsets"]);
    assert!(
        cluster.state.revision() > revision,
        "it is a change that is written"
    );
    assert_eq!(
        marks(&cluster),
        KafkaOffsets {
            topics: vec!["own".to_owned(), "offsets".to_owned()],
            tasks: 2,
            newer_here: newer_here(&[(r#"{"p":1}"#, Epoch(0)), (r#"{"p":2}"#, Epoch(0))]),
        }
    );
    // A copy says that Kafka has the newer one.
    commit(
        &mut cluster,
        &task("c", 0),
        vec![change(r#"{"p":2}"#, 5)],
        &["offsets"],
    );
    assert_eq!(
        marks(&cluster).newer_here,
        newer_here(&[(r#"{"p":1}"#, Epoch(0))])
    );
    assert_eq!(marks(&cluster).topics, ["offsets"]);
    let revision = cluster.state.revision();
    commit(&mut cluster, &task("c", 0), Vec::new(), &["offsets"]);
    assert_eq!(cluster.state.revision(), revision, "the same again is no change");
}

#[test]
fn an_at_least_once_run_that_comes_later_is_newer_with_its_epoch() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("c", 1);
    commit(&mut cluster, &task("c", 0), vec![change("{}", 1)], &["offsets"]);
    assert!(marks(&cluster).newer_here.is_empty());
    let epoch = commit(&mut cluster, &task("c", 0), vec![change("{}", 2)], &[]);
    assert_eq!(marks(&cluster).newer_here, newer_here(&[("{}", epoch)]));
}

#[test]
fn a_change_by_the_user_is_newer_here_unless_kafka_has_it_too() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("c", 1);
    commit(&mut cluster, &task("c", 0), vec![change("{}", 1)], &["offsets"]);
    cluster.target("c", TargetState::Stopped);
    cluster.settle();
    let alter = |in_kafka: &[&str]| Command::AlterOffsets {
        connector: name("c"),
        changes: vec![change("{}", 7)],
        in_kafka: in_kafka.iter().map(|topic| (*topic).to_owned()).collect(),
    };
    let reset = |in_kafka: &[&str]| Command::ResetOffsets {
        connector: name("c"),
        in_kafka: in_kafka.iter().map(|topic| (*topic).to_owned()).collect(),
    };
    let before = cluster.state.revision();
    cluster.must(alter(&[]));
    let newer = marks(&cluster).newer_here[&partition("{}")];
    assert!(newer.get() > before.get());
    cluster.must(alter(&["offsets"]));
    assert!(marks(&cluster).newer_here.is_empty());
    cluster.must(reset(&[]));
    assert!(
        marks(&cluster).newer_here.contains_key(&partition("{}")),
        "the removal is newer"
    );
    cluster.must(reset(&["offsets"]));
    assert!(marks(&cluster).newer_here.is_empty());
    assert_eq!(marks(&cluster).topics, ["offsets"]);
}

#[test]
fn tasks_of_a_connector_that_was_deleted_are_fenced_when_it_is_made_anew() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("c", 3);
    commit(&mut cluster, &task("c", 2), Vec::new(), &["offsets"]);
    cluster.must(Command::DeleteConnector { name: name("c") });
    cluster.settle();
    assert_eq!(cluster.state.task_numbers_in_use("c"), 3);
    cluster.running("c", 1);
    assert_eq!(cluster.state.task_numbers_in_use("c"), 3);
}
