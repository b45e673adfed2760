//! Labels of workers, and connectors that choose by them.

use std::collections::BTreeSet;

use proptest::prelude::*;
use towpath_state::{Command, Obstacle};
use towpath_types::{Selector, UnitState, parse_labels};

use crate::cluster::{Cluster, SOURCE, instance, registration, task};

/// A worker with these labels, in a new process.
fn join(cluster: &mut Cluster, worker: &str, labels: &str) {
    let session = format!("{worker} with {labels}");
    let mut registration = registration(worker, &session, &[SOURCE]);
    registration.labels = parse_labels(labels).expect("the tests write labels well");
    cluster.must(Command::RegisterWorker(registration));
}

fn put(cluster: &mut Cluster, connector: &str, selector: &str) {
    let entries = [("tasks.max", "4"), ("worker.selector", selector)];
    cluster
        .put(connector, &entries)
        .expect("nothing refuses a connector here");
    cluster.settle();
}

fn owners(cluster: &Cluster, connector: &str) -> BTreeSet<String> {
    let units = (0..4)
        .map(|number| task(connector, number))
        .chain([instance(connector)]);
    units
        .map(|unit| cluster.owner(&unit).unwrap_or("nobody").to_owned())
        .collect()
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn obstacle(cluster: &Cluster, connector: &str) -> Option<Obstacle> {
    let connector = cluster.state.connector(connector).expect("it was put");
    cluster.state.obstacle(connector, None)
}

#[test]
fn units_run_only_where_the_labels_fit_and_are_spread_there() {
    for (selector, expected) in [
        ("zone=b", &["w2"][..]),
        ("zone in (a,b),disk!=hdd", &["w1", "w2"]),
        ("zone=a", &["w1", "w3"]),
        ("", &["w1", "w2", "w3"]),
    ] {
        let mut cluster = Cluster::default();
        join(&mut cluster, "w1", "zone=a,disk=ssd");
        join(&mut cluster, "w2", "zone=b,disk=ssd");
        join(&mut cluster, "w3", "zone=a,disk=hdd");
        put(&mut cluster, "orders", selector);
        assert_eq!(owners(&cluster, "orders"), names(expected), "{selector}");
    }
}

#[test]
fn a_change_of_the_selector_moves_what_no_longer_fits() {
    let mut cluster = Cluster::default();
    join(&mut cluster, "w1", "zone=a");
    join(&mut cluster, "w2", "zone=b");
    put(&mut cluster, "orders", "zone=a");
    assert_eq!(owners(&cluster, "orders"), names(&["w1"]));
    put(&mut cluster, "orders", "zone=b");
    assert_eq!(owners(&cluster, "orders"), names(&["w2"]));
}

#[test]
fn a_change_of_labels_moves_what_no_longer_fits() {
    let mut cluster = Cluster::default();
    join(&mut cluster, "w1", "zone=a");
    join(&mut cluster, "w2", "zone=b");
    put(&mut cluster, "orders", "zone=a");
    join(&mut cluster, "w1", "zone=b");
    join(&mut cluster, "w2", "zone=a");
    cluster.settle();
    assert_eq!(owners(&cluster, "orders"), names(&["w2"]));
}

#[test]
fn what_nobody_may_run_any_more_is_unassigned_and_says_which_requirement_nobody_meets() {
    let mut cluster = Cluster::default();
    join(&mut cluster, "w1", "zone=a,disk=ssd");
    put(&mut cluster, "orders", "zone=a");
    assert_eq!(obstacle(&cluster, "orders"), None);
    put(&mut cluster, "orders", "disk=ssd,zone=c");
    assert_eq!(owners(&cluster, "orders"), names(&["nobody"]));
    assert_eq!(
        cluster.unit_state(&task("orders", 0)),
        Some(UnitState::Unassigned)
    );
    assert_eq!(
        obstacle(&cluster, "orders").unwrap().to_string(),
        "no worker with the plugin `org.example.FileSource` meets `zone=c` of `worker.selector`: start one whose \
         `worker.labels` do, or change the selector"
    );
    join(&mut cluster, "w2", "zone=c");
    assert_eq!(
        obstacle(&cluster, "orders").unwrap().to_string(),
        "no worker with the plugin `org.example.FileSource` meets all of `worker.selector` (`disk=ssd,zone=c`) at once: \
         start one whose `worker.labels` do, or change the selector"
    );
    join(&mut cluster, "w2", "zone=c,disk=ssd");
    cluster.settle();
    assert_eq!(owners(&cluster, "orders"), names(&["w2"]));
}

#[test]
fn an_obstacle_names_the_plugin_and_counts_the_workers_that_drain() {
    let mut cluster = Cluster::default();
    cluster.put("orders", &[]).unwrap();
    assert_eq!(
        obstacle(&cluster, "orders").unwrap().to_string(),
        "no worker takes units: start one"
    );
    cluster.join_with("w1", &["org.example.Other"]);
    assert_eq!(
        obstacle(&cluster, "orders").unwrap().to_string(),
        "no worker has the plugin `org.example.FileSource`: start one that has it"
    );
    cluster.join("w2");
    cluster.must(Command::SetDraining {
        worker: "w2".into(),
        draining: true,
        process: None,
    });
    assert_eq!(
        obstacle(&cluster, "orders").unwrap().to_string(),
        "no worker has the plugin `org.example.FileSource` (1 is draining): start one that has it"
    );
    let connector = cluster.state.connector("orders").unwrap();
    let beside = cluster.state.obstacle(connector, Some(&"w2".into())).unwrap();
    assert_eq!(
        beside.to_string(),
        "no worker has the plugin `org.example.FileSource`: start one that has it",
        "a worker that is left does not count"
    );
}

#[test]
fn a_selector_that_cannot_be_read_fits_nobody() {
    let mut cluster = Cluster::with_workers(1);
    put(&mut cluster, "orders", "zone");
    assert_eq!(owners_of_instance(&cluster), None);
    assert_eq!(
        obstacle(&cluster, "orders").unwrap().to_string(),
        "`worker.selector` (`zone`) cannot be read: change it"
    );
}

fn owners_of_instance(cluster: &Cluster) -> Option<&str> {
    cluster.owner(&instance("orders"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_labels_and_selectors_everything_runs_where_it_fits(
        workers in proptest::collection::vec(0..LABELS.len(), 1..6),
        connectors in proptest::collection::vec(0..SELECTORS.len(), 0..10),
    ) {
        let mut cluster = Cluster::default();
        for (number, selector) in connectors.iter().enumerate() {
            put(&mut cluster, &format!("c{number}"), SELECTORS[*selector]);
        }
        for (number, labels) in workers.iter().enumerate() {
            join(&mut cluster, &format!("w{number}"), LABELS[*labels]);
            cluster.settle();
            for (number, selector) in connectors.iter().enumerate() {
                let selector: Selector = SELECTORS[*selector].parse().unwrap();
                let fits = |worker: &str| selector.is_met_by(&cluster.state.workers()[&worker.into()].labels);
                let can_run = cluster.state.workers().keys().any(|worker| fits(worker.as_str()));
                let connector = format!("c{number}");
                let owner = cluster.owner(&instance(&connector));
                prop_assert_eq!(owner.is_some(), can_run);
                prop_assert!(owner.is_none_or(fits));
                prop_assert_eq!(obstacle(&cluster, &connector).is_none(), can_run);
            }
        }
    }
}

const LABELS: [&str; 5] = ["", "zone=a", "zone=b", "zone=a,disk=ssd", "zone=b,disk=hdd"];
const SELECTORS: [&str; 6] = [
    "",
    "zone=a",
    "zone in (a,b)",
    "disk!=hdd",
    "zone=b,disk!=hdd",
    "disk=ssd",
];
