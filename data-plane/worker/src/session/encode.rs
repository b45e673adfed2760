//! Between the worker's values and the messages of the session.

use std::collections::HashMap;

use towpath_connect::{ConfigMap, ConnectorError, OffsetMap, Topic};
use towpath_runtime::offsets::OffsetCommit;
use towpath_runtime::unit::{FenceOrder, TaskConfigsReport, UnitReport, UnitSpec};
use towpath_types::{ConnectorKind, Epoch, Revision, TargetState, UnitId};
use towpath_wire::convert::{WireError, required_unit};
use towpath_wire::v1;

use super::Identity;
use crate::outbox::CommitAnswer;
use crate::reconcile::{Desired, Wanted};

pub(super) fn register(identity: &Identity, held: &HashMap<UnitId, Epoch>) -> v1::Register {
    v1::Register {
        worker_id: identity.worker_id.clone(),
        version: identity.version.clone(),
        labels: identity.labels.clone(),
        plugins: identity.plugins.clone(),
        kafka_cluster_id: identity.kafka_cluster_id.get().cloned().unwrap_or_default(),
        running: held
            .iter()
            .map(|(unit, epoch)| v1::RunningUnit {
                unit: Some(unit.into()),
                epoch: epoch.get(),
            })
            .collect(),
        group_id: identity.group_id.clone(),
        process_id: identity.process_id.clone(),
    }
}

pub(super) fn unit_report(report: &UnitReport) -> v1::UnitReport {
    v1::UnitReport {
        unit: Some((&report.unit).into()),
        epoch: report.epoch.get(),
        state: v1::UnitState::from(report.state).into(),
        trace: report.trace.clone(),
        version: report.version.clone(),
        ended: report.ended,
    }
}

pub(super) fn task_configs(report: &TaskConfigsReport) -> v1::TaskConfigs {
    v1::TaskConfigs {
        connector: Some((&report.connector).into()),
        epoch: report.epoch.get(),
        configs: report.configs.iter().map(config).collect(),
        connector_revision: report.revision.get(),
    }
}

fn config(config: &ConfigMap) -> v1::Config {
    let entry = |(key, value): (&str, Option<&str>)| v1::ConfigEntry {
        key: key.to_owned(),
        value: value.map(str::to_owned),
    };
    v1::Config {
        entries: config.iter().map(entry).collect(),
    }
}

pub(crate) fn config_map(config: v1::Config) -> ConfigMap {
    let mut map = ConfigMap::new();
    for entry in config.entries {
        match entry.value {
            Some(value) => map.insert(entry.key, value),
            None => map.insert_null(entry.key),
        }
    }
    map
}

pub(super) fn topics(task: &UnitId, topics: &[Topic]) -> v1::TopicsUsed {
    v1::TopicsUsed {
        connector: task.connector_name().as_str().to_owned(),
        task: task.task_number().map_or(0, towpath_types::TaskNumber::get),
        topics: topics.iter().map(ToString::to_string).collect(),
    }
}

/// All commits of one message, one entry a task, and who waits for each.
pub(super) fn commits(
    commits: Vec<(OffsetCommit, CommitAnswer)>,
) -> (Vec<v1::UnitOffsets>, Vec<(UnitId, CommitAnswer)>) {
    commits
        .into_iter()
        .map(|(commit, answer)| {
            let offsets = commit.offsets.iter().map(|(partition, offset)| v1::Offset {
                partition_json: json(partition),
                offset_json: offset.as_ref().map(json),
            });
            let unit = v1::UnitOffsets {
                unit: Some((&commit.unit).into()),
                epoch: commit.epoch.get(),
                offsets: offsets.collect(),
            };
            (unit, (commit.unit, answer))
        })
        .unzip()
}

fn json(map: &OffsetMap) -> String {
    serde_json::to_string(map).expect("a map of primitives with text keys has a JSON form")
}

pub(super) fn offsets_found(
    answer: v1::OffsetsFound,
) -> towpath_connect::Result<Vec<(OffsetMap, OffsetMap)>> {
    if let Some(error) = answer.error {
        return Err(ConnectorError::retriable(error));
    }
    let mut found = Vec::new();
    for offset in answer.offsets {
        let Some(text) = offset.offset_json else { continue };
        // A lost position is never read as "none": that would start over silently.
        let unreadable = |cause| {
            let what = format!(
                "the stored source offset of partition {} cannot be read",
                offset.partition_json
            );
            ConnectorError::data(what).with_source(cause)
        };
        if offset.partition_json == "null" {
            continue;
        }
        let partition = serde_json::from_str(&offset.partition_json).map_err(unreadable)?;
        found.push((partition, serde_json::from_str(&text).map_err(unreadable)?));
    }
    Ok(found)
}

pub(super) fn wanted(assignment: v1::Assignment) -> Result<Wanted, WireError> {
    let mut wanted = Wanted::default();
    for unit in assignment.units {
        let desired = desired(unit)?;
        wanted.units.insert(desired.spec.unit.clone(), desired);
    }
    for release in assignment.releases {
        wanted
            .releases
            .insert(required_unit(release.unit)?, Epoch(release.epoch));
    }
    Ok(wanted)
}

fn desired(unit: v1::DesiredUnit) -> Result<Desired, WireError> {
    let target = TargetState::from(unit.target_state());
    let kind = ConnectorKind::from(unit.kind());
    let connector_config = unit.connector_config.ok_or(WireError::Missing {
        member: "connector_config",
    })?;
    let spec = UnitSpec {
        unit: required_unit(unit.unit)?,
        epoch: Epoch(unit.epoch),
        target,
        connector_config: config_map(connector_config),
        revision: Revision(unit.connector_revision),
        task_config: unit.task_config.map(config_map),
        fence: unit.fence.map(|fence| FenceOrder {
            task_set: Epoch(fence.task_set),
            below: fence.below,
        }),
    };
    Ok(Desired { spec, kind })
}
