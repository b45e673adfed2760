//! Workers come, are cut off, come back, and go.

use towpath_state::{Command, Refusal, Registration, RemovalReason, Replaces};
use towpath_types::{TargetState, UnitState};

use crate::cluster::{Cluster, instance, name, registration, task};

#[test]
fn the_units_of_a_dead_worker_are_unassigned_at_once() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    cluster.remove("w1");
    for unit in [instance("orders"), task("orders", 0)] {
        assert_eq!(
            (cluster.owner(&unit), cluster.unit_state(&unit)),
            (None, Some(UnitState::Unassigned))
        );
    }
    let status = cluster.state.status("orders").unwrap();
    assert_eq!(&*status.connector.worker_id, "w1:8083", "who reported last");
    cluster.join("w2");
    cluster.settle();
    assert_eq!(cluster.owner(&task("orders", 0)), Some("w2"));
}

#[test]
fn a_dead_worker_confirms_nothing_any_more_and_blocks_nothing() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    cluster.target("orders", TargetState::Stopped);
    assert_eq!(cluster.state.leaving().len(), 1);
    cluster.remove("w1");
    assert_eq!(cluster.state.leaving().len(), 0);
}

#[test]
fn a_worker_that_was_cut_off_goes_on_with_what_it_runs() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 2);
    let held: Vec<_> = [instance("orders"), task("orders", 0), task("orders", 1)]
        .map(|unit| (unit.clone(), cluster.epoch(&unit)))
        .into();
    cluster.reconnect("w1", &held);
    for (unit, epoch) in &held {
        assert_eq!((cluster.epoch(unit), cluster.owner(unit)), (*epoch, Some("w1")));
        assert_eq!(cluster.unit_state(unit), Some(UnitState::Running));
    }
}

#[test]
fn a_worker_that_was_restarted_starts_its_units_anew() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    let before = cluster.epoch(&task("orders", 0));
    cluster.join("w1");
    assert_eq!(cluster.owner(&task("orders", 0)), Some("w1"), "nothing moves");
    assert!(cluster.epoch(&task("orders", 0)) > before);
    assert_eq!(
        cluster.unit_state(&task("orders", 0)),
        Some(UnitState::Unassigned)
    );
}

#[test]
fn a_worker_that_comes_back_after_its_lease_goes_on_if_nothing_has_changed() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 2);
    let kept = (task("orders", 0), cluster.epoch(&task("orders", 0)));
    let changed = (task("orders", 1), cluster.epoch(&task("orders", 1)));
    let gone = (task("deleted", 0), cluster.epoch(&task("orders", 1)));
    cluster.remove("w1");
    cluster.must(Command::RestartUnits {
        name: name("orders"),
        scope: towpath_state::RestartScope::Task(1.into()),
        filter: towpath_state::RestartFilter::All,
    });
    cluster.reconnect("w1", &[kept.clone(), changed.clone(), gone.clone()]);
    assert_eq!(
        (cluster.owner(&kept.0), cluster.epoch(&kept.0)),
        (Some("w1"), kept.1)
    );
    let leaving: Vec<_> = cluster.state.leaving().map(|(unit, _)| unit.clone()).collect();
    assert_eq!(
        leaving,
        [gone.0, changed.0.clone()],
        "what is wanted otherwise has to stop first"
    );
    cluster.settle();
    assert_eq!(cluster.owner(&changed.0), Some("w1"));
}

#[test]
fn a_worker_that_comes_back_late_does_not_get_back_what_others_run() {
    let mut cluster = Cluster::with_workers(2);
    cluster.running("orders", 1);
    let unit = task("orders", 0);
    let loser = cluster.owner(&unit).unwrap().to_owned();
    let winner = if loser == "w1" { "w2" } else { "w1" };
    let old = cluster.epoch(&unit);
    cluster.remove(&loser);
    cluster.settle();
    cluster.reconnect(&loser, &[(unit.clone(), old)]);
    assert_eq!(cluster.owner(&unit), Some(winner));
    assert!(
        cluster
            .state
            .desired_units(&loser.as_str().into())
            .iter()
            .all(|desired| desired.unit != unit)
    );
}

#[test]
fn a_reconnect_confirms_what_the_worker_no_longer_runs() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 2);
    let instance_epoch = cluster.epoch(&instance("orders"));
    let still = (task("orders", 1), cluster.epoch(&task("orders", 1)));
    cluster.target("orders", TargetState::Stopped);
    cluster.reconnect("w1", &[(instance("orders"), instance_epoch), still.clone()]);
    let leaving: Vec<_> = cluster.state.leaving().map(|(unit, _)| unit.clone()).collect();
    assert_eq!(leaving, [still.0]);
    cluster.settle();
    assert_eq!(cluster.state.leaving().len(), 0);
}

#[test]
fn registering_twice_in_one_session_changes_nothing() {
    let mut cluster = Cluster::default();
    let registration = Command::RegisterWorker(registration("w1", "s1", &["A"]));
    cluster.must(registration.clone());
    let before = cluster.state.revision();
    cluster.must(registration);
    assert_eq!(cluster.state.revision(), before);
}

#[test]
fn a_cut_off_worker_goes_on_draining_and_a_restarted_one_does_not() {
    let mut cluster = Cluster::with_workers(1);
    cluster.must(Command::SetDraining {
        worker: "w1".into(),
        draining: true,
        process: None,
    });
    cluster.reconnect("w1", &[]);
    assert!(cluster.state.workers()[&"w1".into()].draining);
    cluster.join("w1");
    assert!(!cluster.state.workers()[&"w1".into()].draining);
}

/// Registers the worker with nothing running, as this process.
fn register(cluster: &mut Cluster, session: &str, process: &str) {
    let mut registration = registration("w1", session, &["A"]);
    registration.process = Some(process.into());
    cluster.must(Command::RegisterWorker(registration));
}

fn drain(cluster: &mut Cluster, draining: bool) {
    cluster.must(Command::SetDraining {
        worker: "w1".into(),
        draining,
        process: None,
    });
}

fn is_draining(cluster: &Cluster) -> bool {
    cluster.state.workers()[&"w1".into()].draining
}

#[test]
fn an_empty_worker_that_only_lost_its_connection_goes_on_draining() {
    let mut cluster = Cluster::default();
    register(&mut cluster, "s1", "p1");
    drain(&mut cluster, true);
    register(&mut cluster, "s2", "p1");
    assert!(is_draining(&cluster));
    cluster.remove("w1");
    register(&mut cluster, "s3", "p1");
    assert!(is_draining(&cluster), "also after its lease");
    drain(&mut cluster, false);
    cluster.remove("w1");
    register(&mut cluster, "s4", "p1");
    assert!(!is_draining(&cluster), "it was told to take units again");
}

#[test]
fn a_drained_worker_that_was_restarted_takes_units_again() {
    let mut cluster = Cluster::default();
    register(&mut cluster, "s1", "p1");
    drain(&mut cluster, true);
    let from = cluster.reporter("w1");
    cluster.must(Command::RemoveWorker {
        from,
        reason: RemovalReason::Left,
    });
    register(&mut cluster, "s2", "p2");
    assert!(!is_draining(&cluster), "after a shutdown");
    drain(&mut cluster, true);
    register(&mut cluster, "s3", "p3");
    assert!(!is_draining(&cluster), "after a crash within its lease");
    drain(&mut cluster, true);
    cluster.remove("w1");
    register(&mut cluster, "s4", "p4");
    assert!(!is_draining(&cluster), "after a crash and the end of its lease");
}

/// Over a connection of its own, with nothing running.
fn after(session: &str, replaces: Replaces) -> Command {
    let registration = registration("w1", session, &["A"]);
    Command::RegisterWorker(Registration {
        replaces,
        ..registration
    })
}

#[test]
fn a_registration_that_is_written_after_a_newer_one_is_refused() {
    let mut cluster = Cluster::default();
    cluster.must(after("s1", Replaces::Nobody));
    let s1 = || Replaces::Session("s1".into());
    cluster.must(after("s2", s1()));
    let over = |session: &str| Refusal::SessionOver {
        worker: "w1".into(),
        session: session.into(),
    };
    assert_eq!(cluster.refusal(after("s3", s1())), over("s3"));
    assert_eq!(cluster.refusal(after("s4", Replaces::Nobody)), over("s4"));
    // Written twice.
    cluster.must(after("s2", s1()));
    // Whoever was removed meanwhile is in nobody's way.
    cluster.remove("w1");
    cluster.must(after("s5", s1()));
    cluster.must(after("s6", Replaces::Anyone));
}

/// A worker that stops asks for it, and may be started again before the request arrives.
#[test]
fn a_drain_that_was_meant_for_another_process_does_nothing() {
    let mut cluster = Cluster::default();
    register(&mut cluster, "s1", "p2");
    let of = |process: &str| Command::SetDraining {
        worker: "w1".into(),
        draining: true,
        process: Some(process.into()),
    };
    let late = cluster.refusal(of("p1"));
    assert_eq!(late, Refusal::WorkerNotFound { worker: "w1".into() });
    assert!(!is_draining(&cluster));
    cluster.must(of("p2"));
    assert!(is_draining(&cluster));
    assert_eq!(
        serde_json::to_string(&of("p2")).unwrap(),
        r#"{"set_draining":{"worker":"w1","draining":true,"process":"p2"}}"#,
        "as it is in logs"
    );
}
