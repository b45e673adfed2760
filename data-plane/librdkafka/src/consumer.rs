//! A member of a consumer group that reads in batches.
//!
//! Membership, subscription and positions go through the `rdkafka` crate; records do not. Each assigned partition's
//! queue is forwarded to one data queue before the assignment is confirmed, and batches are read from that, while group
//! events (which must never be starved) stay on the consumer's own queue. Both queues wake the same waiter, so a consumer
//! costs no thread beside librdkafka's.
//!
//! A rebalance is an event here, not a callback: the caller commits and closes while the revocation is still unconfirmed,
//! then confirms it with [`BatchConsumer::release`].

mod assignment;
mod commit;
mod coverage;
mod events;
mod fetch;
mod headers;
mod leave;
mod partitions;

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer, DefaultConsumerContext, RebalanceProtocol};
use rdkafka::error::KafkaError;
use rdkafka_sys as sys;
use rdkafka_sys::types::RDKafkaErrorCode;
use tokio::sync::Notify;

use crate::Header;
use crate::error::{ClientError, ConsumerError};
use crate::native::Queue;
use crate::reach::LastingConsumer;
use assignment::OffsetReset;
pub use commit::Commit;
pub use coverage::Coverage;
pub use events::{GroupError, GroupEvent};
use fetch::DataQueue;
use leave::Membership;
use partitions::{list_of, list_with_offsets, offsets_of};

/// How long a seek may take: it is a message to librdkafka's own thread and back.
const SEEK_TIMEOUT: Duration = Duration::from_secs(10);
/// A partition that was just assigned cannot be sought before librdkafka has begun to fetch it.
const SEEK_RETRY: Duration = Duration::from_millis(10);

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicPartition {
    pub topic: Arc<str>,
    pub partition: i32,
}

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub topic: Arc<str>,
    pub partition: i32,
    pub offset: i64,
    pub timestamp: Option<Timestamp>,
    pub key: Option<Bytes>,
    pub value: Option<Bytes>,
    pub headers: Vec<Header>,
}

/// Milliseconds since 1970, and who said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timestamp {
    pub kind: TimestampKind,
    pub millis: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampKind {
    /// The producer.
    Create,
    /// The broker.
    LogAppend,
}

/// A consumer of one group. Not to be shared: one task polls it.
pub struct BatchConsumer {
    data: DataQueue,
    events: Queue,
    ready: Arc<Notify>,
    /// A rebalance that was handed out and waits to be confirmed.
    pending: Option<Pending>,
    /// Errors that came with the data and wait to be handed out.
    errors: VecDeque<GroupError>,
    assigned: bool,
    /// What is assigned, if all of it is revoked before anything else is assigned.
    held: Vec<TopicPartition>,
    /// An assignment that waits for the release of the one that it supersedes.
    next: Option<Vec<TopicPartition>>,
    /// The assignment that is confirmed next takes the place of one that librdkafka still has.
    supersedes: bool,
    membership: Membership,
    reset: OffsetReset,
    /// Its `group.id`.
    group: String,
    /// Last, as the queues belong to it.
    inner: Arc<LastingConsumer>,
}

#[derive(Debug)]
enum Pending {
    Assign(Vec<TopicPartition>),
    Revoke(Vec<TopicPartition>),
    /// To be revoked because these are assigned.
    Supersede(Vec<TopicPartition>),
}

impl BatchConsumer {
    /// The configuration needs a `group.id`. Nothing is fetched before [`Self::subscribe`].
    pub fn new(config: &ClientConfig) -> Result<Self, ClientError> {
        let inner = Arc::new(LastingConsumer::new(config, DefaultConsumerContext)?);
        let keep = || Arc::clone(&inner) as Arc<dyn Any + Send + Sync>;
        let ready = Arc::new(Notify::new());
        // SAFETY: the client is alive; the queue exists, since the crate has checked it.
        let events = unsafe { sys::rd_kafka_queue_get_consumer(inner.client().native_ptr()) };
        let no_group = || ClientError::Create {
            reason: String::from("a group consumer needs `group.id`"),
        };
        let events = NonNull::new(events).ok_or_else(no_group)?;
        // SAFETY: the reference is ours and the client goes along.
        let events = unsafe { Queue::new(events, Arc::clone(&ready), keep()) };
        let data = DataQueue::new(inner.client().native_ptr(), Arc::clone(&ready), keep());
        Ok(Self {
            data,
            events,
            ready,
            pending: None,
            errors: VecDeque::new(),
            assigned: false,
            held: Vec::new(),
            next: None,
            supersedes: false,
            membership: Membership::None,
            reset: OffsetReset::of(config),
            group: coverage::group_of(config),
            inner,
        })
    }

    /// Replaces the subscription. Only whole names: patterns are resolved above, since librdkafka's are not Java's.
    pub fn subscribe<'a>(&mut self, topics: impl IntoIterator<Item = &'a str>) -> Result<(), ConsumerError> {
        let topics: Vec<_> = topics.into_iter().collect();
        if topics.is_empty() {
            self.inner.unsubscribe();
            return Ok(());
        }
        if matches!(self.membership, Membership::None | Membership::HeldUp) {
            self.membership = Membership::Joining;
        }
        self.inner
            .subscribe(&topics)
            .map_err(|source| ConsumerError::Subscribe {
                topics: topics.len(),
                source,
            })
    }

    /// Waits until there may be something to poll. Dropping the future loses nothing.
    ///
    /// Group events are handled in [`Self::poll_event`] and records in [`Self::read`] only: poll both until they are
    /// empty before waiting, and often enough for `max.poll.interval.ms`.
    pub async fn ready(&self) {
        self.ready.notified().await;
    }

    /// The next group event, without waiting. A rebalance that was handed out must be confirmed first.
    pub fn poll_event(&mut self) -> Option<GroupEvent> {
        if let Some(error) = self.errors.pop_front() {
            return Some(GroupEvent::Error(error));
        }
        if self.pending.is_some() {
            return None;
        }
        if let Some(next) = self.next.take() {
            return Some(self.assigned(next));
        }
        while let Some(event) = self.events.poll() {
            match events::read(&event) {
                events::Seen::Nothing => {}
                events::Seen::Error(mut error) => {
                    if let (RDKafkaErrorCode::Fatal, Some((code, _))) =
                        (error.code, self.inner.client().fatal_error())
                    {
                        error.code = code;
                        error.fatal = true;
                    }
                    self.membership = self.membership.after(&error);
                    return Some(GroupEvent::Error(error));
                }
                events::Seen::Assigned(partitions) => return Some(self.assigned(partitions)),
                events::Seen::Revoked(partitions) => {
                    self.pending = Some(Pending::Revoke(partitions.clone()));
                    let lost = self.inner.assignment_lost();
                    if lost {
                        self.membership = Membership::Joining;
                    }
                    return Some(GroupEvent::Revoked { partitions, lost });
                }
            }
        }
        None
    }

    /// Why the consumer is beyond repair, if it is.
    pub fn fatal_error(&self) -> Option<GroupError> {
        let (code, text) = self.inner.client().fatal_error()?;
        Some(GroupError {
            code,
            text,
            fatal: true,
        })
    }

    /// Whether the group has given this member's partitions to others. A commit would be refused, or, since this member has no
    /// name any more, be taken for one of somebody who has its place.
    pub fn is_lost(&self) -> bool {
        self.inner.assignment_lost()
    }

    /// Counts as a poll for `max.poll.interval.ms`, while the caller waits for something else.
    pub fn stay(&mut self) {
        self.data.poll_nothing();
    }

    /// Whether errors came with the records that were read: [`Self::poll_event`] gives them.
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Reads up to `max` records without waiting, and calls `out` with each, in order. Returns how many there were.
    pub fn read(&mut self, max: usize, out: impl FnMut(Message)) -> usize {
        if !self.assigned {
            return 0;
        }
        self.data.read(max, out, &mut self.errors)
    }

    pub fn pause(&self, partitions: &[TopicPartition]) -> Result<(), ConsumerError> {
        let paused = list_of(partitions).and_then(|list| self.inner.pause(&list));
        paused.map_err(|source| pause_resume("pause", partitions, source))
    }

    pub fn resume(&self, partitions: &[TopicPartition]) -> Result<(), ConsumerError> {
        let resumed = list_of(partitions).and_then(|list| self.inner.resume(&list));
        resumed.map_err(|source| pause_resume("resume", partitions, source))
    }

    /// Sets where a partition is read next. Records that were fetched but not read are dropped.
    pub async fn seek(&self, partition: &TopicPartition, offset: i64) -> Result<(), ConsumerError> {
        let (topic, number) = (Arc::clone(&partition.topic), partition.partition);
        let failed = |source| ConsumerError::Seek {
            topic: Arc::clone(&topic),
            partition: number,
            offset,
            source,
        };
        let deadline = tokio::time::Instant::now() + SEEK_TIMEOUT;
        loop {
            let list = list_with_offsets(&[(partition.clone(), offset)]).map_err(failed)?;
            let inner = Arc::clone(&self.inner);
            let sought = blocking(move || inner.seek_partitions(list, SEEK_TIMEOUT)).await?;
            let outcome =
                sought.and_then(|list| list.elements().into_iter().try_for_each(|entry| entry.error()));
            match outcome {
                Err(KafkaError::OffsetFetch(
                    crate::ErrorCode::State | crate::ErrorCode::PreviousInProgress,
                )) if tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(SEEK_RETRY).await;
                }
                Ok(()) => return Ok(()),
                Err(source) => return Err(failed(source)),
            }
        }
    }

    /// The offset after the last record that was read, for each assigned partition of which one was.
    pub fn position(&self) -> Result<Vec<(TopicPartition, i64)>, ConsumerError> {
        let list = self
            .inner
            .position()
            .map_err(|source| ConsumerError::Position { source })?;
        Ok(offsets_of(&list))
    }

    /// The offsets that the group has committed, for those of `partitions` that have one. An error of one partition is one of
    /// all: it must not be taken for one that has none.
    pub async fn committed(
        &self,
        partitions: &[TopicPartition],
        timeout: Duration,
    ) -> Result<Vec<(TopicPartition, i64)>, ConsumerError> {
        let count = partitions.len();
        let failed = |source| ConsumerError::Committed {
            partitions: count,
            source,
        };
        let list = list_of(partitions).map_err(failed)?;
        let inner = Arc::clone(&self.inner);
        let list = blocking(move || inner.committed_offsets(list, timeout))
            .await?
            .map_err(failed)?;
        let mut entries = list.elements().into_iter();
        entries.try_for_each(|entry| entry.error()).map_err(failed)?;
        Ok(offsets_of(&list))
    }

    /// Commits offsets (of the next record to read). The commit is under way when this returns; the future tells how it
    /// went, and dropping it does not take it back.
    pub fn commit(&self, offsets: &[(TopicPartition, i64)]) -> Commit {
        Commit::start(&self.inner, offsets)
    }

    /// The names of the topics that the cluster has. Internal ones are included.
    pub async fn topics(&self, timeout: Duration) -> Result<Vec<String>, ConsumerError> {
        let inner = Arc::clone(&self.inner);
        let found = blocking(move || inner.fetch_metadata(None, timeout)).await?;
        let metadata = found.map_err(|source| ConsumerError::Metadata { source })?;
        Ok(metadata
            .topics()
            .iter()
            .map(|topic| topic.name().to_owned())
            .collect())
    }

    /// Whether the cluster has a topic. With `allow.auto.create.topics`, the question lets a broker that creates topics by
    /// itself create this one, which subscribing alone does not.
    pub async fn has_topic(&self, topic: &str, timeout: Duration) -> Result<bool, ConsumerError> {
        let (inner, topic) = (Arc::clone(&self.inner), topic.to_owned());
        let found = blocking(move || inner.fetch_metadata(Some(&topic), timeout)).await?;
        let metadata = found.map_err(|source| ConsumerError::Metadata { source })?;
        Ok(metadata
            .topics()
            .iter()
            .any(|topic| topic.error().is_none() && !topic.partitions().is_empty()))
    }

    fn is_eager(&self) -> bool {
        !matches!(self.inner.rebalance_protocol(), RebalanceProtocol::Cooperative)
    }
}

impl fmt::Debug for BatchConsumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchConsumer")
            .field("pending", &self.pending)
            .finish_non_exhaustive()
    }
}

async fn blocking<T: Send + 'static>(call: impl FnOnce() -> T + Send + 'static) -> Result<T, ConsumerError> {
    tokio::task::spawn_blocking(call)
        .await
        .map_err(|_| ConsumerError::Stopped)
}

fn pause_resume(action: &'static str, partitions: &[TopicPartition], source: KafkaError) -> ConsumerError {
    ConsumerError::PauseResume {
        action,
        partitions: partitions.len(),
        source,
    }
}
