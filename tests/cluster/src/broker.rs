//! The Kafka broker of a run, in its own namespace, by way of `tests/services`.

use std::path::{Path, PathBuf};

use tokio::process::Command;
use towpath_testkit::repository_root;

use crate::shell::{self, ShellError};

const NAME: &str = "kafka";

/// Dropping it ends it and deletes its data.
#[derive(Debug)]
pub struct Broker {
    enter: Vec<String>,
    host: String,
    folder: PathBuf,
    partitions: u32,
}

impl Broker {
    /// Starts it and waits until it answers.
    ///
    /// # Errors
    /// As all that follow: when `tests/services` does not succeed.
    pub async fn start(
        enter: Vec<String>,
        host: String,
        folder: PathBuf,
        partitions: u32,
    ) -> Result<Self, ShellError> {
        let broker = Self {
            enter,
            host,
            folder,
            partitions,
        };
        // From outside its network, which leads nowhere.
        shell::output_of(broker.with_environment(Command::new(launcher()), &["fetch", NAME])).await?;
        shell::output_of(broker.command(&["up", NAME])).await?;
        Ok(broker)
    }

    pub async fn kill(&self) -> Result<(), ShellError> {
        shell::output_of(self.command(&["kill", NAME])).await.map(drop)
    }

    pub async fn stop(&self) -> Result<(), ShellError> {
        shell::output_of(self.command(&["stop", NAME])).await.map(drop)
    }

    /// After it was killed or stopped.
    pub async fn start_again(&self) -> Result<(), ShellError> {
        shell::output_of(self.command(&["start", NAME])).await.map(drop)
    }

    pub async fn freeze(&self) -> Result<(), ShellError> {
        self.signal("-STOP").await
    }

    pub async fn thaw(&self) -> Result<(), ShellError> {
        self.signal("-CONT").await
    }

    /// What one of Kafka's own tools prints.
    pub async fn tool(&self, arguments: &[&str]) -> Result<String, ShellError> {
        let command = format!("{NAME}-tool");
        shell::output_of(self.command(&[&[command.as_str()], arguments].concat())).await
    }

    /// Its data and its log go with it.
    ///
    /// # Errors
    /// When the log cannot be read or written.
    pub fn keep_log(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::copy(self.folder.join(NAME).join("log"), folder.join("broker.log")).map(drop)
    }

    /// Where clients find it.
    pub fn bootstrap(&self) -> String {
        let addresses = std::fs::read_to_string(self.folder.join(NAME).join("env")).unwrap_or_default();
        let own = addresses
            .lines()
            .find_map(|line| line.strip_prefix("KAFKA_BOOTSTRAP="));
        own.expect("a server that was started has written its addresses")
            .to_owned()
    }

    async fn signal(&self, signal: &str) -> Result<(), ShellError> {
        let pid = std::fs::read_to_string(self.folder.join(NAME).join("pid")).unwrap_or_default();
        let pid = pid.split(' ').next().unwrap_or_default();
        shell::run("kill", &[signal, pid]).await.map(drop)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.enter[0]);
        command.args(&self.enter[1..]).arg(launcher());
        self.with_environment(command, arguments)
    }

    fn with_environment(&self, mut command: Command, arguments: &[&str]) -> Command {
        // Records of workers whose clock is days ahead are not refused: other systems are not what is tested here.
        let configuration = format!(
            "num.partitions={}\nlog.message.timestamp.after.max.ms={}",
            self.partitions,
            i64::MAX
        );
        command
            .args(arguments)
            .env("TOWPATH_SERVICES_DIR", &self.folder)
            .env("TOWPATH_KAFKA_HOST", &self.host)
            .env("TOWPATH_KAFKA_CONFIGURATION", configuration)
            .env_remove("TOWPATH_KAFKA_PORT")
            .env_remove("TOWPATH_KAFKA_CONTROLLER_PORT");
        command
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // The command says by itself what goes wrong; removing the namespace ends what it leaves.
        std::process::Command::new(launcher())
            .arg("down")
            .env("TOWPATH_SERVICES_DIR", &self.folder)
            .output()
            .ok();
    }
}

fn launcher() -> PathBuf {
    repository_root().join("tests/services")
}
