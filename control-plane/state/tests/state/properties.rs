//! Random histories: users, workers that lag behind, lost sessions. What must never be broken is checked after each step.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;
use towpath_state::{
    Assignment, ClusterState, Command, DesiredUnit, Expect, Release, RestartFilter, RestartScope, Revocation,
    UnitReport,
};
use towpath_types::{Epoch, Revision, TargetState, TaskNumber, UnitId, UnitState, WorkerId};

use crate::cluster::{Cluster, config, instance, name, report, task};

const CONNECTORS: [&str; 3] = ["a", "b", "c"];
const WORKERS: [&str; 3] = ["w1", "w2", "w3"];

#[derive(Debug, Clone)]
enum Step {
    Put {
        connector: usize,
        tasks: u32,
        target: TargetState,
    },
    Delete(usize),
    Target(usize, TargetState),
    Restart(usize, RestartScope),
    Start(usize),
    Reconnect(usize),
    Lose(usize),
    Drain(usize, bool),
    Reconcile,
    /// As if a planner with other ideas were at work.
    Assign {
        unit: (usize, u32),
        worker: usize,
    },
    Unassign {
        unit: (usize, u32),
    },
    /// The worker gets its assignment.
    Learn(usize),
    /// The worker does what the last assignment it got says.
    Act(usize),
    /// One report of the worker arrives.
    Deliver(usize),
    /// A report that was never true.
    Invent {
        worker: usize,
        connector: usize,
        epoch: u64,
        state: UnitState,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let connector = 0..CONNECTORS.len();
    let worker = 0..WORKERS.len();
    // 0 is the connector instance, 1 its first task.
    let unit = (0..CONNECTORS.len(), 0..3u32);
    let target = proptest::sample::select(TargetState::ALL);
    let scope = prop_oneof![
        Just(RestartScope::Connector),
        Just(RestartScope::ConnectorAndTasks),
        (0..2u32).prop_map(|number| RestartScope::Task(TaskNumber(number))),
    ];
    let state = proptest::sample::select(UnitState::ALL);
    prop_oneof![
        3 => (connector.clone(), 0..3u32, target.clone())
            .prop_map(|(connector, tasks, target)| Step::Put { connector, tasks, target }),
        1 => connector.clone().prop_map(Step::Delete),
        2 => (connector.clone(), target).prop_map(|(connector, target)| Step::Target(connector, target)),
        2 => (connector.clone(), scope).prop_map(|(connector, scope)| Step::Restart(connector, scope)),
        2 => worker.clone().prop_map(Step::Start),
        1 => worker.clone().prop_map(Step::Reconnect),
        1 => worker.clone().prop_map(Step::Lose),
        1 => (worker.clone(), any::<bool>()).prop_map(|(worker, draining)| Step::Drain(worker, draining)),
        6 => Just(Step::Reconcile),
        6 => (unit.clone(), worker.clone()).prop_map(|(unit, worker)| Step::Assign { unit, worker }),
        6 => unit.prop_map(|unit| Step::Unassign { unit }),
        8 => worker.clone().prop_map(Step::Learn),
        8 => worker.clone().prop_map(Step::Act),
        16 => worker.clone().prop_map(Step::Deliver),
        1 => (worker, connector, 0..60u64, state).prop_map(|(worker, connector, epoch, state)| Step::Invent {
            worker, connector, epoch, state
        }),
    ]
}

fn unit_id((connector, number): (usize, u32)) -> UnitId {
    match number {
        0 => instance(CONNECTORS[connector]),
        _ => task(CONNECTORS[connector], number - 1),
    }
}

/// A worker process, which knows only what reached it.
#[derive(Default)]
struct Process {
    assignment: Option<(Vec<DesiredUnit>, Vec<Release>)>,
    running: BTreeMap<UnitId, Epoch>,
    outbox: VecDeque<Message>,
}

enum Message {
    State(UnitReport),
    Tasks {
        connector: UnitId,
        epoch: Epoch,
        count: usize,
    },
}

impl Process {
    fn act(&mut self) {
        let Some((desired, releases)) = &self.assignment else {
            return;
        };
        for release in releases {
            self.running.remove(&release.unit);
            self.outbox.push_back(Message::State(report(
                release.unit.clone(),
                release.epoch,
                UnitState::Unassigned,
            )));
        }
        let wanted: BTreeMap<&UnitId, Epoch> = desired.iter().map(|unit| (&unit.unit, unit.epoch)).collect();
        // The end of a run is reported too, whether it was replaced or is not wanted any more.
        let over = self
            .running
            .extract_if(.., |unit, epoch| wanted.get(unit) != Some(epoch));
        self.outbox
            .extend(over.map(|(unit, epoch)| Message::State(report(unit, epoch, UnitState::Unassigned))));
        for unit in desired {
            let started = self.running.insert(unit.unit.clone(), unit.epoch) != Some(unit.epoch);
            if started {
                self.outbox.push_back(Message::State(report(
                    unit.unit.clone(),
                    unit.epoch,
                    UnitState::Running,
                )));
            }
            if unit.task_config.is_none() && unit.target == TargetState::Running {
                let count = unit.config.get("tasks.max").unwrap().parse().unwrap();
                let connector = unit.unit.clone();
                self.outbox.push_back(Message::Tasks {
                    connector,
                    epoch: unit.epoch,
                    count,
                });
            }
        }
    }
}

#[derive(Default)]
struct World {
    cluster: Cluster,
    processes: BTreeMap<usize, Process>,
    epochs: BTreeMap<UnitId, Epoch>,
    revision: Revision,
}

impl World {
    fn run(&mut self, step: &Step) {
        match *step {
            Step::Put {
                connector,
                tasks,
                target,
            } => {
                let tasks = tasks.to_string();
                let outcome = self.cluster.put_expecting(
                    CONNECTORS[connector],
                    &[("tasks.max", &tasks)],
                    Expect::Any,
                    target,
                );
                outcome.unwrap();
            }
            Step::Delete(connector) => self.user(Command::DeleteConnector {
                name: name(CONNECTORS[connector]),
            }),
            Step::Target(connector, target) => {
                self.user(Command::SetTargetState {
                    name: name(CONNECTORS[connector]),
                    target,
                });
            }
            Step::Restart(connector, scope) => self.user(Command::RestartUnits {
                name: name(CONNECTORS[connector]),
                scope,
                filter: RestartFilter::All,
            }),
            Step::Drain(worker, draining) => {
                self.user(Command::SetDraining {
                    worker: WORKERS[worker].into(),
                    draining,
                });
            }
            Step::Reconcile => {
                self.cluster.reconcile();
            }
            Step::Assign { unit, worker } => {
                let assignments = vec![Assignment {
                    unit: unit_id(unit),
                    worker: WORKERS[worker].into(),
                }];
                self.user(Command::AssignUnits { assignments });
            }
            Step::Unassign { unit } => {
                if let Some(worker) = self.cluster.state.owner_of(&unit_id(unit)).cloned() {
                    let revocations = vec![Revocation {
                        unit: unit_id(unit),
                        worker,
                        to: None,
                    }];
                    self.user(Command::UnassignUnits { revocations });
                }
            }
            Step::Invent {
                worker,
                connector,
                epoch,
                state,
            } => {
                let report = report(instance(CONNECTORS[connector]), Epoch(epoch), state);
                // A confirmation is only ever sent by a worker that has stopped the unit.
                if state != UnitState::Unassigned {
                    drop(self.cluster.report(WORKERS[worker], vec![report]));
                }
            }
            Step::Start(worker)
            | Step::Reconnect(worker)
            | Step::Lose(worker)
            | Step::Learn(worker)
            | Step::Act(worker)
            | Step::Deliver(worker) => self.run_worker(step, worker),
        }
    }

    /// Users may ask for what cannot be done.
    fn user(&mut self, command: Command) {
        drop(self.cluster.apply(command));
    }

    fn run_worker(&mut self, step: &Step, worker: usize) {
        let id = WorkerId::new(WORKERS[worker]);
        let process = self.processes.entry(worker).or_default();
        let is_known = self.cluster.state.workers().contains_key(&id);
        match step {
            Step::Start(_) => {
                *process = Process::default();
                self.cluster.join(WORKERS[worker]);
            }
            Step::Reconnect(_) if is_known => {
                process.outbox.clear();
                let held: Vec<_> = process
                    .running
                    .iter()
                    .map(|(unit, epoch)| (unit.clone(), *epoch))
                    .collect();
                process.assignment = None;
                self.cluster.reconnect(WORKERS[worker], &held);
            }
            // The lease is over: the process has stopped everything before its units go to others.
            Step::Lose(_) if is_known => {
                *process = Process::default();
                self.cluster.remove(WORKERS[worker]);
            }
            Step::Learn(_) if is_known => {
                let state = &self.cluster.state;
                process.assignment = Some((state.desired_units(&id), state.releases(&id)));
            }
            Step::Act(_) => process.act(),
            Step::Deliver(_) if is_known => {
                let message = process.outbox.pop_front();
                self.deliver(WORKERS[worker], message);
            }
            _ => {}
        }
    }

    fn deliver(&mut self, worker: &str, message: Option<Message>) {
        match message {
            Some(Message::State(report)) => drop(self.cluster.report(worker, vec![report]).unwrap()),
            Some(Message::Tasks {
                connector,
                epoch,
                count,
            }) => {
                let from = self.cluster.reporter(worker);
                let configs = (0..count)
                    .map(|number| config(&[("n", &number.to_string())]))
                    .collect();
                let connector = connector.connector_name().clone();
                drop(self.cluster.apply(Command::PutTaskConfigs {
                    from,
                    connector,
                    epoch,
                    configs,
                }));
            }
            None => {}
        }
    }

    fn check(&mut self) {
        let revision = self.cluster.state.revision();
        assert!(revision >= self.revision, "the revision went back");
        self.revision = revision;
        self.check_units();
        self.check_runs();
        let state = &self.cluster.state;
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
        let mut planned = self.cluster.clone();
        planned.reconcile();
        assert_eq!(planned.plan(), [], "planning again finds nothing");
    }

    fn check_units(&mut self) {
        let state = &self.cluster.state;
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
        for (worker, process) in &self.processes {
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
        let mut world = World::default();
        for step in &steps {
            world.run(step);
            world.check();
        }
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
