//! The Java runtime that `tests/services` has started, as a process of this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use towpath_testkit::repository_root;

use crate::Outcome;

/// The process of the Java runtime that listens at an address, and how it was started.
pub(crate) struct CommandLine {
    pub(crate) pid: u32,
    arguments: Vec<String>,
    properties: usize,
}

impl CommandLine {
    pub(crate) fn of(url: &str) -> Outcome<Self> {
        let port = url.rsplit(':').next().unwrap_or_default().trim_end_matches('/');
        for entry in std::fs::read_dir("/proc")? {
            let path = entry?.path();
            let pid = path
                .file_name()
                .and_then(|name| name.to_str()?.parse::<u32>().ok());
            let found = pid.and_then(|pid| Self::read(pid, &path, port));
            if let Some(found) = found {
                return Ok(found);
            }
        }
        Err(format!(
            "no process of the Java runtime listens at {url}; see {}",
            repository_root().display()
        )
        .into())
    }

    fn read(pid: u32, process: &Path, port: &str) -> Option<Self> {
        let arguments = std::fs::read(process.join("cmdline")).ok()?;
        let arguments: Vec<String> = arguments
            .split(|byte| *byte == 0)
            .filter_map(|part| std::str::from_utf8(part).ok())
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        if !arguments.iter().any(|part| part.ends_with("ConnectDistributed")) {
            return None;
        }
        let properties = arguments.iter().rposition(|part| part.ends_with(".properties"))?;
        let text = std::fs::read_to_string(&arguments[properties]).ok()?;
        text.contains(&format!(":{port}")).then_some(Self {
            pid,
            arguments,
            properties,
        })
    }

    pub(crate) fn properties(&self) -> PathBuf {
        self.arguments[self.properties].as_str().into()
    }

    /// The same with another file of settings.
    pub(crate) fn with_properties(&self, properties: &Path) -> Command {
        let mut arguments = self.arguments.iter().enumerate();
        let program = arguments.next().map_or("java", |(_, program)| program);
        let mut command = Command::new(program);
        for (index, argument) in arguments {
            if index == self.properties {
                command.arg(properties);
            } else {
                command.arg(argument);
            }
        }
        command
    }
}
