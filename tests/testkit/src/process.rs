//! One of our binaries as a process of its own: started, watched, paused, ended. What it prints goes to a file, since
//! a pipe that nobody reads would stop it.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::waiting::{TimedOut, wait_until};

mod usage;

pub use usage::Usage;

/// A binary was not found, or a process could not be started, watched or ended.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error("could not find the folder of the running test")]
    TestFolder(#[source] std::io::Error),
    #[error("could not find the binary `{0}`: build it first with `cargo build --workspace --bins`")]
    NotBuilt(PathBuf),
    #[error("could not open `{path}` for the output of a process")]
    Output {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("could not start {command}")]
    Start {
        command: String,
        #[source]
        source: std::io::Error,
    },
    #[error("could not ask for the state of \"{name}\"")]
    State {
        name: String,
        #[source]
        source: std::io::Error,
    },
    #[error("could not send a signal to \"{name}\"")]
    Signal {
        name: String,
        #[source]
        source: std::io::Error,
    },
    #[error("could not read what \"{name}\" uses from /proc: {what}")]
    Usage { name: String, what: &'static str },
    #[error("\"{name}\" ended ({status}) before it printed `{text}`; it printed:\n{output}")]
    EndedEarly {
        name: String,
        status: ExitStatus,
        text: String,
        output: String,
    },
    #[error(transparent)]
    TimedOut(#[from] TimedOut),
}

/// The path of a binary of this workspace, which lies where cargo puts it: beside the running test or a folder above.
pub fn binary(name: &str) -> Result<PathBuf, ProcessError> {
    let test = std::env::current_exe().map_err(ProcessError::TestFolder)?;
    let folder = match test.parent() {
        Some(folder) if folder.ends_with("deps") => folder.parent().unwrap_or(folder),
        Some(folder) => folder,
        None => Path::new("."),
    };
    let path = folder.join(name);
    if path.is_file() {
        Ok(path)
    } else {
        Err(ProcessError::NotBuilt(path))
    }
}

/// A running process. Dropping it kills it.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
    /// Where the output of this process begins; the file may hold that of one before it.
    log_start: u64,
}

impl Process {
    /// Starts the command; its standard output and error are appended to the file `log`.
    pub fn spawn(mut command: Command, log: impl Into<PathBuf>) -> Result<Self, ProcessError> {
        let log = log.into();
        let name = Path::new(command.get_program())
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let file = OpenOptions::new().create(true).append(true).open(&log);
        let opened = file.and_then(|file| Ok((file.metadata()?.len(), file.try_clone()?, file)));
        let (log_start, for_errors, for_output) = opened.map_err(|source| ProcessError::Output {
            path: log.clone(),
            source,
        })?;
        command.stdin(Stdio::null()).stdout(for_output).stderr(for_errors);
        let child = command.spawn().map_err(|source| ProcessError::Start {
            command: format!("{command:?}"),
            source,
        })?;
        Ok(Self {
            name,
            child,
            log,
            log_start,
        })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it did.
    pub fn ended(&mut self) -> Result<Option<ExitStatus>, ProcessError> {
        self.child.try_wait().map_err(|source| ProcessError::State {
            name: self.name.clone(),
            source,
        })
    }

    /// SIGKILL, as a crash: it cannot clean up. Returns when it is gone.
    pub fn kill(&mut self) -> Result<ExitStatus, ProcessError> {
        self.child
            .kill()
            .and_then(|()| self.child.wait())
            .map_err(|source| ProcessError::Signal {
                name: self.name.clone(),
                source,
            })
    }

    /// SIGTERM: asks it to end, and waits until it has.
    pub async fn terminate(&mut self, deadline: Duration) -> Result<ExitStatus, ProcessError> {
        self.signal(Signal::TERM)?;
        self.wait(deadline).await
    }

    /// SIGSTOP: it neither works nor answers, but its connections stay open.
    pub fn pause(&self) -> Result<(), ProcessError> {
        self.signal(Signal::STOP)
    }

    /// SIGCONT: it goes on as if nothing had been, but the clock has moved.
    pub fn resume(&self) -> Result<(), ProcessError> {
        self.signal(Signal::CONT)
    }

    /// Waits until it has ended by itself.
    pub async fn wait(&mut self, deadline: Duration) -> Result<ExitStatus, ProcessError> {
        let what = format!("\"{}\" to end", self.name);
        wait_until(&what, deadline, || std::future::ready(self.ended().transpose())).await?
    }

    /// Waits until it has printed a line that contains `text`, and returns that line. A process that ends before it
    /// prints it is not waited for any longer.
    pub async fn wait_for_line(&mut self, text: &str, deadline: Duration) -> Result<String, ProcessError> {
        let what = format!("\"{}\" to print `{text}`", self.name);
        wait_until(&what, deadline, || std::future::ready(self.look_for_line(text))).await?
    }

    /// `Ok` ends the wait, with the line or with the reason why it will not come; `Err` says what was seen so far.
    fn look_for_line(&mut self, text: &str) -> Result<Result<String, ProcessError>, String> {
        // Asked for first: what it prints just before it ends is not missed.
        let ended = self.ended();
        let output = match self.output() {
            Ok(output) => output,
            Err(error) => return Ok(Err(error)),
        };
        if let Some(line) = output.lines().find(|line| line.contains(text)) {
            return Ok(Ok(line.to_owned()));
        }
        match ended {
            Ok(None) => Err(output
                .lines()
                .last()
                .map_or("no output".to_owned(), |line| format!("`{line}`"))),
            Ok(Some(status)) => Ok(Err(ProcessError::EndedEarly {
                name: self.name.clone(),
                status,
                text: text.to_owned(),
                output,
            })),
            Err(error) => Ok(Err(error)),
        }
    }

    /// What it has printed so far.
    pub fn output(&self) -> Result<String, ProcessError> {
        let mut output = Vec::new();
        File::open(&self.log)
            .and_then(|mut file| {
                file.seek(SeekFrom::Start(self.log_start))?;
                file.read_to_end(&mut output)
            })
            .map_err(|source| ProcessError::Output {
                path: self.log.clone(),
                source,
            })?;
        Ok(String::from_utf8_lossy(&output).into_owned())
    }

    /// The memory and processor time it uses.
    pub fn usage(&self) -> Result<Usage, ProcessError> {
        Usage::of(self.child.id()).map_err(|what| ProcessError::Usage {
            name: self.name.clone(),
            what,
        })
    }

    fn signal(&self, signal: Signal) -> Result<(), ProcessError> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.expect("the kernel's process ids are positive and fit an i32");
        kill_process(pid, signal).map_err(|error| ProcessError::Signal {
            name: self.name.clone(),
            source: error.into(),
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error means that it has ended already, which is all that is wanted here.
        self.kill().ok();
    }
}

#[cfg(test)]
mod tests;
