//! A node's REST API.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use towpath_testkit::linearizable::Answer;

use super::{Change, Request, Told, VALUE, configuration, had_no_effect};

#[derive(Debug, Clone)]
pub struct Rest {
    client: reqwest::Client,
    base: String,
}

impl Rest {
    pub fn new(base: String) -> Self {
        Self {
            client: reqwest::Client::new(),
            base,
        }
    }

    /// The answer and its body, which is null if it is no JSON.
    ///
    /// # Errors
    /// When there is no answer.
    pub async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Value), reqwest::Error> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        Ok((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
    }

    pub(super) async fn ask(&self, request: &Request, template: &[(String, String)]) -> Told {
        let (method, path, body) = in_http(request, template);
        let (status, body) = match self.call(method, &path, body.as_ref()).await {
            Ok(answer) => answer,
            Err(error) if error.is_connect() => return Ok(Answer::Failed),
            Err(_) => return Ok(Answer::Unknown),
        };
        let message = body["message"].as_str().unwrap_or_default();
        match (status.as_u16(), &request.change) {
            (200, Change::Read) => Ok(Answer::Found(body[VALUE].as_str().map(str::to_owned))),
            (404, Change::Read) => Ok(Answer::Found(None)),
            (200..300, _) => Ok(Answer::Done),
            (404, Change::Patch(_) | Change::Delete) => Ok(Answer::Refused),
            (409, Change::Create(_)) if message.contains("already exists") => Ok(Answer::Refused),
            (409, _) if message.contains("stale configuration") => Ok(Answer::Failed),
            (503, _) if had_no_effect(message) => Ok(Answer::Failed),
            (500 | 503, _) => Ok(Answer::Unknown),
            _ => Err(format!("{status}: {body}")),
        }
    }
}

fn in_http(request: &Request, template: &[(String, String)]) -> (Method, String, Option<Value>) {
    let name = &request.connector;
    let config = format!("/connectors/{name}/config");
    match &request.change {
        Change::Create(value) => {
            let document = json!({ "name": name, "config": configuration(template, value) });
            (Method::POST, "/connectors".to_owned(), Some(document))
        }
        Change::Put(value) => (Method::PUT, config, Some(json!(configuration(template, value)))),
        Change::Patch(value) => (Method::PATCH, config, Some(json!({ VALUE: value }))),
        Change::Delete => (Method::DELETE, format!("/connectors/{name}"), None),
        Change::Read | Change::ReadTarget => (Method::GET, config, None),
        Change::SetTarget(target) => {
            let verb = match *target {
                "PAUSED" => "pause",
                "STOPPED" => "stop",
                _ => "resume",
            };
            (Method::PUT, format!("/connectors/{name}/{verb}"), None)
        }
    }
}
