//! From the messages of gRPC to the shapes of the REST API.

use serde_json::Value;
use towpath_types::{ConnectorKind, UnitState};
use towpath_wire::v1;

use crate::api::model::{
    ConnectorInfo, ConnectorStatus, Offset, Offsets, Plugin, ServerInfo, TaskConfig, TaskRef, TaskStatus,
    UnitStatus,
};

impl From<v1::GetInfoResponse> for ServerInfo {
    fn from(info: v1::GetInfoResponse) -> Self {
        Self {
            version: info.version,
            commit: info.commit,
            kafka_cluster_id: info.kafka_cluster_id,
            towpath_version: filled(info.towpath_version),
        }
    }
}

impl From<v1::Connector> for ConnectorInfo {
    fn from(connector: v1::Connector) -> Self {
        let kind = ConnectorKind::from(connector.kind()).as_str().to_owned();
        let task = |task: &u32| TaskRef {
            connector: connector.name.clone(),
            task: *task,
        };
        Self {
            tasks: connector.tasks.iter().map(task).collect(),
            config: connector.config.unwrap_or_default().into(),
            name: connector.name,
            kind,
        }
    }
}

impl From<v1::ConnectorStatus> for ConnectorStatus {
    fn from(status: v1::ConnectorStatus) -> Self {
        Self {
            kind: ConnectorKind::from(status.kind()).as_str().to_owned(),
            name: status.name,
            connector: status.connector.unwrap_or_default().into(),
            tasks: status.tasks.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<v1::UnitStatus> for UnitStatus {
    fn from(status: v1::UnitStatus) -> Self {
        Self {
            state: UnitState::from(status.state()).as_str().to_owned(),
            worker_id: status.worker_id,
            version: status.version,
            trace: status.trace,
        }
    }
}

impl From<v1::TaskStatus> for TaskStatus {
    fn from(task: v1::TaskStatus) -> Self {
        Self {
            id: task.id,
            status: task.status.unwrap_or_default().into(),
        }
    }
}

impl From<v1::PluginInfo> for Plugin {
    fn from(plugin: v1::PluginInfo) -> Self {
        Self {
            class: plugin.class,
            kind: plugin.r#type,
            version: filled(plugin.version),
        }
    }
}

impl TryFrom<v1::GetOffsetsResponse> for Offsets {
    type Error = serde_json::Error;

    fn try_from(answer: v1::GetOffsetsResponse) -> Result<Self, serde_json::Error> {
        let offset = |offset: v1::Offset| -> Result<Offset, serde_json::Error> {
            let position = offset
                .offset_json
                .as_deref()
                .map(serde_json::from_str)
                .transpose()?;
            Ok(Offset {
                partition: serde_json::from_str(&offset.partition_json)?,
                offset: position.unwrap_or(Value::Null),
            })
        };
        Ok(Self {
            offsets: answer.offsets.into_iter().map(offset).collect::<Result<_, _>>()?,
        })
    }
}

pub(super) fn task_configs(connector: &str, answer: v1::ListTasksResponse) -> Vec<TaskConfig> {
    let task = |task: v1::Task| TaskConfig {
        id: TaskRef {
            connector: connector.to_owned(),
            task: task.id,
        },
        config: task.config.unwrap_or_default().into(),
    };
    answer.tasks.into_iter().map(task).collect()
}

fn filled(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

impl From<&Offset> for v1::Offset {
    fn from(offset: &Offset) -> Self {
        Self {
            partition_json: offset.partition.to_string(),
            offset_json: (!offset.offset.is_null()).then(|| offset.offset.to_string()),
        }
    }
}
