//! A control plane of several nodes, and a worker that knows all of them.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use towpath_testkit::{Process, binary, free_port, wait_until};

use crate::rest::Rest;

pub(crate) const READY: Duration = Duration::from_secs(30);

/// Of the REST API, for clients and workers, and for the other nodes.
type Ports = [u16; 3];

pub(crate) struct Node {
    pub(crate) number: usize,
    pub(crate) rest: Rest,
    pub(crate) grpc_port: u16,
    pub(crate) process: Process,
    ports: Ports,
}

/// Dropping it kills everything.
pub(crate) struct Group {
    pub(crate) nodes: Vec<Node>,
    worker: Process,
    folder: TempDir,
    arguments: Vec<String>,
}

impl Group {
    /// Three nodes that begin together.
    pub(crate) async fn start(kafka: &str) -> Self {
        Self::launch(kafka, |_| None).await
    }

    /// The same, with the files of the first one limited to so many blocks of 512 bytes.
    pub(crate) async fn start_limited(kafka: &str, blocks: u32) -> Self {
        Self::launch(kafka, |number| (number == 1).then_some(blocks)).await
    }

    async fn launch(kafka: &str, limit: impl Fn(usize) -> Option<u32>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ports: Vec<Ports> = (0..3).map(|_| [(); 3].map(|()| free_port().unwrap())).collect();
        let members: Vec<String> = ports
            .iter()
            .zip(1..)
            .map(|([_, grpc, peer], number)| format!("{number}=127.0.0.1:{peer}/{grpc}"))
            .collect();
        let arguments = vec![format!("--initial-members={}", members.join(","))];
        let numbered = ports.iter().zip(1..);
        let nodes = numbered.map(|(ports, number)| {
            let command = limited(limit(number));
            spawn_node(command, folder.path(), (number, *ports), &arguments)
        });
        let nodes = nodes.collect();
        let worker = spawn_worker(folder.path(), kafka, &ports);
        let group = Self {
            nodes,
            worker,
            folder,
            arguments,
        };
        for node in &group.nodes {
            node.wait_plugins().await;
        }
        group
    }

    /// One more node, on the same machine, with these arguments.
    pub(crate) fn spawn(&self, number: usize, arguments: &[String]) -> Node {
        let ports = [(); 3].map(|()| free_port().unwrap());
        spawn_node(control_plane(), self.folder.path(), (number, ports), arguments)
    }

    /// The process of this node is gone, and starts again on its data.
    pub(crate) fn restart(&mut self, index: usize) {
        let Node { number, ports, .. } = self.nodes[index];
        self.start_again(index, (number, ports), &self.arguments.clone());
    }

    /// The same with other arguments.
    pub(crate) fn restart_with(&mut self, index: usize, arguments: &[String]) {
        let Node { number, ports, .. } = self.nodes[index];
        let arguments = [&self.arguments[..], arguments].concat();
        self.start_again(index, (number, ports), &arguments);
    }

    fn start_again(&mut self, index: usize, numbered: (usize, Ports), arguments: &[String]) {
        self.nodes[index] = spawn_node(control_plane(), self.folder.path(), numbered, arguments);
    }

    /// The index of the node that leads.
    pub(crate) async fn leading(&self) -> usize {
        let number = self.leader().await;
        let found = self.nodes.iter().position(|node| node.number == number);
        found.expect("the leader is one of the nodes")
    }

    /// The number of the node that leads, as the nodes see it.
    pub(crate) async fn leader(&self) -> usize {
        let leader = || {
            let members = self.nodes.iter().find_map(kcctl_members)?;
            let leader = members
                .into_iter()
                .find(|member| member["leader"] == json!(true))?;
            usize::try_from(leader["node"].as_u64()?).ok()
        };
        let is_led = || async { leader().ok_or_else(|| "there is none".to_owned()) };
        wait_until("a leader", READY, is_led).await.unwrap()
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where this node keeps its data.
    pub(crate) fn data(&self, index: usize) -> PathBuf {
        self.path(&format!("node-{}", self.nodes[index].number))
    }

    /// What the worker has logged.
    pub(crate) fn worker_log(&self) -> String {
        self.worker.output().expect("the worker's log can be read")
    }
}

impl Node {
    pub(crate) async fn wait_plugins(&self) {
        let ready = || async {
            let Ok(answer) = reqwest::get(format!("{}/connector-plugins", self.rest.base)).await else {
                return false;
            };
            let plugins: Value = answer.json().await.unwrap_or_default();
            plugins.as_array().is_some_and(|plugins| !plugins.is_empty())
        };
        let waited = wait_until("the node to know the plugins", READY, ready).await;
        waited.unwrap_or_else(|error| panic!("{error}\n{}", self.log()));
    }

    pub(crate) fn log(&self) -> String {
        self.process.output().expect("the node's log can be read")
    }
}

fn control_plane() -> Command {
    Command::new(binary("towpath-control-plane").expect("tests/run builds the binaries"))
}

/// A limit on the size of files stands for a full disk: writes fail in the same way.
fn limited(blocks: Option<u32>) -> Command {
    let Some(blocks) = blocks else {
        return control_plane();
    };
    let mut command = Command::new("sh");
    let script = format!(r#"trap "" XFSZ; ulimit -f {blocks}; exec "$0" "$@""#);
    command.arg("-c").arg(script).arg(control_plane().get_program());
    command
}

fn spawn_node(
    mut command: Command,
    folder: &Path,
    (number, ports): (usize, Ports),
    arguments: &[String],
) -> Node {
    let [rest, grpc, peer] = ports;
    command
        .arg(format!("--node-id={number}"))
        .arg(format!("--rest-address=127.0.0.1:{rest}"))
        .arg(format!("--grpc-address=127.0.0.1:{grpc}"))
        .arg(format!("--peer-address=127.0.0.1:{peer}"))
        .arg("--data-dir")
        .arg(folder.join(format!("node-{number}")))
        .args(arguments)
        .env("NO_COLOR", "1");
    let log = folder.join(format!("node-{number}.log"));
    Node {
        number,
        rest: Rest::new(format!("http://127.0.0.1:{rest}")),
        grpc_port: grpc,
        process: Process::spawn(command, log).expect("the node starts"),
        ports,
    }
}

fn spawn_worker(folder: &Path, kafka: &str, ports: &[Ports]) -> Process {
    let endpoints: Vec<String> = ports
        .iter()
        .map(|[_, grpc, _]| format!("127.0.0.1:{grpc}"))
        .collect();
    let properties = folder.join("worker.properties");
    let text = format!(
        "bootstrap.servers={kafka}\ngroup.id=group\ncontrol.plane.endpoints={}\nworker.admin.listener=127.0.0.1:0\n\
         key.converter=org.apache.kafka.connect.storage.StringConverter\n\
         value.converter=org.apache.kafka.connect.storage.StringConverter\noffset.flush.interval.ms=500\n",
        endpoints.join(",")
    );
    std::fs::write(&properties, text).expect("the folder can be written to");
    let mut command = Command::new(binary("towpath-worker").expect("tests/run builds the binaries"));
    command.arg(&properties).env("NO_COLOR", "1");
    Process::spawn(command, folder.join("worker.log")).expect("the worker starts")
}

pub(crate) fn kcctl(node: &Node, arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(binary("kcctl").expect("tests/run builds the binaries"));
    command.arg(format!("--cluster=grpc://127.0.0.1:{}", node.grpc_port));
    command.args(arguments).output().expect("kcctl runs")
}

pub(crate) fn kcctl_members(node: &Node) -> Option<Vec<Value>> {
    let output = kcctl(node, &["cluster", "members", "-o", "json"]);
    output
        .status
        .success()
        .then(|| serde_json::from_slice(&output.stdout).expect("a JSON array"))
}

pub(crate) fn source(file: &str, topic: &str) -> Value {
    json!({ "connector.class": "FileStreamSource", "tasks.max": "1", "file": file, "topic": topic })
}
