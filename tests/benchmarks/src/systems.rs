//! The systems that are compared, and the processes that are theirs.

use std::fmt;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use clap::ValueEnum;
use towpath_testkit::{Process, Services, binary, free_port, wait_until};

use crate::Outcome;
use crate::rest::Rest;

const READY: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum System {
    Towpath,
    Librdkafka,
    KafkaConnect,
}

impl System {
    pub(crate) const ALL: [Self; 3] = [Self::Towpath, Self::Librdkafka, Self::KafkaConnect];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Towpath => "towpath",
            Self::Librdkafka => "librdkafka",
            Self::KafkaConnect => "kafka-connect",
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A control plane and a fresh worker.
pub(crate) struct Towpath {
    pub(crate) worker: Process,
    control_plane: Process,
    pub(crate) rest: Rest,
}

impl Towpath {
    pub(crate) async fn start(services: &Services, folder: &Path) -> Outcome<Self> {
        let (rest, grpc) = (free_port()?, free_port()?);
        let data = tempfile::tempdir_in(folder)?.keep();
        let mut command = Command::new(binary("towpath-control-plane")?);
        command
            .arg(format!("--rest-address=127.0.0.1:{rest}"))
            .arg(format!("--grpc-address=127.0.0.1:{grpc}"));
        command
            .arg("--peer-address=127.0.0.1:0")
            .arg("--data-dir")
            .arg(data.join("state"));
        let control_plane = Process::spawn(command, data.join("control-plane.log"))?;
        let properties = data.join("worker.properties");
        let text = format!(
            "bootstrap.servers={}\ngroup.id=bench\ncontrol.plane.endpoints=127.0.0.1:{grpc}\n\
             worker.id=bench:8083\nworker.admin.listener=127.0.0.1:0\n\
             key.converter=org.apache.kafka.connect.storage.StringConverter\n\
             value.converter=org.apache.kafka.connect.storage.StringConverter\noffset.flush.interval.ms=1000\n",
            services.kafka_bootstrap()
        );
        std::fs::write(&properties, text)?;
        let mut command = Command::new(binary("towpath-worker")?);
        command.arg(&properties);
        let worker = Process::spawn(command, data.join("worker.log"))?;
        let rest = Rest::new(format!("http://127.0.0.1:{rest}"));
        let plugins = || async {
            rest.get("/connector-plugins")
                .await
                .is_some_and(|p| p.as_array().is_some_and(|p| !p.is_empty()))
        };
        wait_until("the worker to register", READY, plugins).await?;
        Ok(Self {
            worker,
            control_plane,
            rest,
        })
    }

    pub(crate) async fn stop(mut self) -> Outcome<()> {
        self.worker.terminate(READY).await?;
        self.control_plane.terminate(READY).await?;
        Ok(())
    }
}
