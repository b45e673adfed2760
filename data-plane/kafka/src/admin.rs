//! What is asked of a cluster now and then, and done to it. Each call has a client of its own, which ends with it: an idle
//! one would cost threads all the time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::time::Instant;
use towpath_connect::{ConfigMap, TopicPartition, TopicPartitionOffsets};
use towpath_librdkafka::{
    EndsElsewhere, ErrorCode, GroupOffsets, GroupOffsetsError, TopicPartition as GroupPartition,
    change_group_offsets,
};
use towpath_runtime::clients::{ClientError, Subscription};

use crate::config::Translated;
use crate::subscription::TopicPattern;
use crate::trouble::{client_error, kafka_error};

/// The pause before a coordinator that is not there yet is asked again.
const COORDINATOR_PAUSE: Duration = Duration::from_millis(100);

/// Questions and changes, with an admin client's settings.
#[derive(Clone)]
pub struct Admin {
    config: ClientConfig,
    timeout: Duration,
}

/// A topic to be created.
#[derive(Debug, Clone)]
pub struct TopicToCreate {
    pub name: String,
    /// -1 is the broker's default; so for the replication factor.
    pub partitions: i32,
    pub replication_factor: i32,
    pub configs: ConfigMap,
}

impl Admin {
    pub(crate) fn new(translated: Translated) -> Self {
        Self {
            config: translated.librdkafka.to_client_config(),
            timeout: translated.ours.api_timeout,
        }
    }

    /// The id of the cluster.
    pub async fn cluster_id(&self) -> Result<String, ClientError> {
        let timeout = self.timeout;
        let found = self.ask("the id of the cluster could not be read", move |client| {
            let id = client.inner().fetch_cluster_id(timeout);
            id.ok_or(KafkaError::MetadataFetch(ErrorCode::OperationTimedOut))
        });
        found.await
    }

    /// All topics with the number of their partitions.
    pub async fn topics(&self) -> Result<BTreeMap<String, i32>, ClientError> {
        let timeout = self.timeout;
        let found = self.ask("the topics could not be listed", move |client| {
            let metadata = client.inner().fetch_metadata(None, timeout)?;
            let count = |partitions: usize| i32::try_from(partitions).unwrap_or(i32::MAX);
            let topics = metadata.topics().iter();
            Ok(topics
                .map(|topic| (topic.name().to_owned(), count(topic.partitions().len())))
                .collect())
        });
        found.await
    }

    /// Creates a topic; `false` if it is there already, which is fine.
    pub async fn create_topic(&self, topic: &TopicToCreate) -> Result<bool, ClientError> {
        let what = format!("topic \"{}\" could not be created", topic.name);
        let client = self.client().map_err(|error| kafka_error(&what, &error))?;
        let replication = TopicReplication::Fixed(topic.replication_factor);
        let mut new = NewTopic::new(&topic.name, topic.partitions, replication);
        for (key, value) in topic.configs.iter() {
            new = new.set(key, value.unwrap_or_default());
        }
        let created = client.create_topics([&new], &self.options()).await;
        match created
            .map_err(|error| kafka_error(&what, &error))?
            .into_iter()
            .next()
        {
            Some(Err((_, ErrorCode::TopicAlreadyExists))) => Ok(false),
            Some(Err((_, code))) => Err(client_error(what, code)),
            Some(Ok(_)) | None => Ok(true),
        }
    }

    /// `cleanup.policy` of a topic; `None` if it may not be read.
    pub async fn cleanup_policy(&self, topic: &str) -> Option<String> {
        let client = self.client().ok()?;
        let described = client
            .describe_configs(&[ResourceSpecifier::Topic(topic)], &self.options())
            .await;
        let resource = described.ok()?.into_iter().next()?.ok()?;
        resource.get("cleanup.policy")?.value.clone()
    }

    /// Deletes a consumer group, and with it its offsets; `false` if there is none.
    pub async fn delete_group(&self, group: &str) -> Result<bool, ClientError> {
        let what = format!("group \"{group}\" could not be deleted");
        let client = self.client().map_err(|error| kafka_error(&what, &error))?;
        let deleted = client.delete_groups(&[group], &self.options()).await;
        match deleted
            .map_err(|error| kafka_error(&what, &error))?
            .into_iter()
            .next()
        {
            Some(Err((_, ErrorCode::GroupIdNotFound))) => Ok(false),
            Some(Err((_, code @ ErrorCode::NonEmptyGroup))) => {
                Err(ClientError::GroupInUse(format!("{what}: {code}")))
            }
            Some(Err((_, code))) => Err(client_error(what, code)),
            Some(Ok(_)) | None => Ok(true),
        }
    }

    /// Sets offsets of a group that has no members; a partition without one has none afterwards.
    pub async fn alter_group_offsets(
        &self,
        group: &str,
        offsets: &[(TopicPartition, Option<i64>)],
    ) -> Result<(), ClientError> {
        self.check_partitions(offsets).await?;
        let (mut kept, mut removed) = (Vec::new(), Vec::new());
        for (entry, offset) in offsets {
            let entry = GroupPartition {
                topic: Arc::clone(&entry.topic),
                partition: entry.partition,
            };
            match offset {
                Some(offset) => kept.push((entry, *offset)),
                None => removed.push(entry),
            }
        }
        let (kept, removed) = (Arc::new(kept), Arc::new(removed));
        let what = format!("the offsets of group \"{group}\" could not be changed");
        let deadline = Instant::now() + self.timeout;
        loop {
            let (admin, group) = (self.clone(), group.to_owned());
            let (kept, removed) = (Arc::clone(&kept), Arc::clone(&removed));
            let changed = blocking(&what, move || {
                let client = admin.client()?;
                let change = |change| change_group_offsets(client.inner(), &group, change, admin.timeout);
                let mut changed = Ok(());
                if !kept.is_empty() {
                    changed = change(GroupOffsets::Set(&kept));
                }
                if changed.is_ok() && !removed.is_empty() {
                    changed = change(GroupOffsets::Delete(&removed));
                }
                Ok(changed)
            });
            match changed.await? {
                // It is about to be there.
                Err(error) if error.is_moving() && Instant::now() < deadline => {
                    tokio::time::sleep(COORDINATOR_PAUSE).await;
                }
                done => return done.map_err(|error| group_error(&error)),
            }
        }
    }

    /// That the partitions whose offsets are set are there: a broker need not say it.
    async fn check_partitions(&self, offsets: &[(TopicPartition, Option<i64>)]) -> Result<(), ClientError> {
        let topics = self.topics().await?;
        let is_unknown = |entry: &TopicPartition| {
            let partitions = topics.get(entry.topic.as_ref()).copied().unwrap_or(0);
            !(0..partitions).contains(&entry.partition)
        };
        let mut set = offsets.iter().filter(|(_, offset)| offset.is_some());
        match set.find(|(entry, _)| is_unknown(entry)) {
            None => Ok(()),
            Some((unknown, _)) => Err(ClientError::Fatal(format!(
                "there is no partition {} of topic \"{}\"",
                unknown.partition, unknown.topic
            ))),
        }
    }

    /// One for each question, which ends where it may: also when the answer is not waited for.
    fn client(&self) -> KafkaResult<EndsElsewhere<AdminClient<DefaultClientContext>>> {
        self.config.create().map(EndsElsewhere::new)
    }

    fn options(&self) -> AdminOptions {
        AdminOptions::new()
            .operation_timeout(Some(self.timeout))
            .request_timeout(Some(self.timeout))
    }

    /// Makes a client, lets `question` use it, and ends it.
    async fn ask<T: Send + 'static>(
        &self,
        what: &str,
        question: impl FnOnce(&AdminClient<DefaultClientContext>) -> KafkaResult<T> + Send + 'static,
    ) -> Result<T, ClientError> {
        let admin = self.clone();
        blocking(what, move || {
            let client = admin.client()?;
            question(&client)
        })
        .await
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

fn group_error(error: &GroupOffsetsError) -> ClientError {
    if error.is_in_use() {
        return ClientError::GroupInUse(error.to_string());
    }
    client_error(
        format!(
            "the offsets of group \"{}\" could not be changed: {}",
            error.group, error.reason
        ),
        error.code,
    )
}

/// What a sink's group has committed in the topics that the sink reads.
pub(crate) async fn group_offsets(
    translated: Translated,
    subscription: &Subscription,
) -> Result<TopicPartitionOffsets, ClientError> {
    let Translated { librdkafka, ours, .. } = translated;
    let group = librdkafka.get("group.id").unwrap_or_default();
    let what = format!("the offsets of group \"{group}\" could not be read");
    let is_meant: Box<dyn Fn(&str) -> bool + Send> = match subscription {
        Subscription::Topics(topics) => {
            let topics = topics.clone();
            Box::new(move |name| topics.iter().any(|topic| topic == name))
        }
        Subscription::Pattern(pattern) => {
            let pattern = TopicPattern::new(pattern, &ours)?;
            Box::new(move |name| pattern.matches(name))
        }
    };
    let (config, timeout) = (librdkafka.to_client_config(), ours.api_timeout);
    // It does not subscribe, so it is no member of the group and disturbs nobody.
    blocking(&what, move || {
        let consumer: BaseConsumer = config.create()?;
        let metadata = consumer.fetch_metadata(None, timeout)?;
        let mut wanted = TopicPartitionList::new();
        for topic in metadata.topics().iter().filter(|topic| is_meant(topic.name())) {
            for partition in topic.partitions() {
                wanted.add_partition(topic.name(), partition.id());
            }
        }
        if wanted.count() == 0 {
            return Ok(TopicPartitionOffsets::new());
        }
        Ok(committed_of(&consumer.committed_offsets(wanted, timeout)?))
    })
    .await
}

fn committed_of(list: &TopicPartitionList) -> TopicPartitionOffsets {
    let mut offsets = TopicPartitionOffsets::new();
    for entry in list.elements() {
        if let Offset::Offset(offset) = entry.offset() {
            let partition = TopicPartition {
                topic: Arc::from(entry.topic()),
                partition: entry.partition(),
            };
            offsets.insert(partition, offset);
        }
    }
    offsets
}

/// Runs what blocks where it may.
pub(crate) async fn blocking<T: Send + 'static>(
    what: &str,
    call: impl FnOnce() -> KafkaResult<T> + Send + 'static,
) -> Result<T, ClientError> {
    match tokio::task::spawn_blocking(call).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(kafka_error(what, &error)),
        Err(_) => Err(ClientError::Retriable(format!(
            "{what}: the runtime is shutting down"
        ))),
    }
}
