//! What travels over a session, between wire and domain types.

use std::sync::Arc;

use towpath_state::{
    ClusterState, Command, DesiredUnit, JsonTextError, OffsetChange, OffsetCommit, Release, Reporter,
    SourceOffset, SourcePartition, TaskTopics, UnitReport,
};
use towpath_types::{ConnectorConfig, Epoch, TaskNumber, UnitId, UnitState, WorkerId};
use towpath_wire::convert::{WireError, connector_name, required_unit};
use towpath_wire::v1;

#[derive(Debug, thiserror::Error)]
pub(crate) enum MessageError {
    #[error("a message of the worker cannot be read")]
    Wire(#[from] WireError),
    #[error("a source offset of the worker cannot be read")]
    Offset(#[from] JsonTextError),
}

pub(super) fn unit_reports(reports: v1::UnitReports) -> Result<Vec<UnitReport>, MessageError> {
    let read = reports.reports.into_iter().map(|report| {
        let state = if report.ended {
            UnitState::Unassigned
        } else {
            report.state().into()
        };
        Ok(UnitReport {
            unit: required_unit(report.unit)?,
            epoch: Epoch(report.epoch),
            state,
            trace: report.trace,
            version: report.version,
        })
    });
    read.collect()
}

pub(super) fn task_configs(message: v1::TaskConfigs, from: Reporter) -> Result<Command, MessageError> {
    let unit = required_unit(message.connector)?;
    let configs = message
        .configs
        .into_iter()
        .map(|config| Arc::new(ConnectorConfig::from(config)));
    Ok(Command::PutTaskConfigs {
        from,
        connector: unit.connector_name().clone(),
        epoch: Epoch(message.epoch),
        configs: configs.collect(),
    })
}

/// The wire names no epoch: what a run that was replaced has used counts as well.
pub(super) fn topics_used(
    message: v1::TopicsUsed,
    state: &ClusterState,
) -> Result<Option<TaskTopics>, MessageError> {
    let unit = UnitId::Task(connector_name(&message.connector)?, TaskNumber(message.task));
    let epoch = state.unit(&unit).map(|unit| unit.epoch);
    Ok(epoch.map(|epoch| TaskTopics {
        unit,
        epoch,
        topics: message.topics,
    }))
}

pub(super) fn offset_commits(units: Vec<v1::UnitOffsets>) -> Result<Vec<OffsetCommit>, MessageError> {
    let commits = units.into_iter().map(|unit| {
        let offsets = unit
            .offsets
            .into_iter()
            .map(offset_change)
            .collect::<Result<_, _>>()?;
        Ok(OffsetCommit {
            unit: required_unit(unit.unit)?,
            epoch: Epoch(unit.epoch),
            offsets,
            in_kafka: unit.in_kafka,
        })
    });
    commits.collect()
}

pub(crate) fn offset_change(offset: v1::Offset) -> Result<OffsetChange, MessageError> {
    let value = offset.offset_json.filter(|text| text.trim() != "null");
    Ok(OffsetChange {
        partition: SourcePartition::parse(offset.partition_json)?,
        offset: value.map(SourceOffset::parse).transpose()?,
    })
}

/// What a task may read: also the null partition, which the API does not show.
pub(crate) fn offsets_of(state: &ClusterState, connector: &str) -> Vec<v1::Offset> {
    let stored = state.source_offsets(connector).into_iter().flatten();
    stored
        .map(|(partition, offset)| v1::Offset {
            partition_json: partition.as_str().to_owned(),
            offset_json: Some(offset.as_str().to_owned()),
        })
        .collect()
}

/// `None` if nothing of the connector was ever kept in Kafka.
pub(crate) fn kafka_offsets_of(state: &ClusterState, connector: &str) -> Option<v1::KafkaOffsets> {
    let offsets = state.kafka_offsets(connector)?;
    let newer = offsets.newer_here.iter();
    Some(v1::KafkaOffsets {
        topics: offsets.topics.clone(),
        tasks: offsets.tasks,
        newer_here: newer
            .map(|(partition, epoch)| v1::NewerOffset {
                partition_json: partition.as_str().to_owned(),
                epoch: epoch.get(),
            })
            .collect(),
    })
}

/// Everything that a worker is to run and to let go of.
#[derive(Debug, PartialEq)]
pub(super) struct Wanted {
    units: Vec<DesiredUnit>,
    releases: Vec<Release>,
}

impl Wanted {
    pub(super) fn of(state: &ClusterState, worker: &WorkerId) -> Self {
        Self {
            units: state.desired_units(worker),
            releases: state.releases(worker),
        }
    }

    pub(super) fn to_assignment(&self, revision: u64) -> v1::Assignment {
        v1::Assignment {
            revision,
            units: self.units.iter().map(desired_unit).collect(),
            releases: self.releases.iter().map(release).collect(),
        }
    }
}

fn desired_unit(desired: &DesiredUnit) -> v1::DesiredUnit {
    v1::DesiredUnit {
        unit: Some((&desired.unit).into()),
        epoch: desired.epoch.get(),
        target_state: v1::TargetState::from(desired.target).into(),
        connector_config: Some((&*desired.config).into()),
        connector_revision: desired.config_revision.get(),
        task_config: desired.task_config.as_deref().map(Into::into),
        kind: v1::ConnectorKind::from(desired.kind).into(),
        fence: desired.fence.map(|fence| v1::FenceOrder {
            task_set: fence.task_set.get(),
            below: fence.below,
        }),
    }
}

fn release(release: &Release) -> v1::Release {
    v1::Release {
        unit: Some((&release.unit).into()),
        epoch: release.epoch.get(),
    }
}
