//! The clients of one worker: its settings, its producers, one consumer a sink task.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use towpath_connect::{ConfigMap, TopicPartition, TopicPartitionOffsets};
use towpath_runtime::clients::{
    ClientError, ClientOwner, CompactedTopic, GroupConsumer, KafkaClients, NewTopic, RecordProducer,
    SinkGroup, Subscription, TransactionalProducer,
};
use towpath_runtime::validation::Client;

use crate::admin::Admin;
use crate::compacted;
use crate::config::{self, Layer, Translated, Warning};
use crate::consumer::TaskConsumer;
use crate::membership;
use crate::pool::ProducerPool;
use crate::producer::{BeyondRepair, TaskProducer};
use crate::transactions::TaskTransactions;

/// Kafka's default.
const BOOTSTRAP_SERVERS: &str = "localhost:9092";

/// One name for the producers of all tasks: a name for each task, as Kafka Connect gives, would keep them from sharing
/// one. Who needs it sets `producer.override.client.id`.
const PRODUCER_CLIENT_ID: &str = "connector-producer";

/// What a source task's producer is configured with if nobody says otherwise. The order of records is kept by other means
/// than Kafka Connect's; see [`config`].
const PRODUCER_DEFAULTS: &[(&str, &str)] = &[
    ("acks", "all"),
    ("delivery.timeout.ms", "2147483647"),
    ("max.block.ms", "9223372036854775807"),
    ("client.id", PRODUCER_CLIENT_ID),
];

/// How many sets of warnings are remembered, so that each is logged once and not at every start of a task.
const REMEMBERED_WARNINGS: usize = 10_000;

/// Makes clients with the settings of a worker's file.
pub struct RdKafkaClients {
    worker: Arc<ConfigMap>,
    bootstrap_servers: String,
    producers: Arc<ProducerPool>,
    warned: Mutex<HashMap<String, Vec<Warning>>>,
    /// Offsets topics that were seen to be there. A std mutex: never held across an await.
    ensured: Mutex<HashSet<String>>,
}

impl RdKafkaClients {
    /// The whole file, secrets resolved. Nothing is connected before it is needed.
    pub fn new(worker: Arc<ConfigMap>) -> Self {
        let configured = worker
            .get("bootstrap.servers")
            .map(str::trim)
            .filter(|servers| !servers.is_empty());
        let bootstrap_servers = configured.unwrap_or(BOOTSTRAP_SERVERS).to_owned();
        Self {
            worker,
            bootstrap_servers,
            producers: Arc::default(),
            warned: Mutex::default(),
            ensured: Mutex::default(),
        }
    }

    /// What can be asked of the cluster, and done to it. `overrides` are a connector's `admin.override.*`.
    pub fn admin(&self, overrides: &ConfigMap) -> Result<Admin, ClientError> {
        // Admin clients also have the worker's own settings, such as its credentials, before `admin.*`.
        let keys = Client::Admin.keys();
        let mut own = ConfigMap::new();
        for (key, value) in self.worker.iter().filter(|(key, _)| keys.key(key).is_some()) {
            own.insert(key, value.unwrap_or_default());
        }
        let mut admin = self.worker.with_prefix("admin.");
        // `admin.listeners` is a key of the REST API.
        admin.remove("listeners");
        let layers = [
            Layer {
                prefix: "",
                settings: &own,
            },
            Layer {
                prefix: "admin.",
                settings: &admin,
            },
            Layer {
                prefix: "admin.override.",
                settings: overrides,
            },
        ];
        let translated = self.translate(Client::Admin, &[("client.id", "connector-adminclient")], &layers)?;
        Ok(Admin::new(translated))
    }

    /// How many producers there are; tasks with equal settings share one.
    pub fn producer_count(&self) -> usize {
        self.producers.len()
    }

    fn task_client(
        &self,
        client: Client,
        owner: &ClientOwner,
        defaults: &[(&str, &str)],
    ) -> Result<Translated, ClientError> {
        let (prefix, override_prefix) = match client {
            Client::Producer => ("producer.", "producer.override."),
            Client::Consumer => ("consumer.", "consumer.override."),
            Client::Admin => ("admin.", "admin.override."),
        };
        let worker = self.worker.with_prefix(prefix);
        let layers = [
            Layer {
                prefix,
                settings: &worker,
            },
            Layer {
                prefix: override_prefix,
                settings: &owner.overrides,
            },
        ];
        let translated = self.translate(client, defaults, &layers)?;
        self.warn_once(&owner.connector, prefix, &translated.warnings);
        Ok(translated)
    }

    fn transactional_settings(&self, owner: &ClientOwner, id: &str) -> Result<Translated, ClientError> {
        let worker = self.worker.with_prefix("producer.");
        let layers = [
            Layer {
                prefix: "producer.",
                settings: &worker,
            },
            Layer {
                prefix: "producer.override.",
                settings: &owner.overrides,
            },
        ];
        let client_id = format!("connector-producer-{}-{}", owner.connector, owner.task);
        let mut defaults = vec![("bootstrap.servers", self.bootstrap_servers.as_str())];
        defaults.extend(PRODUCER_DEFAULTS);
        // Nobody shares it, so it has a name of its own.
        defaults.push(("client.id", &client_id));
        let translated = config::translate_transactional(id, &defaults, &layers)
            .map_err(|error| ClientError::Config(error.to_string()))?;
        self.warn_once(&owner.connector, "producer.", &translated.warnings);
        Ok(translated)
    }

    fn is_ensured(&self, topic: &str) -> bool {
        self.ensured().contains(topic)
    }

    fn ensured(&self) -> MutexGuard<'_, HashSet<String>> {
        self.ensured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn translate(
        &self,
        client: Client,
        defaults: &[(&str, &str)],
        layers: &[Layer<'_>],
    ) -> Result<Translated, ClientError> {
        let mut all = vec![("bootstrap.servers", self.bootstrap_servers.as_str())];
        all.extend(defaults);
        config::translate(client, &all, layers).map_err(|error| ClientError::Config(error.to_string()))
    }

    fn warn_once(&self, connector: &str, prefix: &str, warnings: &[Warning]) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let place = format!("{prefix}{connector}");
        if warnings.is_empty() || warned.get(&place).is_some_and(|known| known == warnings) {
            return;
        }
        for Warning { key, what_happens } in warnings {
            tracing::warn!(connector, key, "this setting of a Kafka client {what_happens}");
        }
        if warned.len() >= REMEMBERED_WARNINGS {
            warned.clear();
        }
        warned.insert(place, warnings.to_vec());
    }

    fn consumer_settings(&self, owner: &ClientOwner) -> Result<Translated, ClientError> {
        let group = format!("connect-{}", owner.connector);
        let client_id = format!("connector-consumer-{}-{}", owner.connector, owner.task);
        let defaults = [
            ("group.id", group.as_str()),
            ("client.id", &client_id),
            ("auto.offset.reset", "earliest"),
        ];
        self.task_client(Client::Consumer, owner, &defaults)
    }
}

impl RdKafkaClients {
    /// Of a sink: what its consumers are told.
    fn group_name(&self, owner: &ClientOwner) -> Result<String, ClientError> {
        let settings = self.consumer_settings(owner)?;
        Ok(settings.librdkafka.get("group.id").unwrap_or_default().to_owned())
    }
}

impl fmt::Debug for RdKafkaClients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RdKafkaClients")
            .field("bootstrap_servers", &self.bootstrap_servers)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl KafkaClients for RdKafkaClients {
    async fn producer(&self, owner: &ClientOwner) -> Result<Box<dyn RecordProducer>, ClientError> {
        let translated = self.task_client(Client::Producer, owner, PRODUCER_DEFAULTS)?;
        let lane = self.producers.lane(translated)?;
        Ok(Box::new(TaskProducer::new(lane, BeyondRepair::Replace)))
    }

    async fn transactional_producer(
        &self,
        owner: &ClientOwner,
        transactional_id: &str,
    ) -> Result<Box<dyn TransactionalProducer>, ClientError> {
        let translated = self.transactional_settings(owner, transactional_id)?;
        Ok(Box::new(
            TaskTransactions::open(translated, transactional_id).await?,
        ))
    }

    async fn ensure_topic(&self, owner: &ClientOwner, topic: &NewTopic) -> Result<(), ClientError> {
        if self.is_ensured(&topic.name) {
            return Ok(());
        }
        compacted::ensure(&self.admin(&owner.overrides)?, topic).await?;
        self.ensured().insert(topic.name.clone());
        Ok(())
    }

    async fn read_compacted(
        &self,
        owner: &ClientOwner,
        topic: &str,
        keep: &(dyn for<'k> Fn(&'k [u8]) -> bool + Send + Sync),
    ) -> Result<CompactedTopic, ClientError> {
        compacted::read(self.consumer_settings(owner)?, topic, keep).await
    }

    async fn consumer(
        &self,
        owner: &ClientOwner,
        subscription: &Subscription,
    ) -> Result<Box<dyn GroupConsumer>, ClientError> {
        let mut translated = self.consumer_settings(owner)?;
        let on_close = membership::name(&mut translated.librdkafka, owner);
        Ok(Box::new(TaskConsumer::new(translated, subscription, on_close)?))
    }

    async fn cluster_id(&self) -> Result<String, ClientError> {
        self.admin(&ConfigMap::new())?.cluster_id().await
    }

    async fn group_offsets(
        &self,
        owner: &ClientOwner,
        subscription: &Subscription,
    ) -> Result<TopicPartitionOffsets, ClientError> {
        crate::admin::group_offsets(self.consumer_settings(owner)?, subscription).await
    }

    async fn alter_group_offsets(
        &self,
        group: &SinkGroup,
        offsets: &[(TopicPartition, Option<i64>)],
    ) -> Result<(), ClientError> {
        let name = self.group_name(&group.consumer)?;
        let admin = self.admin(&group.admin_overrides)?;
        admin.alter_group_offsets(&name, offsets).await
    }

    async fn delete_group(&self, group: &SinkGroup) -> Result<(), ClientError> {
        let name = self.group_name(&group.consumer)?;
        let admin = self.admin(&group.admin_overrides)?;
        admin.delete_group(&name).await.map(drop)
    }
}
