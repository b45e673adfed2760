//! Workers: who they are, what runs on them, and emptying one of them.

use towpath_state::{ClusterState, Command, LiveWorkers, Obstacle, Refusal, Worker};
use towpath_types::{Labels, ProcessId, UnitId, UnitState, WorkerId};

use super::{ApiError, App, unexpected};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WorkerState {
    Live,
    /// Its connection is lost, its lease goes on.
    Silent,
    Draining,
}

#[derive(Debug)]
pub(crate) struct WorkerView {
    pub(crate) id: WorkerId,
    pub(crate) version: String,
    pub(crate) state: WorkerState,
    pub(crate) labels: Labels,
    pub(crate) unit_count: usize,
}

#[derive(Debug)]
pub(crate) struct WorkerUnit {
    pub(crate) unit: UnitId,
    pub(crate) state: UnitState,
    /// It is being stopped, and not started there again.
    pub(crate) is_leaving: bool,
    /// Why it cannot go elsewhere, on a worker that drains.
    pub(crate) obstacle: Option<Obstacle>,
}

impl App {
    pub(crate) async fn workers(&self) -> Result<Vec<WorkerView>, ApiError> {
        let live = self.known_live()?;
        self.read(|state| {
            let workers = state.workers().iter();
            workers
                .map(|(id, worker)| worker_view(state, (id, worker), &live))
                .collect()
        })
        .await
    }

    pub(crate) async fn worker(&self, name: &str) -> Result<(WorkerView, Vec<WorkerUnit>), ApiError> {
        let live = self.known_live()?;
        let found = self.read(|state| {
            let (id, worker) = state.workers().get_key_value(&WorkerId::new(name))?;
            let view = worker_view(state, (id, worker), &live);
            Some((view, units(state, id, worker)))
        });
        found
            .await?
            .ok_or_else(|| ApiError::WorkerNotFound(name.to_owned()))
    }

    /// Whichever process of the worker is registered, or only this one.
    pub(crate) async fn set_draining(
        &self,
        name: &str,
        process: Option<ProcessId>,
        draining: bool,
    ) -> Result<(), ApiError> {
        let command = Command::SetDraining {
            worker: WorkerId::new(name),
            draining,
            process,
        };
        match self.propose(command).await? {
            Ok(_) => Ok(()),
            Err(Refusal::WorkerNotFound { worker }) => Err(ApiError::WorkerNotFound(worker.into())),
            Err(other) => Err(unexpected(other)),
        }
    }

    /// Only the leader knows who is connected; what another node takes for true must not be shown.
    fn known_live(&self) -> Result<LiveWorkers, ApiError> {
        self.leader_only()?;
        Ok(self.directory.live_workers())
    }
}

fn worker_view(state: &ClusterState, (id, worker): (&WorkerId, &Worker), live: &LiveWorkers) -> WorkerView {
    let is_silent = !live.contains(id);
    WorkerView {
        id: id.clone(),
        version: worker.version.clone(),
        state: match (is_silent, worker.draining) {
            (true, _) => WorkerState::Silent,
            (false, true) => WorkerState::Draining,
            (false, false) => WorkerState::Live,
        },
        labels: worker.labels.clone(),
        unit_count: state.units_of(id).len() + state.releases(id).len(),
    }
}

fn units(state: &ClusterState, id: &WorkerId, worker: &Worker) -> Vec<WorkerUnit> {
    let held = state.units_of(id).iter().map(|unit| {
        let connector = state.connector(unit.connector_name().as_str());
        let leaving_for_good = connector.filter(|_| worker.draining);
        WorkerUnit {
            unit: unit.clone(),
            state: state_of(state, unit),
            is_leaving: false,
            obstacle: leaving_for_good.and_then(|connector| state.obstacle(connector, Some(id))),
        }
    });
    let leaving = state.releases(id).into_iter().map(|release| WorkerUnit {
        state: state_of(state, &release.unit),
        unit: release.unit,
        is_leaving: true,
        obstacle: None,
    });
    let mut units: Vec<WorkerUnit> = held.chain(leaving).collect();
    units.sort_by(|one, other| one.unit.cmp(&other.unit));
    units
}

/// A unit that has not reported yet, or is wanted no more, has no state.
fn state_of(state: &ClusterState, unit: &UnitId) -> UnitState {
    let status = state.unit(unit).and_then(|unit| unit.status.as_ref());
    status.map_or(UnitState::Unassigned, |status| status.state)
}
