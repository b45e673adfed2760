//! `towpath standalone worker.properties connector…`: as `connect-standalone`, with its files, its offset file, its REST
//! API and its exit codes: 2 when the worker cannot be built, 3 when it or a connector cannot start.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio_util::sync::CancellationToken;
use towpath_runtime::clients::ClientError;
use towpath_runtime::connector_file;
use towpath_runtime::worker_config::{Listener, Scheme, WorkerKind};
use towpath_server::Storage;
use towpath_types::TargetState;
use towpath_worker::{SettingsError, WorkerSettings};

use crate::api::{Api, ApiError};
use crate::kafka::{Broker, BrokerError};
use crate::offset_file::{OffsetFile, OffsetFileError, OffsetFileStore};
use crate::planes::{Planes, PlanesError, PlanesOptions};
use crate::printer::Printer;

/// How long a connector may take to start before its file counts as failed.
const CONNECTOR_START: Duration = Duration::from_secs(90);
/// How often the state of a starting connector is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const EXIT_NOT_BUILT: u8 = 2;
const EXIT_NOT_STARTED: u8 = 3;

#[derive(Debug, Args)]
pub(crate) struct StandaloneArgs {
    /// The worker's properties file
    #[arg(value_name = "worker.properties")]
    worker: PathBuf,
    /// Files of connectors to create: properties or JSON
    #[arg(value_name = "connector.properties|connector.json")]
    connectors: Vec<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum StandaloneError {
    #[error("the worker's settings cannot be used")]
    Settings(#[from] SettingsError),
    #[error("`offset.storage.file.filename` is not set; name the file where source offsets are kept")]
    NoOffsetFile,
    #[error(transparent)]
    Offsets(#[from] OffsetFileError),
    #[error(
        "Failed to connect to and describe Kafka cluster. Check worker's broker connection and security properties."
    )]
    NoKafka(#[source] ClientError),
    #[error("Kafka cannot be used")]
    Broker(#[from] BrokerError),
    #[error(
        "`listeners` cannot be used: none of them is `http://host:port`, and the REST API is served without TLS; add one"
    )]
    Listeners,
    #[error(transparent)]
    Planes(#[from] PlanesError),
    #[error("the control plane of this process cannot be reached")]
    Api(#[from] ApiError),
    #[error("Failed to create connector for {}", file.display())]
    Connector {
        file: PathBuf,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the control plane did not end well")]
    Stop(#[from] towpath_server::RunError),
}

impl StandaloneError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Connector { .. } | Self::Stop(_) => EXIT_NOT_STARTED.into(),
            _ => EXIT_NOT_BUILT.into(),
        }
    }
}

pub(crate) async fn run(args: StandaloneArgs, printer: &mut Printer, stop: CancellationToken) -> ExitCode {
    match run_until_stopped(args, stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::print_error(printer, &error);
            error.exit_code()
        }
    }
}

async fn run_until_stopped(args: StandaloneArgs, stop: CancellationToken) -> Result<(), StandaloneError> {
    let settings = WorkerSettings::from_file(&args.worker, WorkerKind::Standalone)?;
    let config = Arc::clone(&settings.config);
    let offset_file = config
        .get("offset.storage.file.filename")
        .ok_or(StandaloneError::NoOffsetFile)?;
    let store = OffsetFileStore::new(OffsetFile::open(offset_file.trim().as_ref())?)?;
    let broker = Broker::start(config.get("bootstrap.servers").or(Some("localhost:9092")), &[])?;
    let clients = broker.clients(&config);
    clients.cluster_id().await.map_err(StandaloneError::NoKafka)?;
    let planes = Planes::start(PlanesOptions {
        rest_address: rest_address(&settings.listeners)?,
        grpc_address: "127.0.0.1:0".to_owned(),
        settings,
        clients,
        storage: Storage::Given(Arc::new(store)),
    })
    .await?;
    tracing::info!(rest = %planes.rest_address, "towpath standalone is ready");
    let created = create_all(&planes, &args.connectors).await;
    if created.is_ok() {
        stop.cancelled().await;
    } else {
        tracing::error!("Stopping after connector error");
    }
    planes.stop().await?;
    created
}

/// The first `http` listener as an address to bind.
fn rest_address(listeners: &[Listener]) -> Result<String, StandaloneError> {
    let listener = listeners
        .iter()
        .find(|listener| listener.scheme == Scheme::Http)
        .ok_or(StandaloneError::Listeners)?;
    let port = listener.port;
    Ok(match listener.host.as_str() {
        // No host is the default interface; standalone stays on this machine unless told otherwise.
        "" => format!("127.0.0.1:{port}"),
        host if host.contains(':') => format!("[{host}]:{port}"),
        host => format!("{host}:{port}"),
    })
}

/// One after another; each is waited for.
async fn create_all(planes: &Planes, files: &[PathBuf]) -> Result<(), StandaloneError> {
    let api = Api::connect(planes.grpc_address).await?;
    for file in files {
        let name = create(&api, file)
            .await
            .map_err(|source| StandaloneError::Connector {
                file: file.clone(),
                source,
            })?;
        tracing::info!("Created connector {name}");
    }
    Ok(())
}

async fn create(
    api: &Api,
    file: &std::path::Path,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let connector = connector_file::parse(&file.display().to_string(), &std::fs::read(file)?)?;
    let target = connector.initial_state.unwrap_or(TargetState::Running);
    api.create(&connector.name, (&connector.config).into(), target)
        .await?;
    let deadline = tokio::time::Instant::now() + CONNECTOR_START;
    while !api.has_started(&connector.name).await? {
        if tokio::time::Instant::now() > deadline {
            return Err(format!("it did not start within {} s", CONNECTOR_START.as_secs()).into());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(connector.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address_of(listeners: &str) -> Result<String, StandaloneError> {
        let file = [
            ("bootstrap.servers", "a:1"),
            (
                "key.converter",
                "org.apache.kafka.connect.storage.StringConverter",
            ),
            (
                "value.converter",
                "org.apache.kafka.connect.storage.StringConverter",
            ),
            ("offset.storage.file.filename", "/tmp/offsets"),
            ("listeners", listeners),
        ];
        let settings = WorkerSettings::new(file.into_iter().collect(), WorkerKind::Standalone).unwrap();
        rest_address(&settings.listeners)
    }

    #[test]
    fn the_first_listener_without_tls_is_where_rest_is_served() {
        for (listeners, address) in [
            ("HTTP://:8083", "127.0.0.1:8083"),
            ("https://:1, http://0.0.0.0:2,http://:3", "0.0.0.0:2"),
            ("http://h-1:8083", "h-1:8083"),
            ("http://[::1]:8083", "[::1]:8083"),
        ] {
            assert_eq!(address_of(listeners).unwrap(), address, "{listeners}");
        }
    }

    #[test]
    fn standalone_does_not_start_with_tls_only() {
        let refused = address_of("https://:8443").unwrap_err();
        assert!(matches!(refused, StandaloneError::Listeners));
        assert_eq!(refused.exit_code(), ExitCode::from(EXIT_NOT_BUILT));
    }
}
