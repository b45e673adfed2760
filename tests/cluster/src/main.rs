//! Makes runs of one seed after the other and says how to repeat those that found something. Ends with 1 if one did, with 2
//! if one could not be made.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use towpath_cluster::{Plan, Report, RunError, run};

const NOT_MADE: u8 = 2;

#[derive(Debug, Parser)]
#[command(about = "Real processes in network namespaces under seeded faults")]
struct Args {
    /// How many runs to make, each with the next seed.
    #[arg(long, default_value_t = 1)]
    runs: u64,
    /// The first seed; any, if it is not given.
    #[arg(long)]
    seed: Option<u64>,
    /// How long things break in each run.
    #[arg(long, default_value_t = 45)]
    seconds: u64,
    /// Keep the logs of runs that found nothing too.
    #[arg(long)]
    keep: bool,
}

fn main() -> io::Result<ExitCode> {
    let args = Args::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        // Dropping the runs ends everything that they have started.
        tokio::select! {
            code = make_runs(&args) => code,
            _ = interrupt.recv() => Ok(ExitCode::from(NOT_MADE)),
            _ = terminate.recv() => Ok(ExitCode::from(NOT_MADE)),
        }
    })
}

async fn make_runs(args: &Args) -> io::Result<ExitCode> {
    let first = args.seed.unwrap_or_else(|| u64::from(rand::random::<u16>()));
    let (mut passed, mut failed, mut not_made) = (0, 0, 0);
    for seed in first..first + args.runs {
        let begin = Instant::now();
        let plan = Plan::new(seed, Duration::from_secs(args.seconds));
        let folder = tempfile::Builder::new()
            .prefix(&format!("towpath-cluster-{seed}-"))
            .tempdir()?;
        // Some servers run as another user.
        std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711))?;
        let outcome = run(&plan, folder.path()).await;
        match &outcome {
            Ok(report) if report.violations.is_empty() => passed += 1,
            Ok(_) => failed += 1,
            Err(_) => not_made += 1,
        }
        tell(seed, &outcome, begin.elapsed())?;
        if args.keep || outcome.is_err() || outcome.is_ok_and(|report| !report.violations.is_empty()) {
            let folder = folder.keep();
            let mut out = io::stdout().lock();
            writeln!(out, "  logs and events: {}", folder.display())?;
            writeln!(
                out,
                "  repeat it with: tests/run cluster --seed {seed} --seconds {}",
                args.seconds
            )?;
        }
    }
    writeln!(
        io::stdout(),
        "{passed} runs passed, {failed} failed, {not_made} could not be made"
    )?;
    Ok(match (failed, not_made) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(NOT_MADE),
        _ => ExitCode::FAILURE,
    })
}

fn tell(seed: u64, outcome: &Result<Report, RunError>, took: Duration) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match outcome {
        Ok(report) => {
            let verdict = if report.violations.is_empty() {
                "passed"
            } else {
                "FAILED"
            };
            writeln!(
                out,
                "seed {seed}: {verdict} after {:.0} s: {} faults, {} numbers, {} of them again, {} requests, settled \
                 after {:.1} s",
                took.as_secs_f64(),
                report.faults,
                report.numbers,
                report.repeats,
                report.requests,
                report.settled_after.as_secs_f64()
            )?;
            if report.hanging > 0 {
                writeln!(
                    out,
                    "  Kafka had left {} transactions hanging, which were aborted",
                    report.hanging
                )?;
            }
            for violation in &report.violations {
                writeln!(out, "  {violation}")?;
            }
        }
        Err(error) => {
            writeln!(out, "seed {seed}: could not be made: {error}")?;
            let mut cause = std::error::Error::source(error);
            while let Some(error) = cause {
                writeln!(out, "  because {error}")?;
                cause = error.source();
            }
        }
    }
    Ok(())
}
