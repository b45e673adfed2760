//! Three nodes and three workers of Towpath.

use std::path::Path;
use std::time::Duration;

use super::workers::Workers;
use crate::Outcome;
use crate::group::{Group, worker_id};
use crate::rest::Rest;

const COUNT: usize = 3;
/// Twenty leases: what takes longer has gone wrong.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Towpath {
    pub(super) group: Group,
}

impl Towpath {
    pub(super) async fn start(kafka: &str, folder: &Path) -> Outcome<Self> {
        let group = Group::start(kafka, folder, COUNT, COUNT).await?;
        Ok(Self { group })
    }
}

impl Workers for Towpath {
    fn system(&self) -> &'static str {
        "towpath"
    }

    fn ids(&self) -> Vec<String> {
        (0..COUNT).map(worker_id).collect()
    }

    fn rest_without(&self, worker: usize) -> Rest {
        self.group.nodes[worker].rest.clone()
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn kill(&mut self, worker: usize) -> Outcome<()> {
        self.group.kill_worker(worker);
        Ok(())
    }

    async fn stop(&mut self, worker: usize) -> Outcome<()> {
        self.group.stop_worker(worker).await
    }

    async fn start(&mut self, worker: usize) -> Outcome<()> {
        self.group.start_worker(worker).await
    }
}
