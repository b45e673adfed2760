//! Where units go.

use std::collections::BTreeMap;

use towpath_state::{Command, LiveWorkers, MAX_MOVES_IN_FLIGHT, plan};
use towpath_types::{UnitId, UnitState};

use crate::cluster::{Cluster, SOURCE, instance, task};

const OTHER: &str = "org.example.Other";

fn tasks_by_worker(cluster: &Cluster) -> BTreeMap<String, usize> {
    cluster
        .state
        .workers()
        .keys()
        .map(|worker| {
            let units = cluster.state.desired_units(worker);
            let tasks = units
                .iter()
                .filter(|desired| desired.task_config.is_some())
                .count();
            (worker.to_string(), tasks)
        })
        .collect()
}

fn owners(cluster: &Cluster, connector: &str, tasks: u32) -> Vec<String> {
    (0..tasks)
        .map(|number| cluster.owner(&task(connector, number)).unwrap().to_owned())
        .collect()
}

#[test]
fn three_tasks_over_two_workers_are_spread() {
    let mut cluster = Cluster::with_workers(2);
    cluster.running("orders", 3);
    let mut counts: Vec<usize> = tasks_by_worker(&cluster).into_values().collect();
    counts.sort_unstable();
    assert_eq!(counts, [1, 2]);
}

#[test]
fn tasks_of_one_connector_are_spread_even_when_counts_would_allow_otherwise() {
    let mut cluster = Cluster::with_workers(2);
    cluster.running("one", 1);
    cluster.running("two", 2);
    let owners = owners(&cluster, "two", 2);
    assert_ne!(owners[0], owners[1]);
}

#[test]
fn a_unit_without_a_worker_for_its_plugin_stays_unassigned_until_one_comes() {
    let mut cluster = Cluster::with_workers(2);
    cluster.put("orders", &[("connector.class", OTHER)]).unwrap();
    cluster.settle();
    assert_eq!(cluster.owner(&instance("orders")), None);
    cluster.join_with("w3", &[SOURCE, OTHER]);
    cluster.settle();
    assert_eq!(cluster.owner(&instance("orders")), Some("w3"));
    assert_eq!(cluster.owner(&task("orders", 0)), Some("w3"));
}

#[test]
fn a_plugin_is_found_by_its_alias_and_around_blanks() {
    let mut cluster = Cluster::with_workers(1);
    cluster
        .put("orders", &[("connector.class", " FileSource ")])
        .unwrap();
    cluster.settle();
    assert_eq!(cluster.owner(&instance("orders")), Some("w1"));
}

#[test]
fn a_class_that_the_worker_lacks_moves_the_connector_away() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 1);
    cluster.join_with("w2", &[OTHER]);
    cluster.put("orders", &[("connector.class", OTHER)]).unwrap();
    cluster.settle();
    assert_eq!(cluster.owner(&instance("orders")), Some("w2"));
    assert_eq!(cluster.owner(&task("orders", 0)), Some("w2"));
}

#[test]
fn a_failover_moves_only_what_the_dead_worker_ran() {
    let mut cluster = Cluster::with_workers(3);
    for number in 0..6 {
        cluster.running(&format!("c{number}"), 3);
    }
    let units = |cluster: &Cluster| -> BTreeMap<UnitId, String> {
        let all = cluster
            .state
            .workers()
            .keys()
            .flat_map(|worker| cluster.state.desired_units(worker));
        all.map(|desired| {
            (
                desired.unit.clone(),
                cluster.owner(&desired.unit).unwrap().to_owned(),
            )
        })
        .collect()
    };
    let before = units(&cluster);
    cluster.remove("w2");
    cluster.settle();
    let after = units(&cluster);
    assert_eq!(after.len(), before.len());
    for (unit, worker) in &before {
        assert!(
            worker == "w2" || after[unit] == *worker,
            "{unit} had no reason to move"
        );
    }
    assert_eq!(
        tasks_by_worker(&cluster).into_values().collect::<Vec<_>>(),
        [9, 9]
    );
}

#[test]
fn a_worker_that_joins_gets_its_share_a_few_units_at_a_time() {
    let mut cluster = Cluster::with_workers(1);
    for number in 0..40 {
        cluster.put(&format!("c{number}"), &[("tasks.max", "4")]).unwrap();
    }
    cluster.settle();
    cluster.join("w2");
    let mut most = 0;
    for _ in 0..100 {
        cluster.reconcile();
        most = most.max(cluster.state.leaving().len());
        assert!(
            cluster.plan().is_empty(),
            "what has been asked for is not asked for again"
        );
        cluster.obey(&"w1".into());
        cluster.obey(&"w2".into());
    }
    assert_eq!(most, MAX_MOVES_IN_FLIGHT);
    assert_eq!(
        tasks_by_worker(&cluster).into_values().collect::<Vec<_>>(),
        [80, 80]
    );
    for number in 0..40 {
        let connector = format!("c{number}");
        let owners = owners(&cluster, &connector, 4);
        assert_eq!(
            owners.iter().filter(|owner| *owner == "w1").count(),
            2,
            "{connector} is spread"
        );
    }
}

#[test]
fn a_move_stops_confirms_and_starts() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("a", 2);
    cluster.join("w2");
    cluster.reconcile();
    let moving = cluster
        .state
        .leaving()
        .next()
        .map(|(unit, _)| unit.clone())
        .unwrap();
    assert_eq!(cluster.owner(&moving), None);
    cluster.reconcile();
    assert_eq!(cluster.owner(&moving), None, "w1 has not confirmed");
    cluster.obey(&"w1".into());
    cluster.reconcile();
    assert_eq!(cluster.owner(&moving), Some("w2"));
    cluster.settle();
    assert_eq!(cluster.unit_state(&moving), Some(UnitState::Running));
}

#[test]
fn a_silent_worker_keeps_its_units_and_gets_no_more() {
    let mut cluster = Cluster::with_workers(2);
    cluster.running("orders", 4);
    let live: LiveWorkers = std::iter::once("w2".into()).collect();
    assert_eq!(plan(&cluster.state, &live), []);
    cluster.put("more", &[]).unwrap();
    for command in plan(&cluster.state, &live) {
        cluster.must(command);
    }
    assert_eq!(cluster.owner(&instance("more")), Some("w2"));
}

#[test]
fn a_draining_worker_is_emptied_when_somebody_can_take_over() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 3);
    cluster.must(Command::SetDraining {
        worker: "w1".into(),
        draining: true,
        process: None,
    });
    cluster.settle();
    assert_eq!(tasks_by_worker(&cluster)["w1"], 3, "there is nobody else");
    cluster.join("w2");
    cluster.settle();
    assert_eq!(cluster.state.desired_units(&"w1".into()), []);
    assert_eq!(tasks_by_worker(&cluster)["w2"], 3);
    cluster.must(Command::SetDraining {
        worker: "w1".into(),
        draining: false,
        process: None,
    });
    cluster.settle();
    assert_eq!(tasks_by_worker(&cluster)["w1"], 1);
}

#[test]
fn a_draining_worker_lets_its_units_go_one_by_one() {
    let mut cluster = Cluster::with_workers(2);
    cluster.running("orders", 6);
    let held = cluster.state.desired_units(&"w1".into()).len();
    cluster.must(Command::SetDraining {
        worker: "w1".into(),
        draining: true,
        process: None,
    });
    for left in (0..held).rev() {
        cluster.reconcile();
        assert_eq!(cluster.state.leaving().len(), 1);
        assert_eq!(cluster.state.desired_units(&"w1".into()).len(), left);
        assert_eq!(
            cluster.plan(),
            [],
            "the next one waits until this one is let go of"
        );
        cluster.obey(&"w1".into());
        cluster.reconcile();
        cluster.obey(&"w2".into());
    }
    cluster.settle();
    assert_eq!(tasks_by_worker(&cluster)["w2"], 6);
}

#[test]
fn a_move_whose_destination_dies_goes_elsewhere() {
    let mut cluster = Cluster::with_workers(1);
    cluster.running("orders", 2);
    cluster.join("w2");
    cluster.reconcile();
    assert_eq!(cluster.state.leaving().len(), 1);
    cluster.remove("w2");
    cluster.settle();
    assert_eq!(tasks_by_worker(&cluster)["w1"], 2);
}
