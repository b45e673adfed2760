//! A control plane of three nodes: any of them takes any request, and losing one loses nothing.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use towpath_testkit::{Process, Service, Services, binary, free_port, wait_until};

use crate::rest::Rest;

const READY: Duration = Duration::from_secs(30);

struct Node {
    rest: Rest,
    grpc_port: u16,
    process: Process,
}

/// Three nodes and a worker that knows all of them.
struct Group {
    nodes: Vec<Node>,
    _worker: Process,
    folder: TempDir,
}

impl Group {
    async fn start(kafka: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let ports: Vec<[u16; 3]> = (0..3).map(|_| [(); 3].map(|()| free_port().unwrap())).collect();
        let members: Vec<String> = ports
            .iter()
            .enumerate()
            .map(|(index, [_, grpc, peer])| format!("{}=127.0.0.1:{peer}/{grpc}", index + 1))
            .collect();
        let start = |(index, ports): (usize, &[u16; 3])| {
            let number = index + 1;
            let own = [format!("--initial-members={}", members.join(","))];
            spawn_node(folder.path(), number, *ports, &own)
        };
        let nodes = ports.iter().enumerate().map(start).collect();
        let worker = spawn_worker(folder.path(), kafka, &ports);
        let group = Self {
            nodes,
            _worker: worker,
            folder,
        };
        for node in &group.nodes {
            node.wait_plugins().await;
        }
        group
    }

    /// The number of the node that leads, as another sees it.
    async fn leader(&self) -> usize {
        let mut found = None;
        wait_until("a leader", READY, || async {
            kcctl_members(&self.nodes[0])
                .or_else(|| kcctl_members(&self.nodes[1]))
                .is_some_and(|members| members.iter().any(|member| member["leader"] == json!(true)))
        })
        .await
        .unwrap();
        for node in &self.nodes {
            found = found.or_else(|| kcctl_members(node));
        }
        let members = found.expect("a node answers");
        let leader = members.iter().find(|member| member["leader"] == json!(true));
        usize::try_from(leader.unwrap()["node"].as_u64().unwrap()).unwrap()
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

impl Node {
    async fn wait_plugins(&self) {
        let ready = || async {
            let Ok(answer) = reqwest::get(format!("{}/connector-plugins", self.rest.base)).await else {
                return false;
            };
            let plugins: Value = answer.json().await.unwrap_or_default();
            plugins.as_array().is_some_and(|plugins| !plugins.is_empty())
        };
        wait_until("the node to know the plugins", READY, ready)
            .await
            .unwrap();
    }
}

fn spawn_node(folder: &Path, number: usize, [rest, grpc, peer]: [u16; 3], own: &[String]) -> Node {
    let mut command = Command::new(binary("towpath-control-plane").expect("tests/run builds the binaries"));
    command
        .arg(format!("--node-id={number}"))
        .arg(format!("--rest-address=127.0.0.1:{rest}"))
        .arg(format!("--grpc-address=127.0.0.1:{grpc}"))
        .arg(format!("--peer-address=127.0.0.1:{peer}"))
        .arg("--data-dir")
        .arg(folder.join(format!("node-{number}")))
        .args(own);
    let log = folder.join(format!("node-{number}.log"));
    Node {
        rest: Rest::new(format!("http://127.0.0.1:{rest}")),
        grpc_port: grpc,
        process: Process::spawn(command, log).expect("the node starts"),
    }
}

fn spawn_worker(folder: &Path, kafka: &str, ports: &[[u16; 3]]) -> Process {
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
    command.arg(&properties);
    Process::spawn(command, folder.join("worker.log")).expect("the worker starts")
}

fn kcctl(node: &Node, arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(binary("kcctl").expect("tests/run builds the binaries"));
    command.arg(format!("--cluster=grpc://127.0.0.1:{}", node.grpc_port));
    command.args(arguments).output().expect("kcctl runs")
}

fn kcctl_members(node: &Node) -> Option<Vec<Value>> {
    let output = kcctl(node, &["cluster", "members", "-o", "json"]);
    output
        .status
        .success()
        .then(|| serde_json::from_slice(&output.stdout).expect("a JSON array"))
}

fn source(file: &str, topic: &str) -> Value {
    json!({ "connector.class": "FileStreamSource", "tasks.max": "1", "file": file, "topic": topic })
}

#[tokio::test(flavor = "multi_thread")]
async fn any_node_takes_any_request_and_a_killed_leader_loses_nothing() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let mut group = Group::start(services.kafka_bootstrap()).await;
    std::fs::write(group.file("in.txt"), "one\n").unwrap();

    // Each node creates one, and shows those of the others at once.
    for number in 0..3 {
        let config = source(&group.file("in.txt"), &format!("group-{number}"));
        let name = format!("source-{number}");
        let rest = &group.nodes[number].rest;
        rest.create(&name, config.clone()).await;
        for node in &group.nodes {
            let mut expected = config.clone();
            expected["name"] = json!(name);
            assert_eq!(
                node.rest.get(&format!("/connectors/{name}/config")).await,
                expected
            );
        }
        rest.wait_running(&name, 1).await;
    }

    let leader = group.leader().await;
    group.nodes[leader - 1].process.kill().unwrap();
    group.nodes.remove(leader - 1);
    // A request that may be repeated waits for the new leader; it does not fail.
    let config = source(&group.file("in.txt"), "group-3");
    let path = "/connectors/source-3/config";
    let (status, body) = group.nodes[0].rest.call(Method::PUT, path, Some(&config)).await;
    assert_eq!(status, StatusCode::CREATED, "{body}");
    for node in &group.nodes {
        assert_eq!(
            node.rest.get("/connectors").await,
            json!(["source-0", "source-1", "source-2", "source-3"])
        );
    }
    group.nodes[1].rest.wait_running("source-3", 1).await;
    group.nodes[1].rest.wait_running("source-0", 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_node_is_replaced_by_one_that_joins_unattended() {
    let services = Services::require(&[Service::Kafka]).await.unwrap();
    let mut group = Group::start(services.kafka_bootstrap()).await;
    let dead = group.leader().await;
    group.nodes[dead - 1].process.kill().unwrap();
    group.nodes.remove(dead - 1);

    let ports = [(); 3].map(|()| free_port().unwrap());
    let join = [format!("--join=127.0.0.1:{}", group.nodes[0].grpc_port)];
    let joining = spawn_node(group.folder.path(), 4, ports, &join);
    wait_until("the new node to have a vote", READY, || async {
        kcctl_members(&group.nodes[0]).is_some_and(|members| {
            members
                .iter()
                .any(|member| member["node"] == json!(4) && member["votes"] == json!(true))
        })
    })
    .await
    .unwrap();
    let removed = kcctl(&joining, &["cluster", "remove", &dead.to_string()]);
    assert!(
        removed.status.success(),
        "{}",
        String::from_utf8_lossy(&removed.stderr)
    );
    assert_eq!(kcctl_members(&joining).unwrap().len(), 3);
    std::fs::write(group.file("in.txt"), "one\n").unwrap();
    let config = source(&group.file("in.txt"), "group-joined");
    joining.rest.create("through-the-new-node", config).await;
    joining.rest.wait_running("through-the-new-node", 1).await;
}
