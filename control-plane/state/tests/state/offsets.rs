//! Source offsets and active topics.

use towpath_state::{
    ClusterState, Command, Detail, OffsetChange, OffsetCommit, Refusal, SourceOffset, SourcePartition,
    TaskTopics,
};
use towpath_types::{Epoch, Revision, TargetState, UnitId, UnitState};

use crate::cluster::{Cluster, instance, name, report, task};

fn change(partition: &str, offset: Option<&str>) -> OffsetChange {
    OffsetChange {
        partition: SourcePartition::parse(partition).unwrap(),
        offset: offset.map(|offset| SourceOffset::parse(offset).unwrap()),
    }
}

fn commit(cluster: &mut Cluster, unit: &UnitId, epoch: Epoch, changes: Vec<OffsetChange>) -> Detail {
    commit_from("w1", cluster, (unit, epoch), changes)
}

fn commit_from(
    worker: &str,
    cluster: &mut Cluster,
    (unit, epoch): (&UnitId, Epoch),
    changes: Vec<OffsetChange>,
) -> Detail {
    let commits = vec![OffsetCommit {
        unit: unit.clone(),
        epoch,
        offsets: changes,
        in_kafka: Vec::new(),
    }];
    let from = cluster.reporter(worker);
    cluster.must(Command::CommitOffsets { from, commits })
}

fn listed(cluster: &Cluster, connector: &str) -> Vec<(String, String)> {
    let offsets = cluster.state.offsets(connector);
    offsets
        .map(|(partition, offset)| (partition.as_str().to_owned(), offset.as_str().to_owned()))
        .collect()
}

#[test]
fn offsets_are_kept_by_meaning_and_shown_as_first_written() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    let (unit, epoch) = (task("orders", 0), cluster.epoch(&task("orders", 0)));
    commit(
        &mut cluster,
        &unit,
        epoch,
        vec![change(r#"{"b":1,"a":2}"#, Some(r#"{"p":1}"#))],
    );
    commit(
        &mut cluster,
        &unit,
        epoch,
        vec![change(r#"{"a": 2, "b": 1}"#, Some(r#"{"p":2}"#))],
    );
    assert_eq!(
        listed(&cluster, "orders"),
        [(r#"{"b":1,"a":2}"#.to_owned(), r#"{"p":2}"#.to_owned())]
    );
    let before = cluster.state.revision();
    commit(
        &mut cluster,
        &unit,
        epoch,
        vec![change(r#"{"b":1,"a":2}"#, Some(r#"{"p":2}"#))],
    );
    assert_eq!(
        cluster.state.revision(),
        before,
        "the same offset again is no change"
    );
    commit(&mut cluster, &unit, epoch, vec![change(r#"{"b":1,"a":2}"#, None)]);
    assert_eq!(listed(&cluster, "orders"), []);
}

#[test]
fn a_state_may_begin_with_offsets_that_were_kept_elsewhere() {
    let one = |connector: &str, partition: &str, offset: &str| {
        let partition = SourcePartition::parse(partition).unwrap();
        (name(connector), partition, SourceOffset::parse(offset).unwrap())
    };
    let state = ClusterState::with_source_offsets([
        one("orders", r#"{"a":1,"b":2}"#, r#"{"p":1}"#),
        one("other", "null", r#"{"p":7}"#),
        one("orders", r#"{"b":2,"a":1}"#, r#"{"p":2}"#),
    ]);
    assert_eq!(state.revision(), Revision(0), "nothing was changed yet");
    let mut cluster = Cluster::beginning_with(state, 1);
    cluster.running("orders", 1);
    assert_eq!(
        listed(&cluster, "orders"),
        [(r#"{"a":1,"b":2}"#.to_owned(), r#"{"p":2}"#.to_owned())]
    );
    assert!(
        cluster.state.source_offsets("other").is_some(),
        "the null partition"
    );
    let (unit, epoch) = (task("orders", 0), cluster.epoch(&task("orders", 0)));
    commit(&mut cluster, &unit, epoch, vec![change(r#"{"a":1,"b":2}"#, None)]);
    assert!(listed(&cluster, "orders").is_empty());
}

#[test]
fn a_command_names_the_connectors_whose_offsets_it_may_change() {
    let commits = ["orders", "orders", "other"].map(|connector| OffsetCommit {
        unit: task(connector, 0),
        epoch: Epoch(1),
        offsets: Vec::new(),
        in_kafka: Vec::new(),
    });
    let commit = Command::CommitOffsets {
        from: Cluster::with_workers(1).reporter("w1"),
        commits: commits.into(),
    };
    let (orders, other) = (name("orders"), name("other"));
    assert_eq!(commit.changes_offsets_of(), [&orders, &other].into());
    let reset = Command::ResetOffsets {
        connector: orders.clone(),
        in_kafka: Vec::new(),
    };
    assert_eq!(reset.changes_offsets_of(), [&orders].into());
    let delete = Command::DeleteConnector { name: orders };
    assert!(delete.changes_offsets_of().is_empty(), "they outlive it");
}

#[test]
fn the_null_partition_can_be_read_but_is_not_listed() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    let (unit, epoch) = (task("orders", 0), cluster.epoch(&task("orders", 0)));
    commit(
        &mut cluster,
        &unit,
        epoch,
        vec![change("null", Some(r#"{"p":1}"#))],
    );
    assert_eq!(listed(&cluster, "orders"), []);
    assert_eq!(cluster.state.source_offsets("orders").unwrap().len(), 1);
}

#[test]
fn a_run_that_is_being_replaced_commits_its_last_offsets_until_the_new_one_reports() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    let unit = task("orders", 0);
    let old = cluster.epoch(&unit);
    cluster.must(Command::RestartUnits {
        name: name("orders"),
        scope: towpath_state::RestartScope::Task(0.into()),
        filter: towpath_state::RestartFilter::All,
    });
    let last = commit(&mut cluster, &unit, old, vec![change("{}", Some(r#"{"p":1}"#))]);
    assert_eq!(last, Detail::Done);
    let new = cluster.epoch(&unit);
    cluster
        .report("w1", vec![report(unit.clone(), new, UnitState::Running)])
        .unwrap();
    let late = commit(&mut cluster, &unit, old, vec![change("{}", Some(r#"{"p":0}"#))]);
    assert!(matches!(late, Detail::PartlyStale(_)));
    assert_eq!(listed(&cluster, "orders")[0].1, r#"{"p":1}"#);
}

#[test]
fn a_task_that_is_told_to_stop_commits_its_last_offsets_until_it_confirms() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    let (unit, epoch) = (task("orders", 0), cluster.epoch(&task("orders", 0)));
    cluster.target("orders", TargetState::Stopped);
    assert_eq!(
        commit(&mut cluster, &unit, epoch, vec![change("{}", Some(r#"{"p":1}"#))]),
        Detail::Done
    );
    cluster.settle();
    let late = commit(&mut cluster, &unit, epoch, vec![change("{}", Some(r#"{"p":0}"#))]);
    assert!(matches!(late, Detail::PartlyStale(_)));
    assert_eq!(listed(&cluster, "orders")[0].1, r#"{"p":1}"#);
}

#[test]
fn a_worker_that_comes_back_after_its_lease_commits_nothing_over_what_others_did_since() {
    for is_still_wanted in [true, false] {
        let mut cluster = Cluster::with_workers(2);
        cluster.running("orders", 1);
        let unit = task("orders", 0);
        let first = cluster.owner(&unit).unwrap().to_owned();
        let second = if first == "w1" { "w2" } else { "w1" };
        let old = cluster.epoch(&unit);
        cluster.remove(&first);
        cluster.settle();
        let new = cluster.epoch(&unit);
        let nine = vec![change("{}", Some(r#"{"p":9}"#))];
        assert_eq!(
            commit_from(second, &mut cluster, (&unit, new), nine),
            Detail::Done
        );
        if is_still_wanted {
            cluster.remove(second);
        } else {
            cluster.running("orders", 0);
        }
        cluster.reconnect(&first, &[(unit.clone(), old)]);
        assert_eq!(
            cluster.state.leaving().next(),
            Some((&unit, &first.as_str().into()))
        );
        let two = vec![change("{}", Some(r#"{"p":2}"#))];
        let late = commit_from(&first, &mut cluster, (&unit, old), two);
        assert!(matches!(late, Detail::PartlyStale(_)), "{late:?}");
        assert_eq!(
            listed(&cluster, "orders"),
            [("{}".to_owned(), r#"{"p":9}"#.to_owned())]
        );
        cluster.settle();
        assert_eq!(cluster.state.leaving().len(), 0, "it can still let go");
    }
}

#[test]
fn offsets_outlive_their_connector() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    let (unit, epoch) = (task("orders", 0), cluster.epoch(&task("orders", 0)));
    commit(&mut cluster, &unit, epoch, vec![change("{}", Some(r#"{"p":1}"#))]);
    cluster.must(Command::DeleteConnector { name: name("orders") });
    assert_eq!(
        commit(&mut cluster, &unit, epoch, vec![change("{}", Some(r#"{"p":2}"#))]),
        Detail::Done
    );
    cluster.running("orders", 1);
    assert_eq!(listed(&cluster, "orders")[0].1, r#"{"p":2}"#);
}

#[test]
fn offsets_are_altered_and_reset_only_when_nothing_can_commit_over_them() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    let alter = || Command::AlterOffsets {
        connector: name("orders"),
        changes: vec![change("{}", Some(r#"{"p":9}"#))],
        in_kafka: Vec::new(),
    };
    let reset = || Command::ResetOffsets {
        connector: name("orders"),
        in_kafka: Vec::new(),
    };
    let unknown = Command::ResetOffsets {
        connector: name("unknown"),
        in_kafka: Vec::new(),
    };
    assert_eq!(
        cluster.refusal(unknown),
        Refusal::ConnectorNotFound {
            connector: name("unknown")
        }
    );
    assert_eq!(
        cluster.refusal(alter()),
        Refusal::NotStopped {
            connector: name("orders")
        }
    );
    cluster.target("orders", TargetState::Paused);
    assert_eq!(
        cluster.refusal(reset()),
        Refusal::NotStopped {
            connector: name("orders")
        }
    );
    cluster.target("orders", TargetState::Stopped);
    assert_eq!(
        cluster.refusal(alter()),
        Refusal::StillStopping {
            unit: task("orders", 0)
        }
    );
    cluster.settle();
    cluster.must(alter());
    assert_eq!(
        listed(&cluster, "orders"),
        [("{}".to_owned(), r#"{"p":9}"#.to_owned())]
    );
    cluster.must(reset());
    assert_eq!(listed(&cluster, "orders"), []);
    cluster.must(reset());
}

#[test]
fn active_topics_are_collected_reset_and_gone_with_the_connector() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    let used = |cluster: &Cluster, topics: &[&str]| Command::RecordTopics {
        from: cluster.reporter("w1"),
        topics: vec![TaskTopics {
            unit: task("orders", 0),
            epoch: cluster.epoch(&task("orders", 0)),
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
        }],
    };
    cluster.must(used(&cluster, &["b", "a"]));
    cluster.must(used(&cluster, &["b"]));
    assert_eq!(
        cluster.state.topics("orders").unwrap().iter().collect::<Vec<_>>(),
        ["a", "b"]
    );
    cluster.must(Command::ResetTopics {
        connector: name("orders"),
    });
    assert!(cluster.state.topics("orders").unwrap().is_empty());
    cluster.must(used(&cluster, &["c"]));
    cluster.must(Command::DeleteConnector { name: name("orders") });
    assert!(cluster.state.topics("orders").is_none());
    cluster.running("orders", 1);
    assert!(cluster.state.topics("orders").unwrap().is_empty());
    assert_eq!(cluster.unit_state(&instance("orders")), Some(UnitState::Running));
}
