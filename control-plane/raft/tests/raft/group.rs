//! Nodes that talk over loopback sockets.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::sync::CancellationToken;
use tonic::transport::Server;
use towpath_raft::{ClusterStore as _, Member, RaftConfig, RaftStore, Reads as _, StoreError};
use towpath_types::NodeId;

use crate::support::{must_put, put, show_logs, value, wait_until};

pub(crate) struct Node {
    config: RaftConfig,
    store: Arc<RaftStore>,
    server: JoinSet<()>,
    stop: CancellationToken,
}

impl Node {
    pub(crate) async fn start(config: RaftConfig, listener: TcpListener) -> Self {
        Self::start_without(config, listener, &[]).await
    }

    /// Of an older version, which does not know these messages.
    pub(crate) async fn start_without(
        config: RaftConfig,
        listener: TcpListener,
        unknown: &'static [&'static str],
    ) -> Self {
        let store = Arc::new(RaftStore::open(config.clone()).await.unwrap());
        let stop = CancellationToken::new();
        let mut server = JoinSet::new();
        let forget = move |mut request: http::Request<tonic::body::Body>| {
            if unknown
                .iter()
                .any(|message| request.uri().path().ends_with(message))
            {
                *request.uri_mut() = http::Uri::from_static("/towpath.v1.RaftPeers/Unheard");
            }
            request
        };
        let serving = Server::builder()
            .layer(tower::util::MapRequestLayer::new(forget))
            .add_service(store.peer_service())
            .serve_with_incoming_shutdown(TcpListenerStream::new(listener), stop.clone().cancelled_owned());
        server.spawn(async move { serving.await.unwrap() });
        Self {
            config,
            store,
            server,
            stop,
        }
    }

    /// Nobody reaches it any more, and it reaches nobody.
    async fn kill(mut self) -> RaftConfig {
        self.server.shutdown().await;
        self.store.shutdown().await;
        self.config
    }
}

pub(crate) struct Group {
    nodes: BTreeMap<u64, Node>,
    _dirs: Vec<TempDir>,
}

impl Group {
    pub(crate) async fn of_three(adjust: impl Fn(&mut RaftConfig)) -> Self {
        Self::of(3, adjust).await
    }

    pub(crate) async fn of(count: u64, adjust: impl Fn(&mut RaftConfig)) -> Self {
        Self::of_mixed(count, adjust, |_| &[]).await
    }

    /// Some of them do not know all messages.
    pub(crate) async fn of_mixed(
        count: u64,
        adjust: impl Fn(&mut RaftConfig),
        unknown: impl Fn(u64) -> &'static [&'static str],
    ) -> Self {
        let mut group = Self::of_none();
        let mut members = BTreeMap::new();
        for id in 1..=count {
            let (mut config, listener) = group.prepare(id).await;
            members.insert(NodeId(id), config.member.clone());
            adjust(&mut config);
            let node = Node::start_without(config, listener, unknown(id)).await;
            group.nodes.insert(id, node);
        }
        group.nodes[&1].store.form_group(members).await.unwrap();
        group
    }

    pub(crate) fn of_none() -> Self {
        show_logs();
        Self {
            nodes: BTreeMap::new(),
            _dirs: Vec::new(),
        }
    }

    /// A node that is not started yet.
    pub(crate) async fn prepare(&mut self, id: u64) -> (RaftConfig, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let member = Member {
            peer_address: listener.local_addr().unwrap().to_string(),
            api_address: format!("api-of-node-{id}"),
        };
        let dir = TempDir::new().unwrap();
        let mut config = RaftConfig::new(NodeId(id), member, dir.path());
        self._dirs.push(dir);
        // All of them share a machine with whatever else runs on it.
        config.timing.heartbeat = Duration::from_millis(300);
        config.timing.silence = Duration::from_millis(2_000);
        (config, listener)
    }

    pub(crate) async fn start(&mut self, (config, listener): (RaftConfig, TcpListener)) {
        let id = config.node.get();
        self.nodes.insert(id, Node::start(config, listener).await);
    }

    pub(crate) fn peer_address(&self, id: u64) -> &str {
        &self.nodes[&id].config.member.peer_address
    }

    pub(crate) fn store(&self, id: u64) -> &RaftStore {
        &self.nodes[&id].store
    }

    /// Whom all running nodes hold for the leader.
    pub(crate) async fn leader(&self) -> u64 {
        let mut found = None;
        wait_until("one leader", async || {
            let mut seen = self.nodes.values().map(|node| {
                let metrics = node.store.metrics().borrow().clone();
                metrics.leader.map(|leader| leader.node.get())
            });
            found = seen.next().flatten().filter(|id| self.nodes.contains_key(id));
            found.is_some() && seen.all(|other| other == found)
        })
        .await;
        found.unwrap()
    }

    /// Retries while the group elects.
    pub(crate) async fn put(&self, name: &str, content: &str) {
        wait_until("a write", async || {
            let leader = self.leader().await;
            matches!(self.store(leader).propose(put(name, content)).await, Ok(Ok(_)))
        })
        .await;
    }

    pub(crate) async fn everywhere(&self, name: &str, expected: &str) {
        for node in self.nodes.values() {
            wait_until("replication", async || {
                value(&*node.store, name).as_deref() == Some(expected)
            })
            .await;
        }
    }

    /// One node that leads itself.
    pub(crate) async fn of_one() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let member = Member {
            peer_address: listener.local_addr().unwrap().to_string(),
            api_address: "api-of-node-1".to_owned(),
        };
        let dir = TempDir::new().unwrap();
        let node = Node::start(RaftConfig::new(NodeId(1), member.clone(), dir.path()), listener).await;
        node.store.form_group([(NodeId(1), member)].into()).await.unwrap();
        let mut group = Self::of_none();
        group.add(node, dir);
        group.leader().await;
        group
    }

    pub(crate) fn add(&mut self, node: Node, dir: TempDir) {
        self.nodes.insert(node.config.node.get(), node);
        self._dirs.push(dir);
    }

    pub(crate) fn others(&self, than: u64) -> Vec<u64> {
        self.nodes.keys().copied().filter(|id| *id != than).collect()
    }

    pub(crate) async fn kill(&mut self, id: u64) {
        self.nodes.remove(&id).unwrap().kill().await;
    }

    /// For a restart.
    pub(crate) async fn take(&mut self, id: u64) -> RaftConfig {
        self.nodes.remove(&id).unwrap().kill().await
    }

    /// Nobody reaches the node any more, but it reaches the others.
    pub(crate) async fn deafen(&mut self, id: u64) {
        let node = self.nodes.get_mut(&id).unwrap();
        node.stop.cancel();
        node.server.join_next().await.unwrap().unwrap();
    }

    pub(crate) async fn hear_again(&mut self, id: u64) {
        let node = self.nodes.get_mut(&id).unwrap();
        let listener = TcpListener::bind(&node.config.member.peer_address).await.unwrap();
        node.stop = CancellationToken::new();
        let serving = Server::builder()
            .add_service(node.store.peer_service())
            .serve_with_incoming_shutdown(
                TcpListenerStream::new(listener),
                node.stop.clone().cancelled_owned(),
            );
        node.server.spawn(async move { serving.await.unwrap() });
    }

    pub(crate) async fn restart(&mut self, config: RaftConfig) {
        let mut listener = None;
        wait_until("the port is free", async || {
            listener = TcpListener::bind(&config.member.peer_address).await.ok();
            listener.is_some()
        })
        .await;
        let id = config.node.get();
        self.nodes
            .insert(id, Node::start(config, listener.unwrap()).await);
    }

    pub(crate) async fn stop(self) {
        for (_, node) in self.nodes {
            node.stop.cancel();
            node.kill().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_elect_replicate_and_go_on_without_their_leader() {
    let mut group = Group::of_three(|_| {}).await;
    let first = group.leader().await;
    for number in 0..10 {
        must_put(group.store(first), &format!("c{number}"), "1").await;
    }
    group.everywhere("c9", "1").await;

    let dead = group.nodes.remove(&first).unwrap().kill().await;
    let second = group.leader().await;
    assert_ne!(second, first);
    group.put("c9", "2").await;
    assert_eq!(group.store(second).read(|state| state.list().len()).await, Ok(10));

    // The dead one comes back with its disk, follows, and learns what it has missed.
    group.restart(dead).await;
    group.everywhere("c9", "2").await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_names_the_leader_and_reads_only_what_it_has() {
    let group = Group::of_three(|_| {}).await;
    let leader = group.leader().await;
    must_put(group.store(leader), "orders", "1").await;
    let follower = *group.nodes.keys().find(|id| **id != leader).unwrap();
    let error = group
        .store(follower)
        .propose(put("orders", "2"))
        .await
        .unwrap_err();
    let StoreError::NotLeader {
        leader: Some(named), ..
    } = &error
    else {
        panic!("{error}")
    };
    assert_eq!(
        (named.node, named.api_address.as_str()),
        (NodeId(leader), &*format!("api-of-node-{leader}"))
    );
    let read = group.store(follower).ensure_linearizable().await;
    assert!(matches!(read, Err(StoreError::NotLeader { .. })));
    group.everywhere("orders", "1").await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_majority_nothing_is_acknowledged_and_nothing_hangs() {
    let mut group = Group::of_three(|config| config.timing.quorum = Duration::from_secs(1)).await;
    let leader = group.leader().await;
    must_put(group.store(leader), "orders", "1").await;
    let others: Vec<u64> = group.nodes.keys().copied().filter(|id| *id != leader).collect();
    let mut dead = Vec::new();
    for other in others {
        dead.push(group.nodes.remove(&other).unwrap().kill().await);
    }
    let store = group.store(leader);
    let write = store.propose(put("orders", "2")).await.unwrap_err();
    assert!(
        matches!(write, StoreError::NoQuorum { .. } | StoreError::NotLeader { .. }),
        "{write}"
    );
    let read = store.ensure_linearizable().await.unwrap_err();
    assert!(
        matches!(read, StoreError::NoQuorum { .. } | StoreError::NotLeader { .. }),
        "{read}"
    );
    assert_eq!(
        value(store, "orders").as_deref(),
        Some("1"),
        "what is not committed is not seen"
    );
    wait_until(
        "a leader that nobody hears to call itself one no more",
        async || {
            let metrics = store.metrics().borrow().clone();
            !metrics.is_leader() && metrics.leader.is_none()
        },
    )
    .await;
    for config in dead {
        group.restart(config).await;
    }
    group.put("orders", "3").await;
    group.everywhere("orders", "3").await;
    group.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_missed_what_was_purged_gets_a_snapshot() {
    let mut group = Group::of_three(|config| {
        config.log.snapshot_every = 20;
        config.log.keep = 2;
    })
    .await;
    let leader = group.leader().await;
    let lagging = *group.nodes.keys().find(|id| **id != leader).unwrap();
    let dead = group.nodes.remove(&lagging).unwrap().kill().await;
    // More than one part of a snapshot.
    let padding = "x".repeat(300_000);
    let mut number = 0;
    wait_until("the log is purged", async || {
        group
            .put(&format!("c{}", number % 8), &format!("{number}{padding}"))
            .await;
        number += 1;
        group.store(group.leader().await).metrics().borrow().purged_index > Some(30)
    })
    .await;
    group.put("last", "1").await;
    group.restart(dead).await;
    group.everywhere("last", "1").await;
    assert!(group.store(lagging).metrics().borrow().snapshot_index > Some(30));
    let states: Vec<_> = group
        .nodes
        .values()
        .map(|node| node.store.read_local(Clone::clone))
        .collect();
    assert!(states.windows(2).all(|pair| pair[0] == pair[1]));
    group.stop().await;
}
