//! `towpath dev`: everything in one process, nothing to set up.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tokio_util::sync::CancellationToken;
use towpath_connect::ConfigMap;
use towpath_runtime::worker_config::WorkerKind;
use towpath_server::Storage;
use towpath_worker::{SettingsError, WorkerSettings};

use crate::api::{Api, ApiError};
use crate::demo::{self, DemoError, DemoOptions};
use crate::kafka::{Broker, BrokerError};
use crate::planes::{Planes, PlanesError, PlanesOptions};
use crate::printer::Printer;

#[derive(Debug, Args)]
pub(crate) struct DevArgs {
    /// A Kafka cluster to use instead of the built-in broker in memory
    #[arg(long, value_name = "HOST:PORT,…")]
    bootstrap_servers: Option<String>,
    /// Port of the REST API on 127.0.0.1; 0 for any free one
    #[arg(long, default_value_t = 8083)]
    rest_port: u16,
    /// Port of the gRPC API on 127.0.0.1; 0 for any free one
    #[arg(long, default_value_t = 7083)]
    grpc_port: u16,
    /// Fill a SQLite table and move its rows through Kafka into a file
    #[arg(long)]
    demo: bool,
    /// Rows of the demo's table
    #[arg(long, default_value_t = 10_000, requires = "demo", value_parser = clap::value_parser!(u64).range(1..))]
    rows: u64,
    /// End when all rows of the demo are in the file: 0 if each is there once and in order
    #[arg(long, requires = "demo")]
    exit_when_done: bool,
    /// Folder for the demo's table and file; a temporary one that is removed if not given
    #[arg(long, requires = "demo")]
    folder: Option<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
enum DevError {
    #[error("the worker's settings cannot be used")]
    Settings(#[from] SettingsError),
    #[error("Kafka cannot be used")]
    Broker(#[from] BrokerError),
    #[error(transparent)]
    Planes(#[from] PlanesError),
    #[error("the demo cannot begin")]
    Api(#[from] ApiError),
    #[error("the demo's folder cannot be made")]
    Folder(#[source] std::io::Error),
    #[error("the demo did not end well")]
    Demo(#[from] DemoError),
    #[error("the control plane did not end well")]
    Stop(#[from] towpath_server::RunError),
}

impl DevArgs {
    /// What is logged unless something else is wanted: the demo's own lines say how it goes.
    pub(crate) fn log_levels(&self) -> &'static str {
        if self.demo { "error" } else { "warn,towpath=info" }
    }
}

pub(crate) async fn run(args: DevArgs, printer: &mut Printer, stop: CancellationToken) -> ExitCode {
    match run_until_stopped(args, printer, stop).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            crate::print_error(printer, &error);
            ExitCode::FAILURE
        }
    }
}

async fn run_until_stopped(
    args: DevArgs,
    printer: &mut Printer,
    stop: CancellationToken,
) -> Result<(), DevError> {
    let broker = Broker::start(args.bootstrap_servers.as_deref(), &[demo::TOPIC])?;
    let config = worker_config(broker.bootstrap_servers());
    let settings = WorkerSettings::new(config, WorkerKind::Distributed)?;
    let clients = broker.clients(&settings.config);
    let planes = Planes::start(PlanesOptions {
        rest_address: format!("127.0.0.1:{}", args.rest_port),
        grpc_address: format!("127.0.0.1:{}", args.grpc_port),
        settings,
        clients,
        storage: Storage::Memory,
    })
    .await?;
    announce(&planes, &broker, printer);
    let outcome = if args.demo {
        run_demo(&args, (&planes, &broker), printer, stop).await
    } else {
        printer.line("Stop with Ctrl-C.");
        stop.cancelled().await;
        Ok(())
    };
    planes.stop().await?;
    outcome
}

/// The worker's properties, as a user would write them for a first try.
fn worker_config(bootstrap_servers: &str) -> ConfigMap {
    [
        ("bootstrap.servers", bootstrap_servers),
        ("group.id", "towpath-dev"),
        ("key.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("value.converter", "org.apache.kafka.connect.json.JsonConverter"),
        ("offset.flush.interval.ms", "1000"),
        ("worker.id", "127.0.0.1:8083"),
    ]
    .into_iter()
    .collect()
}

fn announce(planes: &Planes, broker: &Broker, printer: &mut Printer) {
    printer.line(&format!("Towpath {}", env!("CARGO_PKG_VERSION")));
    printer.line(&format!("REST     http://{}", planes.rest_address));
    printer.line(&format!("gRPC     {}", planes.grpc_address));
    printer.line(&format!("Kafka    {}", broker.bootstrap_servers()));
    if broker.is_built_in() {
        printer.line(
            "         This broker lives in memory, in this process, for trying things out: all of it is gone at the end. \
             It keeps only the newest 5 MB or 100,000 records of a partition, refuses CreateTopics (topics appear when \
             they are used), and its `read_committed` cannot be trusted. Use --bootstrap-servers for a real cluster.",
        );
    }
}

async fn run_demo(
    args: &DevArgs,
    (planes, broker): (&Planes, &Broker),
    printer: &mut Printer,
    stop: CancellationToken,
) -> Result<(), DevError> {
    let temporary = tempfile::tempdir().map_err(DevError::Folder)?;
    let folder = args.folder.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder).map_err(DevError::Folder)?;
    let options = DemoOptions {
        rows: args.rows,
        exit_when_done: args.exit_when_done,
        folder,
    };
    let api = Api::connect(planes.grpc_address).await?;
    let view = broker.topic_view(demo::TOPIC);
    demo::run(options, (&api, &view), printer, stop).await?;
    Ok(())
}
