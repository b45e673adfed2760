//! Commands of the system that are run to their end.

use std::ffi::OsStr;
use std::fmt;

use tokio::process::Command;

/// A command could not be run, or did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ShellError {
    #[error("could not run `{command}`")]
    Run {
        command: String,
        #[source]
        source: std::io::Error,
    },
    #[error("`{command}` did not succeed: {complaint}")]
    Refused { command: String, complaint: String },
}

/// Runs it and returns what it printed to standard output.
///
/// # Errors
/// When it cannot be started or ends with another code than 0.
pub async fn run<A>(program: &str, arguments: &[A]) -> Result<String, ShellError>
where
    A: AsRef<OsStr> + fmt::Debug,
{
    let mut command = Command::new(program);
    command.args(arguments);
    output_of(command).await
}

/// # Errors
/// When it cannot be started or ends with another code than 0.
pub async fn output_of(mut command: Command) -> Result<String, ShellError> {
    command.kill_on_drop(true);
    let shown = || {
        let words = std::iter::once(command.as_std().get_program()).chain(command.as_std().get_args());
        let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        words.join(" ")
    };
    let shown = shown();
    let output = command.output().await.map_err(|source| ShellError::Run {
        command: shown.clone(),
        source,
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(ShellError::Refused {
        command: shown,
        complaint: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}
