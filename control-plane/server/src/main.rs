//! Entry point: settings, log, runtime, then the control plane until a signal.

mod args;

use std::error::Error;
use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use towpath_server::{Chain, ControlPlane, StartError};
use tracing_subscriber::EnvFilter;

use crate::args::{Args, Chosen};

/// `EX_USAGE` of sysexits.h.
const BAD_CONFIGURATION: u8 = 64;
/// The state is small and the work is short: more threads cost memory and gain nothing.
const RUNTIME_THREADS: usize = 2;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            let is_mistake = error.use_stderr();
            let printed = error.print().is_ok();
            return if is_mistake || !printed {
                BAD_CONFIGURATION.into()
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let (chosen, filter) = match prepare(args) {
        Ok(ready) => ready,
        Err(error) => {
            init_log(EnvFilter::new("error"));
            tracing::error!(error = %Chain(&*error), "the settings cannot be used");
            return BAD_CONFIGURATION.into();
        }
    };
    init_log(filter);
    match run(chosen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = %Chain(&*error), "the control plane stopped");
            let is_mistake = matches!(error.downcast_ref(), Some(StartError::Config(_)));
            if is_mistake {
                BAD_CONFIGURATION.into()
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

fn prepare(args: Args) -> Result<(Chosen, EnvFilter), Box<dyn Error>> {
    let chosen = args.choose()?;
    let filter = EnvFilter::try_new(&chosen.log)?;
    Ok((chosen, filter))
}

fn init_log(filter: EnvFilter) {
    let log = std::io::stderr;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(log().is_terminal())
        .with_writer(log)
        // Complaining of a log that cannot be written, on the same full disk, would be a panic of whoever had to say something.
        .log_internal_errors(false)
        .init();
}

fn run(chosen: Chosen) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(RUNTIME_THREADS)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let shutdown = CancellationToken::new();
        let (mut terminate, mut interrupt) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let running = ControlPlane::start(chosen.config, shutdown.clone()).await?;
        let mut ended = std::pin::pin!(running.join());
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: stopping"),
            _ = interrupt.recv() => tracing::info!("SIGINT: stopping"),
            outcome = &mut ended => return Ok(outcome?),
        }
        shutdown.cancel();
        Ok(ended.await?)
    })
}
