//! A control plane and some workers, if any, each a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use towpath_testkit::{Process, binary, free_port, wait_until};

use crate::Outcome;
use crate::rest::Rest;

/// How long a process may take to be ready.
const READY: Duration = Duration::from_secs(60);

pub(crate) struct Node {
    pub(crate) rest: Rest,
    /// REST, gRPC, peers.
    ports: [u16; 3],
    /// `None` while it is down.
    pub(crate) process: Option<Process>,
}

/// The processes. Dropping it kills them.
pub(crate) struct Group {
    pub(crate) nodes: Vec<Node>,
    /// `None` while one is down.
    pub(crate) workers: Vec<Option<Process>>,
    folder: PathBuf,
    kafka: String,
    members: String,
}

impl Group {
    pub(crate) async fn start(kafka: &str, folder: &Path, nodes: usize, workers: usize) -> Outcome<Self> {
        let mut all = Vec::new();
        for _ in 0..nodes {
            let ports = [free_port()?, free_port()?, free_port()?];
            all.push(Node {
                rest: Rest::new(format!("http://127.0.0.1:{}", ports[0])),
                ports,
                process: None,
            });
        }
        let members = all.iter().enumerate().map(|(index, node)| {
            let [_, grpc, peer] = node.ports;
            format!("{}=127.0.0.1:{peer}/{grpc}", index + 1)
        });
        let members = members.collect::<Vec<_>>().join(",");
        let mut group = Self {
            nodes: all,
            workers: Vec::new(),
            folder: folder.to_owned(),
            kafka: kafka.to_owned(),
            members,
        };
        for node in 0..nodes {
            group.spawn_node(node)?;
        }
        for worker in 0..workers {
            let process = group.spawn_worker(worker)?;
            group.workers.push(Some(process));
        }
        for node in 0..nodes {
            group.wait_ready(node).await?;
        }
        for worker in 0..workers {
            group.wait_registered(worker).await?;
        }
        Ok(group)
    }

    fn spawn_node(&mut self, node: usize) -> Outcome<()> {
        let [rest, grpc, peer] = self.nodes[node].ports;
        let number = node + 1;
        let mut command = Command::new(binary("towpath-control-plane")?);
        command
            .arg(format!("--node-id={number}"))
            .arg(format!("--rest-address=127.0.0.1:{rest}"))
            .arg(format!("--grpc-address=127.0.0.1:{grpc}"))
            .arg(format!("--peer-address=127.0.0.1:{peer}"))
            .arg(format!("--initial-members={}", self.members))
            .arg("--data-dir")
            .arg(self.folder.join(format!("node-{number}")));
        let log = self.folder.join(format!("node-{number}.log"));
        self.nodes[node].process = Some(Process::spawn(command, log)?);
        Ok(())
    }

    fn spawn_worker(&self, worker: usize) -> Outcome<Process> {
        let endpoints: Vec<String> = self
            .nodes
            .iter()
            .map(|node| format!("127.0.0.1:{}", node.ports[1]))
            .collect();
        let properties = self.folder.join(format!("worker-{worker}.properties"));
        let text = format!(
            "bootstrap.servers={}\ngroup.id=bench\ncontrol.plane.endpoints={}\nworker.id={}\n\
             worker.admin.listener=127.0.0.1:0\n\
             key.converter=org.apache.kafka.connect.storage.StringConverter\n\
             value.converter=org.apache.kafka.connect.storage.StringConverter\n",
            self.kafka,
            endpoints.join(","),
            worker_id(worker),
        );
        std::fs::write(&properties, text)?;
        let mut command = Command::new(binary("towpath-worker")?);
        command.arg(&properties).env("NO_COLOR", "1");
        Ok(Process::spawn(
            command,
            self.folder.join(format!("worker-{worker}.log")),
        )?)
    }

    /// Until the node answers from a state that knows the workers, if there are any.
    async fn wait_ready(&self, node: usize) -> Outcome<()> {
        let rest = &self.nodes[node].rest;
        if self.workers.is_empty() {
            let answers = || async { rest.get("/connectors").await.is_some() };
            return Ok(wait_until("the node to answer", READY, answers).await?);
        }
        let knows_plugins = || async {
            let plugins = rest.get("/connector-plugins").await;
            plugins.is_some_and(|plugins| plugins.as_array().is_some_and(|plugins| !plugins.is_empty()))
        };
        Ok(wait_until("the node to answer", READY, knows_plugins).await?)
    }

    /// Until the group knows the worker.
    async fn wait_registered(&self, worker: usize) -> Outcome<()> {
        let id = worker_id(worker);
        let is_known = || async {
            self.ask("get workers -o json")
                .is_some_and(|text| text.contains(&id))
        };
        Ok(wait_until("the worker to be registered", READY, is_known).await?)
    }

    /// SIGKILL.
    pub(crate) fn kill_node(&mut self, node: usize) -> Outcome<()> {
        self.nodes[node].process = None;
        Ok(())
    }

    /// The same node again on its data.
    pub(crate) async fn start_node(&mut self, node: usize) -> Outcome<()> {
        self.spawn_node(node)?;
        self.wait_ready(node).await
    }

    /// SIGKILL.
    pub(crate) fn kill_worker(&mut self, worker: usize) {
        self.workers[worker] = None;
    }

    /// SIGTERM. Returns when it has ended.
    pub(crate) async fn stop_worker(&mut self, worker: usize) -> Outcome<()> {
        let process = self.workers[worker].as_mut().ok_or("the worker runs")?;
        process.terminate(READY).await?;
        self.workers[worker] = None;
        Ok(())
    }

    pub(crate) async fn start_worker(&mut self, worker: usize) -> Outcome<()> {
        self.workers[worker] = Some(self.spawn_worker(worker)?);
        self.wait_registered(worker).await
    }

    /// Nodes that are up.
    pub(crate) fn up(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| node.process.is_some())
    }

    /// Which node leads, as the first that answers sees it.
    pub(crate) fn leader(&self) -> Outcome<usize> {
        let text = self
            .ask("cluster members -o json")
            .ok_or("no node names its members")?;
        let members: Value = serde_json::from_str(&text)?;
        let mut members = members.as_array().into_iter().flatten();
        let leader = members.find(|member| member["leader"] == Value::Bool(true));
        let number = leader
            .and_then(|member| member["node"].as_u64())
            .ok_or("there is no leader")?;
        Ok(usize::try_from(number)? - 1)
    }

    /// What kcctl prints, asked of one node after another until one answers.
    fn ask(&self, arguments: &str) -> Option<String> {
        let program = binary("kcctl").ok()?;
        self.up().find_map(|node| {
            let mut command = Command::new(&program);
            command.arg(format!("--cluster=grpc://127.0.0.1:{}", node.ports[1]));
            let output = command.args(arguments.split(' ')).output().ok()?;
            output
                .status
                .success()
                .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
        })
    }

    /// The address for gRPC clients.
    pub(crate) fn grpc_url(&self, node: usize) -> String {
        format!("http://127.0.0.1:{}", self.nodes[node].ports[1])
    }

    /// The address for kcctl.
    pub(crate) fn grpc(&self, node: usize) -> String {
        format!("grpc://127.0.0.1:{}", self.nodes[node].ports[1])
    }

    /// How many lines of all workers' logs hold this text and not the other.
    pub(crate) fn logged(&self, text: &str, without: &str) -> Outcome<usize> {
        let mut count = 0;
        for worker in 0..self.workers.len() {
            let log = std::fs::read_to_string(self.folder.join(format!("worker-{worker}.log")))?;
            let lines = log
                .lines()
                .filter(|line| line.contains(text) && !line.contains(without));
            count += lines.count();
        }
        Ok(count)
    }
}

/// As statuses show it.
pub(crate) fn worker_id(worker: usize) -> String {
    format!("worker-{worker}:8083")
}
