//! A state with obedient workers around it: they run what they are told and confirm what they let go of.

use std::sync::Arc;

use towpath_state::{
    Applied, Assignment, ClusterState, Command, Detail, Expect, HeldUnit, LiveWorkers, Outcome, Plugin,
    Refusal, Registration, RemovalReason, Replaces, Reporter, UnitReport, plan,
};
use towpath_types::{
    ConnectorConfig, ConnectorKind, ConnectorName, Epoch, PluginKind, SessionId, TargetState, UnitId,
    UnitState, WorkerId,
};

pub(crate) const SOURCE: &str = "org.example.FileSource";

/// Planning and obeying must come to rest within so many rounds.
const MAX_ROUNDS: usize = 400;

#[derive(Default, Clone)]
pub(crate) struct Cluster {
    pub(crate) state: ClusterState,
    sessions: u32,
}

pub(crate) fn name(text: &str) -> ConnectorName {
    ConnectorName::new(text).unwrap()
}

pub(crate) fn instance(connector: &str) -> UnitId {
    UnitId::Connector(name(connector))
}

pub(crate) fn task(connector: &str, number: u32) -> UnitId {
    UnitId::task(&name(connector), number)
}

pub(crate) fn config(entries: &[(&str, &str)]) -> Arc<ConnectorConfig> {
    Arc::new(entries.iter().copied().collect())
}

pub(crate) fn plugin(class: &str) -> Plugin {
    let short = class.rsplit('.').next().unwrap().to_owned();
    Plugin {
        class: class.to_owned(),
        aliases: vec![short],
        kind: PluginKind::Source,
        version: "1.0".to_owned(),
    }
}

pub(crate) fn report(unit: UnitId, epoch: Epoch, state: UnitState) -> UnitReport {
    UnitReport {
        unit,
        epoch,
        state,
        trace: None,
        version: Some("1.0".to_owned()),
    }
}

pub(crate) fn registration(worker: &str, session: &str, classes: &[&str]) -> Registration {
    Registration {
        worker: worker.into(),
        session: session.into(),
        resumes: None,
        process: None,
        replaces: Replaces::default(),
        address: format!("{worker}:8083"),
        version: "0.1.0".to_owned(),
        labels: [("zone".to_owned(), "a".to_owned())].into(),
        plugins: classes.iter().map(|class| plugin(class)).collect(),
        held: Vec::new(),
    }
}

impl Cluster {
    pub(crate) fn with_workers(count: usize) -> Self {
        Self::beginning_with(ClusterState::new(), count)
    }

    pub(crate) fn beginning_with(state: ClusterState, count: usize) -> Self {
        let mut cluster = Self { state, sessions: 0 };
        for number in 1..=count {
            cluster.join(&format!("w{number}"));
        }
        cluster
    }

    pub(crate) fn apply(&mut self, command: Command) -> Outcome {
        self.state.apply(&command)
    }

    pub(crate) fn must(&mut self, command: Command) -> Detail {
        self.apply(command).unwrap().detail
    }

    pub(crate) fn refusal(&mut self, command: Command) -> Refusal {
        let before = self.state.clone();
        let refusal = self.apply(command).unwrap_err();
        assert!(self.state == before, "a refusal changes nothing");
        refusal
    }

    pub(crate) fn join(&mut self, worker: &str) -> Reporter {
        self.join_with(worker, &[SOURCE])
    }

    pub(crate) fn join_with(&mut self, worker: &str, classes: &[&str]) -> Reporter {
        self.sessions += 1;
        let session = format!("{worker}-session-{}", self.sessions);
        self.must(Command::RegisterWorker(registration(worker, &session, classes)));
        self.reporter(worker)
    }

    /// The same process, over a new connection, with everything that it runs.
    pub(crate) fn reconnect(&mut self, worker: &str, held: &[(UnitId, Epoch)]) -> Reporter {
        self.sessions += 1;
        let known = self
            .state
            .workers()
            .get(&WorkerId::new(worker))
            .map(|known| known.session.clone());
        let mut registration =
            registration(worker, &format!("{worker}-session-{}", self.sessions), &[SOURCE]);
        registration.resumes = known;
        registration.held = held
            .iter()
            .map(|(unit, epoch)| HeldUnit {
                unit: unit.clone(),
                epoch: *epoch,
            })
            .collect();
        self.must(Command::RegisterWorker(registration));
        self.reporter(worker)
    }

    pub(crate) fn remove(&mut self, worker: &str) {
        let from = self.reporter(worker);
        self.must(Command::RemoveWorker {
            from,
            reason: RemovalReason::LeaseExpired,
        });
    }

    pub(crate) fn reporter(&self, worker: &str) -> Reporter {
        let worker = WorkerId::new(worker);
        let session = self
            .state
            .workers()
            .get(&worker)
            .map_or(SessionId::new("none"), |known| known.session.clone());
        Reporter { worker, session }
    }

    pub(crate) fn put(&mut self, connector: &str, entries: &[(&str, &str)]) -> Outcome {
        self.put_expecting(connector, entries, Expect::Any, TargetState::Running)
    }

    pub(crate) fn put_expecting(
        &mut self,
        connector: &str,
        entries: &[(&str, &str)],
        expect: Expect,
        initial_state: TargetState,
    ) -> Outcome {
        let mut config: ConnectorConfig = entries.iter().copied().collect();
        if !config.contains_key("connector.class") {
            config.insert("connector.class", SOURCE);
        }
        self.apply(Command::PutConnector {
            name: name(connector),
            config: Arc::new(config),
            kind: ConnectorKind::Source,
            expect,
            initial_state,
        })
    }

    /// Created, placed and running, with so many tasks.
    pub(crate) fn running(&mut self, connector: &str, tasks: usize) {
        self.put(connector, &[("tasks.max", &tasks.to_string())]).unwrap();
        self.settle();
    }

    pub(crate) fn target(&mut self, connector: &str, target: TargetState) {
        self.must(Command::SetTargetState {
            name: name(connector),
            target,
        });
    }

    pub(crate) fn epoch(&self, unit: &UnitId) -> Epoch {
        self.state.unit(unit).expect("the unit exists").epoch
    }

    pub(crate) fn owner(&self, unit: &UnitId) -> Option<&str> {
        self.state.owner_of(unit).map(WorkerId::as_str)
    }

    pub(crate) fn unit_state(&self, unit: &UnitId) -> Option<UnitState> {
        self.state.unit(unit)?.status.as_ref().map(|status| status.state)
    }

    pub(crate) fn report(&mut self, worker: &str, reports: Vec<UnitReport>) -> Outcome {
        let from = self.reporter(worker);
        self.apply(Command::ReportUnitStates { from, reports })
    }

    pub(crate) fn put_tasks(&mut self, connector: &str, configs: Vec<Arc<ConnectorConfig>>) -> Outcome {
        let unit = instance(connector);
        let from = self.reporter(self.owner(&unit).unwrap());
        let epoch = self.epoch(&unit);
        self.apply(Command::PutTaskConfigs {
            from,
            connector: name(connector),
            epoch,
            configs,
        })
    }

    pub(crate) fn live(&self) -> LiveWorkers {
        self.state.workers().keys().cloned().collect()
    }

    pub(crate) fn plan(&self) -> Vec<Command> {
        plan(&self.state, &self.live())
    }

    /// One round of the reconcile loop, without the workers doing anything. Says whether there was something to do.
    pub(crate) fn reconcile(&mut self) -> bool {
        let commands = self.plan();
        let is_work = !commands.is_empty();
        for command in commands {
            self.must(command);
        }
        is_work
    }

    /// Until nobody has anything to do any more.
    pub(crate) fn settle(&mut self) {
        for _ in 0..MAX_ROUNDS {
            let mut busy = self.reconcile();
            for worker in self.state.workers().keys().cloned().collect::<Vec<_>>() {
                busy |= self.obey(&worker);
            }
            if !busy {
                return;
            }
        }
        panic!("placement does not come to rest");
    }

    /// What a worker does with its assignment.
    pub(crate) fn obey(&mut self, worker: &WorkerId) -> bool {
        let before = self.state.revision();
        let from = self.reporter(worker.as_str());
        let released = self.state.releases(worker).into_iter();
        let mut reports: Vec<UnitReport> = released
            .map(|release| report(release.unit, release.epoch, UnitState::Unassigned))
            .collect();
        for desired in self.state.desired_units(worker) {
            let state = match (desired.target, &desired.task_config) {
                (TargetState::Running, _) => UnitState::Running,
                (TargetState::Paused, _) => UnitState::Paused,
                (TargetState::Stopped, _) => UnitState::Stopped,
            };
            reports.push(report(desired.unit, desired.epoch, state));
        }
        self.must(Command::ReportUnitStates {
            from: from.clone(),
            reports,
        });
        self.make_tasks(worker, &from);
        self.state.revision() != before
    }

    fn make_tasks(&mut self, worker: &WorkerId, from: &Reporter) {
        for desired in self.state.desired_units(worker) {
            if desired.task_config.is_some() || desired.target != TargetState::Running {
                continue;
            }
            let count: usize = desired
                .config
                .get("tasks.max")
                .map_or(1, |count| count.parse().unwrap());
            let configs = (0..count)
                .map(|number| config(&[("task", &number.to_string())]))
                .collect();
            let connector = desired.unit.connector_name().clone();
            let outcome = self.apply(Command::PutTaskConfigs {
                from: from.clone(),
                connector,
                epoch: desired.epoch,
                configs,
            });
            assert!(matches!(
                outcome,
                Ok(Applied {
                    detail: Detail::TasksReplaced | Detail::TasksUnchanged,
                    ..
                })
            ));
        }
    }

    pub(crate) fn assign(&mut self, unit: UnitId, worker: &str) {
        self.must(Command::AssignUnits {
            assignments: vec![Assignment {
                unit,
                worker: worker.into(),
            }],
        });
    }
}
