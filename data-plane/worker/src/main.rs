//! Entry point: the properties file, log, runtime, then the worker until a signal.

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use towpath_kafka::RdKafkaClients;
use towpath_runtime::clients::KafkaClients;
use towpath_runtime::worker_config::WorkerKind;
use towpath_types::LogLevels;
use towpath_worker::{Worker, WorkerSettings, log_filter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `EX_USAGE` of sysexits.h.
const BAD_CONFIGURATION: u8 = 64;

/// A worker of Towpath's data plane: runs connectors and tasks, keeps nothing on disk.
#[derive(Debug, Parser)]
#[command(name = "towpath-worker", version)]
struct Args {
    /// The properties file, as for connect-distributed, and `control.plane.endpoints`
    #[arg(value_name = "worker.properties")]
    properties: PathBuf,
    /// What is logged: a level, or levels by module
    #[arg(long, env = "TOWPATH_LOG", default_value = "info")]
    log: LogLevels,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match log_filter(&args.log) {
        Ok(filter) => init_log(filter),
        Err(error) => {
            init_log(EnvFilter::new("error"));
            tracing::error!(%error, "`--log` (or `TOWPATH_LOG`) cannot be used");
            return BAD_CONFIGURATION.into();
        }
    }
    let settings = match WorkerSettings::from_file(&args.properties, WorkerKind::Distributed) {
        Ok(settings) => settings,
        Err(error) => {
            tracing::error!(error = %towpath_connect::error::Chain(&error), "the worker cannot start");
            return BAD_CONFIGURATION.into();
        }
    };
    match run(settings) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = %towpath_connect::error::Chain(error.as_ref()), "the worker stopped");
            ExitCode::FAILURE
        }
    }
}

fn init_log(filter: impl Layer<Registry> + Send + Sync) {
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        // Complaining of a log that cannot be written, on the same full disk, would be a panic of whoever had to say something.
        .log_internal_errors(false);
    tracing_subscriber::registry().with(filter).with(layer).init();
}

fn run(settings: WorkerSettings) -> Result<(), Box<dyn Error + Send + Sync>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let clients: Arc<dyn KafkaClients> = Arc::new(RdKafkaClients::new(Arc::clone(&settings.config)));
        let worker = Worker { settings, clients }.start().await?;
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
            _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
        }
        worker.stop().await;
        Ok(())
    });
    // What still waits for a broker that is away, inside librdkafka, does not hold up the end of the process.
    runtime.shutdown_background();
    outcome
}
