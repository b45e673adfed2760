//! Offsets: of sources from the state, of sinks from their consumer group, which only a worker can reach.

use std::sync::Arc;

use towpath_state::ClusterState;
use towpath_types::{ConnectorConfig, ConnectorKind, UnitId, WorkerId};
use towpath_wire::v1::ConsumerGroupOffsets;
use towpath_wire::v1::worker_answer::Answer;
use towpath_wire::v1::worker_request::Request;

use super::validation::refusal_of;
use super::{ApiError, App, OffsetView};
use crate::sessions::LiveSession;

/// Where the offsets of a connector are.
enum Kept {
    Here(Vec<OffsetView>),
    InGroup {
        config: Arc<ConnectorConfig>,
        owner: Option<WorkerId>,
    },
}

impl App {
    pub(crate) async fn offsets(&self, name: &str) -> Result<Vec<OffsetView>, ApiError> {
        let kept = self.read(|state| kept(state, name)).await?;
        match kept.ok_or_else(|| ApiError::ConnectorNotFound(name.to_owned()))? {
            Kept::Here(offsets) => Ok(offsets),
            Kept::InGroup { config, owner } => {
                let mut workers = self.connected_workers().await?;
                // The one that runs the connector first: it can surely reach its Kafka cluster.
                workers.sort_by_key(|worker| Some(&worker.reporter.worker) != owner.as_ref());
                self.group_offsets(name, &config, &workers).await
            }
        }
    }

    async fn group_offsets(
        &self,
        name: &str,
        config: &ConnectorConfig,
        workers: &[Arc<LiveSession>],
    ) -> Result<Vec<OffsetView>, ApiError> {
        let question = ConsumerGroupOffsets {
            connector: name.to_owned(),
            config: Some(config.into()),
        };
        let answer = match self.ask_first(workers, &Request::GroupOffsets(question)).await? {
            Answer::Offsets(answer) => answer,
            other => return Err(refusal_of(other)),
        };
        let offsets = answer.offsets.into_iter();
        Ok(offsets
            .map(|one| OffsetView {
                partition: one.partition_json,
                offset: one.offset_json,
            })
            .collect())
    }
}

fn kept(state: &ClusterState, name: &str) -> Option<Kept> {
    let info = state.connector_info(name)?;
    if info.kind == ConnectorKind::Sink {
        let owner = state.owner_of(&UnitId::Connector(info.name.clone())).cloned();
        return Some(Kept::InGroup {
            config: Arc::clone(info.config),
            owner,
        });
    }
    let offsets = state.offsets(name).map(|(partition, offset)| OffsetView {
        partition: partition.as_str().to_owned(),
        offset: Some(offset.as_str().to_owned()),
    });
    Some(Kept::Here(offsets.collect()))
}
