//! Large clusters: the figures are printed, not judged, because a busy machine proves nothing. What planning costs is
//! measured by `tests/bench control-plane`.

use std::time::Instant;

use towpath_state::ClusterState;
use towpath_types::WorkerId;

use crate::cluster::{Cluster, SOURCE, name};

const CONNECTORS: usize = 10_000;
const TASKS_EACH: usize = 5;
const WORKERS: usize = 200;

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = work();
    println!("{what}: {:.1} ms", start.elapsed().as_secs_f64() * 1000.0);
    result
}

#[test]
fn ten_thousand_connectors_are_spread_over_two_hundred_workers() {
    let mut cluster = Cluster::with_workers(WORKERS);
    let tasks = TASKS_EACH.to_string();
    let entries = [
        ("connector.class", SOURCE),
        ("tasks.max", tasks.as_str()),
        ("topic", "t"),
    ];
    for number in 0..CONNECTORS {
        cluster.put(&format!("connector-{number}"), &entries).unwrap();
    }
    cluster.reconcile();
    for worker in cluster.state.workers().keys().cloned().collect::<Vec<_>>() {
        cluster.obey(&worker);
    }
    cluster.reconcile();
    assert_eq!(cluster.plan(), []);
    for worker in cluster.state.workers().keys() {
        assert_eq!(
            cluster.state.desired_units(worker).len(),
            CONNECTORS * (TASKS_EACH + 1) / WORKERS
        );
    }
    cluster.remove("w7");
    assert!(cluster.reconcile(), "its units go elsewhere");
    cluster.join("w7");
    assert!(!cluster.plan().is_empty(), "it gets some of them back");
    let bytes = timed("snapshot written", || cluster.state.encode());
    println!("snapshot: {:.1} MB", bytes.len() as f64 / 1e6);
    let copy = timed("snapshot read", || ClusterState::decode(&bytes).unwrap());
    assert!(copy == cluster.state);
    timed("state copied", || drop(cluster.state.clone()));
}

#[test]
fn the_status_of_a_thousand_connectors_is_read_without_a_copy() {
    let mut cluster = Cluster::with_workers(3);
    for number in 0..1_000 {
        cluster
            .put(&format!("connector-{number}"), &[("tasks.max", "3")])
            .unwrap();
    }
    cluster.settle();
    let count = timed("status of 1,000 connectors", || {
        let names: Vec<_> = cluster.state.list().collect();
        names
            .iter()
            .map(|name| cluster.state.status(name.as_str()).unwrap().tasks.len())
            .sum::<usize>()
    });
    assert_eq!(count, 3_000);
    let desired = timed("assignment of one worker", || {
        cluster.state.desired_units(&WorkerId::new("w1"))
    });
    assert!(desired.len() > 1_300);
    assert!(cluster.state.connector(name("connector-7").as_str()).is_some());
}
