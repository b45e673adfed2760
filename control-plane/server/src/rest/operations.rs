//! One function an operation: reads what it needs of the request, asks the application layer, shows the answer.

use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::value::RawValue;
use towpath_types::TargetState;

use super::body::{self, BodyError};
use super::entities::{
    ActiveTopics, ConnectorInfo, ConnectorOffset, ConnectorOffsets, ConnectorStateInfo, Message, PluginInfo,
    ServerInfo, TaskState, WorkerStatus, task_infos,
};
use super::path;
use super::query::Query;
use super::reply::{self, RestError};
use super::routes::{Operation, Parameters};
use crate::app::{
    ApiError, App, Created, Expansion, Health, ListedConnector, NewConnector, OffsetRequest, OffsetView,
    RestartOptions,
};

/// What the repository says about this API.
pub(super) const API_DESCRIPTION: &str = include_str!("../../openapi.json");

#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) app: &'a App,
    pub(super) parameters: Parameters,
    pub(super) query: Query,
    pub(super) host: String,
    pub(super) body: Bytes,
}

type Answer = Result<Response, RestError>;

pub(super) async fn run(operation: Operation, call: Call<'_>) -> Answer {
    match operation {
        Operation::ServerInfo => Ok(call.server_info()),
        Operation::Health => Ok(call.health().await),
        Operation::ApiDescription => Ok(reply::raw_json(StatusCode::OK, API_DESCRIPTION)),
        Operation::ListConnectors => call.list_connectors().await,
        Operation::CreateConnector => call.create_connector().await,
        Operation::GetConnector => Ok(reply::ok(&ConnectorInfo::from(&call.app.get(call.name()).await?))),
        Operation::DeleteConnector => {
            call.app.delete(call.name()).await?;
            Ok(reply::empty(StatusCode::NO_CONTENT))
        }
        Operation::GetConfig => Ok(reply::ok(&*call.app.get(call.name()).await?.config)),
        Operation::PutConfig => call.put_config().await,
        Operation::PatchConfig => call.patch_config().await,
        Operation::GetStatus => Ok(reply::ok(&ConnectorStateInfo::from(
            &call.app.status(call.name()).await?,
        ))),
        Operation::ListTasks => Ok(reply::ok(&task_infos(&call.app.tasks(call.name()).await?))),
        Operation::GetTaskStatus => call.task_status().await,
        Operation::RestartConnector => call.restart_connector().await,
        Operation::RestartTask => {
            call.app.restart_task(call.name(), call.task()?.into()).await?;
            Ok(reply::empty(StatusCode::NO_CONTENT))
        }
        Operation::PauseConnector => call.set_target(TargetState::Paused, StatusCode::ACCEPTED).await,
        Operation::ResumeConnector => call.set_target(TargetState::Running, StatusCode::ACCEPTED).await,
        Operation::StopConnector => {
            call.set_target(TargetState::Stopped, StatusCode::NO_CONTENT)
                .await
        }
        Operation::GetTopics => call.topics().await,
        Operation::ResetTopics => {
            call.app.reset_topics(call.name()).await?;
            Ok(reply::empty(StatusCode::ACCEPTED))
        }
        Operation::GetOffsets => call.offsets().await,
        Operation::AlterOffsets => {
            let changes = body::offsets(&call.body)?;
            call.change_offsets(OffsetRequest::Alter(changes)).await
        }
        Operation::ResetOffsets => call.change_offsets(OffsetRequest::Reset).await,
        Operation::ListPlugins => call.list_plugins().await,
        Operation::GetPluginConfig => {
            let keys = call
                .app
                .plugin_keys(call.name(), call.query.text("version"))
                .await?;
            Ok(reply::raw_json(StatusCode::OK, keys.get().to_owned()))
        }
        Operation::ValidateConfig => call.validate().await,
    }
}

impl Call<'_> {
    fn name(&self) -> &str {
        &self.parameters.name
    }

    fn task(&self) -> Result<i32, RestError> {
        self.parameters.task.ok_or(RestError::NoSuchPath)
    }

    fn server_info(&self) -> Response {
        let info = self.app.info();
        reply::ok(&ServerInfo {
            version: info.version,
            commit: info.commit,
            kafka_cluster_id: info.kafka_cluster_id.as_deref(),
            towpath_version: info.towpath_version,
        })
    }

    async fn health(&self) -> Response {
        let (code, status, message) = match self.app.health().await {
            Health::Healthy => (
                StatusCode::OK,
                "healthy",
                "Worker has completed startup and is ready to handle requests.",
            ),
            Health::Starting => (
                StatusCode::SERVICE_UNAVAILABLE,
                "starting",
                "Worker is still starting up.",
            ),
            Health::Unhealthy => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "unhealthy",
                "Worker was unable to handle this request and may be unable to handle other requests.",
            ),
        };
        reply::json(code, &WorkerStatus { status, message })
    }

    async fn list_connectors(&self) -> Answer {
        let wanted: Vec<&str> = self.query.all("expand").collect();
        let expansion = Expansion {
            info: wanted.contains(&"info"),
            status: wanted.contains(&"status"),
        };
        let listed = self.app.list(expansion).await?;
        if wanted.is_empty() {
            let names: Vec<_> = listed.iter().map(|one| &one.name).collect();
            return Ok(reply::ok(&names));
        }
        // A connector that nothing is known of yet is left out where its status is asked for.
        let shown = listed
            .iter()
            .filter(|one| !expansion.status || one.status.is_some());
        let entries: IndexMap<&str, IndexMap<&str, Expanded<'_>>> = shown
            .map(|one| (one.name.as_str(), expanded(one, &wanted)))
            .collect();
        Ok(reply::ok(&entries))
    }

    async fn create_connector(&self) -> Answer {
        let request = body::create_request(&self.body)?;
        let new = NewConnector {
            name: request.name,
            config: request.config,
            initial_state: request.initial_state,
        };
        let view = self.app.create(new).await?;
        Ok(reply::created(
            &self.location(view.name.as_str()),
            &ConnectorInfo::from(&view),
        ))
    }

    async fn put_config(&self) -> Answer {
        let (view, created) = self
            .app
            .put_config(self.name(), body::config(&self.body)?)
            .await?;
        Ok(match created {
            Created::Yes => reply::created(&self.location(view.name.as_str()), &ConnectorInfo::from(&view)),
            Created::No => reply::ok(&ConnectorInfo::from(&view)),
        })
    }

    async fn patch_config(&self) -> Answer {
        let patch = match body::config(&self.body) {
            Err(missing @ BodyError::Missing) => {
                // An unknown connector is the greater mistake.
                self.app.get(self.name()).await?;
                return Err(missing.into());
            }
            other => other?,
        };
        let view = self.app.patch_config(self.name(), &patch).await?;
        Ok(reply::ok(&ConnectorInfo::from(&view)))
    }

    async fn task_status(&self) -> Answer {
        let task = self.task()?;
        let status = self.app.task_status(self.name(), task).await?;
        Ok(reply::ok(&TaskState::new(task.unsigned_abs(), &status)))
    }

    async fn restart_connector(&self) -> Answer {
        let options = RestartOptions {
            include_tasks: self.query.flag("includeTasks", false),
            only_failed: self.query.flag("onlyFailed", false),
        };
        Ok(match self.app.restart(self.name(), options).await? {
            Some(status) => reply::json(StatusCode::ACCEPTED, &ConnectorStateInfo::from(&status)),
            None => reply::empty(StatusCode::NO_CONTENT),
        })
    }

    async fn set_target(&self, target: TargetState, done: StatusCode) -> Answer {
        self.app.set_target(self.name(), target).await?;
        Ok(reply::empty(done))
    }

    async fn topics(&self) -> Answer {
        let topics = self.app.topics(self.name()).await?;
        let entry = IndexMap::from([(self.name(), ActiveTopics { topics: &topics })]);
        Ok(reply::ok(&entry))
    }

    async fn offsets(&self) -> Answer {
        let offsets = self.app.offsets(self.name()).await?;
        let offsets = offsets
            .into_iter()
            .map(connector_offset)
            .collect::<Result<_, _>>()?;
        Ok(reply::ok(&ConnectorOffsets { offsets }))
    }

    async fn change_offsets(&self, request: OffsetRequest) -> Answer {
        let message = self.app.change_offsets(self.name(), request).await?;
        Ok(reply::ok(&Message { message: &message }))
    }

    async fn list_plugins(&self) -> Answer {
        let plugins = self.app.plugins(self.query.flag("connectorsOnly", true)).await?;
        let infos: Vec<PluginInfo<'_>> = plugins
            .iter()
            .map(|plugin| PluginInfo {
                class: &plugin.class,
                r#type: plugin.kind.as_str(),
                version: plugin.version.as_deref(),
            })
            .collect();
        Ok(reply::ok(&infos))
    }

    async fn validate(&self) -> Answer {
        let config = body::config(&self.body)?;
        let answer = self.app.validate(self.name(), &config).await?;
        Ok(reply::raw_json(StatusCode::OK, answer.config_infos_json))
    }

    /// Always `http`: TLS ends in front of this server.
    fn location(&self, name: &str) -> String {
        format!("http://{}/connectors/{}", self.host, path::encode(name))
    }
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Expanded<'a> {
    Info(Option<ConnectorInfo<'a>>),
    Status(ConnectorStateInfo<'a>),
}

/// The members in the order of the parameters.
fn expanded<'a>(listed: &'a ListedConnector, wanted: &[&str]) -> IndexMap<&'a str, Expanded<'a>> {
    let mut members = IndexMap::new();
    for expansion in wanted {
        match (*expansion, &listed.status) {
            ("info", _) => {
                members.insert("info", Expanded::Info(listed.info.as_ref().map(Into::into)));
            }
            ("status", Some(status)) => {
                members.insert("status", Expanded::Status(status.into()));
            }
            _ => {}
        }
    }
    members
}

fn connector_offset(view: OffsetView) -> Result<ConnectorOffset, ApiError> {
    let raw = |text: String| RawValue::from_string(text).map_err(|error| ApiError::Internal(Box::new(error)));
    Ok(ConnectorOffset {
        partition: raw(view.partition)?,
        offset: view.offset.map(raw).transpose()?,
    })
}
