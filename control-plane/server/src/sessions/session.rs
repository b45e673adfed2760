//! One session: one task, from the first message of a worker to the last. It ends when the worker goes, when another
//! session takes its place, when its lease runs out, and when this node leads no more or stops.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tonic::{Status, Streaming};
use towpath_raft::Reads as _;
use towpath_state::{Command, Registration, Replaces};
use towpath_types::{SessionId, WorkerId};
use towpath_wire::v1;
use towpath_wire::v1::control_message::Message as Said;
use towpath_wire::v1::worker_message::Message as Heard;

use super::Sessions;
use super::live::{LiveSession, Outbound};
use super::messages::{self, MessageError};
use super::registration::{self, Registered, RegistrationError};
use super::scribe::{self, Note};
use super::teller;
use crate::app::Chain;

/// How long a new connection may take to say who it is.
const REGISTRATION_DEADLINE: Duration = Duration::from_secs(10);
/// Messages of a worker that wait for the log. When they are full, nothing more is read from the worker.
const MAX_NOTES: usize = 256;
/// What the worker said last is still written after it has gone, if that takes no longer than this.
const LAST_NOTES_DEADLINE: Duration = Duration::from_secs(2);
/// A worker sends this many heartbeats a lease, so that losing one costs nothing.
const HEARTBEATS_PER_LEASE: u32 = 3;

/// Why a session is over.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ending {
    #[error("the worker has stopped and said good-bye")]
    Left,
    #[error("the worker closed its side")]
    Closed,
    #[error("the connection is lost")]
    Lost(#[source] Status),
    #[error("the worker did not register within {REGISTRATION_DEADLINE:?}")]
    NeverRegistered,
    #[error("the registration cannot be accepted")]
    BadRegistration(#[source] RegistrationError),
    /// Two that took turns would run each unit twice, for ever. A process that was killed is gone after its lease at the latest.
    #[error(
        "another process is connected as worker `{worker}`: give each worker a `worker.id` of its own; if that process is \
         dead, this one is taken as soon as the lease of the other is over"
    )]
    Taken { worker: WorkerId },
    #[error("the registration could not be written")]
    NotWritten(#[source] towpath_raft::StoreError),
    #[error("the worker has registered otherwise since")]
    Outdated(#[source] towpath_state::Refusal),
    #[error("the worker sent something that cannot be read")]
    BadMessage(#[source] MessageError),
    #[error(
        "another session of the worker has begun, its lease ran out, or another node leads: register again"
    )]
    Over,
    #[error("the control plane is stopping: register again")]
    Stopping,
}

impl Ending {
    fn to_status(&self) -> Option<Status> {
        let text = Chain(self).to_string();
        match self {
            Self::Left | Self::Closed | Self::Lost(_) => None,
            Self::NeverRegistered => Some(Status::deadline_exceeded(text)),
            Self::BadRegistration(_) | Self::BadMessage(_) => Some(Status::invalid_argument(text)),
            Self::NotWritten(_) | Self::Stopping => Some(Status::unavailable(text)),
            Self::Taken { .. } => Some(Status::already_exists(text)),
            Self::Outdated(_) | Self::Over => Some(Status::aborted(text)),
        }
    }
}

type Inbound = Streaming<v1::WorkerMessage>;

pub(super) async fn run(sessions: Sessions, mut inbound: Inbound, outbound: Outbound) {
    let begun = tokio::select! {
        biased;
        begun = begin(&sessions, &mut inbound, &outbound) => begun,
        () = sessions.stop.cancelled() => Err(Ending::Stopping),
    };
    let session = match begun {
        Ok(session) => session,
        Err(ending) => {
            tracing::warn!(error = %Chain(&ending), "worker session refused");
            if let Some(status) = ending.to_status() {
                // A worker that is gone needs no answer.
                let _told = outbound.try_send(Err(status)).is_ok();
            }
            return;
        }
    };
    let worker = &session.reporter.worker;
    tracing::info!(%worker, session = %session.reporter.session, "worker registered");
    let ending = serve(&sessions, &session, inbound).await;
    session.questions.end();
    sessions.directory.close(&session);
    tracing::info!(%worker, session = %session.reporter.session, reason = %Chain(&ending), "worker session ended");
    if let Some(status) = ending.to_status() {
        session.say_goodbye(status);
    }
}

async fn begin(
    sessions: &Sessions,
    inbound: &mut Inbound,
    outbound: &Outbound,
) -> Result<Arc<LiveSession>, Ending> {
    let deadline = tokio::time::Instant::now() + REGISTRATION_DEADLINE;
    let introduced = tokio::time::timeout_at(deadline, introduce(sessions, inbound, outbound));
    let registered = introduced.await.map_err(|_| Ending::NeverRegistered)??;
    let reporter = registered.reporter();
    if let Some(process) = &registered.registration.process
        && sessions.directory.is_taken(&reporter.worker, process)
    {
        let worker = reporter.worker;
        return Err(Ending::Taken { worker });
    }
    // Its lease must not run out while the registration is being written.
    sessions.directory.heard(&reporter.worker);
    register(sessions, &registered.registration).await?;
    sessions
        .directory
        .note_kafka_cluster(&registered.kafka_cluster_id);
    let mut offer = registered.offer;
    sessions.directory.share_keys(&mut offer.plugins);
    let named = (reporter, registered.registration.process);
    let session = Arc::new(LiveSession::new(named, offer, outbound.clone()));
    sessions.directory.open(&session);
    Ok(session)
}

/// Who the worker is, and what it says of itself if it still uses this connection.
async fn introduce(
    sessions: &Sessions,
    inbound: &mut Inbound,
    outbound: &Outbound,
) -> Result<Registered, Ending> {
    let first = inbound.message().await.map_err(Ending::Lost)?;
    let id = SessionId::from(uuid::Uuid::new_v4().to_string());
    let mut registered = registration::read(first, id).map_err(Ending::BadRegistration)?;
    let registration = &mut registered.registration;
    // Before the worker is asked: what registers after its answer is newer.
    let known = sessions.store.read_local(|state| {
        let known = state.workers().get(&registration.worker);
        known.map(|known| known.session.clone())
    });
    if !registration.held.is_empty() {
        // Only a process that lost its connection still runs something.
        registration.resumes.clone_from(&known);
    }
    if registered.confirms {
        registration.replaces = known.map_or(Replaces::Nobody, Replaces::Session);
        confirm(inbound, outbound).await?;
    }
    Ok(registered)
}

async fn confirm(inbound: &mut Inbound, outbound: &Outbound) -> Result<(), Ending> {
    let question = v1::ControlMessage {
        message: Some(Said::Confirm(v1::Confirm {})),
    };
    outbound.send(Ok(question)).await.map_err(|_| Ending::Closed)?;
    let answer = inbound.message().await.map_err(Ending::Lost)?;
    match answer.ok_or(Ending::Closed)?.message {
        Some(Heard::Confirmed(v1::Confirmed {})) => Ok(()),
        _ => Err(Ending::BadRegistration(RegistrationError::NotConfirmed)),
    }
}

async fn register(sessions: &Sessions, registration: &Registration) -> Result<(), Ending> {
    let outcome = sessions
        .store
        .propose(Command::RegisterWorker(registration.clone()))
        .await;
    match outcome.map_err(Ending::NotWritten)? {
        Ok(_) => Ok(()),
        Err(refusal) => Err(Ending::Outdated(refusal)),
    }
}

async fn serve(sessions: &Sessions, session: &LiveSession, inbound: Inbound) -> Ending {
    let lease = sessions.directory.lease().duration;
    let greeting = Said::Registered(v1::Registered {
        session_id: session.reporter.session.as_str().to_owned(),
        lease_ms: millis(lease),
        heartbeat_interval_ms: millis(lease / HEARTBEATS_PER_LEASE),
    });
    if session.send(greeting).await.is_err() {
        return Ending::Closed;
    }
    let (notes_in, notes) = mpsc::channel(MAX_NOTES);
    let mut scribe = pin!(scribe::write(&sessions.store, session, notes));
    // Biased, so that what is said in which order does not depend on chance: the simulation repeats a run by its seed.
    // Nothing starves, since each of these runs to the end of the session.
    let ending = tokio::select! {
        biased;
        ending = listen(sessions, session, inbound, notes_in) => ending,
        ending = &mut scribe => ending,
        ending = teller::tell(&sessions.store, session) => ending,
        () = session.over.cancelled() => Ending::Over,
        () = sessions.stop.cancelled() => Ending::Stopping,
    };
    if matches!(ending, Ending::Closed | Ending::Lost(_))
        && tokio::time::timeout(LAST_NOTES_DEADLINE, scribe).await.is_err()
    {
        tracing::warn!(worker = %session.reporter.worker, "what the worker said last could not be written in time");
    }
    ending
}

fn millis(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

/// Heartbeats are answered here and at once; what goes into the log is left to the scribe.
async fn listen(
    sessions: &Sessions,
    session: &LiveSession,
    mut inbound: Inbound,
    notes: mpsc::Sender<Note>,
) -> Ending {
    loop {
        let message = match inbound.message().await {
            Ok(Some(message)) => message,
            Ok(None) => return Ending::Closed,
            Err(status) => return Ending::Lost(status),
        };
        // Invariant 5: a heartbeat that comes too late is not answered.
        if !sessions.directory.heard_from(session) {
            return Ending::Over;
        }
        let note = match hear(sessions, session, message).await {
            Ok(Some(note)) => note,
            Ok(None) => continue,
            Err(ending) => return ending,
        };
        if notes.send(note).await.is_err() {
            return Ending::Over;
        }
    }
}

/// What is to be noted of a message, if anything.
async fn hear(
    sessions: &Sessions,
    session: &LiveSession,
    message: v1::WorkerMessage,
) -> Result<Option<Note>, Ending> {
    let note = match message.message {
        Some(Heard::Heartbeat(v1::Heartbeat {
            sequence,
            kafka_cluster_id,
        })) => {
            sessions.directory.note_kafka_cluster(&kafka_cluster_id);
            // Invariant 5: a leader that was deposed and does not know it yet renews no lease, or the next one would give
            // away what the worker still runs. The worker counts from when it sent what is answered, so being late is safe.
            if !sessions.store.leads_now() {
                tracing::debug!(worker = %session.reporter.worker, sequence, "heartbeat not answered: another node may lead");
                return Ok(None);
            }
            let ack = Said::HeartbeatAck(v1::HeartbeatAck { sequence });
            session.send(ack).await.map_err(|_| Ending::Closed)?;
            return Ok(None);
        }
        Some(Heard::Answer(v1::WorkerAnswer { request_id, answer })) => {
            if let Some(answer) = answer {
                session.questions.answer(request_id, answer);
            }
            return Ok(None);
        }
        Some(Heard::Register(_)) => return Err(Ending::BadRegistration(RegistrationError::Twice)),
        Some(Heard::UnitReports(reports)) => {
            Note::Reports(messages::unit_reports(reports).map_err(Ending::BadMessage)?)
        }
        Some(Heard::TaskConfigs(configs)) => Note::TaskConfigs(configs),
        Some(Heard::TopicsUsed(topics)) => Note::Topics(topics),
        Some(Heard::OffsetCommit(commit)) => Note::Commit(commit),
        Some(Heard::OffsetRead(read)) => Note::Read(read),
        Some(Heard::Goodbye(v1::Goodbye {})) => Note::Goodbye,
        // A newer worker may say things that this control plane does not know.
        Some(Heard::Confirmed(v1::Confirmed {})) | None => return Ok(None),
    };
    Ok(Some(note))
}
