//! Three nodes in this process: what the leader has to answer goes there from any of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::StatusCode;
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tonic::transport::Endpoint;
use towpath_raft::Member;
use towpath_server::{Chain, Config, ControlPlane, Group, RunError, Storage};
use towpath_testkit::{free_port, wait_until};
use towpath_types::NodeId;
use towpath_wire::v1;
use towpath_wire::v1::members_client::MembersClient;
use towpath_wire::v1::workers_client::WorkersClient;

use crate::cluster::{Answer, DEADLINE, source_config};
use crate::worker::{ScriptedWorker, WorkerOptions};

/// Nobody is expired while a test looks at him.
const LONG_LEASE: Duration = Duration::from_secs(600);
/// The one that begins the group leads it.
const LEADER: usize = 0;

struct Node {
    rest: SocketAddr,
    grpc: SocketAddr,
}

struct Trio {
    nodes: Vec<Node>,
    members: BTreeMap<NodeId, Member>,
    running: JoinSet<Result<(), RunError>>,
    shutdown: CancellationToken,
    _folder: TempDir,
}

impl Trio {
    async fn start() -> Self {
        Self::start_with(|member| member).await
    }

    /// What the others are told of the leader may be another thing than what is true.
    async fn start_with(leader: impl FnOnce(Member) -> Member) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ports: Vec<[u16; 2]> = (0..3).map(|_| [(); 2].map(|()| free_port().unwrap())).collect();
        let member = |[peer, grpc]: &[u16; 2]| Member {
            peer_address: format!("127.0.0.1:{peer}"),
            api_address: format!("127.0.0.1:{grpc}"),
        };
        let mut members: BTreeMap<NodeId, Member> = (1..).map(NodeId).zip(ports.iter().map(member)).collect();
        members.insert(NodeId(1), leader(member(&ports[LEADER])));
        let shutdown = CancellationToken::new();
        let (mut nodes, mut running) = (Vec::new(), JoinSet::new());
        for (number, [peer, grpc]) in (1..).zip(ports) {
            let config = Config {
                rest_address: "127.0.0.1:0".to_owned(),
                grpc_address: format!("127.0.0.1:{grpc}"),
                storage: Storage::Disk {
                    data_dir: folder.path().join(number.to_string()),
                    node: NodeId(number),
                    peer_address: format!("127.0.0.1:{peer}"),
                    advertised_host: None,
                    group: Group::Of(members.clone()),
                },
                lease: LONG_LEASE,
                ..Config::in_memory()
            };
            let node = ControlPlane::start(config, shutdown.clone()).await.unwrap();
            nodes.push(Node {
                rest: node.rest_address,
                grpc: node.grpc_address,
            });
            running.spawn(node.join());
        }
        let trio = Self {
            nodes,
            members,
            running,
            shutdown,
            _folder: folder,
        };
        wait_until("the leader to lead", DEADLINE, || trio.is_led())
            .await
            .unwrap();
        trio
    }

    async fn is_led(&self) -> bool {
        let channel = Endpoint::from_shared(format!("http://{}", self.nodes[LEADER].grpc)).unwrap();
        let mut members = MembersClient::new(channel.connect().await.unwrap());
        let Ok(listed) = members.list(v1::ListMembersRequest {}).await else {
            return false;
        };
        let leader = listed
            .into_inner()
            .members
            .into_iter()
            .find(|member| member.is_leader);
        leader.is_some_and(|leader| leader.node == 1)
    }

    async fn get(&self, node: usize, path: &str) -> Answer {
        let url = format!("http://{}{path}", self.nodes[node].rest);
        Answer::of(reqwest::get(url).await.unwrap()).await
    }

    /// The whole answer; clients refuse to send paths that long.
    async fn get_by_hand(&self, node: usize, path: &str) -> String {
        let mut stream = TcpStream::connect(self.nodes[node].rest).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    async fn create(&self, node: usize, name: &str) -> Answer {
        let url = format!("http://{}/connectors", self.nodes[node].rest);
        let document = json!({ "name": name, "config": source_config() });
        let request = reqwest::Client::new().post(url).json(&document);
        Answer::of(request.send().await.unwrap()).await
    }

    async fn workers(&self, node: usize) -> Vec<(String, v1::WorkerState)> {
        let endpoint = Endpoint::from_shared(format!("http://{}", self.nodes[node].grpc)).unwrap();
        let mut workers = WorkersClient::new(endpoint.connect().await.unwrap());
        let listed = workers
            .list(v1::ListWorkersRequest {})
            .await
            .unwrap()
            .into_inner();
        let state = |worker: v1::Worker| (worker.name.clone(), worker.state());
        listed.workers.into_iter().map(state).collect()
    }

    async fn stop(mut self) {
        self.shutdown.cancel();
        while let Some(ended) = self.running.join_next().await {
            ended.unwrap().unwrap();
        }
    }
}

/// Its others may be reached where it is not reached itself: the ports of the node that it was are taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_has_lost_its_data_directory_does_not_start_under_its_number() {
    let trio = Trio::start().await;
    for number in 2..=3 {
        let empty = tempfile::tempdir().unwrap();
        let config = Config {
            rest_address: "127.0.0.1:0".to_owned(),
            grpc_address: "127.0.0.1:0".to_owned(),
            storage: Storage::Disk {
                data_dir: empty.path().to_owned(),
                node: NodeId(number),
                peer_address: "127.0.0.1:0".to_owned(),
                advertised_host: None,
                group: Group::Of(trio.members.clone()),
            },
            lease: LONG_LEASE,
            ..Config::in_memory()
        };
        let refused = ControlPlane::start(config, CancellationToken::new()).await;
        let reason = Chain(&refused.unwrap_err()).to_string();
        assert!(
            reason.contains(&format!("the data directory of node {number} is another one")),
            "{reason}"
        );
        assert!(
            reason.contains(&format!("`kcctl cluster remove {number}`")),
            "{reason}"
        );
    }
    trio.stop().await;
}

/// Connects, as a port of a process that has just died may, and hears nothing.
async fn hanging_up() -> (SocketAddr, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut task = JoinSet::new();
    task.spawn(async move {
        loop {
            drop(listener.accept().await.unwrap());
        }
    });
    (address, task)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_silent_is_silent_on_every_node() {
    let trio = Trio::start().await;
    let options = WorkerOptions {
        lease: LONG_LEASE,
        ..WorkerOptions::named("worker-1:8083")
    };
    let worker = ScriptedWorker::start(trio.nodes[LEADER].grpc, options).await;
    for node in 0..3 {
        let live = ("worker-1:8083".to_owned(), v1::WorkerState::Live);
        wait_until("the worker to be live", DEADLINE, || async {
            trio.workers(node).await == [live.clone()]
        })
        .await
        .unwrap();
    }
    worker.crash();
    for node in 0..3 {
        let silent = ("worker-1:8083".to_owned(), v1::WorkerState::Silent);
        wait_until("the worker to be silent", DEADLINE, || async {
            trio.workers(node).await == [silent.clone()]
        })
        .await
        .unwrap();
    }
    trio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_too_long_to_be_sent_on_is_refused_and_answered_by_the_leader() {
    let trio = Trio::start().await;
    let path = format!("/connectors/{}/config", "x".repeat(65_500));
    let refused = trio.get_by_hand(1, &path).await;
    assert!(refused.starts_with("HTTP/1.1 414 "), "{refused}");
    let why = "The path of the request cannot be sent on to the leader of the control plane (uri too long): make it \
               shorter, or ask the leader itself";
    assert!(refused.contains(why), "{refused}");
    let answered = trio.get_by_hand(LEADER, &path).await;
    assert!(answered.starts_with("HTTP/1.1 404 "), "{answered}");
    trio.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leader_that_hangs_up_is_not_asked_for_ever() {
    let (address, _listening) = hanging_up().await;
    let trio = Trio::start_with(|member| Member {
        api_address: address.to_string(),
        ..member
    })
    .await;
    let lost = "The leader of the control plane went away before it answered, so the change may or may not be made: look, \
                then try again";
    // Asked again until the patience is over.
    let read = trio.get(1, "/connectors").await;
    read.assert_error(503, lost);
    // Not asked again: it may have been carried out.
    let write = trio.create(1, "orders").await;
    assert_eq!(write.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(write.message(), lost);
    assert!(write.header("retry-after").is_some());
    trio.stop().await;
}
