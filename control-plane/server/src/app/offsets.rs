//! Offsets: of sources from the state, of sinks from their consumer group, which only a worker can reach.

use std::sync::Arc;

use towpath_state::ClusterState;
use towpath_types::{ConnectorConfig, ConnectorKind, UnitId, WorkerId};
use towpath_wire::v1::worker_answer::Answer;
use towpath_wire::v1::worker_request::Request;
use towpath_wire::v1::{ConsumerGroupOffsets, OffsetsAnswer};

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
                let question = Request::GroupOffsets(ConsumerGroupOffsets {
                    connector: name.to_owned(),
                    config: Some(config.as_ref().into()),
                });
                let workers = || self.owner_first(owner.as_ref());
                match self.ask_patiently(workers, &question).await? {
                    Answer::Offsets(answer) => Ok(shown(answer)),
                    other => Err(refusal_of(other)),
                }
            }
        }
    }

    /// The one that runs the connector can surely reach its Kafka cluster.
    async fn owner_first(&self, owner: Option<&WorkerId>) -> Result<Vec<Arc<LiveSession>>, ApiError> {
        let mut workers = self.connected_workers().await?;
        workers.sort_by_key(|worker| Some(&worker.reporter.worker) != owner);
        Ok(workers)
    }
}

fn shown(answer: OffsetsAnswer) -> Vec<OffsetView> {
    let offsets = answer.offsets.into_iter();
    offsets
        .map(|one| OffsetView {
            partition: one.partition_json,
            offset: one.offset_json,
        })
        .collect()
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
