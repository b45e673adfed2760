//! What must never be broken, checked after each step of random histories.

use std::collections::BTreeMap;

use proptest::prelude::*;
use towpath_state::ClusterState;
use towpath_types::{Epoch, Revision, TargetState, UnitId, WorkerId};

use crate::cluster::{Cluster, instance};
use crate::histories::{World, step};

#[derive(Default)]
struct Watched {
    world: World,
    /// The highest ever seen.
    epochs: BTreeMap<UnitId, Epoch>,
    revision: Revision,
}

impl Watched {
    fn check(&mut self) {
        let revision = self.world.cluster.state.revision();
        assert!(revision >= self.revision, "the revision went back");
        self.revision = revision;
        self.check_units();
        self.check_runs();
        let state = &self.world.cluster.state;
        let copy = ClusterState::decode(&state.encode()).unwrap();
        assert!(copy == *state, "a snapshot reads back as what was written");
        for worker in state.workers().keys() {
            assert_eq!(
                copy.desired_units(worker),
                state.desired_units(worker),
                "the index is what it is computed to"
            );
            assert_eq!(copy.releases(worker), state.releases(worker));
        }
        let mut planned = self.world.cluster.clone();
        planned.reconcile();
        assert_eq!(planned.plan(), [], "planning again finds nothing");
    }

    fn check_units(&mut self) {
        let state = &self.world.cluster.state;
        for connector in state.list() {
            let found = state.connector(connector.as_str()).unwrap();
            assert!(found.target != TargetState::Stopped || found.tasks.is_empty());
            let tasks = (0..)
                .map(|number| UnitId::task(connector, number))
                .take(found.tasks.len());
            for id in std::iter::once(UnitId::Connector(connector.clone())).chain(tasks) {
                let unit = state.unit(&id).unwrap();
                let highest = self.epochs.entry(id.clone()).or_default();
                assert!(unit.epoch >= *highest, "the epoch of {id} went back");
                *highest = unit.epoch;
                let Some(holder) = &unit.holder else { continue };
                assert!(holder.fence <= unit.epoch);
                assert!(
                    state.leaving().all(|(leaving, _)| *leaving != id),
                    "{id} is held and still leaving"
                );
                let worker = state
                    .workers()
                    .get(&holder.worker)
                    .expect("holders are registered");
                assert_eq!(worker.session, holder.session);
                let desired = state.desired_units(&holder.worker);
                assert!(
                    desired
                        .iter()
                        .any(|desired| desired.unit == id && desired.epoch == unit.epoch)
                );
            }
        }
        for (unit, worker) in state.leaving() {
            assert!(
                state.workers().contains_key(worker),
                "{unit} waits for a worker that is gone"
            );
        }
    }

    /// Invariant 5: whatever lags behind, no two workers run one unit.
    fn check_runs(&self) {
        let mut runs: BTreeMap<&UnitId, usize> = BTreeMap::new();
        for (worker, process) in &self.world.processes {
            for unit in process.running.keys() {
                assert_eq!(runs.insert(unit, *worker), None, "{unit} runs twice");
            }
        }
    }
}

fn balanced(cluster: &Cluster, is_task: bool) {
    let workers = cluster
        .state
        .workers()
        .iter()
        .filter(|(_, worker)| !worker.draining);
    let counts: Vec<usize> = workers
        .map(|(worker, _)| {
            let desired = cluster.state.desired_units(worker);
            desired
                .iter()
                .filter(|unit| unit.task_config.is_some() == is_task)
                .count()
        })
        .collect();
    if let (Some(most), Some(least)) = (counts.iter().max(), counts.iter().min()) {
        assert!(most - least <= 1, "{counts:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_the_invariants(steps in proptest::collection::vec(step(), 1..200)) {
        let mut watched = Watched::default();
        for step in &steps {
            watched.world.run(step);
            watched.check();
        }
        let mut world = watched.world;
        // From wherever it got to, it comes to rest: everything placed, and evenly.
        world.cluster.settle();
        balanced(&world.cluster, true);
        balanced(&world.cluster, false);
        let takes_units = world.cluster.state.workers().values().any(|worker| !worker.draining);
        for connector in world.cluster.state.list() {
            let owner = world.cluster.state.owner_of(&UnitId::Connector(connector.clone()));
            prop_assert!(owner.is_some() || !takes_units);
        }
    }

    #[test]
    fn the_same_log_gives_the_same_state(steps in proptest::collection::vec(step(), 1..60)) {
        let (mut one, mut two) = (World::default(), World::default());
        for step in &steps {
            one.run(step);
            two.run(step);
        }
        prop_assert_eq!(one.cluster.state.encode(), two.cluster.state.encode());
    }

    #[test]
    fn workers_with_different_plugins_come_to_rest_too(
        plugins in proptest::collection::vec(proptest::collection::vec(0..3usize, 0..3), 1..6),
        connectors in proptest::collection::vec((0..3usize, 0..7u32), 0..14),
    ) {
        const CLASSES: [&str; 3] = ["org.example.A", "org.example.B", "org.example.C"];
        let mut cluster = Cluster::default();
        for (number, (class, tasks)) in connectors.iter().enumerate() {
            let entries = [("connector.class", CLASSES[*class]), ("tasks.max", &tasks.to_string())];
            cluster.put(&format!("c{number}"), &entries).unwrap();
        }
        for (number, classes) in plugins.iter().enumerate() {
            let classes: Vec<&str> = classes.iter().map(|class| CLASSES[*class]).collect();
            cluster.join_with(&format!("w{number}"), &classes);
            cluster.settle();
            for (number, (class, _)) in connectors.iter().enumerate() {
                let able = cluster.state.workers().values().any(|w| w.connector_plugin(CLASSES[*class]).is_some());
                let owner = cluster.owner(&instance(&format!("c{number}")));
                prop_assert_eq!(owner.is_some(), able);
                let owner = owner.map(|owner| &cluster.state.workers()[&WorkerId::new(owner)]);
                prop_assert!(owner.is_none_or(|owner| owner.connector_plugin(CLASSES[*class]).is_some()));
            }
        }
    }
}
