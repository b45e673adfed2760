//! What is said about workers.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::{OutputArgs, durations};

#[derive(Debug, Subcommand)]
pub(crate) enum WorkerCommand {
    /// Moves everything from a worker to others, and keeps it empty
    ///
    /// Each unit is stopped, commits its offsets and is started elsewhere, one after the other. The worker stays empty until
    /// `kcctl worker undrain`, or until its process is started anew. Ends with an error if something cannot go anywhere.
    Drain(DrainArgs),
    /// Lets a drained worker take units again
    Undrain(WorkerName),
}

#[derive(Debug, Args)]
pub(crate) struct WorkerName {
    /// Name of the worker, as `kcctl get workers` shows it
    #[arg(value_name = "WORKER NAME")]
    pub(crate) name: String,
}

#[derive(Debug, Args)]
pub(crate) struct DrainArgs {
    #[command(flatten)]
    pub(crate) worker: WorkerName,
    /// Do not wait until nothing runs there
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// How long to wait until nothing runs there
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = durations::parse, conflicts_with = "no_wait")]
    pub(crate) wait: Duration,
}

#[derive(Debug, Args)]
pub(crate) struct DescribeWorkerArgs {
    /// Names of workers, as `kcctl get workers` shows them
    #[arg(value_name = "WORKER NAME", required = true)]
    pub(crate) names: Vec<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}
