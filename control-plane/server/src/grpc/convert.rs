//! Views of the application layer as messages.

use towpath_state::UnitStatus;
use towpath_wire::v1;

use crate::app::{ConnectorView, ListedConnector, OffsetView, StatusView, TasksView};

impl From<&ConnectorView> for v1::Connector {
    fn from(view: &ConnectorView) -> Self {
        Self {
            name: view.name.as_str().to_owned(),
            config: Some((&*view.config).into()),
            tasks: (0..view.task_count).collect(),
            kind: v1::ConnectorKind::from(view.kind).into(),
            target_state: v1::TargetState::from(view.target).into(),
            revision: view.revision.get(),
        }
    }
}

impl From<&StatusView> for v1::ConnectorStatus {
    fn from(view: &StatusView) -> Self {
        let tasks = view.tasks.iter().map(|(number, status)| v1::TaskStatus {
            id: number.get(),
            status: Some(unit_status(status)),
        });
        Self {
            name: view.name.as_str().to_owned(),
            connector: Some(unit_status(&view.connector)),
            tasks: tasks.collect(),
            kind: v1::ConnectorKind::from(view.kind).into(),
        }
    }
}

fn unit_status(status: &UnitStatus) -> v1::UnitStatus {
    v1::UnitStatus {
        state: v1::UnitState::from(status.state).into(),
        worker_id: status.worker_id.as_ref().to_owned(),
        version: status.version.as_deref().map(str::to_owned),
        trace: status.trace.as_deref().map(str::to_owned),
    }
}

impl From<&ListedConnector> for v1::ListedConnector {
    fn from(listed: &ListedConnector) -> Self {
        Self {
            name: listed.name.as_str().to_owned(),
            connector: listed.info.as_ref().map(Into::into),
            status: listed.status.as_ref().map(Into::into),
        }
    }
}

impl From<TasksView> for v1::ListTasksResponse {
    fn from(view: TasksView) -> Self {
        let tasks = (0..).zip(&view.configs).map(|(id, config)| v1::Task {
            id,
            config: Some((&**config).into()),
        });
        Self {
            tasks: tasks.collect(),
        }
    }
}

impl From<OffsetView> for v1::Offset {
    fn from(view: OffsetView) -> Self {
        Self {
            partition_json: view.partition,
            offset_json: view.offset,
        }
    }
}

impl From<v1::Offset> for OffsetView {
    fn from(message: v1::Offset) -> Self {
        Self {
            partition: message.partition_json,
            offset: message.offset_json,
        }
    }
}
