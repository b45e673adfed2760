//! `towpath.v1.Workers`.

use tonic::{Request, Response, Status};
use towpath_types::ProcessId;
use towpath_wire::v1;
use towpath_wire::v1::workers_server::Workers;

use super::{Face, answered};
use crate::app::{WorkerState, WorkerUnit, WorkerView};

#[tonic::async_trait]
impl Workers for Face {
    async fn list(
        &self,
        _request: Request<v1::ListWorkersRequest>,
    ) -> Result<Response<v1::ListWorkersResponse>, Status> {
        answered(async {
            let workers = self.app.workers().await?.into_iter().map(Into::into);
            Ok(v1::ListWorkersResponse {
                workers: workers.collect(),
            })
        })
        .await
    }

    async fn get(&self, request: Request<v1::GetWorkerRequest>) -> Result<Response<v1::Worker>, Status> {
        let name = request.into_inner().name;
        answered(async {
            let (worker, units) = self.app.worker(&name).await?;
            Ok(v1::Worker {
                units: units.into_iter().map(Into::into).collect(),
                ..worker.into()
            })
        })
        .await
    }

    async fn drain(
        &self,
        request: Request<v1::DrainWorkerRequest>,
    ) -> Result<Response<v1::DrainWorkerResponse>, Status> {
        let v1::DrainWorkerRequest { name, process_id } = request.into_inner();
        let process = (!process_id.is_empty()).then(|| ProcessId::from(process_id));
        answered(async {
            self.app.set_draining(&name, process, true).await?;
            Ok(v1::DrainWorkerResponse {})
        })
        .await
    }

    async fn undrain(
        &self,
        request: Request<v1::UndrainWorkerRequest>,
    ) -> Result<Response<v1::UndrainWorkerResponse>, Status> {
        let name = request.into_inner().name;
        answered(async {
            self.app.set_draining(&name, None, false).await?;
            Ok(v1::UndrainWorkerResponse {})
        })
        .await
    }
}

impl From<WorkerView> for v1::Worker {
    fn from(view: WorkerView) -> Self {
        let state = match view.state {
            WorkerState::Live => v1::WorkerState::Live,
            WorkerState::Silent => v1::WorkerState::Silent,
            WorkerState::Draining => v1::WorkerState::Draining,
        };
        Self {
            name: view.id.into(),
            version: view.version,
            state: state.into(),
            labels: view.labels.into_iter().collect(),
            unit_count: u32::try_from(view.unit_count).unwrap_or(u32::MAX),
            units: Vec::new(),
        }
    }
}

impl From<WorkerUnit> for v1::WorkerUnit {
    fn from(unit: WorkerUnit) -> Self {
        Self {
            unit: Some((&unit.unit).into()),
            state: v1::UnitState::from(unit.state).into(),
            leaving: unit.is_leaving,
            obstacle: unit.obstacle.map(|obstacle| obstacle.to_string()),
        }
    }
}
