//! The REST API as a client with curl has it.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use towpath_testkit::wait_until;

/// How long a connector may take to be where it is wanted, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Debug)]
pub(crate) struct Rest {
    client: reqwest::Client,
    pub(crate) base: String,
}

impl Rest {
    pub(crate) fn new(base: String) -> Self {
        Self {
            client: reqwest::Client::new(),
            base,
        }
    }

    /// A request and its answer; a body that is no JSON is null.
    pub(crate) async fn call(&self, method: Method, path: &str, body: Option<&Value>) -> (StatusCode, Value) {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.expect("the REST API answers");
        let status = answer.status();
        (status, answer.json().await.unwrap_or(Value::Null))
    }

    pub(crate) async fn post_text(&self, path: &str, body: &str) -> (StatusCode, Value) {
        let request = self
            .client
            .post(format!("{}{path}", self.base))
            .header("Content-Type", "application/json");
        let answer = request
            .body(body.to_owned())
            .send()
            .await
            .expect("the REST API answers");
        (answer.status(), answer.json().await.unwrap_or(Value::Null))
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.call(Method::GET, path, None).await;
        assert!(status.is_success(), "GET {path} answered {status}: {body}");
        body
    }

    /// Creates a connector that is fine.
    pub(crate) async fn create(&self, name: &str, config: Value) {
        let document = json!({ "name": name, "config": config });
        let (status, body) = self.call(Method::POST, "/connectors", Some(&document)).await;
        assert_eq!(status, StatusCode::CREATED, "{name}: {body}");
    }

    /// The state of the connector and of its tasks; `None` while there is no status.
    pub(crate) async fn states(&self, name: &str) -> Option<(String, Vec<String>)> {
        let (status, body) = self
            .call(Method::GET, &format!("/connectors/{name}/status"), None)
            .await;
        if !status.is_success() {
            return None;
        }
        let state = |unit: &Value| unit["state"].as_str().unwrap_or_default().to_owned();
        let tasks = body["tasks"].as_array().cloned().unwrap_or_default();
        Some((state(&body["connector"]), tasks.iter().map(state).collect()))
    }

    /// Waits until the connector and this many tasks are RUNNING.
    pub(crate) async fn wait_running(&self, name: &str, tasks: usize) {
        let wanted = Some(("RUNNING".to_owned(), vec!["RUNNING".to_owned(); tasks]));
        let what = format!("connector {name} with {tasks} tasks to be RUNNING");
        let waited = wait_until(&what, PATIENCE, || async { self.states(name).await == wanted }).await;
        if let Err(error) = waited {
            panic!(
                "{error}; status: {}",
                self.get(&format!("/connectors/{name}/status")).await
            );
        }
    }

    /// The traces of what has failed.
    pub(crate) async fn traces(&self, name: &str) -> String {
        let body = self.get(&format!("/connectors/{name}/status")).await;
        let tasks = body["tasks"].as_array().cloned().unwrap_or_default();
        let all = std::iter::once(&body["connector"]).chain(&tasks);
        all.filter_map(|unit| unit["trace"].as_str())
            .collect::<Vec<_>>()
            .join("\n")
    }
}
