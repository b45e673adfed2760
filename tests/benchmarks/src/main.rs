//! `tests/bench`: runs the same work on the same real broker in one run, by Towpath's worker, by librdkafka's own batch
//! calls (the ceiling) and by the Java runtime after a warm-up, and prints medians.

mod case;
mod control_plane;
mod report;
mod systems;
mod work;

use std::process::ExitCode;

use clap::Parser;

use crate::case::Case;
use crate::report::Report;
use crate::systems::System;
use crate::work::Bench;

/// What went wrong, with what was tried.
type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Compares Towpath, librdkafka and Kafka Connect on this machine
#[derive(Debug, Parser)]
#[command(name = "tests/bench")]
struct Args {
    /// What is measured
    #[arg(value_enum)]
    case: Case,
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
    let args = Args::parse();
    match run(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &Args) -> Outcome<()> {
    if args.case == Case::ControlPlane {
        return control_plane::run(args.json).await;
    }
    let mut report = Report::new(args.json);
    let bench = Bench::start(args.records, args.systems.contains(&System::KafkaConnect)).await?;
    for variant in args.case.variants() {
        let prepared = bench.prepare(*variant).await?;
        for &system in &args.systems {
            if system == System::KafkaConnect {
                report.note(&format!("{variant}: warming {system} up"));
                bench.measure(system, &prepared).await?;
            }
        }
        for run in 1..=args.runs {
            // Side by side: what disturbs the machine disturbs all of them.
            for &system in &args.systems {
                let figures = bench.measure(system, &prepared).await?;
                report.note(&format!("{variant}: {system} run {run}: {figures}"));
                report.add(*variant, system, figures);
            }
        }
    }
    report.print(args.records)
}
