//! `towpath`: both planes in one process. `dev` is for trying things out, `standalone` is what `connect-standalone` is.

mod api;
mod demo;
mod dev;
mod kafka;
mod offset_file;
mod planes;
mod printer;
mod standalone;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tokio_util::sync::CancellationToken;
use towpath_types::LogLevels;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::printer::Printer;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Kafka Connect without a JVM: both planes in one process.
#[derive(Debug, Parser)]
#[command(name = "towpath", version)]
struct Cli {
    /// What is logged: a level, or levels by module
    #[arg(long, env = "TOWPATH_LOG", global = true)]
    log: Option<LogLevels>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything in one process, no set-up: a broker in memory (or your own), control plane, worker, REST API
    Dev(dev::DevArgs),
    /// As connect-standalone: a worker's properties file and the files of its connectors
    Standalone(standalone::StandaloneArgs),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut printer = Printer::new();
    let levels = cli.log.unwrap_or_else(|| {
        let default = match &cli.command {
            Command::Dev(args) => args.log_levels(),
            Command::Standalone(_) => "info",
        };
        default.parse().expect("the defaults are levels")
    });
    if let Err(error) = init_log(&levels) {
        printer.error(&format!(
            "error: `--log` (or `TOWPATH_LOG`) cannot be used: {error}"
        ));
        return ExitCode::FAILURE;
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            printer.error(&format!("error: the runtime cannot be started: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let stop = CancellationToken::new();
    let mut signals = tokio::task::JoinSet::new();
    signals.spawn_on(stop_on_signal(stop.clone()), runtime.handle());
    let code = runtime.block_on(async {
        match cli.command {
            Command::Dev(args) => dev::run(args, &mut printer, stop).await,
            Command::Standalone(args) => standalone::run(args, &mut printer, stop).await,
        }
    });
    // What still waits for a broker that is away, inside librdkafka, does not hold up the end of the process.
    runtime.shutdown_background();
    code
}

/// The first signal asks for an orderly stop.
async fn stop_on_signal(stop: CancellationToken) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be listened for; the process can only be killed");
        return;
    };
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
    stop.cancel();
}

/// An error with its causes, as the user sees it.
fn print_error(printer: &mut Printer, error: &(dyn std::error::Error + 'static)) {
    let mut text = format!("error: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    printer.error(&text);
}

/// Logs go to standard error.
fn init_log(levels: &LogLevels) -> Result<(), tracing_subscriber::filter::ParseError> {
    let layer = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        // Complaining of a log that cannot be written, on the same full disk, would be a panic of whoever had to say something.
        .log_internal_errors(false);
    tracing_subscriber::registry()
        .with(towpath_worker::log_filter(levels)?)
        .with(layer)
        .init();
    Ok(())
}
