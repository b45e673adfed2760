//! Who is not listened to (invariant 5, and the fencing of architecture section 3).

use towpath_state::{Command, Detail, FenceOrder, Refusal, Reporter, Revocation, Stale};
use towpath_types::{Epoch, UnitState};

use crate::cluster::{Cluster, config, instance, name, report, task};

fn revoke(cluster: &mut Cluster, unit: towpath_types::UnitId) {
    let worker = cluster.owner(&unit).unwrap().into();
    cluster.must(Command::UnassignUnits {
        revocations: vec![Revocation {
            unit,
            worker,
            to: None,
        }],
    });
}

#[test]
fn reports_of_an_old_session_are_refused_whole() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    let old = cluster.reporter("w1");
    cluster.join("w1");
    let reports = vec![report(
        task("orders", 0),
        cluster.epoch(&task("orders", 0)),
        UnitState::Failed,
    )];
    let over = Refusal::SessionOver {
        worker: old.worker.clone(),
        session: old.session.clone(),
    };
    assert_eq!(
        cluster.refusal(Command::ReportUnitStates {
            from: old.clone(),
            reports
        }),
        over
    );
    assert_eq!(
        cluster.refusal(Command::CommitOffsets {
            from: old.clone(),
            commits: Vec::new()
        }),
        over
    );
    assert_eq!(
        cluster.refusal(Command::RecordTopics {
            from: old.clone(),
            topics: Vec::new()
        }),
        over
    );
    let reason = towpath_state::RemovalReason::LeaseExpired;
    assert_eq!(cluster.refusal(Command::RemoveWorker { from: old, reason }), over);
}

#[test]
fn reports_of_an_old_run_are_listed_as_stale_and_the_others_count() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 2);
    let (old, current) = (Epoch(1), cluster.epoch(&task("orders", 0)));
    let reports = vec![
        report(task("orders", 0), old, UnitState::Failed),
        report(
            task("orders", 1),
            cluster.epoch(&task("orders", 1)),
            UnitState::Failed,
        ),
        report(task("orders", 2), old, UnitState::Failed),
    ];
    let applied = cluster.report("w1", reports).unwrap();
    let stale = vec![
        Stale {
            unit: task("orders", 0),
            epoch: old,
            current: Some(current),
        },
        Stale {
            unit: task("orders", 2),
            epoch: old,
            current: None,
        },
    ];
    assert_eq!(applied.detail, Detail::PartlyStale(stale));
    assert_eq!(cluster.unit_state(&task("orders", 0)), Some(UnitState::Running));
    assert_eq!(cluster.unit_state(&task("orders", 1)), Some(UnitState::Failed));
}

#[test]
fn task_configurations_of_an_old_run_of_the_instance_are_refused() {
    let mut cluster = Cluster::with_workers(2);
    cluster.running("orders", 1);
    let unit = instance("orders");
    let owner = cluster.owner(&unit).unwrap().to_owned();
    let old = cluster.epoch(&unit);
    cluster.put("orders", &[("x", "1")]).unwrap();
    let current = cluster.epoch(&unit);
    let put = |from: Reporter, epoch| Command::PutTaskConfigs {
        from,
        connector: name("orders"),
        epoch,
        configs: vec![config(&[])],
    };
    let over = Refusal::EpochOver {
        unit: unit.clone(),
        epoch: old,
        current,
    };
    assert_eq!(cluster.refusal(put(cluster.reporter(&owner), old)), over);
    let other = if owner == "w1" { "w2" } else { "w1" };
    let over = Refusal::EpochOver {
        unit,
        epoch: current,
        current,
    };
    assert_eq!(
        cluster.refusal(put(cluster.reporter(other), current)),
        over,
        "another worker holds it"
    );
    assert!(cluster.apply(put(cluster.reporter(&owner), current)).is_ok());
}

#[test]
fn a_unit_that_was_taken_away_is_given_to_nobody_before_its_holder_confirms() {
    let mut cluster = Cluster::with_workers(2);
    cluster.running("orders", 1);
    let unit = task("orders", 0);
    let owner = cluster.owner(&unit).unwrap().to_owned();
    let other = if owner == "w1" { "w2" } else { "w1" };
    revoke(&mut cluster, unit.clone());
    cluster.assign(unit.clone(), other);
    assert_eq!(cluster.owner(&unit), None);
    let release = cluster.state.releases(&owner.as_str().into()).remove(0);
    let confirmation = report(unit.clone(), release.epoch, UnitState::Unassigned);
    let stale = cluster.report(other, vec![confirmation.clone()]).unwrap().detail;
    assert!(
        matches!(stale, Detail::PartlyStale(_)),
        "only the one that was told can confirm"
    );
    assert_eq!(
        cluster.unit_state(&unit),
        Some(UnitState::Running),
        "it may still run"
    );
    cluster.report(&owner, vec![confirmation]).unwrap();
    assert_eq!(cluster.unit_state(&unit), Some(UnitState::Unassigned));
    cluster.assign(unit.clone(), other);
    assert_eq!(cluster.owner(&unit), Some(other));
}

#[test]
fn the_end_of_a_run_that_was_replaced_is_no_confirmation() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    let unit = task("orders", 0);
    let first = cluster.epoch(&unit);
    // A restart that the worker may be about to obey, and a revocation right behind it.
    cluster.must(Command::RestartUnits {
        name: name("orders"),
        scope: towpath_state::RestartScope::Task(0.into()),
        filter: towpath_state::RestartFilter::All,
    });
    revoke(&mut cluster, unit.clone());
    cluster
        .report("w1", vec![report(unit.clone(), first, UnitState::Unassigned)])
        .unwrap();
    assert_eq!(
        cluster.state.leaving().len(),
        1,
        "the worker could still start the second run"
    );
    let release = cluster.state.releases(&"w1".into()).remove(0);
    cluster
        .report("w1", vec![report(unit, release.epoch, UnitState::Unassigned)])
        .unwrap();
    assert_eq!(cluster.state.leaving().len(), 0);
}

#[test]
fn a_unit_that_is_held_or_whose_worker_is_unknown_is_not_assigned() {
    let mut cluster = Cluster::with_workers(2);
    cluster.running("orders", 1);
    let before = cluster.state.clone();
    cluster.assign(task("orders", 0), "w1");
    cluster.assign(task("orders", 0), "w2");
    cluster.assign(task("orders", 7), "w2");
    cluster.assign(task("unknown", 0), "w2");
    assert!(cluster.state == before);
    cluster.put("other", &[]).unwrap();
    cluster.assign(instance("other"), "w3");
    assert_eq!(cluster.owner(&instance("other")), None);
}

#[test]
fn a_worker_can_give_a_unit_back() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    let unit = task("orders", 0);
    let epoch = cluster.epoch(&unit);
    cluster
        .report("w1", vec![report(unit.clone(), epoch, UnitState::Unassigned)])
        .unwrap();
    assert_eq!(
        (cluster.owner(&unit), cluster.unit_state(&unit)),
        (None, Some(UnitState::Unassigned))
    );
    cluster.settle();
    assert!(cluster.epoch(&unit) > epoch);
    assert_eq!(cluster.unit_state(&unit), Some(UnitState::Running));
}

#[test]
fn a_new_set_of_tasks_is_to_fence_all_that_earlier_sets_may_have_left_until_one_of_it_has_run() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 3);
    let fences = |cluster: &Cluster| -> Vec<Option<FenceOrder>> {
        let desired = cluster.state.desired_units(&"w1".into());
        desired.into_iter().map(|unit| unit.fence).collect()
    };
    assert_eq!(fences(&cluster), [None; 4], "tasks of the set have run");

    cluster
        .put_tasks("orders", vec![config(&[("task", "all")])])
        .unwrap();
    let first = fences(&cluster);
    let order = first[1].unwrap();
    assert_eq!(
        (first[0], order.below),
        (None, 3),
        "the task, of which there were three"
    );

    let unit = task("orders", 0);
    let began = |cluster: &Cluster, state| vec![report(task("orders", 0), cluster.epoch(&unit), state)];
    let failed = began(&cluster, UnitState::Failed);
    cluster.report("w1", failed).unwrap();
    assert_eq!(fences(&cluster)[1], Some(order), "who failed may not have fenced");
    let running = began(&cluster, UnitState::Running);
    cluster.report("w1", running).unwrap();
    assert_eq!(fences(&cluster), [None; 2]);

    cluster
        .put_tasks("orders", vec![config(&[("task", "one")])])
        .unwrap();
    let again = fences(&cluster)[1].unwrap();
    assert_eq!(again.below, 3);
    assert_ne!(again.task_set, order.task_set);
}
