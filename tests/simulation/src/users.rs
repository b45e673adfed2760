//! Users: they create, edit, pause, restart and delete connectors, drain workers, and read back what they wrote.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::Rng;
use rand::rngs::StdRng;
use tokio::task::JoinSet;
use towpath_raft::{ClusterStore as _, Reads as _, StoreError};
use towpath_state::{Command, Expect, Outcome, Refusal, RestartFilter, RestartScope};
use towpath_testkit::linearizable::{Action, Answer, History, Operation};
use towpath_types::{ConnectorConfig, ConnectorKind, ConnectorName, TargetState, TaskNumber, WorkerId};

use crate::agenda::{Actor, Agenda, Event, Millis};
use crate::group::NodeStore;

/// By number: the class that its name stands for, so that a connector is always of one kind.
pub(crate) const CLASSES: [&str; 3] = ["Source", "Sink", "Rare"];
/// The key by which a configuration is told from others.
const VALUE: &str = "value";

#[derive(Debug)]
struct Asked {
    connector: String,
    action: Action<String>,
    invoked: Millis,
}

#[derive(Debug)]
pub(crate) struct Users {
    connectors: usize,
    max_tasks: u32,
    count: u64,
    asked: BTreeMap<u64, Asked>,
    pub(crate) history: History<String>,
}

/// The request of a user, for a node.
#[derive(Debug)]
pub(crate) enum Request {
    Write(Command),
    Read(ConnectorName),
}

impl Users {
    pub(crate) fn new(rng: &mut StdRng) -> Self {
        Self {
            connectors: rng.random_range(1..=5),
            max_tasks: if rng.random_bool(0.06) { 40 } else { 5 },
            count: 0,
            asked: BTreeMap::new(),
            history: History::new(),
        }
    }

    /// What a user asks next, and its number.
    pub(crate) fn act(&mut self, rng: &mut StdRng, workers: &[String], now: Millis) -> (u64, Request) {
        self.count += 1;
        let number = self.count;
        let connector = rng.random_range(0..self.connectors);
        let name = ConnectorName::new(format!("c{connector}")).expect("it is a name");
        let (request, action) = match rng.random_range(0..100) {
            0..30 => {
                let value = number.to_string();
                let action = if rng.random_bool(0.3) {
                    Action::Create(value)
                } else {
                    Action::Put(value)
                };
                (self.put(rng, name.clone(), connector, &action), Some(action))
            }
            30..38 => (
                Request::Write(Command::DeleteConnector { name: name.clone() }),
                Some(Action::Delete),
            ),
            38..55 => (Request::Read(name.clone()), Some(Action::Read)),
            55..75 => (Request::Write(change(rng, name.clone())), None),
            75..90 => (Request::Write(restart(rng, name.clone())), None),
            _ => {
                let worker = WorkerId::new(&workers[rng.random_range(0..workers.len())]);
                let draining = rng.random_bool(0.5);
                let command = Command::SetDraining {
                    worker,
                    draining,
                    process: None,
                };
                (Request::Write(command), None)
            }
        };
        if let Some(action) = action {
            let asked = Asked {
                connector: name.as_str().to_owned(),
                action,
                invoked: now,
            };
            self.asked.insert(number, asked);
        }
        (number, request)
    }

    fn put(
        &self,
        rng: &mut StdRng,
        name: ConnectorName,
        connector: usize,
        action: &Action<String>,
    ) -> Request {
        let class = CLASSES[connector % CLASSES.len()];
        let (Action::Create(value) | Action::Put(value)) = action else {
            return Request::Read(name);
        };
        let mut config = ConnectorConfig::new();
        config.insert("connector.class", class);
        config.insert("tasks.max", rng.random_range(0..=self.max_tasks).to_string());
        config.insert(VALUE, value);
        Request::Write(Command::PutConnector {
            name,
            config: Arc::new(config),
            kind: if class == "Sink" {
                ConnectorKind::Sink
            } else {
                ConnectorKind::Source
            },
            expect: match action {
                Action::Create(_) => Expect::MustNotExist,
                Action::Put(_) | Action::Update(_) | Action::Delete | Action::Read => Expect::Any,
            },
            initial_state: TargetState::Running,
        })
    }

    pub(crate) fn answered(&mut self, number: u64, answer: &Result<Outcome, StoreError>, now: Millis) {
        let answer = match answer {
            Ok(Ok(_)) => Answer::Done,
            Ok(Err(Refusal::AlreadyExists { .. } | Refusal::ConnectorNotFound { .. })) => Answer::Refused,
            Ok(Err(_)) | Err(StoreError::NotLeader { .. } | StoreError::Overloaded) => Answer::Failed,
            Err(_) => Answer::Unknown,
        };
        self.record(number, answer, now);
    }

    pub(crate) fn read(&mut self, number: u64, found: Option<String>, is_answer: bool, now: Millis) {
        let answer = if is_answer {
            Answer::Found(found)
        } else {
            Answer::Failed
        };
        self.record(number, answer, now);
    }

    fn record(&mut self, number: u64, answer: Answer<String>, now: Millis) {
        if let Some(asked) = self.asked.remove(&number) {
            let operation = Operation {
                action: asked.action,
                answer,
                invoked: asked.invoked,
                returned: now,
            };
            self.history.entry(asked.connector).or_default().push(operation);
        }
    }

    /// Whoever still waits never learns what came of it.
    pub(crate) fn give_up(&mut self, now: Millis) {
        let waiting: Vec<u64> = self.asked.keys().copied().collect();
        for number in waiting {
            self.record(number, Answer::Unknown, now);
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = ConnectorName> + use<> {
        (0..self.connectors).map(|number| ConnectorName::new(format!("c{number}")).expect("it is a name"))
    }

    /// Of a request that is no user's.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// A read of this connector.
    pub(crate) fn ask_for(&mut self, name: &ConnectorName, now: Millis) -> u64 {
        self.count += 1;
        let asked = Asked {
            connector: name.as_str().to_owned(),
            action: Action::Read,
            invoked: now,
        };
        self.asked.insert(self.count, asked);
        self.count
    }
}

fn change(rng: &mut StdRng, name: ConnectorName) -> Command {
    let targets = [
        TargetState::Running,
        TargetState::Running,
        TargetState::Paused,
        TargetState::Stopped,
    ];
    Command::SetTargetState {
        name,
        target: targets[rng.random_range(0..targets.len())],
    }
}

fn restart(rng: &mut StdRng, name: ConnectorName) -> Command {
    Command::RestartUnits {
        name,
        scope: match rng.random_range(0..3) {
            0 => RestartScope::Connector,
            1 => RestartScope::ConnectorAndTasks,
            _ => RestartScope::Task(TaskNumber(rng.random_range(0..3))),
        },
        filter: if rng.random_bool(0.5) {
            RestartFilter::All
        } else {
            RestartFilter::OnlyFailed
        },
    }
}

/// Asks a node, in a task of its own.
pub(crate) fn ask(
    number: u64,
    request: Request,
    store: Arc<NodeStore>,
    agenda: Arc<Agenda>,
    tasks: &mut JoinSet<()>,
) {
    tasks.spawn(async move {
        let event = match request {
            Request::Write(command) => Event::Answered(number, store.propose(command).await),
            Request::Read(name) => {
                let value = |state: &towpath_state::ClusterState| {
                    let connector = state.connector(name.as_str())?;
                    connector.config.get(VALUE).map(str::to_owned)
                };
                match store.read(value).await {
                    Ok(found) => Event::ReadDone(number, found, true),
                    Err(_) => Event::ReadDone(number, None, false),
                }
            }
        };
        agenda.add(agenda.now(), Actor::User(number), event);
    });
}
