//! What the cluster answers, in the shape of the REST API, which is also what `-o json` prints.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use towpath_types::ConnectorConfig;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ServerInfo {
    pub(crate) version: String,
    #[serde(default)]
    pub(crate) commit: String,
    #[serde(default)]
    pub(crate) kafka_cluster_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) towpath_version: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ConnectorInfo {
    pub(crate) name: String,
    pub(crate) config: ConnectorConfig,
    #[serde(default)]
    pub(crate) tasks: Vec<TaskRef>,
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TaskRef {
    pub(crate) connector: String,
    pub(crate) task: u32,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ConnectorStatus {
    pub(crate) name: String,
    pub(crate) connector: UnitStatus,
    #[serde(default)]
    pub(crate) tasks: Vec<TaskStatus>,
    #[serde(rename = "type", default)]
    pub(crate) kind: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UnitStatus {
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) worker_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) trace: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TaskStatus {
    pub(crate) id: u32,
    #[serde(flatten)]
    pub(crate) status: UnitStatus,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TaskConfig {
    pub(crate) id: TaskRef,
    pub(crate) config: ConnectorConfig,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Offsets {
    pub(crate) offsets: Vec<Offset>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Offset {
    pub(crate) partition: Value,
    #[serde(default)]
    pub(crate) offset: Value,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Plugin {
    pub(crate) class: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<String>,
}

/// The answer to a validation, as far as errors go.
#[derive(Debug, Deserialize)]
pub(crate) struct ConfigInfos {
    pub(crate) error_count: u64,
    #[serde(default)]
    configs: Vec<ConfigInfo>,
}

#[derive(Debug, Deserialize)]
struct ConfigInfo {
    value: Option<ConfigValue>,
}

#[derive(Debug, Deserialize)]
struct ConfigValue {
    name: String,
    #[serde(default)]
    errors: Option<Vec<String>>,
}

impl ConfigInfos {
    /// Keys with errors, in the order of the answer.
    pub(crate) fn errors(&self) -> impl Iterator<Item = (&str, &[String])> {
        let values = self.configs.iter().filter_map(|config| config.value.as_ref());
        values.filter_map(|value| {
            Some((
                value.name.as_str(),
                value.errors.as_deref().filter(|errors| !errors.is_empty())?,
            ))
        })
    }
}
