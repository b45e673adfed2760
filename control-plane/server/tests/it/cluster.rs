//! A control plane on free ports, and its clients.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use towpath_raft::ClusterStore;
use towpath_server::{Config, ControlPlane, Group, RunError, Storage};
use towpath_types::NodeId;

use crate::worker::{ScriptedWorker, WorkerOptions};

const ANY_PORT: &str = "127.0.0.1:0";
/// Long enough for a machine that is busy with other tests.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);
/// Short, so that tests of its end are fast; long enough that a busy machine does not end it by itself.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

pub(crate) struct Cluster {
    pub(crate) rest: SocketAddr,
    pub(crate) grpc: SocketAddr,
    client: reqwest::Client,
    shutdown: CancellationToken,
    node: JoinSet<Result<(), RunError>>,
}

impl Cluster {
    pub(crate) async fn in_memory() -> Self {
        Self::start(Storage::Memory).await
    }

    pub(crate) async fn on_disk(data_dir: &Path) -> Self {
        let data_dir = data_dir.to_owned();
        Self::start(Storage::Disk {
            data_dir,
            node: NodeId(1),
            peer_address: ANY_PORT.to_owned(),
            advertised_host: None,
            group: Group::Alone,
        })
        .await
    }

    pub(crate) async fn on(store: Arc<dyn ClusterStore>) -> Self {
        Self::start(Storage::Given(store)).await
    }

    async fn start(storage: Storage) -> Self {
        let config = Config {
            rest_address: ANY_PORT.to_owned(),
            grpc_address: ANY_PORT.to_owned(),
            storage,
            lease: LEASE,
            ..Config::in_memory()
        };
        let shutdown = CancellationToken::new();
        let running = ControlPlane::start(config, shutdown.clone()).await.unwrap();
        let (rest, grpc) = (running.rest_address, running.grpc_address);
        let mut node = JoinSet::new();
        node.spawn(running.join());
        Self {
            rest,
            grpc,
            client: reqwest::Client::new(),
            shutdown,
            node,
        }
    }

    /// With one worker that has every recorded plugin.
    pub(crate) async fn with_worker() -> (Self, ScriptedWorker) {
        let cluster = Self::in_memory().await;
        let worker = cluster.join("worker-1:8083").await;
        (cluster, worker)
    }

    pub(crate) async fn join(&self, id: &str) -> ScriptedWorker {
        ScriptedWorker::start(self.grpc, WorkerOptions::named(id)).await
    }

    pub(crate) async fn stop(mut self) {
        self.shutdown.cancel();
        self.node.join_next().await.unwrap().unwrap().unwrap();
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.rest)
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path).send().await.unwrap()).await
    }

    pub(crate) async fn send(&self, method: Method, path: &str) -> Answer {
        Answer::of(self.request(method, path).send().await.unwrap()).await
    }

    pub(crate) async fn send_json(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.send_text(method, path, body.to_string()).await
    }

    pub(crate) async fn send_text(
        &self,
        method: Method,
        path: &str,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        let request = self
            .request(method, path)
            .header("Content-Type", "application/json")
            .body(body);
        Answer::of(request.send().await.unwrap()).await
    }

    pub(crate) async fn create(&self, name: &str) -> Answer {
        self.send_json(
            Method::POST,
            "/connectors",
            &json!({"name": name, "config": source_config()}),
        )
        .await
    }

    /// Waits until the answer to a GET is as wanted.
    pub(crate) async fn wait_for(&self, path: &str, is_wanted: impl Fn(&Answer) -> bool) -> Answer {
        let begun = tokio::time::Instant::now();
        loop {
            let answer = self.get(path).await;
            if is_wanted(&answer) {
                return answer;
            }
            assert!(begun.elapsed() < DEADLINE, "{path} still answers {answer:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until the connector and so many tasks are RUNNING.
    pub(crate) async fn wait_until_running(&self, name: &str, tasks: usize) -> Answer {
        self.wait_for(&format!("/connectors/{name}/status"), |answer| {
            let states = answer.body["tasks"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            answer.body["connector"]["state"] == "RUNNING"
                && states.len() == tasks
                && states.iter().all(|task| task["state"] == "RUNNING")
        })
        .await
    }
}

pub(crate) fn source_config() -> Value {
    json!({"connector.class": "FileStreamSource", "tasks.max": "1", "file": "/data/in.txt", "topic": "rec-topic"})
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
    /// Null if it is no JSON.
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Self {
            status,
            headers,
            text,
            body,
        }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    /// Status and message of an error, which has no other members.
    #[track_caller]
    pub(crate) fn assert_error(&self, status: u16, message: &str) {
        assert_eq!((self.status.as_u16(), self.message()), (status, message));
        assert_eq!(self.body, json!({"error_code": status, "message": message}));
        assert_eq!(self.header("content-type"), Some("application/json"));
    }
}
