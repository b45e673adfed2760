//! The real servers that a test needs, by way of the command `tests/services`: where they are, and breaking them on
//! purpose. What a server is and how it starts is that command's business alone.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use tempfile::TempDir;
use tokio::process::Command;

use crate::repository_root;

mod addresses;

pub use addresses::{Database, SecureKafka, SecureSearch};

/// The first start of a server on a machine downloads it.
const COMMAND_DEADLINE: Duration = Duration::from_secs(15 * 60);

/// A server that `tests/services` knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    Kafka,
    /// Kafka behind TLS, with SASL and with client certificates.
    KafkaSecure,
    /// The Java Kafka Connect runtime.
    Connect,
    MariaDb,
    Postgres,
    OpenSearch,
    /// OpenSearch behind TLS and basic authentication.
    OpenSearchSecure,
}

impl Service {
    /// As the command line calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kafka => "kafka",
            Self::KafkaSecure => "kafka-secure",
            Self::Connect => "connect",
            Self::MariaDb => "mariadb",
            Self::Postgres => "postgres",
            Self::OpenSearch => "opensearch",
            Self::OpenSearchSecure => "opensearch-secure",
        }
    }
}

/// Servers could not be started, found or broken.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    #[error("could not run `tests/services {arguments}`")]
    Run {
        arguments: String,
        #[source]
        source: std::io::Error,
    },
    #[error("`tests/services {arguments}` did not end within {COMMAND_DEADLINE:?}")]
    Hangs { arguments: String },
    #[error("`tests/services {arguments}` did not succeed:\n{output}")]
    Refused { arguments: String, output: String },
    #[error("could not make a folder for servers of its own in `{folder}`")]
    Folder {
        folder: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("could not read the servers' addresses from `{file}`")]
    Addresses {
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// Servers that run, and their addresses.
#[derive(Debug)]
pub struct Services {
    folder: PathBuf,
    addresses: BTreeMap<String, String>,
    private: Option<TempDir>,
}

impl Services {
    /// The servers that all tests share. `tests/run` has started them and names them in the environment; where they are
    /// not named there, they are started here, and run on until `tests/services down`.
    ///
    /// A test that stops one of these disturbs every other test: take [`Services::private`] for that.
    pub async fn require(needed: &[Service]) -> Result<Self, ServicesError> {
        let mut services = Self {
            folder: shared_folder(),
            addresses: addresses::of_environment(),
            private: None,
        };
        if !needed
            .iter()
            .all(|service| addresses::are_known(&services.addresses, *service))
        {
            services.up(needed).await?;
        }
        Ok(services)
    }

    /// Servers for this test alone, with empty data. Dropping the value ends them and deletes what they stored.
    pub async fn private(needed: &[Service]) -> Result<Self, ServicesError> {
        let shared = shared_folder();
        let made = std::fs::create_dir_all(&shared)
            .and_then(|()| tempfile::Builder::new().prefix("private-").tempdir_in(&shared));
        let folder = made.map_err(|source| ServicesError::Folder {
            folder: shared,
            source,
        })?;
        let mut services = Self {
            folder: folder.path().to_owned(),
            addresses: BTreeMap::new(),
            private: Some(folder),
        };
        services.up(needed).await?;
        Ok(services)
    }

    /// Stops the server as an operator would, and starts it again on the same port and data. Returns when it answers.
    pub async fn restart(&self, service: Service) -> Result<(), ServicesError> {
        self.run(&["restart", service.name()]).await.map(drop)
    }

    /// Ends the server at once, as a crash would.
    pub async fn kill(&self, service: Service) -> Result<(), ServicesError> {
        self.run(&["kill", service.name()]).await.map(drop)
    }

    /// Stops the server as an operator would.
    pub async fn stop(&self, service: Service) -> Result<(), ServicesError> {
        self.run(&["stop", service.name()]).await.map(drop)
    }

    /// Starts a server that was stopped or killed, on the same port and data. Returns when it answers.
    pub async fn start(&self, service: Service) -> Result<(), ServicesError> {
        self.run(&["start", service.name()]).await.map(drop)
    }

    /// Runs the server's own command-line client and returns what it printed to standard output.
    pub async fn tool(&self, service: Service, arguments: &[&str]) -> Result<String, ServicesError> {
        let command = format!("{}-tool", service.name());
        let output = self.run(&[&[command.as_str()], arguments].concat()).await?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    async fn up(&mut self, needed: &[Service]) -> Result<(), ServicesError> {
        let names = needed.iter().map(|service| service.name());
        let arguments: Vec<&str> = std::iter::once("up").chain(names).collect();
        self.run(&arguments).await?;
        self.addresses = addresses::of_file(&self.folder.join("env"))?;
        Ok(())
    }

    async fn run(&self, arguments: &[&str]) -> Result<Output, ServicesError> {
        let shown = || arguments.join(" ");
        let mut command = Command::new(launcher());
        command
            .args(arguments)
            .env("TOWPATH_SERVICES_DIR", &self.folder)
            .kill_on_drop(true);
        if self.private.is_some() {
            for variable in fixed_ports() {
                command.env_remove(variable);
            }
        }
        let output = tokio::time::timeout(COMMAND_DEADLINE, command.output())
            .await
            .map_err(|_| ServicesError::Hangs { arguments: shown() })?
            .map_err(|source| ServicesError::Run {
                arguments: shown(),
                source,
            })?;
        if output.status.success() {
            return Ok(output);
        }
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(ServicesError::Refused {
            arguments: shown(),
            output: errors,
        })
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        if let Some(folder) = &self.private {
            // The command reports by itself what goes wrong; `tests/services down` ends what it leaves.
            std::process::Command::new(launcher())
                .arg("down")
                .env("TOWPATH_SERVICES_DIR", folder.path())
                .status()
                .ok();
        }
    }
}

fn launcher() -> PathBuf {
    repository_root().join("tests/services")
}

/// The folder that `tests/services` uses when it is not told another one.
fn shared_folder() -> PathBuf {
    let by_default =
        || std::env::temp_dir().join(format!("towpath-services-{}", rustix::process::getuid().as_raw()));
    std::env::var_os("TOWPATH_SERVICES_DIR").map_or_else(by_default, |folder| Path::new(&folder).to_owned())
}

/// Two sets of servers cannot listen on the same fixed ports.
fn fixed_ports() -> impl Iterator<Item = OsString> {
    let is_fixed_port = |name: &str| name.starts_with("TOWPATH_") && name.ends_with("_PORT");
    std::env::vars_os()
        .map(|(name, _)| name)
        .filter(move |name| name.to_str().is_some_and(is_fixed_port))
}
