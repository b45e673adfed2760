//! The process: everything is built first, then it listens, then it runs until it is told to stop, and drains.
//!
//! Stop order: another node leads, if this one did; nothing new is taken in, worker sessions and watchers end, requests in
//! progress finish or run into the deadline, the reconcile loop ends, the store is closed.

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt as _;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::server::TcpIncoming;
use tonic_health::server::HealthReporter;
use towpath_raft::{ClusterStore, OpenError, Role, StoreMetrics};
use towpath_wire::v1::cluster_server::ClusterServer;
use towpath_wire::v1::connectors_server::ConnectorsServer;
use towpath_wire::v1::members_server::MembersServer;
use towpath_wire::v1::plugins_server::PluginsServer;
use towpath_wire::v1::worker_sessions_server::{WorkerSessions, WorkerSessionsServer};
use towpath_wire::v1::workers_server::WorkersServer;

use crate::app::{App, Chain};
use crate::config::{Config, ConfigError, checked_lease};
use crate::forward::{self, Forward};
use crate::grpc::{self, MAX_MESSAGE_BYTES};
use crate::rest;
use crate::scheduler::Scheduler;
use crate::sessions::Sessions;
use crate::storage::{self, Opened, Peers, RestoreError};

/// How often an idle gRPC connection is asked whether it is still there.
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the configuration cannot be used")]
    Config(#[from] ConfigError),
    #[error("the {face} address `{address}` cannot be listened at")]
    Listen {
        face: &'static str,
        address: String,
        #[source]
        source: std::io::Error,
    },
    #[error("the data directory `{}` cannot be used", .data_dir.display())]
    Store {
        data_dir: PathBuf,
        #[source]
        source: Box<OpenError>,
    },
    #[error("no group can begin from the backup")]
    Restore(#[from] RestoreError),
    #[error("gRPC reflection cannot be set up")]
    Reflection(#[source] tonic_reflection::server::Error),
}

/// Why a node stopped although nobody asked it to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("a server ended although nobody stopped it")]
    Ended,
    /// What it holds may be wrong, so nothing more is answered from it.
    #[error("the store of the cluster state has stopped: {reason}")]
    Store { reason: String },
    #[error("the {part} failed")]
    Failed {
        part: &'static str,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("a part of the control plane panicked")]
    Panicked(#[source] tokio::task::JoinError),
}

/// A node of the control plane.
#[derive(Debug)]
pub struct ControlPlane;

/// A node that listens. Dropping it stops it at once; [`Running::join`] is the orderly way.
#[derive(Debug)]
pub struct Running {
    pub rest_address: SocketAddr,
    pub grpc_address: SocketAddr,
    parts: JoinSet<Result<(), RunError>>,
    streams: TaskTracker,
    store: Arc<dyn ClusterStore>,
    drain_deadline: Duration,
    /// Somebody wants this node to stop.
    shutdown: CancellationToken,
    /// Its parts are to stop.
    stop: CancellationToken,
}

impl ControlPlane {
    /// Ready to answer when it returns. Stops when `shutdown` is cancelled and [`Running::join`] is awaited.
    ///
    /// # Errors
    /// When an address is taken or the store cannot be opened.
    pub async fn start(config: Config, shutdown: CancellationToken) -> Result<Running, StartError> {
        // Before anything is opened.
        checked_lease(config.lease)?;
        let rest_listener = listen("REST", &config.rest_address).await?;
        let grpc_listener = listen("gRPC", &config.grpc_address).await?;
        let (rest_address, grpc_address) = (address_of(&rest_listener)?, address_of(&grpc_listener)?);
        let Opened {
            cluster: store,
            peers,
            joining,
        } = storage::open(&config.storage, grpc_address).await?;
        let stop = CancellationToken::new();
        let scheduler = Scheduler::new(Arc::clone(&store), config.lease, stop.clone())?;
        let app = Arc::new(App::new(Arc::clone(&store), scheduler.directory()));
        let streams = scheduler.streams();
        let face = grpc::Face::new(Arc::clone(&app), streams.clone(), stop.clone());
        let mut parts = JoinSet::new();
        let sessions = scheduler.service();
        parts.spawn(ran(scheduler.run()));
        let forward = Forward::new(Arc::clone(&store));
        parts.spawn(serve_rest(
            rest::router(Arc::clone(&app), forward.clone()),
            rest_listener,
            stop.clone(),
        ));
        let (services, health) = grpc_services(face, sessions)?;
        let routes = forward::routes(services, app, forward);
        parts.spawn(serve_grpc((routes, health), grpc_listener, stop.clone()));
        if let Some(joining) = joining {
            parts.spawn(joining.run(stop.clone()));
        }
        if let Some(peers) = peers {
            parts.spawn(serve_peers(peers, stop.clone()));
        }
        tracing::info!(rest = %rest_address, grpc = %grpc_address, "control plane is listening");
        Ok(Running {
            rest_address,
            grpc_address,
            parts,
            streams,
            store,
            drain_deadline: config.drain_deadline,
            shutdown,
            stop,
        })
    }
}

impl Running {
    /// Waits until the node is told to stop, or a part of it fails; then drains.
    ///
    /// # Errors
    /// When a part ended that should have gone on.
    pub async fn join(mut self) -> Result<(), RunError> {
        // Biased: parts that end because they were told to have not failed, nor have those that end with the store.
        let outcome = tokio::select! {
            biased;
            () = self.shutdown.cancelled() => Ok(()),
            failure = store_failure(self.store.metrics()) => Err(failure),
            Some(ended) = self.parts.join_next() => Err(failure(ended)),
        };
        if outcome.is_ok() {
            // While everything is still served: whoever asks this node is answered by the next leader.
            self.store.hand_over().await;
        }
        self.stop.cancel();
        self.streams.close();
        let drained = tokio::time::timeout(self.drain_deadline, async {
            self.streams.wait().await;
            while self.parts.join_next().await.is_some() {}
        });
        if drained.await.is_err() {
            let (streams, parts) = (self.streams.len(), self.parts.len());
            tracing::warn!(
                streams,
                parts,
                "not everything ended before the deadline and is cut off"
            );
        }
        self.parts.shutdown().await;
        self.store.shutdown().await;
        tracing::info!("control plane has stopped");
        outcome
    }
}

fn failure(ended: Result<Result<(), RunError>, tokio::task::JoinError>) -> RunError {
    match ended {
        Ok(Ok(())) => RunError::Ended,
        Ok(Err(error)) => error,
        Err(error) => RunError::Panicked(error),
    }
}

async fn store_failure(mut metrics: watch::Receiver<StoreMetrics>) -> RunError {
    let reason = match metrics.wait_for(|now| now.role == Role::Stopped).await {
        Ok(now) => now.failure.clone(),
        Err(_) => None,
    };
    RunError::Store {
        reason: reason.unwrap_or_else(|| "the error above this one says why".to_owned()),
    }
}

async fn serve_peers(peers: Peers, stop: CancellationToken) -> Result<(), RunError> {
    let incoming = TcpIncoming::from(peers.listener).with_nodelay(Some(true));
    let server = tonic::transport::Server::builder().add_service(peers.service);
    let served = server
        .serve_with_incoming_shutdown(incoming, stop.cancelled_owned())
        .await;
    served.map_err(|error| RunError::Failed {
        part: "peer server",
        source: Box::new(error),
    })
}

async fn ran(part: impl Future<Output = ()>) -> Result<(), RunError> {
    part.await;
    Ok(())
}

pub(crate) async fn listen(face: &'static str, address: &str) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| StartError::Listen {
        face,
        address: address.to_owned(),
        source,
    })
}

pub(crate) fn address_of(listener: &TcpListener) -> Result<SocketAddr, StartError> {
    let address = listener.local_addr();
    address.map_err(|source| StartError::Listen {
        face: "bound",
        address: "?".to_owned(),
        source,
    })
}

async fn serve_rest(router: Router, listener: TcpListener, stop: CancellationToken) -> Result<(), RunError> {
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(error = %Chain(&error), "TCP_NODELAY could not be set");
        }
    });
    let server = axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned());
    server.await.map_err(|error| RunError::Failed {
        part: "REST server",
        source: Box::new(error),
    })
}

fn grpc_services(
    face: grpc::Face,
    sessions: WorkerSessionsServer<impl WorkerSessions>,
) -> Result<(Router, HealthReporter), StartError> {
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(towpath_wire::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(StartError::Reflection)?;
    let (health, health_service) = tonic_health::server::health_reporter();
    let mut services = tonic::service::Routes::builder();
    services
        .add_service(health_service)
        .add_service(reflection)
        .add_service(ConnectorsServer::new(face.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .add_service(PluginsServer::new(face.clone()).max_decoding_message_size(MAX_MESSAGE_BYTES))
        .add_service(ClusterServer::new(face.clone()))
        .add_service(MembersServer::new(face.clone()))
        .add_service(WorkersServer::new(face))
        .add_service(sessions);
    Ok((services.routes().into_axum_router(), health))
}

async fn serve_grpc(
    (routes, health): (Router, HealthReporter),
    listener: TcpListener,
    stop: CancellationToken,
) -> Result<(), RunError> {
    health.set_serving::<ConnectorsServer<grpc::Face>>().await;
    health.set_serving::<PluginsServer<grpc::Face>>().await;
    health.set_serving::<ClusterServer<grpc::Face>>().await;
    health.set_serving::<MembersServer<grpc::Face>>().await;
    health.set_serving::<WorkersServer<grpc::Face>>().await;
    health.set_serving::<WorkerSessionsServer<Sessions>>().await;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = tonic::transport::Server::builder()
        .http2_keepalive_interval(Some(KEEPALIVE_INTERVAL))
        .add_routes(routes.into());
    let served = server
        .serve_with_incoming_shutdown(incoming, stop.cancelled_owned())
        .await;
    served.map_err(|error| RunError::Failed {
        part: "gRPC server",
        source: Box::new(error),
    })
}
