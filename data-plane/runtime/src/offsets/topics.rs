//! The topics of Kafka that hold a connector's offsets: made, read, and kept from being written by tasks of before.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use towpath_connect::{ConfigMap, ConnectorError, Result, Topic};
use tracing::warn;

use super::fences;
use super::topic_form::{self, TopicOffsets};
use crate::backoff::Backoff;
use crate::clients::{ClientError, ClientOwner, KafkaClients, NewTopic, TransactionalProducer};
use crate::unit::{Environment, FenceOrder, Fences, TaskStart};
use crate::worker_config::OffsetsInKafka;

/// First wait before a step is tried again.
const FIRST_RETRY: Duration = Duration::from_millis(100);
/// Longest wait before a step is tried again.
const MAX_RETRY: Duration = Duration::from_secs(5);

/// The topics as one task of a connector uses them.
pub(crate) struct OffsetsTopics<'a> {
    pub(crate) clients: &'a dyn KafkaClients,
    pub(crate) fences: &'a Fences,
    pub(crate) settings: &'a OffsetsInKafka,
    pub(crate) connector: Arc<str>,
    pub(crate) task: u32,
    /// Of the connector, secrets resolved.
    pub(crate) config: &'a ConfigMap,
}

impl<'a> OffsetsTopics<'a> {
    /// Of a task. `None` outside of a cluster.
    pub(crate) fn of_task(environment: &'a Environment, start: &'a TaskStart) -> Option<Self> {
        Some(Self {
            clients: environment.clients.as_ref(),
            fences: &environment.fences,
            settings: environment.offsets_in_kafka.as_deref()?,
            connector: Arc::clone(&start.connector),
            task: start.number,
            config: &start.config,
        })
    }

    /// Creates those that are not there. Waits while brokers are away.
    pub(crate) async fn ensure(&self, topics: &[NewTopic]) -> Result<(), ClientError> {
        let owner = self.owner("admin.override.");
        for topic in topics {
            let what = format!("The offsets topic \"{}\" cannot be used", topic.name);
            retrying(&what, || self.clients.ensure_topic(&owner, topic)).await?;
        }
        Ok(())
    }

    /// Returns once no producer of an earlier set of tasks can write any more. Waits while brokers are away.
    pub(crate) async fn fence(&self, order: FenceOrder) -> Result<(), ClientError> {
        let owner = self.owner("producer.override.");
        let place = (self.clients, &owner, self.settings);
        retrying("Earlier tasks cannot be fenced", || {
            self.fences.pass(order, place)
        })
        .await
    }

    /// The same for the tasks with these numbers, whatever was done before.
    pub(crate) async fn fence_tasks(&self, numbers: Range<u32>) -> Result<(), ClientError> {
        let owner = self.owner("producer.override.");
        let place = (self.clients, &owner, self.settings);
        retrying("Earlier tasks cannot be fenced", || {
            fences::fence(numbers.clone(), place)
        })
        .await
    }

    /// Takes over the transactional id of the task: whoever had it writes nothing any more, and what it left open is
    /// aborted. Waits while brokers are away.
    pub(crate) async fn producer(&self) -> Result<Box<dyn TransactionalProducer>, ClientError> {
        let owner = self.owner("producer.override.");
        let id = self.settings.transactional_id(&self.connector, self.task);
        let what = "The task's transactional producer cannot be used";
        retrying(what, || self.clients.transactional_producer(&owner, &id)).await
    }

    /// What the topics hold of the connector. Waits while brokers are away, and for transactions that are open.
    pub(crate) async fn read(&self, topics: &[NewTopic]) -> Result<Vec<(Topic, TopicOffsets)>, TopicsError> {
        let owner = self.owner("consumer.override.");
        let keep = |key: &[u8]| topic_form::is_of(&self.connector, key);
        let mut read = Vec::new();
        for topic in topics {
            let what = format!("The offsets topic \"{}\" cannot be read", topic.name);
            let found = retrying(&what, || self.clients.read_compacted(&owner, &topic.name, &keep)).await?;
            let offsets = TopicOffsets::read(&self.connector, &found)?;
            read.push((topic.name.as_str().into(), offsets));
        }
        Ok(read)
    }

    fn owner(&self, prefix: &str) -> ClientOwner {
        ClientOwner {
            connector: Arc::clone(&self.connector),
            task: self.task,
            overrides: self.config.with_prefix(prefix),
        }
    }
}

/// Why the offsets are not known.
#[derive(Debug)]
pub(crate) enum TopicsError {
    Client(ClientError),
    /// What is there cannot be understood.
    Offset(ConnectorError),
}

impl From<ClientError> for TopicsError {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

impl From<ConnectorError> for TopicsError {
    fn from(error: ConnectorError) -> Self {
        Self::Offset(error)
    }
}

/// Again and again while it may work later.
async fn retrying<T, F: Future<Output = Result<T, ClientError>>>(
    what: &str,
    attempt: impl Fn() -> F,
) -> Result<T, ClientError> {
    let mut backoff = retry_backoff();
    loop {
        match attempt().await {
            Err(error @ ClientError::Retriable(_)) => {
                if backoff.attempts() == 0 {
                    warn!(error = %error, "{what}; trying until it works");
                }
                tokio::time::sleep(backoff.next_wait()).await;
            }
            done => return done,
        }
    }
}

/// Between attempts at a step that comes before a task can start.
pub(crate) fn retry_backoff() -> Backoff {
    Backoff::new(FIRST_RETRY, MAX_RETRY)
}
