//! How long records and the API wait when a process goes, by Towpath and by the Java runtime. Real processes, real Kafka.

mod figures;
mod java;
mod nodes;
mod placement;
mod towpath;
mod workers;

use std::fmt;
use std::time::Duration;

use clap::ValueEnum;
use tempfile::TempDir;
use towpath_testkit::{Service, Services};

use self::figures::Figures;
use self::java::Java;
use self::towpath::Towpath;
use crate::Outcome;
use crate::flow::Flow;
use crate::report::note;

/// Sources, and as many sinks: more than workers, so that each worker has some of both.
const PAIRS: usize = 6;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One JSON object a line instead of a table
    #[arg(long)]
    json: bool,
    /// Trials of each case by Towpath
    #[arg(long, default_value_t = 20)]
    trials: usize,
    /// Trials of each case by the Java runtime, which takes five minutes for one with its defaults
    #[arg(long, default_value_t = 3)]
    java_trials: usize,
    /// Cases to measure; the Java runtime has the first two
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Case::ALL)]
    cases: Vec<Case>,
    /// Systems to measure
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [System::Towpath])]
    systems: Vec<System>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Case {
    /// SIGKILL of a worker, until all its tasks process records elsewhere
    WorkerKill,
    /// SIGTERM of a worker: the longest time without a record, and what is processed twice
    WorkerStop,
    /// SIGKILL of the leader of the control plane, until the next write to the API succeeds
    LeaderKill,
    /// SIGKILL of a follower: requests that fail, and the longest that one takes
    FollowerKill,
}

impl Case {
    const ALL: [Self; 4] = [
        Self::WorkerKill,
        Self::WorkerStop,
        Self::LeaderKill,
        Self::FollowerKill,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::WorkerKill => "worker-kill",
            Self::WorkerStop => "worker-stop",
            Self::LeaderKill => "leader-kill",
            Self::FollowerKill => "follower-kill",
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum System {
    Towpath,
    /// The Java runtime with its defaults
    KafkaConnect,
    /// The Java runtime with `scheduled.rebalance.max.delay.ms=0`
    #[value(name = "kafka-connect-delay-0")]
    KafkaConnectDelay0,
}

impl System {
    fn name(self) -> &'static str {
        match self {
            Self::Towpath => "towpath",
            Self::KafkaConnect => "kafka-connect",
            Self::KafkaConnectDelay0 => "kafka-connect-delay-0",
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

pub(crate) async fn run(args: &Args) -> Outcome<()> {
    let mut figures = Figures::default();
    for &system in &args.systems {
        match system {
            System::Towpath => measure_towpath(args, &mut figures).await?,
            System::KafkaConnect => measure_java(args, (system, None), &mut figures).await?,
            System::KafkaConnectDelay0 => {
                measure_java(args, (system, Some(Duration::ZERO)), &mut figures).await?;
            }
        }
    }
    figures.print(args.json)
}

async fn measure_towpath(args: &Args, figures: &mut Figures) -> Outcome<()> {
    let services = Services::private(&[Service::Kafka]).await?;
    let folder = Folder::new()?;
    let mut towpath = Towpath::start(services.kafka_bootstrap(), folder.path()).await?;
    let flow = begin_flow(&services, &folder, &towpath.group.nodes[0].rest).await?;
    for &case in &args.cases {
        for trial in 1..=args.trials {
            let line = match case {
                Case::WorkerKill => workers::kill(&mut towpath, &flow, (trial, figures)).await?,
                Case::WorkerStop => workers::stop(&mut towpath, &flow, (trial, figures)).await?,
                Case::LeaderKill => nodes::kill_leader(&mut towpath, &flow, (trial, figures)).await?,
                Case::FollowerKill => nodes::kill_follower(&mut towpath, (trial, figures)).await?,
            };
            note(&format!("towpath {case} trial {trial}: {line}"));
        }
    }
    folder.done();
    Ok(())
}

async fn measure_java(
    args: &Args,
    (system, delay): (System, Option<Duration>),
    figures: &mut Figures,
) -> Outcome<()> {
    let services = Services::private(&[Service::Kafka, Service::Connect]).await?;
    let folder = Folder::new()?;
    let mut java = Java::start(&services, folder.path(), (system.name(), delay)).await?;
    let flow = begin_flow(&services, &folder, java.any_rest()).await?;
    for &case in &args.cases {
        for trial in 1..=args.java_trials {
            let line = match case {
                Case::WorkerKill => workers::kill(&mut java, &flow, (trial, figures)).await?,
                Case::WorkerStop => workers::stop(&mut java, &flow, (trial, figures)).await?,
                // It has no control plane.
                Case::LeaderKill | Case::FollowerKill => continue,
            };
            note(&format!("{system} {case} trial {trial}: {line}"));
        }
    }
    folder.done();
    Ok(())
}

async fn begin_flow(services: &Services, folder: &Folder, rest: &crate::rest::Rest) -> Outcome<Flow> {
    let flow = Flow::start(services.kafka_bootstrap(), &folder.path().join("flow"), PAIRS).await?;
    flow.create_connectors(rest).await?;
    Ok(flow)
}

/// Logs and data. They stay when the measurement fails, to be looked at.
struct Folder {
    inner: TempDir,
}

impl Folder {
    fn new() -> Outcome<Self> {
        let mut inner = tempfile::Builder::new().prefix("towpath-bench-").tempdir()?;
        inner.disable_cleanup(true);
        note(&format!("logs: {}", inner.path().display()));
        Ok(Self { inner })
    }

    fn path(&self) -> &std::path::Path {
        self.inner.path()
    }

    fn done(mut self) {
        self.inner.disable_cleanup(false);
    }
}
