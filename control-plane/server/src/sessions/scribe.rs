//! Writes what a worker reports into the log: one command at a time, in the order in which it was said.

use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use tokio::sync::mpsc;
use towpath_raft::{ClusterStore, Reads as _, StoreError};
use towpath_state::{Applied, Command, Detail, Outcome, Refusal, RemovalReason, Stale, UnitReport};
use towpath_wire::v1;
use towpath_wire::v1::control_message::Message;

use super::live::LiveSession;
use super::messages;
use super::session::Ending;
use crate::app::Chain;

/// Notes that are looked at together, so that many small reports become one entry of the log.
const MAX_NOTES_AT_ONCE: usize = 64;
/// Keeps an entry of the log well below a megabyte, traces included.
const MAX_REPORTS_PER_COMMAND: usize = 500;
/// Between two attempts to write the same. The number of attempts is limited by the life of the session.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) enum Note {
    Reports(Vec<UnitReport>),
    TaskConfigs(v1::TaskConfigs),
    Topics(v1::TopicsUsed),
    Commit(v1::OffsetCommit),
    Read(v1::OffsetRead),
    Goodbye,
}

/// Ends when nobody sends notes any more and all are written.
pub(super) async fn write(
    store: &Arc<dyn ClusterStore>,
    session: &LiveSession,
    mut notes: mpsc::Receiver<Note>,
) -> Ending {
    let scribe = Scribe { store, session };
    let mut batch = Vec::with_capacity(MAX_NOTES_AT_ONCE);
    while notes.recv_many(&mut batch, MAX_NOTES_AT_ONCE).await > 0 {
        if let Err(ending) = scribe.write_all(batch.drain(..)).await {
            return ending;
        }
    }
    Ending::Closed
}

/// What can be written together, because the order among it does not count.
#[derive(Default)]
struct Gathered {
    reports: Vec<UnitReport>,
    task_configs: Vec<v1::TaskConfigs>,
    topics: Vec<v1::TopicsUsed>,
}

struct Scribe<'a> {
    store: &'a Arc<dyn ClusterStore>,
    session: &'a LiveSession,
}

impl Scribe<'_> {
    async fn write_all(&self, notes: impl Iterator<Item = Note>) -> Result<(), Ending> {
        let mut gathered = Gathered::default();
        for note in notes {
            match note {
                Note::Reports(more) => gathered.reports.extend(more),
                Note::TaskConfigs(configs) => gathered.task_configs.push(configs),
                Note::Topics(topics) => gathered.topics.push(topics),
                // What was said before is written before: a unit's end comes after its last offsets.
                Note::Commit(commit) => {
                    self.write(std::mem::take(&mut gathered)).await?;
                    self.commit(commit).await?;
                }
                Note::Read(read) => {
                    self.write(std::mem::take(&mut gathered)).await?;
                    self.read(read).await?;
                }
                Note::Goodbye => {
                    self.write(std::mem::take(&mut gathered)).await?;
                    return Err(self.say_goodbye().await);
                }
            }
        }
        self.write(gathered).await
    }

    async fn write(&self, gathered: Gathered) -> Result<(), Ending> {
        let from = || self.session.reporter.clone();
        for part in gathered.reports.chunks(MAX_REPORTS_PER_COMMAND) {
            self.propose(&Command::ReportUnitStates {
                from: from(),
                reports: part.to_vec(),
            })
            .await?;
        }
        let commands = gathered
            .task_configs
            .into_iter()
            .map(|configs| messages::task_configs(configs, from()));
        let commands = commands
            .collect::<Result<Vec<_>, _>>()
            .map_err(Ending::BadMessage)?;
        // Each is about another connector. Together they share the waiting for the disk.
        try_join_all(commands.iter().map(|command| self.propose(command))).await?;
        self.record_topics(gathered.topics).await
    }

    async fn record_topics(&self, used: Vec<v1::TopicsUsed>) -> Result<(), Ending> {
        let topics = self.store.read_local(|state| {
            let read = used
                .into_iter()
                .map(|topics| messages::topics_used(topics, state));
            read.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()
        });
        let topics = topics.map_err(Ending::BadMessage)?;
        if topics.is_empty() {
            return Ok(());
        }
        let from = self.session.reporter.clone();
        self.propose(&Command::RecordTopics { from, topics })
            .await
            .map(drop)
    }

    /// Writes it until somebody says yes or no: reports are sent once, so none may be lost.
    async fn propose(&self, command: &Command) -> Result<Option<Applied>, Ending> {
        loop {
            match self.store.propose(command.clone()).await {
                Ok(outcome) => return self.judge(outcome),
                Err(error) => {
                    let worker = &self.session.reporter.worker;
                    tracing::warn!(%worker, error = %Chain(&error), "report of a worker could not be written, trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn judge(&self, outcome: Outcome) -> Result<Option<Applied>, Ending> {
        match outcome {
            Ok(applied) => Ok(Some(applied)),
            Err(Refusal::SessionOver { .. }) => Err(Ending::Over),
            Err(refusal) => {
                tracing::debug!(worker = %self.session.reporter.worker, reason = %refusal, "report of a worker does not count");
                Ok(None)
            }
        }
    }

    /// One entry of the log for everything that the worker commits at once.
    async fn commit(&self, commit: v1::OffsetCommit) -> Result<(), Ending> {
        let request_id = commit.request_id;
        let commits = match messages::offset_commits(commit.units) {
            Ok(commits) => commits,
            Err(error) => {
                let answer = not_committed(request_id, Chain(&error).to_string());
                return self.answer(Message::OffsetCommitted(answer)).await;
            }
        };
        let from = self.session.reporter.clone();
        let outcome = self.store.propose(Command::CommitOffsets { from, commits }).await;
        // Invariant 2: an answer without an error says that the offsets are durable.
        let answer = match outcome {
            Ok(outcome) => match self.judge(outcome)? {
                Some(applied) => committed(request_id, &stale_of(&applied)),
                None => not_committed(request_id, "the commit was refused".to_owned()),
            },
            Err(error) => not_committed(request_id, unavailable(&error)),
        };
        self.answer(Message::OffsetCommitted(answer)).await
    }

    async fn read(&self, read: v1::OffsetRead) -> Result<(), Ending> {
        // A task that starts must see what the one before it has committed, perhaps through another leader.
        let request_id = read.request_id;
        let answer = match self
            .store
            .read(|state| {
                let offsets = messages::offsets_of(state, &read.connector);
                (offsets, messages::kafka_offsets_of(state, &read.connector))
            })
            .await
        {
            Ok((offsets, in_kafka)) => v1::OffsetsFound {
                request_id,
                offsets,
                error: None,
                in_kafka,
            },
            Err(error) => v1::OffsetsFound {
                request_id,
                offsets: Vec::new(),
                error: Some(unavailable(&error)),
                in_kafka: None,
            },
        };
        self.answer(Message::OffsetsFound(answer)).await
    }

    async fn say_goodbye(&self) -> Ending {
        let from = self.session.reporter.clone();
        let reason = RemovalReason::Left;
        match self.propose(&Command::RemoveWorker { from, reason }).await {
            Ok(_) => Ending::Left,
            Err(ending) => ending,
        }
    }

    async fn answer(&self, message: Message) -> Result<(), Ending> {
        self.session.send(message).await.map_err(|_| Ending::Closed)
    }
}

fn stale_of(applied: &Applied) -> Vec<Stale> {
    match &applied.detail {
        Detail::PartlyStale(stale) => stale.clone(),
        _ => Vec::new(),
    }
}

fn committed(request_id: u64, refused: &[Stale]) -> v1::OffsetCommitted {
    let refused = refused.iter().map(|stale| (&stale.unit).into()).collect();
    v1::OffsetCommitted {
        request_id,
        refused,
        error: None,
    }
}

fn not_committed(request_id: u64, error: String) -> v1::OffsetCommitted {
    v1::OffsetCommitted {
        request_id,
        refused: Vec::new(),
        error: Some(error),
    }
}

fn unavailable(error: &StoreError) -> String {
    format!(
        "the control plane cannot take requests at the moment: {}",
        Chain(error)
    )
}
