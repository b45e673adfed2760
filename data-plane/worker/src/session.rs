//! The worker's session with the control plane: one stream, opened again whenever it breaks. Runs in a task of its own;
//! stopped by the worker's token after the units have ended.

mod departure;
mod encode;
pub(crate) use encode::{config_map, json, kept_offsets};
mod lease;
mod open;

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use towpath_connect::ConnectorError;
use towpath_runtime::backoff::Backoff;
use towpath_types::UnitId;
use towpath_wire::v1;
use towpath_wire::v1::control_message::Message as FromControlPlane;
use towpath_wire::v1::worker_message::Message as FromWorker;
use tracing::{debug, info, warn};

use crate::answers::Answers;
use crate::outbox::{CommitAnswer, Outbox, ReadAnswer};
use crate::reconcile::{Departure, Wanted};
use lease::Lease;
pub(crate) use lease::Term;

/// Messages that wait for the stream. A worker that cannot send for so long waits itself.
const OUTGOING_LIMIT: usize = 64;
/// First wait before the control plane is tried again.
const FIRST_RECONNECT: Duration = Duration::from_millis(50);
/// Longest wait while the lease holds: another node leads in a second, and what waits for this worker waits for it.
const MAX_RECONNECT_IN_LEASE: Duration = Duration::from_millis(100);
/// Longest wait before the control plane is tried again.
const MAX_RECONNECT: Duration = Duration::from_secs(1);
/// A control plane that accepts connections but does not answer the registration is left after this.
const REGISTRATION_TIMEOUT: Duration = Duration::from_secs(5);

/// Who this worker is.
#[derive(Clone, Debug)]
pub struct Identity {
    /// host:port that statuses show.
    pub worker_id: String,
    pub version: String,
    pub group_id: String,
    /// Found in the background, so that a worker is ready before a broker has answered.
    pub kafka_cluster_id: Arc<OnceLock<String>>,
    pub labels: HashMap<String, String>,
    /// Of this start of the process.
    pub process_id: String,
    pub plugins: Vec<v1::RegisteredPlugin>,
}

/// What the session tells the rest of the worker.
#[derive(Debug)]
pub(crate) struct SessionOutputs {
    pub(crate) wanted: watch::Sender<Arc<Wanted>>,
    pub(crate) lease: watch::Sender<Option<Term>>,
    pub(crate) registered: watch::Sender<bool>,
}

pub(crate) struct Session {
    pub(crate) endpoints: Vec<String>,
    pub(crate) identity: Identity,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) departure: Departure,
    pub(crate) answers: Answers,
    pub(crate) outputs: SessionOutputs,
}

/// Why a session ended.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SessionError {
    #[error("the control plane at {endpoint} cannot be reached")]
    Connect {
        endpoint: String,
        #[source]
        source: tonic::transport::Error,
    },
    #[error("the control plane at {endpoint} refused the session")]
    Refused {
        endpoint: String,
        #[source]
        source: Box<tonic::Status>,
    },
    #[error("the control plane closed the session")]
    Closed,
    #[error("the control plane did not answer the registration within {} s", REGISTRATION_TIMEOUT.as_secs())]
    NotRegistered,
    #[error("the control plane sent something that cannot be used")]
    Message(#[from] towpath_wire::convert::WireError),
}

/// The worker has stopped; there is no next session.
struct Left;

/// The state of one stream.
struct Stream {
    outgoing: mpsc::Sender<v1::WorkerMessage>,
    lease: Lease,
    /// When each heartbeat that is not answered yet was sent.
    sent_heartbeats: HashMap<u64, Instant>,
    next_id: u64,
    commit: Option<(u64, Vec<(UnitId, CommitAnswer)>)>,
    reads: HashMap<u64, ReadAnswer>,
}

impl Session {
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut quick = Backoff::new(FIRST_RECONNECT, MAX_RECONNECT_IN_LEASE);
        let mut backoff = Backoff::new(FIRST_RECONNECT, MAX_RECONNECT);
        let mut endpoint = 0;
        while !stop.is_cancelled() {
            let address = self.endpoints[endpoint % self.endpoints.len()].clone();
            let ended = match self.serve(&address, &stop).await {
                Ok(Left) => break,
                Err(ended) => ended,
            };
            if self.outputs.registered.send_replace(false) {
                quick.reset();
                backoff.reset();
                warn!(error = %towpath_connect::error::Chain(&ended), "lost the control plane; trying again until it is back");
            } else if backoff.attempts() == 0 && !self.has_lease() {
                warn!(error = %towpath_connect::error::Chain(&ended), "no control plane yet; trying until there is one");
            }
            endpoint = self.follow_hint(&ended, endpoint);
            let wait = if self.has_lease() {
                quick.next_wait()
            } else {
                backoff.next_wait()
            };
            tokio::select! { () = tokio::time::sleep(wait) => {}, () = stop.cancelled() => {} }
        }
    }

    fn has_lease(&self) -> bool {
        let lease = *self.outputs.lease.borrow();
        lease.is_some_and(|term| term.until > Instant::now())
    }

    /// The leader that a follower named, else the next endpoint.
    fn follow_hint(&mut self, ended: &SessionError, endpoint: usize) -> usize {
        let SessionError::Refused { source, .. } = ended else {
            return endpoint + 1;
        };
        let Some(leader) = source
            .metadata()
            .get("towpath-leader")
            .and_then(|leader| leader.to_str().ok())
        else {
            return endpoint + 1;
        };
        let leader = open::with_scheme(leader);
        self.endpoints
            .iter()
            .position(|known| *known == leader)
            .unwrap_or_else(|| {
                self.endpoints.push(leader);
                self.endpoints.len() - 1
            })
    }

    /// One session from its begin to its end.
    async fn serve(&mut self, endpoint: &str, stop: &CancellationToken) -> Result<Left, SessionError> {
        let (outgoing, receiver) = mpsc::channel(OUTGOING_LIMIT);
        let held = self.outbox.begin_session();
        let register = FromWorker::Register(encode::register(&self.identity, &held));
        let first_sent = Instant::now();
        let open::Opened {
            channel,
            mut incoming,
            registered,
        } = tokio::select! {
            opened = open::open(endpoint, (outgoing.clone(), receiver), register) => opened?,
            () = stop.cancelled() => return Ok(Left),
        };
        let lease = Duration::from_millis(u64::from(registered.lease_ms));
        info!(
            endpoint,
            lease_ms = registered.lease_ms,
            units = held.len(),
            "registered with the control plane"
        );
        self.outputs.registered.send_replace(true);
        let mut stream = Stream::new(outgoing, Lease::new(lease, first_sent));
        let mut heartbeat = beats(registered.heartbeat_interval_ms);
        let departure = self.departure.clone();
        let process = (self.identity.worker_id.clone(), self.identity.process_id.clone());
        let mut announced = pin!(departure::announce(channel, process, departure.clone()));
        loop {
            tokio::select! {
                message = incoming.message() => {
                    let message = message
                        .map_err(|status| SessionError::Refused { endpoint: endpoint.to_owned(), source: Box::new(status) })?
                        .ok_or(SessionError::Closed)?;
                    self.receive(&mut stream, message).await?;
                }
                _tick = heartbeat.tick() => {
                    let cluster = self.identity.kafka_cluster_id.get().cloned().unwrap_or_default();
                    stream.heartbeat(cluster).await?;
                }
                // Beside everything else: what stops commits meanwhile.
                () = &mut announced, if !departure.noted.is_cancelled() => {}
                () = self.outbox.news() => self.flush(&mut stream).await?,
                answer = self.answers.next() => stream.send(FromWorker::Answer(answer)).await?,
                // A lease that ran out ends the session from this side too: the connection is as good as dead.
                () = stream.silent_for_too_long() => return Err(SessionError::Closed),
                () = stop.cancelled() => return self.leave(stream, incoming).await,
            }
        }
    }

    /// Says what is left to say, then that nothing runs here any more, and waits until that is in the log.
    async fn leave(
        &mut self,
        mut stream: Stream,
        mut incoming: tonic::Streaming<v1::ControlMessage>,
    ) -> Result<Left, SessionError> {
        self.flush(&mut stream).await?;
        stream.send(FromWorker::Goodbye(v1::Goodbye {})).await?;
        // The control plane ends the stream once it has written it. What it says until then comes too late.
        while let Ok(Some(_late)) = incoming.message().await {}
        Ok(Left)
    }

    async fn receive(
        &mut self,
        stream: &mut Stream,
        message: v1::ControlMessage,
    ) -> Result<(), SessionError> {
        let Some(message) = message.message else {
            return Ok(());
        };
        match message {
            FromControlPlane::Registered(_) | FromControlPlane::Confirm(_) => {}
            FromControlPlane::HeartbeatAck(ack) => {
                if let Some(sent) = stream.sent_heartbeats.remove(&ack.sequence) {
                    stream
                        .sent_heartbeats
                        .retain(|sequence, _| *sequence > ack.sequence);
                    stream.lease.answered(sent);
                    self.renew_lease(stream);
                }
            }
            FromControlPlane::Assignment(assignment) => {
                debug!(
                    revision = assignment.revision,
                    units = assignment.units.len(),
                    "assignment received"
                );
                self.outputs
                    .wanted
                    .send_replace(Arc::new(encode::wanted(assignment)?));
                // After what is wanted: whoever sees the new lease sees that too.
                stream.lease.assigned();
                self.renew_lease(stream);
            }
            FromControlPlane::OffsetCommitted(answer) => {
                stream.answer_commit(&answer);
                self.flush(stream).await?;
            }
            FromControlPlane::OffsetsFound(answer) => stream.answer_read(answer),
            FromControlPlane::Request(request) => self.answers.start(request),
        }
        Ok(())
    }

    fn renew_lease(&self, stream: &Stream) {
        if let Some(term) = stream.lease.term() {
            self.outputs.lease.send_replace(Some(term));
        }
    }

    /// Sends what the units have said since.
    async fn flush(&mut self, stream: &mut Stream) -> Result<(), SessionError> {
        let outgoing = self.outbox.take(stream.commit.is_some());
        if !outgoing.units.is_empty() {
            let reports = outgoing.units.iter().map(encode::unit_report).collect();
            stream
                .send(FromWorker::UnitReports(v1::UnitReports { reports }))
                .await?;
        }
        for report in &outgoing.task_configs {
            stream
                .send(FromWorker::TaskConfigs(encode::task_configs(report)))
                .await?;
        }
        for (task, topics) in &outgoing.topics {
            stream
                .send(FromWorker::TopicsUsed(encode::topics(task, topics)))
                .await?;
        }
        for (connector, answer) in outgoing.reads {
            let request_id = stream.take_id();
            stream.reads.insert(request_id, answer);
            stream
                .send(FromWorker::OffsetRead(v1::OffsetRead {
                    request_id,
                    connector,
                }))
                .await?;
        }
        if !outgoing.commits.is_empty() {
            let request_id = stream.take_id();
            let (units, answers) = encode::commits(outgoing.commits);
            stream.commit = Some((request_id, answers));
            stream
                .send(FromWorker::OffsetCommit(v1::OffsetCommit { request_id, units }))
                .await?;
        }
        Ok(())
    }
}

fn beats(interval_ms: u32) -> tokio::time::Interval {
    let mut beats = tokio::time::interval(Duration::from_millis(u64::from(interval_ms.max(1))));
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beats
}

impl Stream {
    fn new(outgoing: mpsc::Sender<v1::WorkerMessage>, lease: Lease) -> Self {
        Self {
            outgoing,
            lease,
            sent_heartbeats: HashMap::new(),
            next_id: 1,
            commit: None,
            reads: HashMap::new(),
        }
    }

    async fn send(&mut self, message: FromWorker) -> Result<(), SessionError> {
        let message = v1::WorkerMessage {
            message: Some(message),
        };
        self.outgoing
            .send(message)
            .await
            .map_err(|_| SessionError::Closed)
    }

    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    async fn heartbeat(&mut self, kafka_cluster_id: String) -> Result<(), SessionError> {
        let sequence = self.take_id();
        self.sent_heartbeats.insert(sequence, Instant::now());
        self.send(FromWorker::Heartbeat(v1::Heartbeat {
            sequence,
            kafka_cluster_id,
        }))
        .await
    }

    async fn silent_for_too_long(&self) {
        match self.sent_heartbeats.values().min() {
            Some(oldest) => tokio::time::sleep_until(*oldest + self.lease.duration()).await,
            None => std::future::pending().await,
        }
    }

    fn answer_commit(&mut self, answer: &v1::OffsetCommitted) {
        let Some((_, waiting)) = self.commit.take_if(|(id, _)| *id == answer.request_id) else {
            return;
        };
        for (unit, waiter) in waiting {
            let wire = v1::UnitId::from(&unit);
            let result = match &answer.error {
                Some(error) => Err(ConnectorError::retriable(error.clone())),
                None if answer.refused.contains(&wire) => Err(ConnectorError::external(format!(
                    "the offsets of {unit} were refused: this run of it is over"
                ))),
                None => Ok(()),
            };
            // A task that no longer waits commits again.
            let _gone = waiter.send(result);
        }
    }

    fn answer_read(&mut self, answer: v1::OffsetsFound) {
        if let Some(waiter) = self.reads.remove(&answer.request_id) {
            let _gone = waiter.send(encode::offsets_found(answer));
        }
    }
}
