//! Our own processes: a control plane and workers, started like a user starts them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;
use towpath_testkit::{Process, binary, free_port, wait_until};

use crate::rest::Rest;

/// How long a process may take to be ready on a busy machine.
const READY: Duration = Duration::from_secs(30);

pub(crate) struct Cluster {
    pub(crate) rest: Rest,
    pub(crate) control_plane: Process,
    pub(crate) workers: Vec<Process>,
    pub(crate) folder: TempDir,
    kafka: String,
    rest_port: u16,
    grpc_port: u16,
    starts: usize,
    arguments: &'static [&'static str],
    /// More lines of the workers' files.
    worker_lines: String,
}

impl Cluster {
    /// A control plane and this many workers.
    pub(crate) async fn start(kafka: &str, workers: usize) -> Self {
        Self::start_with(kafka, workers, &[]).await
    }

    /// The same with more arguments for the control plane.
    pub(crate) async fn start_with(kafka: &str, workers: usize, arguments: &'static [&'static str]) -> Self {
        Self::launch(kafka, workers, (arguments, String::new())).await
    }

    /// With one worker, whose sources deliver exactly once and keep their offsets in this topic.
    pub(crate) async fn start_exactly_once(kafka: &str, offsets_topic: &str) -> Self {
        Self::start_exactly_once_with(kafka, ("enabled", offsets_topic), &[]).await
    }

    /// With one worker of this support, and more arguments for the control plane.
    pub(crate) async fn start_exactly_once_with(
        kafka: &str,
        (support, offsets_topic): (&str, &str),
        arguments: &'static [&'static str],
    ) -> Self {
        let lines = exactly_once_lines(support, offsets_topic);
        Self::launch(kafka, 1, (arguments, lines)).await
    }

    /// Of workers that are started after this.
    pub(crate) fn set_exactly_once(&mut self, support: &str, offsets_topic: &str) {
        self.worker_lines = exactly_once_lines(support, offsets_topic);
    }

    async fn launch(
        kafka: &str,
        workers: usize,
        (arguments, worker_lines): (&'static [&'static str], String),
    ) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (rest_port, grpc_port) = (free_port().unwrap(), free_port().unwrap());
        let control_plane = spawn_control_plane(folder.path(), (rest_port, grpc_port), (0, arguments));
        let rest = Rest::new(format!("http://127.0.0.1:{rest_port}"));
        let mut cluster = Self {
            rest,
            control_plane,
            workers: Vec::new(),
            folder,
            kafka: kafka.to_owned(),
            rest_port,
            grpc_port,
            starts: 0,
            arguments,
            worker_lines,
        };
        for _ in 0..workers {
            cluster.add_worker();
        }
        cluster.wait_plugins().await;
        cluster
    }

    /// Starts one more worker.
    pub(crate) fn add_worker(&mut self) {
        let number = self.workers.len();
        let worker = self.spawn_worker(number);
        self.workers.push(worker);
    }

    /// SIGTERM, and waits until the worker has ended by itself.
    pub(crate) async fn stop_worker(&mut self, number: usize) {
        let mut worker = self.workers.remove(number);
        worker.terminate(READY).await.expect("the worker ends in time");
    }

    /// SIGKILL, and the same worker again.
    pub(crate) fn kill_worker(&mut self, number: usize) {
        self.workers[number].kill().expect("the worker runs");
        self.workers[number] = self.spawn_worker(number);
    }

    /// SIGKILL, and the same node again on its data.
    pub(crate) async fn kill_control_plane(&mut self) {
        self.lose_control_plane();
        self.start_control_plane().await;
    }

    /// SIGKILL.
    pub(crate) fn lose_control_plane(&mut self) {
        self.control_plane.kill().expect("the control plane runs");
    }

    /// The same node again on its data.
    pub(crate) async fn start_control_plane(&mut self) {
        self.starts += 1;
        let ports = (self.rest_port, self.grpc_port);
        self.control_plane = spawn_control_plane(self.folder.path(), ports, (self.starts, self.arguments));
        self.wait_plugins().await;
    }

    /// Runs kcctl over gRPC: its exit code, what it printed, and what it complained of.
    pub(crate) async fn kcctl(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut command =
            tokio::process::Command::new(binary("kcctl").expect("tests/run builds the binaries"));
        let cluster = format!("grpc://127.0.0.1:{}", self.grpc_port);
        let output = command.args(["--cluster", &cluster]).args(arguments).output();
        let output = output.await.expect("kcctl can be started");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    /// Everything that our processes have logged.
    pub(crate) fn logs(&self) -> String {
        let entries = std::fs::read_dir(self.folder.path()).expect("the folder is there");
        let logs = entries
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|e| e == "log"));
        logs.map(|log| std::fs::read_to_string(log).unwrap_or_default())
            .collect()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The control plane answers, and a worker has registered.
    async fn wait_plugins(&self) {
        let wanted = self.workers.len();
        let ready = || async {
            let Ok(answer) = reqwest::get(format!("{}/connector-plugins", self.rest.base)).await else {
                return false;
            };
            let plugins: serde_json::Value = answer.json().await.unwrap_or_default();
            wanted == 0 || plugins.as_array().is_some_and(|plugins| !plugins.is_empty())
        };
        wait_until("the control plane to know its workers' plugins", READY, ready)
            .await
            .unwrap_or_else(|error| {
                panic!("{error}\n{}", self.logs());
            });
    }

    fn spawn_worker(&mut self, number: usize) -> Process {
        self.starts += 1;
        let properties = self.file(&format!("worker-{number}.properties"));
        let text = format!(
            "bootstrap.servers={}\n\
             group.id=e2e\n\
             control.plane.endpoints=127.0.0.1:{}\n\
             worker.id=worker-{number}:8083\n\
             worker.labels=number={number}\n\
             worker.admin.listener=127.0.0.1:0\n\
             key.converter=org.apache.kafka.connect.json.JsonConverter\n\
             value.converter=org.apache.kafka.connect.json.JsonConverter\n\
             offset.flush.interval.ms=500\n\
             offset.storage.topic=connect-offsets\n\
             config.storage.topic=connect-configs\n\
             status.storage.topic=connect-status\n\
             {}",
            self.kafka, self.grpc_port, self.worker_lines
        );
        std::fs::write(&properties, text).expect("the folder can be written to");
        let mut command = Command::new(binary("towpath-worker").expect("tests/run builds the binaries"));
        command
            .arg(&properties)
            .env("NO_COLOR", "1")
            // As few on every machine: what holds up threads is seen.
            .env("TOKIO_WORKER_THREADS", "2")
            .env("TOWPATH_LOG", "debug,h2=info,hyper=info,tower=info");
        Process::spawn(
            command,
            self.file(&format!("worker-{number}-{}.log", self.starts)),
        )
        .expect("the worker starts")
    }
}

fn exactly_once_lines(support: &str, offsets_topic: &str) -> String {
    format!(
        "exactly.once.source.support={support}\n\
         offset.storage.topic={offsets_topic}\n\
         offset.storage.partitions=5\n\
         offset.storage.replication.factor=1\n"
    )
}

fn spawn_control_plane(
    folder: &Path,
    (rest, grpc): (u16, u16),
    (start, arguments): (usize, &[&str]),
) -> Process {
    let mut command = Command::new(binary("towpath-control-plane").expect("tests/run builds the binaries"));
    command
        .arg(format!("--rest-address=127.0.0.1:{rest}"))
        .arg(format!("--grpc-address=127.0.0.1:{grpc}"))
        .arg("--peer-address=127.0.0.1:0")
        .arg("--data-dir")
        .arg(folder.join("control-plane"))
        .args(arguments)
        .env("TOWPATH_LOG", "debug,h2=info,hyper=info,tower=info");
    Process::spawn(command, folder.join(format!("control-plane-{start}.log")))
        .expect("the control plane starts")
}
