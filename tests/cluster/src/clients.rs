//! Users of the API: they write and read through any node, all at once, and keep what they asked and were told.

mod grpc;
mod rest;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng, SeedableRng as _};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use towpath_testkit::linearizable::{Action, Answer, History, Operation};

use crate::journal::Journal;
use crate::plan::NODES;
pub use grpc::Grpc;
pub use rest::Rest;

/// Users that use REST, and as many that use gRPC.
const USERS: u64 = 2;
/// Connectors that are created, changed and deleted.
const CONTESTED: u64 = 3;
/// Connectors that are there from the begin to the end; what is wanted of them changes.
const STEADY: u64 = 2;
/// Between two requests of a user.
const PAUSE_MS: std::ops::Range<u64> = 100..700;
/// A user that has no answer by then never gets one.
const PATIENCE: Duration = Duration::from_secs(12);
/// The key by which a configuration is told from others.
pub const VALUE: &str = "value";
const TARGETS: [&str; 3] = ["RUNNING", "PAUSED", "STOPPED"];

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    pub connector: String,
    pub change: Change,
}

#[derive(Debug, Clone)]
pub enum Change {
    Create(String),
    Put(String),
    Patch(String),
    Delete,
    Read,
    /// RUNNING, PAUSED or STOPPED.
    SetTarget(&'static str),
    ReadTarget,
}

/// An answer that no fault explains, or what it says.
pub type Told = Result<Answer<String>, String>;

/// The nodes of a run, by REST and by gRPC.
#[derive(Debug, Clone)]
pub struct Api {
    pub rest: Vec<Rest>,
    pub grpc: Vec<Grpc>,
    /// What connectors that come and go are, but for their value.
    pub template: Vec<(String, String)>,
}

#[derive(Debug, Default)]
struct Kept {
    history: History<String>,
    wrong: Vec<String>,
}

/// What all users have asked and been told. The key of a target state is the name of its connector and `/target`.
#[derive(Debug)]
pub struct Users {
    api: Api,
    journal: Arc<Journal>,
    /// A std mutex: never held across an await.
    told: Mutex<Kept>,
}

impl Users {
    pub fn new(api: Api, journal: Arc<Journal>) -> Self {
        Self {
            api,
            journal,
            told: Mutex::default(),
        }
    }

    pub fn api(&self) -> &Api {
        &self.api
    }

    /// The connectors whose target state changes: somebody has to create them before.
    pub fn steady() -> impl Iterator<Item = String> {
        (0..STEADY).map(|number| format!("steady-{number}"))
    }

    /// The steady connectors are there and wanted RUNNING.
    pub fn steady_were_created(&self) {
        let mut all = self.kept();
        for name in Self::steady() {
            let created = Operation {
                action: Action::Put(TARGETS[0].to_owned()),
                answer: Answer::Done,
                invoked: 0,
                returned: self.now_us(),
            };
            all.history
                .entry(format!("{name}/target"))
                .or_default()
                .push(created);
        }
    }

    fn contested() -> impl Iterator<Item = String> {
        (0..CONTESTED).map(|number| format!("contested-{number}"))
    }

    /// They go on until they are stopped.
    pub fn begin(self: &Arc<Self>, seed: u64, stop: &CancellationToken) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        for user in 0..2 * USERS {
            let mut rng = StdRng::seed_from_u64(seed ^ (user + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let (users, stop) = (Arc::clone(self), stop.clone());
            tasks.spawn(async move {
                let mut count = 0;
                while !stop.is_cancelled() {
                    count += 1;
                    let request = draw(&mut rng, &format!("{user}.{count}"));
                    let node = rng.random_range(0..NODES);
                    users.ask(node, user < USERS, request).await;
                    let pause = Duration::from_millis(rng.random_range(PAUSE_MS));
                    tokio::select! { () = tokio::time::sleep(pause) => {}, () = stop.cancelled() => {} }
                }
            });
        }
        tasks
    }

    /// Reads everything through each node, when nothing is broken any more.
    pub async fn read_all(&self) {
        for node in 0..NODES {
            for connector in Self::contested() {
                let change = Change::Read;
                self.ask(node, true, Request { connector, change }).await;
            }
            for connector in Self::steady() {
                let change = Change::ReadTarget;
                self.ask(node, false, Request { connector, change }).await;
            }
        }
    }

    /// The history, and the answers that no fault explains.
    pub fn told(&self) -> (History<String>, Vec<String>) {
        let told = self.kept();
        (told.history.clone(), told.wrong.clone())
    }

    async fn ask(&self, node: usize, by_rest: bool, request: Request) {
        let invoked = self.now_us();
        let asked = async {
            // Target states are shown by gRPC only.
            if by_rest && !matches!(request.change, Change::ReadTarget) {
                self.api.rest[node].ask(&request, &self.api.template).await
            } else {
                self.api.grpc[node].ask(&request, &self.api.template).await
            }
        };
        let told = tokio::time::timeout(PATIENCE, asked)
            .await
            .unwrap_or(Ok(Answer::Unknown));
        let face = if by_rest { "REST" } else { "gRPC" };
        self.journal
            .note(&format!("node-{} by {face}: {request:?}: {told:?}", node + 1));
        let mut all = self.kept();
        match told {
            Ok(answer) => {
                let operation = Operation {
                    action: request.change.action(),
                    answer,
                    invoked,
                    returned: self.now_us(),
                };
                all.history.entry(request.key()).or_default().push(operation);
            }
            Err(wrong) => all.wrong.push(format!("{request:?} was answered: {wrong}")),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_us(&self) -> u64 {
        u64::try_from(self.journal.now().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Request {
    fn key(&self) -> String {
        match self.change {
            Change::SetTarget(_) | Change::ReadTarget => format!("{}/target", self.connector),
            Change::Create(_) | Change::Put(_) | Change::Patch(_) | Change::Delete | Change::Read => {
                self.connector.clone()
            }
        }
    }
}

impl Change {
    fn action(&self) -> Action<String> {
        match self {
            Self::Create(value) => Action::Create(value.clone()),
            Self::Put(value) => Action::Put(value.clone()),
            Self::Patch(value) => Action::Update(value.clone()),
            Self::Delete => Action::Delete,
            Self::Read | Self::ReadTarget => Action::Read,
            Self::SetTarget(target) => Action::Put((*target).to_owned()),
        }
    }
}

/// No two requests of a run write the same value, but for target states.
fn draw(rng: &mut StdRng, value: &str) -> Request {
    let value = value.to_owned();
    let contested = format!("contested-{}", rng.random_range(0..CONTESTED));
    let steady = format!("steady-{}", rng.random_range(0..STEADY));
    let (connector, change) = match rng.random_range(0..100) {
        0..12 => (contested, Change::Create(value)),
        12..24 => (contested, Change::Put(value)),
        24..38 => (contested, Change::Patch(value)),
        38..46 => (contested, Change::Delete),
        46..72 => (contested, Change::Read),
        72..86 => {
            let target = TARGETS.choose(rng).expect("there are some");
            (steady, Change::SetTarget(target))
        }
        _ => (steady, Change::ReadTarget),
    };
    Request { connector, change }
}

/// Answers that promise that nothing was changed.
fn had_no_effect(message: &str) -> bool {
    let promises = ["is not the leader", "No worker is connected", "is gone or busy"];
    promises.iter().any(|promise| message.contains(promise))
}

/// A whole configuration.
fn configuration(template: &[(String, String)], value: &str) -> BTreeMap<String, String> {
    let value = (VALUE.to_owned(), value.to_owned());
    template.iter().cloned().chain([value]).collect()
}
