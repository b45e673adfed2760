//! Runs many seeds on all processors, or one of them again, and says how to repeat what went wrong. Ends with 1 if
//! something did.

use std::io::{self, Write as _};
use std::num::NonZero;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;
use towpath_simulation::{Summary, Violation, run};

/// Seeds between two lines of progress.
const PROGRESS: u64 = 1_000;
/// More violations than this say nothing new.
const MAX_SHOWN: usize = 5;

#[derive(Debug, Parser)]
#[command(about = "The control plane under seeded faults")]
struct Args {
    /// How many seeds to run.
    #[arg(long, default_value_t = 10_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Run only this seed.
    #[arg(long)]
    seed: Option<u64>,
}

#[derive(Debug, Default)]
struct Total {
    done: u64,
    written: u64,
    begun: u64,
    sessions: u64,
    slowest_ms: u64,
    violations: Vec<Violation>,
}

impl Total {
    fn add(&mut self, outcome: Result<Summary, Violation>) {
        self.done += 1;
        match outcome {
            Ok(summary) => {
                self.written += u64::try_from(summary.written).unwrap_or(u64::MAX);
                self.begun += summary.begun;
                self.sessions += summary.sessions;
                self.slowest_ms = self.slowest_ms.max(summary.converged_after_ms);
            }
            Err(violation) => self.violations.push(violation),
        }
    }
}

fn main() -> io::Result<ExitCode> {
    let args = Args::parse();
    let many = (args.from, args.from + args.seeds.saturating_sub(1));
    let (first, last) = args.seed.map_or(many, |seed| (seed, seed));
    let begin = Instant::now();
    let total = run_all(first, last)?;
    let mut out = io::stdout().lock();
    for violation in total.violations.iter().take(MAX_SHOWN) {
        writeln!(out, "\n{violation}")?;
    }
    writeln!(
        out,
        "\n{} commands written, {} runs of source tasks begun, {} sessions; at most {} ms until all was well again; {:.1} s",
        total.written,
        total.begun,
        total.sessions,
        total.slowest_ms,
        begin.elapsed().as_secs_f64()
    )?;
    let failed = total.violations.len();
    writeln!(
        out,
        "{} seeds passed, {failed} failed",
        total.done - u64::try_from(failed).unwrap_or(total.done)
    )?;
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn run_all(first: u64, last: u64) -> io::Result<Total> {
    let next = AtomicU64::new(first);
    let total = Mutex::new(Total::default());
    let work = || -> io::Result<()> {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed > last {
                return Ok(());
            }
            let outcome = run(seed);
            let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
            total.add(outcome);
            if total.done.is_multiple_of(PROGRESS) {
                let (done, failed) = (total.done, total.violations.len());
                writeln!(io::stdout(), "{done} seeds, {failed} failed")?;
            }
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut joined = workers.into_iter().map(std::thread::ScopedJoinHandle::join);
        // A panic of a run is a bug of the simulation, and is told as one.
        joined.try_for_each(|ended| ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    Ok(total.into_inner().unwrap_or_else(PoisonError::into_inner))
}
