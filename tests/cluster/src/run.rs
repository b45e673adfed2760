//! One run: set up, break for a while, heal, and judge.

use std::path::Path;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use towpath_testkit::{TimedOut, linearizable};

use crate::clients::Users;
use crate::cluster::{Cluster, ClusterError};
use crate::faults::{self, Ended, FaultError};
use crate::hanging;
use crate::journal::Journal;
use crate::numbers::Numbers;
use crate::oracles::delivered::{self, Written};
use crate::oracles::overlaps;
use crate::plan::{Delivery, Plan};
use crate::settled;
use crate::shell::ShellError;
use crate::watch::Watch;
use crate::work::Work;

/// How often the logs are read: so exactly it is known when a unit ran.
const LOOK: Duration = Duration::from_millis(25);

/// The run could not be made. What a run finds wrong is in its report.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("the cluster could not be set up")]
    SetUp(#[from] ClusterError),
    #[error("the cluster did not get to work before anything was broken")]
    NotReady(#[from] TimedOut),
    #[error("a fault could not be carried out")]
    Fault(#[from] FaultError),
    #[error("a file of the run could not be written")]
    File(#[from] std::io::Error),
    #[error("the topics could not be read")]
    Topics(#[from] ShellError),
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Report {
    pub violations: Vec<String>,
    pub faults: usize,
    pub numbers: u64,
    pub repeats: usize,
    pub requests: usize,
    pub settled_after: Duration,
    /// Transactions that Kafka left hanging, and that were aborted.
    pub hanging: usize,
}

struct Run<'a> {
    plan: &'a Plan,
    folder: &'a Path,
    cluster: Arc<Cluster>,
    journal: Arc<Journal>,
    watch: Arc<Watch>,
    users: Arc<Users>,
    work: Work,
    ended: Ended,
    report: Report,
}

/// Makes the run that this plan describes; its logs stay in the folder.
///
/// # Errors
/// When it could not be made.
pub async fn run(plan: &Plan, folder: &Path) -> Result<Report, RunError> {
    let journal = Arc::new(Journal::create(&folder.join("events.log"))?);
    let watch = Arc::new(Watch::new(Arc::clone(&journal)));
    let cluster = Arc::new(Cluster::start(plan, folder, &watch).await?);
    let api = cluster.api(folder)?;
    let mut looking = JoinSet::new();
    looking.spawn(keep_looking(Arc::clone(&watch)));
    let ended = Ended::default();
    looking.spawn(faults::keep_alive(
        Arc::clone(&cluster),
        Arc::clone(&journal),
        Arc::clone(&ended),
    ));
    let work = Work::create(plan, &api.rest[0], folder).await?;
    settled::wait(&api, &watch).await?;
    let users = Arc::new(Users::new(api, Arc::clone(&journal)));
    users.steady_were_created();
    let mut run = Run {
        plan,
        folder,
        cluster,
        journal,
        watch,
        users,
        work,
        ended,
        report: Report::default(),
    };
    let written = run.break_things().await?;
    run.heal(&written).await;
    run.judge(&written).await?;
    run.clean_up().await;
    looking.shutdown().await;
    Ok(run.report)
}

async fn keep_looking(watch: Arc<Watch>) {
    let mut pace = tokio::time::interval(LOOK);
    loop {
        pace.tick().await;
        watch.look();
    }
}

impl Run<'_> {
    /// Everybody works while the faults happen.
    async fn break_things(&mut self) -> Result<Written, RunError> {
        self.journal.note("everything runs");
        let stop = CancellationToken::new();
        let mut numbers = self.work.begin(self.plan)?;
        let mut users = self.users.begin(self.plan.seed, &stop);
        faults::carry_out(self.plan, &self.cluster, &self.journal).await?;
        self.journal.note("everything is whole again");
        self.report.faults = self.plan.faults.len();
        stop.cancel();
        while users.join_next().await.is_some() {}
        let mut written = Written::new();
        for source in &mut numbers {
            let count = Numbers::stop(source).await?;
            self.report.numbers += count;
            written.insert(source.source().to_owned(), count);
        }
        Ok(written)
    }

    async fn heal(&mut self, written: &Written) {
        let from = self.journal.now();
        if let Err(error) = settled::wait(self.users.api(), &self.watch).await {
            let again = async |run: &Self| settled::wait(run.users.api(), &run.watch).await;
            self.unless_hanging(error, again).await;
        }
        self.report.settled_after = self.journal.now() - from;
        self.journal.note("everything runs as it is wanted");
        if let Err(error) = self.work.wait_for_all(written).await {
            let again = async |run: &Self| run.work.wait_for_all(written).await;
            self.unless_hanging(error, again).await;
        }
        self.users.read_all().await;
    }

    /// Something was waited for in vain. If Kafka has left transactions hanging, which nobody else can end, they are aborted
    /// and it is waited once more.
    async fn unless_hanging(
        &mut self,
        error: TimedOut,
        again: impl AsyncFnOnce(&Self) -> Result<(), TimedOut>,
    ) {
        let verdict = match self.abort_hanging().await {
            Ok(0) => Err(error.to_string()),
            Ok(count) => {
                self.report.hanging += count;
                again(self).await.map_err(|error| error.to_string())
            }
            Err(unknown) => Err(format!(
                "{error}; whether Kafka has left transactions hanging is not known: {unknown}"
            )),
        };
        self.report.violations.extend(verdict.err());
    }

    /// Returns how many there were.
    async fn abort_hanging(&self) -> Result<usize, ShellError> {
        let partitions = self.work.partitions(self.plan);
        let broker = self.cluster.broker.lock().await;
        if let Err(error) = broker.keep_log(self.folder) {
            self.journal
                .note(&format!("the broker's log could not be kept: {error}"));
        }
        let found = hanging::find(&broker, &partitions).await?;
        for transaction in &found {
            self.journal
                .note(&format!("hangs in Kafka, and is aborted: {transaction:?}"));
            hanging::abort(&broker, transaction).await?;
        }
        Ok(found.len())
    }

    async fn judge(&mut self, written: &Written) -> Result<(), RunError> {
        let Plan {
            delivery, partitions, ..
        } = *self.plan;
        let broker = self.cluster.broker.lock().await;
        let lines = self.work.in_topics(&broker, written).await?;
        drop(broker);
        let found = &mut self.report.violations;
        let in_topics = delivered::check(delivery, partitions, written, &lines);
        found.extend(
            in_topics
                .into_iter()
                .map(|wrong| format!("in the topics: {wrong}")),
        );
        self.report.repeats = delivered::repeats(&lines);
        for (sink, lines) in self.work.arrived() {
            // Also of exactly-once sources: sinks of files deliver at least once.
            let wrong = delivered::check(Delivery::AtLeastOnce, partitions, written, &lines);
            found.extend(wrong.into_iter().map(|wrong| format!("in {sink}: {wrong}")));
        }
        let (history, wrong) = self.users.told();
        self.report.requests = history.values().map(Vec::len).sum();
        found.extend(wrong);
        if let Err(error) = linearizable::check(&history) {
            found.push(error.to_string());
        }
        Ok(())
    }

    /// Deletes everything: what runs after that should not.
    async fn clean_up(&mut self) {
        if let Err(error) = settled::delete_all(self.users.api(), &self.watch).await {
            self.report.violations.push(error.to_string());
        }
        let broker = self.cluster.broker.lock().await;
        if let Err(error) = settled::wait_for_empty_groups(&broker).await {
            self.report.violations.push(error.to_string());
        }
        drop(broker);
        let is_unfenced = |unit: &str| {
            let is_source_task = unit.matches('-').count() == 2 && !unit.starts_with("sink-");
            self.plan.delivery == Delivery::AtLeastOnce && is_source_task
        };
        let (runs, frozen) = (self.watch.runs(), self.watch.frozen_times());
        let twice = overlaps::check(&runs, &frozen, is_unfenced, self.journal.now());
        self.report.violations.extend(twice);
        self.report.violations.extend(self.watch.panics());
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        self.report.violations.extend(ended.iter().cloned());
    }
}
