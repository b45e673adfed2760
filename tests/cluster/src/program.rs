//! One of our own processes: how it is started, broken and started again. Its log goes on in one file.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use towpath_testkit::Process;
use towpath_testkit::process::ProcessError;

use crate::plan::Place;
use crate::watch::Watch;

/// SIGTERM has to be enough: both planes have deadlines of their own below this.
const STOP_DEADLINE: Duration = Duration::from_secs(40);
/// How long an answer of libfaketime is used again, in seconds: asking the file each time would be slow.
const CLOCK_CACHE_S: &str = "1";

/// What a node says that ends because its store does.
const STORE_STOPPED: &str = "the store of the cluster state has stopped";

/// A process could not be broken as planned.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    #[error(transparent)]
    Process(#[from] ProcessError),
    #[error("could not set the clock in `{file}`")]
    Clock {
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// What runs, and where.
#[derive(Debug)]
pub struct Spec {
    pub place: Place,
    /// The words of the command that enters its namespace.
    pub enter: Vec<String>,
    pub binary: PathBuf,
    pub arguments: Vec<String>,
    pub log: PathBuf,
    /// The file that says by how much its clock is wrong, and the libraries that make it so.
    pub clock: Option<(PathBuf, String)>,
}

#[derive(Debug)]
pub struct Program {
    spec: Spec,
    process: Option<Process>,
    /// Whether something was done to it that it need not survive.
    may_end: bool,
    watch: Arc<Watch>,
}

/// A process that has ended by itself.
#[derive(Debug)]
pub struct EndedByItself {
    pub how: String,
    pub was_expected: bool,
}

impl Program {
    /// # Errors
    /// When it cannot be started.
    pub fn start(spec: Spec, watch: Arc<Watch>) -> Result<Self, ProgramError> {
        if let Some((file, _)) = &spec.clock {
            set_clock(file, 0)?;
        }
        let mut program = Self {
            spec,
            process: None,
            may_end: false,
            watch,
        };
        program.start_again()?;
        Ok(program)
    }

    /// # Errors
    /// When it cannot be started.
    pub fn start_again(&mut self) -> Result<(), ProgramError> {
        let Spec {
            enter,
            binary,
            arguments,
            log,
            clock,
            ..
        } = &self.spec;
        let mut command = Command::new(&enter[0]);
        command
            .args(&enter[1..])
            .arg(binary)
            .args(arguments)
            .env("NO_COLOR", "1");
        if let Some((file, libraries)) = clock {
            command
                .env("LD_PRELOAD", libraries)
                .env("FAKETIME_TIMESTAMP_FILE", file)
                .env("FAKETIME_CACHE_DURATION", CLOCK_CACHE_S)
                // Only the wall clock: no machine's monotonic clock jumps.
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        }
        self.process = Some(Process::spawn(command, log)?);
        self.may_end = false;
        Ok(())
    }

    /// # Errors
    /// As all that follow: when the process is not there.
    pub fn kill(&mut self) -> Result<(), ProgramError> {
        if let Some(mut process) = self.process.take() {
            process.kill()?;
        }
        self.watch.ended(self.spec.place);
        Ok(())
    }

    pub async fn stop(&mut self) -> Result<(), ProgramError> {
        if let Some(mut process) = self.process.take() {
            process.terminate(STOP_DEADLINE).await?;
        }
        self.watch.ended(self.spec.place);
        Ok(())
    }

    pub fn freeze(&self) -> Result<(), ProgramError> {
        if let Some(process) = &self.process {
            process.pause()?;
        }
        self.watch.frozen(self.spec.place);
        Ok(())
    }

    pub fn thaw(&self) -> Result<(), ProgramError> {
        self.watch.thawed(self.spec.place);
        if let Some(process) = &self.process {
            process.resume()?;
        }
        Ok(())
    }

    pub fn jump(&self, seconds: i64) -> Result<(), ProgramError> {
        match &self.spec.clock {
            Some((file, _)) => set_clock(file, seconds),
            None => Ok(()),
        }
    }

    /// It may end by itself if it says why, also a while later: a node stops when its disk is full, and drains before. One
    /// that goes on has to go on right.
    pub fn may_end(&mut self) {
        self.may_end = true;
    }

    /// How it ended, if it did by itself.
    ///
    /// # Errors
    /// When the process is not there.
    pub fn has_ended(&mut self) -> Result<Option<EndedByItself>, ProgramError> {
        let Some(process) = &mut self.process else {
            return Ok(None);
        };
        let Some(status) = process.ended()? else {
            return Ok(None);
        };
        let output = process.output()?;
        self.process = None;
        self.watch.ended(self.spec.place);
        let errors: Vec<&str> = output.lines().filter(|line| line.contains(" ERROR ")).collect();
        let (place, last) = (self.spec.place, errors.last().unwrap_or(&"nothing of an error"));
        Ok(Some(EndedByItself {
            how: format!("{place} ended by itself ({status}) and said: {last}"),
            was_expected: self.may_end && errors.iter().any(|error| error.contains(STORE_STOPPED)),
        }))
    }
}

/// In one step, since it is read at any time.
fn set_clock(file: &Path, seconds: i64) -> Result<(), ProgramError> {
    let new = file.with_extension("new");
    std::fs::write(&new, format!("{seconds:+}\n"))
        .and_then(|()| std::fs::rename(&new, file))
        .map_err(|source| ProgramError::Clock {
            file: file.to_owned(),
            source,
        })
}
