//! Starts a control plane and a worker in this process, and stops them in order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use towpath_runtime::clients::KafkaClients;
use towpath_server::{Config, ControlPlane, RunError, Running, StartError, Storage};
use towpath_worker::{RunningWorker, Worker, WorkerError, WorkerSettings};

/// How long the worker may take to register in its own process.
const REGISTRATION: Duration = Duration::from_secs(10);

/// Why the planes cannot be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanesError {
    #[error("the control plane cannot start")]
    ControlPlane(#[from] StartError),
    #[error("the worker cannot start")]
    Worker(#[from] WorkerError),
    #[error("the worker did not register with its control plane within {} s", REGISTRATION.as_secs())]
    NotRegistered,
}

/// What to start.
pub(crate) struct PlanesOptions {
    pub(crate) rest_address: String,
    pub(crate) grpc_address: String,
    pub(crate) settings: WorkerSettings,
    pub(crate) clients: Arc<dyn KafkaClients>,
    /// Of the control plane.
    pub(crate) storage: Storage,
}

/// Both planes, running.
pub(crate) struct Planes {
    pub(crate) rest_address: SocketAddr,
    pub(crate) grpc_address: SocketAddr,
    control_plane: Running,
    worker: RunningWorker,
    stop_control_plane: CancellationToken,
}

impl Planes {
    /// Starts both and waits until the worker is registered.
    pub(crate) async fn start(mut options: PlanesOptions) -> Result<Self, PlanesError> {
        let stop_control_plane = CancellationToken::new();
        let config = Config {
            rest_address: options.rest_address,
            grpc_address: options.grpc_address,
            storage: options.storage,
            ..Config::in_memory()
        };
        let control_plane = ControlPlane::start(config, stop_control_plane.clone()).await?;
        let (rest_address, grpc_address) = (control_plane.rest_address, control_plane.grpc_address);
        // The REST API answers for the whole process.
        options.settings.admin_listener = None;
        options.settings.control_plane_endpoints = vec![format!("http://{grpc_address}")];
        let worker = Worker {
            settings: options.settings,
            clients: options.clients,
        };
        let mut worker = worker.start().await?;
        if tokio::time::timeout(REGISTRATION, worker.wait_registered())
            .await
            .is_err()
        {
            return Err(PlanesError::NotRegistered);
        }
        Ok(Self {
            rest_address,
            grpc_address,
            control_plane,
            worker,
            stop_control_plane,
        })
    }

    /// Stops the worker, whose tasks commit and close, then the control plane.
    pub(crate) async fn stop(self) -> Result<(), RunError> {
        self.worker.stop().await;
        self.stop_control_plane.cancel();
        self.control_plane.join().await
    }
}
