//! What only a worker of a cluster has.

use std::net::SocketAddr;

use towpath_connect::{ConfigMap, ParsedConfig};

use super::{WorkerConfigError, keys};
use crate::clients::NewTopic;

const PREFIX: &str = "offset.storage.";
/// What below the prefix is no configuration of the topic.
const NOT_OF_THE_TOPIC: [&str; 4] = ["topic", "partitions", "replication.factor", "file.filename"];
const CLEANUP_POLICY: &str = "cleanup.policy";

/// `exactly.once.source.support`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExactlyOnceSource {
    Disabled,
    /// As disabled, and what is altered or reset by the user reaches the offsets topic already.
    Preparing,
    Enabled,
}

/// How the workers of a cluster keep source offsets in Kafka, if they do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetsInKafka {
    pub support: ExactlyOnceSource,
    /// `group.id`: transactional ids begin with it.
    pub group_id: String,
    /// `offset.storage.*`: the topic with the offsets of all connectors; there unless support is disabled. Connectors'
    /// own ones are created like it.
    pub topic: Option<NewTopic>,
}

impl OffsetsInKafka {
    /// The producer of a task has this id for as long as the task is one of the connector's.
    pub fn transactional_id(&self, connector: &str, task: u32) -> String {
        format!("{}-{connector}-{task}", self.group_id)
    }

    /// Where a connector's offsets are written: the topic of `offsets.storage.topic` first, then the worker's.
    pub fn topics(&self, connector_config: &ConfigMap) -> Vec<NewTopic> {
        let own = connector_config
            .get("offsets.storage.topic")
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let mut topics: Vec<NewTopic> = own.map(|name| self.like(name)).into_iter().collect();
        topics.extend(
            self.topic
                .clone()
                .filter(|topic| own != Some(topic.name.as_str())),
        );
        topics
    }

    /// A topic of this name for offsets.
    pub fn like(&self, name: &str) -> NewTopic {
        let model = self.topic.clone().unwrap_or(NewTopic {
            name: String::new(),
            partitions: -1,
            replication_factor: -1,
            configs: ConfigMap::new(),
        });
        NewTopic {
            name: name.to_owned(),
            ..model
        }
    }
}

/// What to do with source tasks that nothing but the lease fences, when the lease is lost (`lease.lost.policy`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseLost {
    /// They stop: another worker may run them by now.
    Stop,
    /// They go on: duplicates are preferred to a pause.
    Continue,
}

/// What only a worker of a cluster has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterSettings {
    pub group_id: String,
    pub exactly_once_source: ExactlyOnceSource,
    /// The topic with the source offsets, for exactly-once sources and migrations.
    pub offsets_topic: Option<NewTopic>,
    pub control_plane_endpoints: Vec<String>,
    /// As configured; else the advertised address is the id.
    pub worker_id: Option<String>,
    /// Where metrics and health are served; `None`: nowhere.
    pub admin_listener: Option<SocketAddr>,
    pub lease_lost: LeaseLost,
}

impl ClusterSettings {
    pub fn offsets_in_kafka(&self) -> OffsetsInKafka {
        OffsetsInKafka {
            support: self.exactly_once_source,
            group_id: self.group_id.clone(),
            topic: self.offsets_topic.clone(),
        }
    }
}

/// # Errors
/// When a key is missing that another one asks for.
pub(super) fn of(parsed: &ParsedConfig, file: &ConfigMap) -> Result<ClusterSettings, WorkerConfigError> {
    let is = |key: &str, word: &str| parsed.string(key).eq_ignore_ascii_case(word);
    let exactly_once = "exactly.once.source.support";
    let exactly_once_source = if is(exactly_once, "enabled") {
        ExactlyOnceSource::Enabled
    } else if is(exactly_once, "preparing") {
        ExactlyOnceSource::Preparing
    } else {
        ExactlyOnceSource::Disabled
    };
    let offsets_topic = offsets_topic(parsed, file);
    if exactly_once_source != ExactlyOnceSource::Disabled && offsets_topic.is_none() {
        return Err(WorkerConfigError::OffsetsTopic);
    }
    Ok(ClusterSettings {
        group_id: parsed.string(keys::GROUP_ID).to_owned(),
        exactly_once_source,
        offsets_topic,
        control_plane_endpoints: parsed.list("control.plane.endpoints").to_vec(),
        worker_id: parsed.optional_string("worker.id").map(str::to_owned),
        admin_listener: parsed.string("worker.admin.listener").parse().ok(),
        lease_lost: if is("lease.lost.policy", "continue") {
            LeaseLost::Continue
        } else {
            LeaseLost::Stop
        },
    })
}

/// `None` if no topic is named.
fn offsets_topic(parsed: &ParsedConfig, file: &ConfigMap) -> Option<NewTopic> {
    let name = parsed.optional_string(keys::OFFSETS_TOPIC)?;
    let number = |key| parsed.optional_long(key).and_then(|n| i32::try_from(n).ok());
    let mut configs = file.with_prefix(PREFIX);
    for key in NOT_OF_THE_TOPIC {
        configs.remove(key);
    }
    if configs.remove(CLEANUP_POLICY).is_some() {
        let key = format!("{PREFIX}{CLEANUP_POLICY}");
        tracing::warn!(key, "is ignored: the topic has to be compacted");
    }
    Some(NewTopic {
        name: name.to_owned(),
        partitions: number(keys::OFFSETS_PARTITIONS).unwrap_or(-1),
        replication_factor: number(keys::OFFSETS_REPLICATION).unwrap_or(-1),
        configs,
    })
}
