//! What planning costs, as the number of tasks grows. Pure: a state in memory, nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use towpath_state::{
    ClusterState, Command, Expect, LiveWorkers, Plugin, Refusal, Registration, RemovalReason, Replaces,
    Reporter, plan,
};
use towpath_types::{
    ConnectorConfig, ConnectorKind, ConnectorName, PluginKind, SessionId, TargetState, UnitId, WorkerId,
};

use super::worker::CLASS;
use crate::Outcome;

const WORKERS: usize = 200;
const TASKS_EACH: usize = 5;
const CONNECTORS: [usize; 4] = [200, 1_000, 2_000, 10_000];
/// The median counts.
const RUNS: usize = 5;

/// One situation of one cluster.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    pub(crate) connectors: usize,
    pub(crate) tasks: usize,
    pub(crate) workers: usize,
    pub(crate) situation: &'static str,
    /// The median.
    pub(crate) took: Duration,
}

pub(crate) fn measure() -> Outcome<Vec<Planned>> {
    let clusters = CONNECTORS.into_iter().map(measure_one);
    Ok(clusters.collect::<Result<Vec<_>, _>>()?.concat())
}

fn measure_one(connectors: usize) -> Result<Vec<Planned>, Refusal> {
    let mut cluster = Cluster::new(connectors)?;
    let mut measured = Vec::new();
    let mut note = |situation, cluster: &Cluster| {
        measured.push(Planned {
            connectors,
            tasks: connectors * TASKS_EACH,
            workers: WORKERS,
            situation,
            took: cluster.time_to_plan(),
        });
    };
    cluster.obey_plan()?;
    cluster.make_tasks()?;
    note("tasks without a place", &cluster);
    cluster.obey_plan()?;
    note("nothing to do", &cluster);
    cluster.lose(0)?;
    note("a worker is lost", &cluster);
    cluster.obey_plan()?;
    cluster.join(0)?;
    note("a worker has joined", &cluster);
    Ok(measured)
}

struct Cluster {
    state: ClusterState,
    config: Arc<ConnectorConfig>,
}

impl Cluster {
    /// Connectors without tasks that nobody runs yet.
    fn new(connectors: usize) -> Result<Self, Refusal> {
        let config = [("connector.class", CLASS), ("topic", "simulated")];
        let mut cluster = Self {
            state: ClusterState::new(),
            config: Arc::new(config.into_iter().collect()),
        };
        for worker in 0..WORKERS {
            cluster.join(worker)?;
        }
        for number in 0..connectors {
            let name = format!("connector-{number}");
            cluster.apply(&Command::PutConnector {
                name: ConnectorName::new(name).expect("it has a letter"),
                config: Arc::clone(&cluster.config),
                kind: ConnectorKind::Source,
                expect: Expect::MustNotExist,
                initial_state: TargetState::Running,
            })?;
        }
        Ok(cluster)
    }

    fn apply(&mut self, command: &Command) -> Result<(), Refusal> {
        self.state.apply(command).map(drop)
    }

    fn join(&mut self, number: usize) -> Result<(), Refusal> {
        let worker = worker_id(number);
        self.apply(&Command::RegisterWorker(Registration {
            address: worker.as_str().to_owned(),
            worker,
            session: session_of(number),
            resumes: None,
            process: None,
            replaces: Replaces::default(),
            version: "1.0".to_owned(),
            labels: BTreeMap::new(),
            plugins: vec![Plugin {
                class: CLASS.to_owned(),
                aliases: Vec::new(),
                kind: PluginKind::Source,
                version: "1.0".to_owned(),
            }],
            held: Vec::new(),
        }))
    }

    fn lose(&mut self, number: usize) -> Result<(), Refusal> {
        let worker = worker_id(number);
        self.apply(&Command::RemoveWorker {
            from: Reporter {
                worker,
                session: session_of(number),
            },
            reason: RemovalReason::LeaseExpired,
        })
    }

    /// Each connector instance says its tasks.
    fn make_tasks(&mut self) -> Result<(), Refusal> {
        let names: Vec<ConnectorName> = self.state.list().cloned().collect();
        for name in names {
            let unit = self.state.unit(&UnitId::Connector(name.clone()));
            let (holder, epoch) = unit
                .and_then(|unit| Some((unit.holder.as_ref()?, unit.epoch)))
                .expect("every instance was assigned");
            let from = Reporter {
                worker: holder.worker.clone(),
                session: holder.session.clone(),
            };
            self.apply(&Command::PutTaskConfigs {
                from,
                connector: name,
                epoch,
                configs: vec![Arc::clone(&self.config); TASKS_EACH],
            })?;
        }
        Ok(())
    }

    fn obey_plan(&mut self) -> Result<(), Refusal> {
        let commands = plan(&self.state, &self.live());
        commands.iter().try_for_each(|command| self.apply(command))
    }

    fn live(&self) -> LiveWorkers {
        self.state.workers().keys().cloned().collect()
    }

    fn time_to_plan(&self) -> Duration {
        let live = self.live();
        let mut runs: Vec<Duration> = (0..RUNS)
            .map(|_| {
                let begin = Instant::now();
                drop(plan(&self.state, &live));
                begin.elapsed()
            })
            .collect();
        runs.sort_unstable();
        runs[RUNS / 2]
    }
}

fn worker_id(number: usize) -> WorkerId {
    WorkerId::new(format!("worker-{number}:8083"))
}

fn session_of(number: usize) -> SessionId {
    SessionId::new(format!("session-{number}"))
}
