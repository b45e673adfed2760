//! Makes the clients of a worker.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use towpath_connect::{ConfigMap, Pattern, TopicPartition, TopicPartitionOffsets};
use towpath_runtime::clients::{
    ClientError, ClientOwner, GroupConsumer, KafkaClients, RecordProducer, Subscription,
};
use towpath_runtime::validation::Client;

use crate::config::Translated;
use crate::consumer::{COORDINATOR, GroupMember};
use crate::errors;
use crate::producer::{ProducerPool, TaskProducer};
use crate::settings::{SettingsMaker, Wanted};

/// How long the first answer of the cluster may take.
const CLUSTER_ID: Duration = Duration::from_secs(20);

/// The clients of one worker: its settings, and the producers that its tasks share.
#[derive(Debug)]
pub struct RdKafkaClients {
    worker: Arc<ConfigMap>,
    producers: ProducerPool,
    settings: SettingsMaker,
}

impl RdKafkaClients {
    /// Clients with the settings of a worker's properties file. Nothing is connected yet.
    pub fn new(worker: Arc<ConfigMap>) -> Self {
        Self { worker, producers: ProducerPool::default(), settings: SettingsMaker::default() }
    }

    fn consumer_settings(&self, owner: &ClientOwner) -> Result<Translated, ClientError> {
        let wanted = Wanted {
            client: Client::Consumer,
            connector: &owner.connector,
            client_id: format!("connector-consumer-{}-{}", owner.connector, owner.task),
            group_id: Some(format!("connect-{}", owner.connector)),
            overrides: &owner.overrides,
        };
        self.settings.make(&self.worker, &wanted)
    }
}

#[async_trait]
impl KafkaClients for RdKafkaClients {
    async fn producer(&self, owner: &ClientOwner) -> Result<Box<dyn RecordProducer>, ClientError> {
        let wanted = Wanted {
            client: Client::Producer,
            connector: &owner.connector,
            client_id: format!("connector-producer-{}-{}", owner.connector, owner.task),
            group_id: None,
            overrides: &owner.overrides,
        };
        let settings = self.settings.make(&self.worker, &wanted)?;
        Ok(Box::new(TaskProducer::new(self.producers.lane(&settings)?)))
    }

    async fn consumer(
        &self,
        owner: &ClientOwner,
        subscription: &Subscription,
    ) -> Result<Box<dyn GroupConsumer>, ClientError> {
        let settings = self.consumer_settings(owner)?;
        Ok(Box::new(GroupMember::new(&settings, subscription)?))
    }

    async fn cluster_id(&self) -> Result<String, ClientError> {
        let wanted = Wanted {
            client: Client::Admin,
            connector: "",
            client_id: "connect-shared-admin".to_owned(),
            group_id: None,
            overrides: &ConfigMap::new(),
        };
        let settings = self.settings.make(&self.worker, &wanted)?.librdkafka.to_client_config();
        blocking(move || {
            let client: BaseConsumer = settings.create().map_err(created)?;
            // An answer of any broker; without it the id is not known.
            client.fetch_metadata(None, CLUSTER_ID).map_err(asked)?;
            client
                .client()
                .fetch_cluster_id(CLUSTER_ID)
                .ok_or_else(|| ClientError::Retriable("the cluster did not say its id".to_owned()))
        })
        .await
    }

    async fn group_offsets(
        &self,
        owner: &ClientOwner,
        subscription: &Subscription,
    ) -> Result<TopicPartitionOffsets, ClientError> {
        let settings = self.consumer_settings(owner)?.librdkafka.to_client_config();
        let topics = match subscription {
            Subscription::Topics(topics) => WantedTopics::Topics(topics.clone()),
            Subscription::Pattern(text) => {
                let pattern = Pattern::compile(text)
                    .map_err(|error| ClientError::Config(format!("`topics.regex` cannot be used: {error}")))?;
                WantedTopics::Pattern(pattern)
            }
        };
        blocking(move || {
            let consumer: BaseConsumer = settings.create().map_err(created)?;
            committed_offsets(&consumer, &topics)
        })
        .await
    }
}

/// The topics whose offsets are asked for.
enum WantedTopics {
    Topics(Vec<String>),
    Pattern(Pattern),
}

impl WantedTopics {
    fn has(&self, topic: &str) -> bool {
        match self {
            Self::Topics(topics) => topics.iter().any(|wanted| wanted == topic),
            Self::Pattern(pattern) => pattern.is_full_match(topic),
        }
    }
}

fn committed_offsets(consumer: &BaseConsumer, wanted: &WantedTopics) -> Result<TopicPartitionOffsets, ClientError> {
    let metadata = consumer.fetch_metadata(None, COORDINATOR).map_err(asked)?;
    let mut partitions = TopicPartitionList::new();
    for topic in metadata.topics().iter().filter(|topic| wanted.has(topic.name())) {
        for partition in topic.partitions() {
            partitions.add_partition(topic.name(), partition.id());
        }
    }
    if partitions.count() == 0 {
        return Ok(TopicPartitionOffsets::new());
    }
    let committed = consumer.committed_offsets(partitions, COORDINATOR).map_err(asked)?;
    let known = committed.elements().into_iter().filter_map(|entry| match entry.offset() {
        Offset::Offset(offset) => {
            Some((TopicPartition { topic: entry.topic().into(), partition: entry.partition() }, offset))
        }
        Offset::Beginning | Offset::End | Offset::Stored | Offset::Invalid | Offset::OffsetTail(_) => None,
    });
    Ok(known.collect())
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn created(error: rdkafka::error::KafkaError) -> ClientError {
    errors::create(&error.into())
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn asked(error: rdkafka::error::KafkaError) -> ClientError {
    ClientError::Retriable(error.to_string())
}

async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T, ClientError> + Send + 'static,
) -> Result<T, ClientError> {
    let joined = tokio::task::spawn_blocking(call).await;
    joined.unwrap_or_else(|_| Err(ClientError::Retriable("the call was given up: the worker stops".to_owned())))
}
