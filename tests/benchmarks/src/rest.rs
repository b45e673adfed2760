//! The REST API that both systems have.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::Outcome;

/// A request that takes longer has gone wrong; the API itself answers or refuses sooner.
const LIMIT: Duration = Duration::from_secs(60);

/// A REST API of Kafka Connect.
#[derive(Clone)]
pub(crate) struct Rest {
    client: reqwest::Client,
    base: String,
}

impl Rest {
    pub(crate) fn new(base: String) -> Self {
        Self {
            client: reqwest::Client::new(),
            base,
        }
    }

    /// A request and its answer; a body that is no JSON is null.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Outcome<(StatusCode, Value)> {
        let mut request = self
            .client
            .request(method, format!("{}{path}", self.base))
            .timeout(LIMIT);
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        Ok((status, answer.json().await.unwrap_or(Value::Null)))
    }

    pub(crate) async fn get(&self, path: &str) -> Option<Value> {
        let answer = self
            .client
            .get(format!("{}{path}", self.base))
            .send()
            .await
            .ok()?;
        if answer.status().is_success() {
            answer.json().await.ok()
        } else {
            None
        }
    }

    pub(crate) async fn create(&self, name: &str, config: &Value) -> Outcome<()> {
        let document = json!({ "name": name, "config": config });
        let answer = self
            .client
            .post(format!("{}/connectors", self.base))
            .json(&document)
            .send()
            .await?;
        if answer.status() == StatusCode::CREATED {
            return Ok(());
        }
        Err(format!("the connector was refused: {}", answer.text().await?).into())
    }

    pub(crate) async fn delete(&self, name: &str) -> Outcome<()> {
        self.client
            .delete(format!("{}/connectors/{name}", self.base))
            .send()
            .await?
            .error_for_status()?;
        Ok(())
    }

    /// The trace of a task that has failed.
    pub(crate) async fn failure(&self, name: &str) -> Option<String> {
        let status = self.get(&format!("/connectors/{name}/status")).await?;
        let tasks = status["tasks"].as_array()?.clone();
        tasks
            .iter()
            .find_map(|task| task["trace"].as_str().map(str::to_owned))
    }
}
