//! The gRPC service of workers, in memory: `w1`, which empties itself by one unit a look while it drains, `w2`, whose
//! last units cannot leave, and `w3`, which is idle.

use std::collections::HashMap;
use std::sync::Mutex;

use tonic::{Request, Response, Status};
use towpath_wire::v1;
use towpath_wire::v1::workers_server::Workers;

use crate::grpc_server::Fake;

type Answer<T> = Result<Response<T>, Status>;

pub(crate) struct FakeWorkers {
    fake: Fake,
    draining: Mutex<HashMap<String, bool>>,
    /// How many units `w1` still has.
    left: Mutex<usize>,
}

impl FakeWorkers {
    pub(crate) fn new(fake: Fake) -> Self {
        Self {
            fake,
            draining: Mutex::default(),
            left: Mutex::new(2),
        }
    }

    fn worker(&self, name: &str) -> Result<v1::Worker, Status> {
        let draining = self
            .draining
            .lock()
            .unwrap()
            .get(name)
            .copied()
            .unwrap_or_default();
        let (labels, units) = match name {
            "w1:8083" => (&[("disk", "ssd"), ("zone", "a")][..], self.units(draining)),
            "w2:8083" => (&[("zone", "b")][..], stuck(draining)),
            "w3:8083" => (&[][..], Vec::new()),
            _ => return Err(Status::not_found(format!("Worker {name} not found"))),
        };
        let state = match (draining, name) {
            (true, _) => v1::WorkerState::Draining,
            (false, "w3:8083") => v1::WorkerState::Silent,
            (false, _) => v1::WorkerState::Live,
        };
        let label = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Ok(v1::Worker {
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            state: state.into(),
            labels: labels.iter().map(label).collect(),
            unit_count: units.len().try_into().unwrap(),
            units,
        })
    }

    /// One less at each look while it drains; the last one is being stopped.
    fn units(&self, draining: bool) -> Vec<v1::WorkerUnit> {
        let mut left = self.left.lock().unwrap();
        let units = [unit("orders", None), unit("orders", Some(0))];
        let mut units: Vec<_> = units.into_iter().take(*left).collect();
        if draining {
            *left = left.saturating_sub(1);
            units.iter_mut().for_each(|unit| unit.leaving = true);
        }
        units
    }
}

fn unit(connector: &str, task: Option<u32>) -> v1::WorkerUnit {
    v1::WorkerUnit {
        unit: Some(v1::UnitId {
            connector: connector.to_owned(),
            task,
        }),
        state: v1::UnitState::Running.into(),
        leaving: false,
        obstacle: None,
    }
}

fn stuck(draining: bool) -> Vec<v1::WorkerUnit> {
    let mut stuck = unit("files", Some(3));
    stuck.obstacle = draining.then(|| "no worker has the plugin `F`: start one that has it".to_owned());
    vec![stuck]
}

#[tonic::async_trait]
impl Workers for FakeWorkers {
    async fn list(&self, request: Request<v1::ListWorkersRequest>) -> Answer<v1::ListWorkersResponse> {
        self.fake.note("list workers", &request);
        let workers = ["w1:8083", "w2:8083", "w3:8083"].map(|name| v1::Worker {
            units: Vec::new(),
            ..self.worker(name).unwrap()
        });
        Ok(Response::new(v1::ListWorkersResponse {
            workers: workers.into(),
        }))
    }

    async fn get(&self, request: Request<v1::GetWorkerRequest>) -> Answer<v1::Worker> {
        Ok(Response::new(self.worker(&request.get_ref().name)?))
    }

    async fn drain(&self, request: Request<v1::DrainWorkerRequest>) -> Answer<v1::DrainWorkerResponse> {
        let name = request.get_ref().name.clone();
        self.worker(&name)?;
        self.fake.note(&format!("drain {name}"), &request);
        self.draining.lock().unwrap().insert(name, true);
        Ok(Response::new(v1::DrainWorkerResponse {}))
    }

    async fn undrain(&self, request: Request<v1::UndrainWorkerRequest>) -> Answer<v1::UndrainWorkerResponse> {
        let name = request.get_ref().name.clone();
        self.worker(&name)?;
        self.fake.note(&format!("undrain {name}"), &request);
        self.draining.lock().unwrap().insert(name, false);
        Ok(Response::new(v1::UndrainWorkerResponse {}))
    }
}
