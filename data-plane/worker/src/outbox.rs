//! What the worker has to tell the control plane, as state and not as a stream: the newest word of each unit, its
//! tasks, the topics it used, and the offsets that wait for an answer. A session takes from it; a new session begins by
//! taking everything that still holds. Bounded by the number of units (invariant 7).

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::{Notify, oneshot};
use towpath_connect::{ConnectorError, Result, Topic};
use towpath_runtime::offsets::{KeptOffsets, OffsetCommit, OffsetStore};
use towpath_runtime::unit::{Reports, TaskConfigsReport, UnitReport};
use towpath_types::{Epoch, UnitId};

/// The answer to a commit, for the task that waits.
pub(crate) type CommitAnswer = oneshot::Sender<Result<()>>;
/// The answer to a read, for the task that waits.
pub(crate) type ReadAnswer = oneshot::Sender<Result<KeptOffsets>>;

/// What a session is to send now.
#[derive(Debug, Default)]
pub(crate) struct Outgoing {
    pub(crate) units: Vec<UnitReport>,
    pub(crate) task_configs: Vec<TaskConfigsReport>,
    pub(crate) topics: Vec<(UnitId, Vec<Topic>)>,
    pub(crate) commits: Vec<(OffsetCommit, CommitAnswer)>,
    pub(crate) reads: Vec<(String, ReadAnswer)>,
}

#[derive(Debug, Default)]
struct State {
    /// The newest report of each unit that is here.
    units: HashMap<UnitId, UnitReport>,
    /// Units whose report was not sent in this session.
    news: HashSet<UnitId>,
    /// Reports of units that are gone; each is sent once, and again until the release is over.
    ended: HashMap<UnitId, UnitReport>,
    /// The newest tasks of each connector that runs here.
    task_configs: HashMap<UnitId, TaskConfigsReport>,
    task_config_news: HashSet<UnitId>,
    topics: HashMap<UnitId, Vec<Topic>>,
    topic_news: HashSet<UnitId>,
    commits: Vec<(OffsetCommit, CommitAnswer)>,
    reads: Vec<(String, ReadAnswer)>,
    /// Which units are here, running or stopping, and in which run.
    held: HashMap<UnitId, Epoch>,
}

/// Shared by the units, the reconciler and the session.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// A std mutex: held for a few lines, never across an await.
    state: Mutex<State>,
    wake: Notify,
}

impl Outbox {
    /// Waits until there may be something to send. Dropping the future loses nothing.
    pub(crate) async fn news(&self) {
        self.wake.notified().await;
    }

    /// A new session begins: everything that still holds is news to it. Commits of the old one were not answered.
    pub(crate) fn begin_session(&self) -> HashMap<UnitId, Epoch> {
        let mut state = self.lock();
        state.news = state.units.keys().cloned().collect();
        state.task_config_news = state.task_configs.keys().cloned().collect();
        state.topic_news = state.topics.keys().cloned().collect();
        let held = state.held.clone();
        drop(state);
        self.wake.notify_one();
        held
    }

    /// Takes what is to be sent. Commits are left while one is under way, so that they gather into batches.
    pub(crate) fn take(&self, commit_under_way: bool) -> Outgoing {
        let mut guard = self.lock();
        let state = &mut *guard;
        let news = std::mem::take(&mut state.news);
        let mut units: Vec<UnitReport> = state.ended.drain().map(|(_, report)| report).collect();
        units.extend(news.iter().filter_map(|unit| state.units.get(unit).cloned()));
        let task_configs = std::mem::take(&mut state.task_config_news);
        let topics = std::mem::take(&mut state.topic_news);
        Outgoing {
            units,
            task_configs: task_configs
                .iter()
                .filter_map(|unit| state.task_configs.get(unit).cloned())
                .collect(),
            topics: topics
                .iter()
                .filter_map(|unit| Some((unit.clone(), state.topics.get(unit)?.clone())))
                .collect(),
            commits: if commit_under_way {
                Vec::new()
            } else {
                take_open(&mut state.commits)
            },
            reads: std::mem::take(&mut state.reads),
        }
    }

    /// A unit is here in this run.
    pub(crate) fn hold(&self, unit: &UnitId, epoch: Epoch) {
        let mut state = self.lock();
        state.held.insert(unit.clone(), epoch);
        // What an earlier run said is over.
        state.units.remove(unit);
        state.ended.remove(unit);
        state.task_configs.remove(unit);
        state.topics.remove(unit);
    }

    /// A unit is gone. Nothing it said holds any more.
    pub(crate) fn let_go(&self, unit: &UnitId) {
        let mut state = self.lock();
        state.held.remove(unit);
        state.units.remove(unit);
        state.task_configs.remove(unit);
        state.topics.remove(unit);
    }

    /// Confirms that a unit does not run here.
    pub(crate) fn ended(&self, unit: &UnitId, epoch: Epoch) {
        let report = UnitReport {
            unit: unit.clone(),
            epoch,
            state: towpath_types::UnitState::Unassigned,
            trace: None,
            version: None,
            ended: true,
        };
        self.lock().ended.insert(unit.clone(), report);
        self.wake.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Commits whose task no longer waits are left out: it will commit again.
fn take_open(commits: &mut Vec<(OffsetCommit, CommitAnswer)>) -> Vec<(OffsetCommit, CommitAnswer)> {
    std::mem::take(commits)
        .into_iter()
        .filter(|(_, answer)| !answer.is_closed())
        .collect()
}

impl Reports for Outbox {
    fn unit(&self, report: UnitReport) {
        let mut state = self.lock();
        // A run that is over may still say something; only the run that is held counts.
        if state.held.get(&report.unit) == Some(&report.epoch) {
            state.news.insert(report.unit.clone());
            state.units.insert(report.unit.clone(), report);
            drop(state);
            self.wake.notify_one();
        }
    }

    fn task_configs(&self, report: TaskConfigsReport) {
        let mut state = self.lock();
        if state.held.get(&report.connector) == Some(&report.epoch) {
            state.task_config_news.insert(report.connector.clone());
            state.task_configs.insert(report.connector.clone(), report);
            drop(state);
            self.wake.notify_one();
        }
    }

    fn topics(&self, task: &UnitId, topics: Vec<Topic>) {
        let mut state = self.lock();
        let known = state.topics.entry(task.clone()).or_default();
        known.extend(topics);
        state.topic_news.insert(task.clone());
        drop(state);
        self.wake.notify_one();
    }
}

/// Offsets kept by the control plane: a commit counts when it is acknowledged.
#[async_trait]
impl OffsetStore for Outbox {
    async fn commit(&self, commit: OffsetCommit) -> Result<()> {
        let (answer, answered) = oneshot::channel();
        self.lock().commits.push((commit, answer));
        self.wake.notify_one();
        answered.await.unwrap_or_else(|_| Err(unanswered("committed")))
    }

    async fn read(&self, connector: &str) -> Result<KeptOffsets> {
        let (answer, answered) = oneshot::channel();
        self.lock().reads.push((connector.to_owned(), answer));
        self.wake.notify_one();
        answered.await.unwrap_or_else(|_| Err(unanswered("read")))
    }
}

fn unanswered(what: &str) -> ConnectorError {
    ConnectorError::retriable(format!(
        "source offsets could not be {what}: the connection to the control plane broke before it answered"
    ))
}
