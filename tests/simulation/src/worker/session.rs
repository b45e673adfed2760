//! The worker's side of a session: opened again whenever it breaks, heartbeats, the lease, and the answers to what it
//! asked.

use std::collections::BTreeMap;

use rand::Rng;
use towpath_types::{Epoch, UnitId};
use towpath_wire::v1;
use towpath_wire::v1::control_message::Message as Heard;
use towpath_wire::v1::worker_message::Message as Said;

use super::runs::Wanted;
use super::{Act, Clock, Process};
use crate::agenda::{LinkId, Millis};
use crate::group::NODES;

/// As in the worker.
const REGISTRATION_TIMEOUT_MS: Millis = 5_000;
const MAX_RECONNECT_MS: Millis = 1_000;
const SESSION_STOP_MS: Millis = 1_000;

#[derive(Debug)]
pub(super) enum Session {
    Away {
        node: usize,
        retry: Millis,
        tries: u32,
    },
    /// Asked for a connection; it is named at once.
    Opening {
        node: usize,
        link: Option<LinkId>,
        since: Millis,
        tries: u32,
    },
    Open(Stream),
    /// It said good-bye, and does not wait for ever.
    Leaving {
        link: LinkId,
        until: Millis,
    },
}

/// What a run offered to commit.
type Offered = (UnitId, Epoch, u64);

#[derive(Debug)]
pub(super) struct Stream {
    node: usize,
    link: LinkId,
    lease: Millis,
    interval: Millis,
    next_heartbeat: Millis,
    sent_heartbeats: BTreeMap<u64, Millis>,
    next_id: u64,
    commit: Option<(u64, Vec<Offered>)>,
    reads: BTreeMap<u64, (UnitId, Epoch)>,
}

impl Session {
    pub(super) fn away(node: usize, now: Millis) -> Self {
        Self::Away {
            node,
            retry: now,
            tries: 0,
        }
    }

    pub(super) fn due(&self, clock: &Clock) -> Option<Millis> {
        match self {
            Self::Away { retry, .. } => Some(*retry),
            Self::Opening { since, .. } => Some(since + clock.takes(REGISTRATION_TIMEOUT_MS)),
            Self::Open(stream) => Some(
                stream
                    .next_heartbeat
                    .min(stream.silent(clock).unwrap_or(Millis::MAX)),
            ),
            Self::Leaving { until, .. } => Some(*until),
        }
    }

    fn link(&self) -> Option<LinkId> {
        match self {
            Self::Away { .. } => None,
            Self::Opening { link, .. } => *link,
            Self::Open(stream) => Some(stream.link),
            Self::Leaving { link, .. } => Some(*link),
        }
    }
}

impl Stream {
    /// When the connection is as good as dead.
    fn silent(&self, clock: &Clock) -> Option<Millis> {
        let oldest = self.sent_heartbeats.values().min()?;
        Some(oldest + clock.takes(self.lease))
    }

    fn take_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    fn say(&self, acts: &mut Vec<Act>, message: Said) {
        let message = v1::WorkerMessage {
            message: Some(message),
        };
        acts.push(Act::Say(self.link, message));
    }
}

impl Process {
    /// Opens a session, keeps it alive, or gives it up.
    pub(super) fn keep_session(&mut self, identity: &v1::Register, now: Millis) {
        match &mut self.session {
            Session::Away { .. } | Session::Opening { .. } if self.is_leaving && self.runs.is_empty() => {
                self.acts.push(Act::Exit);
            }
            Session::Leaving { until, .. } if *until <= now => self.acts.push(Act::Exit),
            Session::Away { node, retry, tries } if *retry <= now => {
                let (node, tries) = (*node, *tries);
                self.session = Session::Opening {
                    node,
                    link: None,
                    since: now,
                    tries,
                };
                self.acts.push(Act::Open(node));
            }
            Session::Opening { since, .. } if *since + self.clock.takes(REGISTRATION_TIMEOUT_MS) <= now => {
                self.end_session(None, now);
            }
            Session::Open(stream) if stream.silent(&self.clock).is_some_and(|at| at <= now) => {
                self.end_session(None, now);
            }
            Session::Open(stream) if stream.next_heartbeat <= now => {
                stream.next_heartbeat = now + self.clock.takes(stream.interval);
                let sequence = stream.take_id();
                stream.sent_heartbeats.insert(sequence, now);
                let heartbeat = v1::Heartbeat {
                    sequence,
                    kafka_cluster_id: identity.kafka_cluster_id.clone(),
                };
                stream.say(&mut self.acts, Said::Heartbeat(heartbeat));
            }
            Session::Away { .. } | Session::Opening { .. } | Session::Open(_) | Session::Leaving { .. } => {}
        }
    }

    /// The connection that was asked for is there; the registration goes out.
    pub(crate) fn connected(&mut self, link: LinkId, identity: &v1::Register) {
        let Session::Opening { link: opening, .. } = &mut self.session else {
            return;
        };
        *opening = Some(link);
        self.outbox.begin_session();
        let running = self.runs.iter().map(|(unit, run)| v1::RunningUnit {
            unit: Some(unit.into()),
            epoch: run.epoch.get(),
        });
        let register = v1::Register {
            running: running.collect(),
            confirms: true,
            ..identity.clone()
        };
        let message = v1::WorkerMessage {
            message: Some(Said::Register(register)),
        };
        self.acts.push(Act::Say(link, message));
    }

    /// The connection could not be made or has broken.
    pub(crate) fn disconnected(&mut self, link: LinkId, leader: Option<usize>, now: Millis) {
        match &self.session {
            Session::Leaving { link: own, .. } if *own == link => self.acts.push(Act::Exit),
            session if session.link() == Some(link) => self.end_session(leader, now),
            _ => {}
        }
    }

    fn end_session(&mut self, leader: Option<usize>, now: Millis) {
        if let Some(link) = self.session.link() {
            self.acts.push(Act::Close(link));
        }
        let before = std::mem::replace(&mut self.session, Session::away(0, now));
        let (node, tries) = match before {
            Session::Away { node, tries, .. } | Session::Opening { node, tries, .. } => (node, tries + 1),
            Session::Open(stream) => {
                // Nobody answers any more what was asked here.
                for (unit, epoch) in stream.reads.into_values() {
                    self.read_again(&unit, epoch);
                }
                for (unit, epoch, _) in stream.commit.into_iter().flat_map(|(_, units)| units) {
                    self.offer_again(&unit, epoch);
                }
                (stream.node, 0)
            }
            Session::Leaving { .. } => (0, 0),
        };
        let wait = (50 << tries.min(5)).min(MAX_RECONNECT_MS);
        let wait = self.rng.random_range(wait / 2..=wait);
        self.is_told = false;
        self.early_lease = None;
        self.session = Session::Away {
            node: leader.unwrap_or((node + 1) % NODES),
            retry: now + self.clock.takes(wait),
            tries,
        };
    }

    pub(crate) fn receive(&mut self, link: LinkId, message: v1::ControlMessage, now: Millis) {
        if self.session.link() != Some(link) {
            return;
        }
        match message.message {
            Some(Heard::Confirm(_)) => {
                let confirmed = v1::WorkerMessage {
                    message: Some(Said::Confirmed(v1::Confirmed {})),
                };
                self.acts.push(Act::Say(link, confirmed));
            }
            Some(Heard::Registered(registered)) => self.registered(link, &registered, now),
            Some(Heard::HeartbeatAck(ack)) => {
                if let Session::Open(stream) = &mut self.session
                    && let Some(sent) = stream.sent_heartbeats.remove(&ack.sequence)
                {
                    stream
                        .sent_heartbeats
                        .retain(|sequence, _| *sequence > ack.sequence);
                    // From when it was sent: the leader counts from when it came.
                    let until = sent + self.clock.takes(stream.lease);
                    self.set_lease(until);
                }
            }
            Some(Heard::Assignment(assignment)) => {
                self.wanted = Wanted::of(assignment);
                self.looks_anew = true;
                self.is_told();
            }
            Some(Heard::OffsetCommitted(answer)) => self.committed(&answer),
            Some(Heard::OffsetsFound(answer)) => self.found(answer),
            Some(Heard::Request(_)) | None => {}
        }
    }

    fn registered(&mut self, link: LinkId, registered: &v1::Registered, now: Millis) {
        let Session::Opening { node, since, .. } = self.session else {
            return;
        };
        let lease = Millis::from(registered.lease_ms);
        self.session = Session::Open(Stream {
            node,
            link,
            lease,
            interval: Millis::from(registered.heartbeat_interval_ms),
            next_heartbeat: now,
            sent_heartbeats: BTreeMap::new(),
            next_id: 0,
            commit: None,
            reads: BTreeMap::new(),
        });
        self.set_lease(since + self.clock.takes(lease));
    }

    fn committed(&mut self, answer: &v1::OffsetCommitted) {
        let Session::Open(stream) = &mut self.session else {
            return;
        };
        let Some((_, units)) = stream.commit.take_if(|(id, _)| *id == answer.request_id) else {
            return;
        };
        for (unit, epoch, offset) in units {
            if answer.error.is_some() {
                self.offer_again(&unit, epoch);
            } else if !answer.refused.contains(&v1::UnitId::from(&unit)) {
                self.acts.push(Act::Committed { unit, offset });
            }
        }
    }

    fn found(&mut self, answer: v1::OffsetsFound) {
        let Session::Open(stream) = &mut self.session else {
            return;
        };
        let Some((unit, epoch)) = stream.reads.remove(&answer.request_id) else {
            return;
        };
        if answer.error.is_some() {
            return self.read_again(&unit, epoch);
        }
        let partition = partition_of(&unit);
        let found = answer
            .offsets
            .iter()
            .find(|offset| offset.partition_json == partition);
        let offset = found.and_then(|found| offset_of(found.offset_json.as_deref()?));
        self.go_on(&unit, epoch, offset.unwrap_or(0));
    }

    /// Sends what there is to say.
    pub(super) fn flush(&mut self, now: Millis) {
        let Session::Open(stream) = &mut self.session else {
            return;
        };
        let reports = self.outbox.take_reports();
        if !reports.is_empty() {
            stream.say(&mut self.acts, Said::UnitReports(v1::UnitReports { reports }));
        }
        for configs in self.outbox.take_configs() {
            stream.say(&mut self.acts, Said::TaskConfigs(configs));
        }
        for unit in std::mem::take(&mut self.outbox.reads) {
            let Some(run) = self.runs.get(&unit) else { continue };
            let request_id = stream.take_id();
            let connector = unit.connector_name().as_str().to_owned();
            stream.reads.insert(request_id, (unit, run.epoch));
            let read = v1::OffsetRead {
                request_id,
                connector,
            };
            stream.say(&mut self.acts, Said::OffsetRead(read));
        }
        if stream.commit.is_none() && !self.outbox.commits.is_empty() {
            let commits = std::mem::take(&mut self.outbox.commits);
            let request_id = stream.take_id();
            let units = commits.iter().map(|(unit, (epoch, offset))| v1::UnitOffsets {
                unit: Some(unit.into()),
                epoch: epoch.get(),
                offsets: vec![v1::Offset {
                    partition_json: partition_of(unit),
                    offset_json: Some(format!("{{\"n\":{offset}}}")),
                }],
                in_kafka: Vec::new(),
            });
            let message = v1::OffsetCommit {
                request_id,
                units: units.collect(),
            };
            stream.say(&mut self.acts, Said::OffsetCommit(message));
            let waiting = commits
                .into_iter()
                .map(|(unit, (epoch, offset))| (unit, epoch, offset));
            stream.commit = Some((request_id, waiting.collect()));
        }
        if self.is_leaving && self.runs.is_empty() && stream.commit.is_none() {
            stream.say(&mut self.acts, Said::Goodbye(v1::Goodbye {}));
            self.session = Session::Leaving {
                link: stream.link,
                until: now + self.clock.takes(SESSION_STOP_MS),
            };
        }
    }
}

/// The one source partition of a task.
pub(crate) fn partition_of(unit: &UnitId) -> String {
    let number = unit.task_number().map_or(0, towpath_types::TaskNumber::get);
    format!("{{\"task\":{number}}}")
}

/// What [`partition_of`] stands at, by the text of its offset.
pub(crate) fn offset_of(text: &str) -> Option<u64> {
    text.strip_prefix("{\"n\":")?.strip_suffix('}')?.parse().ok()
}
