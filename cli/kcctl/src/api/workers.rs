//! Workers, which only Towpath shows: of plain Kafka Connect and over REST there is no such request.

use std::collections::BTreeMap;

use serde::Serialize;
use towpath_types::UnitState;
use towpath_wire::v1;
use towpath_wire::v1::workers_client::WorkersClient;

use super::ApiError;
use super::grpc::Grpc;

#[derive(Debug, Serialize)]
pub(crate) struct Worker {
    pub(crate) name: String,
    pub(crate) version: String,
    /// `LIVE`, `SILENT` or `DRAINING`.
    pub(crate) state: &'static str,
    pub(crate) labels: BTreeMap<String, String>,
    /// How many units are there, those that are being stopped included.
    #[serde(rename = "units")]
    pub(crate) unit_count: u32,
}

#[derive(Debug, Serialize)]
pub(crate) struct WorkerUnit {
    pub(crate) connector: String,
    /// Absent: the connector instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<u32>,
    pub(crate) state: String,
    /// Why it cannot go elsewhere although it should.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) obstacle: Option<String>,
}

impl WorkerUnit {
    /// As kcctl names tasks elsewhere.
    pub(crate) fn name(&self) -> String {
        match self.task {
            Some(task) => format!("{}/{task}", self.connector),
            None => self.connector.clone(),
        }
    }
}

impl Grpc {
    pub(super) async fn list_workers(&self) -> Result<Vec<Worker>, ApiError> {
        let answer = self
            .ask(v1::ListWorkersRequest {}, async |r| {
                WorkersClient::new(self.channel()).list(r).await
            })
            .await?;
        Ok(answer.workers.into_iter().map(Into::into).collect())
    }

    pub(super) async fn get_worker(&self, name: &str) -> Result<(Worker, Vec<WorkerUnit>), ApiError> {
        let request = v1::GetWorkerRequest {
            name: name.to_owned(),
        };
        let mut worker = self
            .ask(request, async |r| WorkersClient::new(self.channel()).get(r).await)
            .await?;
        let units = std::mem::take(&mut worker.units);
        Ok((worker.into(), units.into_iter().map(Into::into).collect()))
    }

    pub(super) async fn drain_worker(&self, name: &str, draining: bool) -> Result<(), ApiError> {
        let name = name.to_owned();
        if draining {
            self.ask(
                v1::DrainWorkerRequest {
                    name,
                    process_id: String::new(),
                },
                async |r| WorkersClient::new(self.channel()).drain(r).await,
            )
            .await
            .map(drop)
        } else {
            self.ask(v1::UndrainWorkerRequest { name }, async |r| {
                WorkersClient::new(self.channel()).undrain(r).await
            })
            .await
            .map(drop)
        }
    }
}

impl From<v1::Worker> for Worker {
    fn from(worker: v1::Worker) -> Self {
        let state = match worker.state() {
            v1::WorkerState::Live => "LIVE",
            v1::WorkerState::Silent => "SILENT",
            v1::WorkerState::Draining => "DRAINING",
            v1::WorkerState::Unspecified => "UNKNOWN",
        };
        Self {
            name: worker.name,
            version: worker.version,
            state,
            labels: worker.labels.into_iter().collect(),
            unit_count: worker.unit_count,
        }
    }
}

impl From<v1::WorkerUnit> for WorkerUnit {
    fn from(unit: v1::WorkerUnit) -> Self {
        let state = if unit.leaving {
            "STOPPING".to_owned()
        } else {
            UnitState::from(unit.state()).as_str().to_owned()
        };
        let v1::UnitId { connector, task } = unit.unit.unwrap_or_default();
        Self {
            connector,
            task,
            state,
            obstacle: unit.obstacle,
        }
    }
}
