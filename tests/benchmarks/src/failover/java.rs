//! Two workers of the Java runtime. `tests/services` knows how one is started; its command line is used for both, with
//! other settings.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use towpath_testkit::{Process, Service, Services, free_port, wait_until};

use super::workers::Workers;
use crate::Outcome;
use crate::java_process::CommandLine;
use crate::rest::Rest;

const COUNT: usize = 2;
const READY: Duration = Duration::from_secs(120);
/// `scheduled.rebalance.max.delay.ms` is five minutes by default, after a session timeout.
const PATIENCE: Duration = Duration::from_secs(420);

struct Worker {
    port: u16,
    rest: Rest,
    properties: PathBuf,
    /// `None` while it is down.
    process: Option<Process>,
}

pub(super) struct Java {
    system: &'static str,
    command_line: CommandLine,
    folder: PathBuf,
    workers: Vec<Worker>,
}

impl Java {
    /// `delay`: what `scheduled.rebalance.max.delay.ms` is, if not the default.
    pub(super) async fn start(
        services: &Services,
        folder: &Path,
        (system, delay): (&'static str, Option<Duration>),
    ) -> Outcome<Self> {
        let command_line = CommandLine::of(services.connect_url())?;
        let settings = std::fs::read_to_string(command_line.properties())?;
        services.stop(Service::Connect).await?;
        let mut java = Self {
            system,
            command_line,
            folder: folder.to_owned(),
            workers: Vec::new(),
        };
        for number in 0..COUNT {
            let port = free_port()?;
            let properties = folder.join(format!("java-{number}.properties"));
            std::fs::write(&properties, own_settings(&settings, port, delay))?;
            java.workers.push(Worker {
                port,
                rest: Rest::new(format!("http://127.0.0.1:{port}")),
                properties,
                process: None,
            });
            java.start(number).await?;
        }
        Ok(java)
    }

    pub(super) fn any_rest(&self) -> &Rest {
        &self.workers[0].rest
    }
}

/// A group of its own, not that of the worker that was stopped.
fn own_settings(settings: &str, port: u16, delay: Option<Duration>) -> String {
    let kept = settings
        .lines()
        .filter(|line| !line.starts_with("listeners=") && !line.starts_with("group.id="));
    let mut lines: Vec<String> = kept
        .map(|line| line.replace("=java-connect-", "=java-bench-"))
        .collect();
    lines.push(format!("listeners=http://127.0.0.1:{port}"));
    lines.push("group.id=java-bench".to_owned());
    lines.extend(delay.map(|delay| format!("scheduled.rebalance.max.delay.ms={}", delay.as_millis())));
    lines.push(String::new());
    lines.join("\n")
}

impl Workers for Java {
    fn system(&self) -> &'static str {
        self.system
    }

    fn ids(&self) -> Vec<String> {
        let id = |worker: &Worker| format!("127.0.0.1:{}", worker.port);
        self.workers.iter().map(id).collect()
    }

    fn rest_without(&self, worker: usize) -> Rest {
        self.workers[(worker + 1) % COUNT].rest.clone()
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    fn kill(&mut self, worker: usize) -> Outcome<()> {
        self.workers[worker].process = None;
        Ok(())
    }

    async fn stop(&mut self, worker: usize) -> Outcome<()> {
        let process = self.workers[worker].process.as_mut().ok_or("the worker runs")?;
        process.terminate(READY).await?;
        self.workers[worker].process = None;
        Ok(())
    }

    async fn start(&mut self, worker: usize) -> Outcome<()> {
        let log = self.folder.join(format!("java-{worker}.log"));
        let known = &mut self.workers[worker];
        let command: Command = self.command_line.with_properties(&known.properties);
        known.process = Some(Process::spawn(command, log)?);
        let answers = || async { known.rest.get("/connectors").await };
        wait_until("the Java worker to answer", READY, answers).await?;
        Ok(())
    }
}
