//! Random histories: users, planners with other ideas, and workers that lag behind what they are told.

use std::collections::{BTreeMap, VecDeque};

use proptest::prelude::*;
use towpath_state::{
    Assignment, Command, DesiredUnit, Expect, Release, RestartFilter, RestartScope, Revocation, UnitReport,
};
use towpath_types::{Epoch, TargetState, TaskNumber, UnitId, UnitState, WorkerId};

use crate::cluster::{Cluster, config, instance, name, report, task};

const CONNECTORS: [&str; 3] = ["a", "b", "c"];
const WORKERS: [&str; 3] = ["w1", "w2", "w3"];

#[derive(Debug, Clone)]
pub(crate) enum Step {
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

pub(crate) fn step() -> impl Strategy<Value = Step> {
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
pub(crate) struct Process {
    assignment: Option<(Vec<DesiredUnit>, Vec<Release>)>,
    pub(crate) running: BTreeMap<UnitId, Epoch>,
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
pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) processes: BTreeMap<usize, Process>,
}

impl World {
    pub(crate) fn run(&mut self, step: &Step) {
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
                    process: None,
                });
            }
            Step::Reconcile | Step::Assign { .. } | Step::Unassign { .. } | Step::Invent { .. } => {
                self.run_other(step);
            }
            Step::Start(worker)
            | Step::Reconnect(worker)
            | Step::Lose(worker)
            | Step::Learn(worker)
            | Step::Act(worker)
            | Step::Deliver(worker) => self.run_worker(step, worker),
        }
    }

    fn run_other(&mut self, step: &Step) {
        match *step {
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
            _ => {}
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
}
