//! Between the worker's values and the messages of the session.

use std::collections::HashMap;

use towpath_connect::{ConfigMap, ConnectorError, OffsetMap, Topic};
use towpath_runtime::offsets::{KafkaMarks, KeptOffsets, OffsetCommit};
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
        confirms: true,
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
                in_kafka: commit.in_kafka,
            };
            (unit, (commit.unit, answer))
        })
        .unzip()
}

pub(crate) fn json(map: &OffsetMap) -> String {
    serde_json::to_string(map).expect("a map of primitives with text keys has a JSON form")
}

pub(super) fn offsets_found(answer: v1::OffsetsFound) -> towpath_connect::Result<KeptOffsets> {
    if let Some(error) = answer.error {
        return Err(ConnectorError::retriable(error));
    }
    kept_offsets(answer.offsets, answer.in_kafka)
}

/// What the control plane keeps, without the null partition: no task can ask for it.
pub(crate) fn kept_offsets(
    offsets: Vec<v1::Offset>,
    in_kafka: Option<v1::KafkaOffsets>,
) -> towpath_connect::Result<KeptOffsets> {
    let mut kept = KeptOffsets::default();
    for offset in offsets {
        let Some(text) = &offset.offset_json else { continue };
        if let Some(partition) = partition_of(&offset.partition_json)? {
            // A lost position is never read as "none": that would start over silently.
            let offset =
                serde_json::from_str(text).map_err(|cause| unreadable(&offset.partition_json, cause))?;
            kept.offsets.push((partition, offset));
        }
    }
    let Some(in_kafka) = in_kafka else { return Ok(kept) };
    let mut newer_here = Vec::new();
    for newer in in_kafka.newer_here {
        if let Some(partition) = partition_of(&newer.partition_json)? {
            newer_here.push((partition, Epoch(newer.epoch)));
        }
    }
    kept.in_kafka = Some(KafkaMarks {
        topics: in_kafka.topics,
        tasks: in_kafka.tasks,
        newer_here,
    });
    Ok(kept)
}

fn partition_of(text: &str) -> towpath_connect::Result<Option<OffsetMap>> {
    serde_json::from_str(text).map_err(|cause| unreadable(text, cause))
}

fn unreadable(partition: &str, cause: serde_json::Error) -> ConnectorError {
    let what = format!("the stored source offset of partition {partition} cannot be read");
    ConnectorError::data(what).with_source(cause)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(partition: &str, offset: &str) -> v1::Offset {
        v1::Offset {
            partition_json: partition.to_owned(),
            offset_json: Some(offset.to_owned()),
        }
    }

    #[test]
    fn what_is_kept_is_read_without_the_null_partition() {
        let newer = |partition: &str, epoch| v1::NewerOffset {
            partition_json: partition.to_owned(),
            epoch,
        };
        let in_kafka = v1::KafkaOffsets {
            topics: vec!["own".to_owned()],
            tasks: 2,
            newer_here: vec![newer("null", 1), newer(r#"{"p":2}"#, 7)],
        };
        let kept = [offset("null", r#"{"n":1}"#), offset(r#"{"p":1}"#, r#"{"n":2}"#)];
        let kept = kept_offsets(kept.into(), Some(in_kafka)).unwrap();
        let partition = |n: i64| OffsetMap::new().with("p", n);
        assert_eq!(kept.offsets, [(partition(1), OffsetMap::new().with("n", 2))]);
        let marks = kept.in_kafka.unwrap();
        assert_eq!((marks.topics, marks.tasks), (vec!["own".to_owned()], 2));
        assert_eq!(marks.newer_here, [(partition(2), Epoch(7))]);
    }

    #[test]
    fn an_offset_that_cannot_be_read_is_never_taken_for_none() {
        let refused = kept_offsets(vec![offset(r#"{"p":1}"#, "[]")], None).unwrap_err();
        assert_eq!(
            refused.to_string(),
            r#"the stored source offset of partition {"p":1} cannot be read"#
        );
        assert!(kept_offsets(vec![offset("[", "{}")], None).is_err());
    }
}
