//! `tests/bench`. Throughput: the same work on the same real broker in one run, by Towpath's worker, by librdkafka's own
//! batch calls (the ceiling) and by the Java runtime after a warm-up. Fail-over: how long records and the API wait when a
//! process goes. Scale: what a thousand connectors take.

mod case;
mod control_plane;
mod failover;
mod flow;
mod group;
mod java_process;
mod quiet;
mod report;
mod rest;
mod scale;
mod systems;
mod work;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::case::Case;
use crate::report::{Report, note};
use crate::systems::System;
use crate::work::Bench;

/// What went wrong, with what was tried.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Compares Towpath, librdkafka and Kafka Connect on this machine
#[derive(Debug, Parser)]
#[command(name = "tests/bench")]
struct Args {
    #[command(subcommand)]
    case: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A file into a topic, as text
    SourceFile(Throughput),
    /// A topic into a file, as text
    SinkFile(Throughput),
    /// A file into a topic, as JSON without and with schemas
    Json(Throughput),
    /// A worker or a node of the control plane is killed or stopped
    Failover(failover::Args),
    /// A thousand connectors with three thousand tasks
    Scale(scale::Args),
    /// Writes of one, three and five nodes of the control plane, and planning of clusters of several sizes
    ControlPlane(ControlPlane),
}

#[derive(Debug, clap::Args)]
struct ControlPlane {
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct Throughput {
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
    /// Records of each run
    #[arg(long, default_value_t = 3_000_000)]
    records: u64,
    /// Runs of each system; the median counts
    #[arg(long, default_value_t = 3)]
    runs: usize,
    /// Systems to measure
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = System::ALL)]
    systems: Vec<System>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let measured = match Args::parse().case {
        Command::SourceFile(args) => measure(Case::SourceFile, &args).await,
        Command::SinkFile(args) => measure(Case::SinkFile, &args).await,
        Command::Json(args) => measure(Case::Json, &args).await,
        Command::Failover(args) => failover::run(&args).await,
        Command::Scale(args) => scale::run(&args).await,
        Command::ControlPlane(args) => control_plane::run(args.json).await,
    };
    match measured {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

async fn measure(case: Case, args: &Throughput) -> Outcome<()> {
    let mut report = Report::new(args.json);
    let bench = Bench::start(args.records, args.systems.contains(&System::KafkaConnect)).await?;
    for variant in case.variants() {
        let prepared = bench.prepare(*variant).await?;
        for &system in &args.systems {
            if system == System::KafkaConnect {
                note(&format!("{variant}: warming {system} up"));
                bench.measure(system, &prepared).await?;
            }
        }
        for run in 1..=args.runs {
            // Side by side: what disturbs the machine disturbs all of them.
            for &system in &args.systems {
                quiet::wait().await?;
                let figures = bench.measure(system, &prepared).await?;
                note(&format!("{variant}: {system} run {run}: {figures}"));
                report.add(*variant, system, figures);
            }
        }
    }
    report.print(args.records)
}
