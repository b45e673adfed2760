//! The REST API of Kafka Connect; works against any server that has it.

use async_trait::async_trait;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::{Client, Method, StatusCode};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use towpath_types::ConnectorConfig;

use super::Backup;
use super::error::root_cause;
use super::model::{ConfigInfos, ConnectorInfo, ConnectorStatus, Offsets, Plugin, ServerInfo, TaskConfig};
use super::{
    ApiError, CONNECT_TIMEOUT, Change, Cluster, Member, MemberChange, NewConnector, Patience, RestartTasks,
    Worker, WorkerUnit,
};
use crate::target::{Credentials, Target};

/// What stays as it is in a path: RFC 3986's unreserved characters.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

const REFUSED_PATH: &str = "the server refused the request itself (HTTP 400): plain Kafka Connect takes no `/`, `%` or `\\` in a name";

pub(super) struct Rest {
    client: Client,
    /// Without a slash at the end.
    base: String,
    credentials: Option<Credentials>,
    patience: Patience,
}

struct Answer {
    status: StatusCode,
    body: Vec<u8>,
}

#[derive(Deserialize)]
struct ErrorBody {
    #[serde(default)]
    message: Option<String>,
}

#[derive(Deserialize)]
struct Expanded {
    status: Option<ConnectorStatus>,
}

#[derive(Deserialize)]
struct Topics {
    topics: Vec<String>,
}

impl Rest {
    fn needs_grpc(&self, what: &'static str) -> ApiError {
        let url = self.patience.url().to_owned();
        ApiError::NeedsGrpc { url, what }
    }

    pub(super) fn new(target: &Target, patience: Patience) -> Result<Self, ApiError> {
        let base = target.url.as_str().trim_end_matches('/').to_owned();
        // Proxies are for the internet; kcctl has always gone straight to its cluster.
        let client = Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .build();
        let client = client.map_err(|error| ApiError::Connect {
            url: target.shown.clone(),
            cause: root_cause(&error),
        })?;
        Ok(Self {
            client,
            base,
            credentials: target.credentials.clone(),
            patience,
        })
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, ApiError> {
        self.patience
            .run(async || self.attempt(method.clone(), path, body).await)
            .await
    }

    async fn attempt(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, ApiError> {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(Credentials { username, password }) = &self.credentials {
            request = request.basic_auth(username, Some(password));
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| self.broken(&error))?;
        let status = response.status();
        let body = response
            .bytes()
            .await
            .map_err(|error| self.broken(&error))?
            .to_vec();
        if status.is_success() {
            Ok(Answer { status, body })
        } else {
            Err(self.refused(status, &body))
        }
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        let answer = self.send(Method::GET, path, None).await?;
        self.parse(&answer.body)
    }

    fn parse<T: DeserializeOwned>(&self, body: &[u8]) -> Result<T, ApiError> {
        serde_json::from_slice(body).map_err(|error| ApiError::Foreign {
            url: self.patience.url().to_owned(),
            what: error.to_string(),
        })
    }

    fn refused(&self, status: StatusCode, body: &[u8]) -> ApiError {
        match serde_json::from_slice(body) {
            Ok(ErrorBody { message }) => {
                ApiError::refused(status.as_u16(), message.as_deref().unwrap_or("no message"))
            }
            // The authentication of Connect answers in plain text.
            Err(_) if status == StatusCode::UNAUTHORIZED => ApiError::Unauthorized,
            // Its web server answers for itself, with a page.
            Err(_) if status == StatusCode::BAD_REQUEST => ApiError::refused(400, REFUSED_PATH),
            Err(_) => ApiError::Foreign {
                url: self.patience.url().to_owned(),
                what: format!("HTTP {status}"),
            },
        }
    }

    fn broken(&self, error: &reqwest::Error) -> ApiError {
        let (url, cause) = (self.patience.url().to_owned(), root_cause(error));
        if error.is_connect() {
            ApiError::Connect { url, cause }
        } else {
            ApiError::Lost { url, cause }
        }
    }
}

fn connector_path(name: &str, rest: &str) -> String {
    format!("/connectors/{}{rest}", utf8_percent_encode(name, ENCODED))
}

#[derive(Deserialize)]
struct Message {
    message: String,
}

fn plugin_path(name: &str, rest: &str) -> String {
    format!("/connector-plugins/{}{rest}", utf8_percent_encode(name, ENCODED))
}

#[async_trait(?Send)]
impl Cluster for Rest {
    async fn info(&self) -> Result<ServerInfo, ApiError> {
        self.get("/").await
    }

    async fn names(&self) -> Result<Vec<String>, ApiError> {
        self.get("/connectors").await
    }

    async fn statuses(&self) -> Result<Vec<ConnectorStatus>, ApiError> {
        let expanded: std::collections::BTreeMap<String, Expanded> =
            self.get("/connectors?expand=status").await?;
        Ok(expanded.into_values().filter_map(|entry| entry.status).collect())
    }

    async fn connector(&self, name: &str) -> Result<ConnectorInfo, ApiError> {
        self.get(&connector_path(name, "")).await
    }

    async fn status(&self, name: &str) -> Result<ConnectorStatus, ApiError> {
        self.get(&connector_path(name, "/status")).await
    }

    async fn task_configs(&self, name: &str) -> Result<Vec<TaskConfig>, ApiError> {
        self.get(&connector_path(name, "/tasks")).await
    }

    async fn topics(&self, name: &str) -> Result<Vec<String>, ApiError> {
        let by_name: std::collections::BTreeMap<String, Topics> =
            self.get(&connector_path(name, "/topics")).await?;
        Ok(by_name.into_values().flat_map(|entry| entry.topics).collect())
    }

    async fn offsets(&self, name: &str) -> Result<Offsets, ApiError> {
        self.get(&connector_path(name, "/offsets")).await
    }

    async fn alter_offsets(&self, name: &str, offsets: &Offsets) -> Result<String, ApiError> {
        let path = connector_path(name, "/offsets");
        let answer = self.send(Method::PATCH, &path, Some(&json!(offsets))).await?;
        Ok(self.parse::<Message>(&answer.body)?.message)
    }

    async fn reset_offsets(&self, name: &str) -> Result<String, ApiError> {
        let path = connector_path(name, "/offsets");
        let answer = self.send(Method::DELETE, &path, None).await?;
        Ok(self.parse::<Message>(&answer.body)?.message)
    }

    async fn create(&self, connector: &NewConnector) -> Result<(), ApiError> {
        let mut body = json!({"name": connector.name, "config": connector.config});
        if let (Some(state), Some(members)) = (connector.initial_state, body.as_object_mut()) {
            members.insert("initial_state".to_owned(), state.as_str().into());
        }
        self.send(Method::POST, "/connectors", Some(&body)).await?;
        Ok(())
    }

    async fn put_config(&self, name: &str, config: &ConnectorConfig) -> Result<bool, ApiError> {
        let answer = self
            .send(
                Method::PUT,
                &connector_path(name, "/config"),
                Some(&json!(config)),
            )
            .await?;
        Ok(answer.status == StatusCode::CREATED)
    }

    async fn patch_config(&self, name: &str, patch: &ConnectorConfig) -> Result<(), ApiError> {
        let path = connector_path(name, "/config");
        match self.send(Method::PATCH, &path, Some(&json!(patch))).await {
            // A server before Kafka 3.8 has no such request.
            Err(ApiError::Refused { status: 405, .. }) => {
                let mut config: Map<String, Value> = self.get(&path).await?;
                for (key, value) in patch.iter() {
                    match value {
                        Some(value) => config.insert(key.to_owned(), value.into()),
                        None => config.shift_remove(key),
                    };
                }
                self.send(Method::PUT, &path, Some(&Value::Object(config)))
                    .await?;
            }
            result => {
                result?;
            }
        }
        Ok(())
    }

    async fn change(&self, name: &str, change: Change) -> Result<(), ApiError> {
        let (method, rest) = match change {
            Change::Pause => (Method::PUT, "/pause"),
            Change::Resume => (Method::PUT, "/resume"),
            Change::Stop => (Method::PUT, "/stop"),
            Change::Delete => (Method::DELETE, ""),
        };
        self.send(method, &connector_path(name, rest), None).await?;
        Ok(())
    }

    async fn restart(&self, name: &str, tasks: RestartTasks) -> Result<Option<ConnectorStatus>, ApiError> {
        let query = match tasks {
            RestartTasks::None => "/restart",
            RestartTasks::All => "/restart?includeTasks=true&onlyFailed=false",
            RestartTasks::Failed => "/restart?includeTasks=true&onlyFailed=true",
        };
        let answer = self
            .send(Method::POST, &connector_path(name, query), None)
            .await?;
        if answer.body.is_empty() {
            Ok(None)
        } else {
            self.parse(&answer.body).map(Some)
        }
    }

    async fn restart_task(&self, name: &str, task: u32) -> Result<(), ApiError> {
        self.send(
            Method::POST,
            &connector_path(name, &format!("/tasks/{task}/restart")),
            None,
        )
        .await?;
        Ok(())
    }

    async fn plugins(&self) -> Result<Vec<Plugin>, ApiError> {
        self.get("/connector-plugins?connectorsOnly=false").await
    }

    async fn plugin_keys(&self, name: &str) -> Result<Vec<Map<String, Value>>, ApiError> {
        self.get(&plugin_path(name, "/config")).await
    }

    async fn validate(&self, plugin: &str, config: &ConnectorConfig) -> Result<ConfigInfos, ApiError> {
        let path = plugin_path(plugin, "/config/validate");
        let answer = self.send(Method::PUT, &path, Some(&json!(config))).await?;
        self.parse(&answer.body)
    }

    async fn workers(&self) -> Result<Vec<Worker>, ApiError> {
        Err(self.needs_grpc("listing workers"))
    }

    async fn worker(&self, _name: &str) -> Result<(Worker, Vec<WorkerUnit>), ApiError> {
        Err(self.needs_grpc("describing a worker"))
    }

    async fn set_draining(&self, _name: &str, _draining: bool) -> Result<(), ApiError> {
        Err(self.needs_grpc("draining a worker"))
    }

    async fn members(&self) -> Result<Vec<Member>, ApiError> {
        Err(self.needs_grpc("listing the nodes of the control plane"))
    }

    async fn change_members(&self, _change: MemberChange) -> Result<(), ApiError> {
        Err(self.needs_grpc("changing the nodes of the control plane"))
    }

    async fn backup(&self) -> Result<Backup, ApiError> {
        Err(self.needs_grpc("a backup"))
    }
}
