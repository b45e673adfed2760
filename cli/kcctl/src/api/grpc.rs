//! The gRPC API of Towpath.

use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use serde_json::{Map, Value};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use towpath_types::ConnectorConfig;
use towpath_wire::v1;
use towpath_wire::v1::cluster_client::ClusterClient;
use towpath_wire::v1::connectors_client::ConnectorsClient;
use towpath_wire::v1::plugins_client::PluginsClient;

use super::error::root_cause;
use super::model::{ConfigInfos, ConnectorInfo, ConnectorStatus, Offsets, Plugin, ServerInfo, TaskConfig};
use super::{
    ApiError, Backup, CONNECT_TIMEOUT, Change, Cluster, Member, MemberChange, NewConnector, Patience,
    RestartTasks, Worker, WorkerUnit,
};
use crate::target::{Credentials, Target};

mod convert;

/// The list of thousands of connectors is larger than gRPC's default.
const MAX_ANSWER_BYTES: usize = 256 << 20;

pub(super) struct Grpc {
    connectors: ConnectorsClient<Channel>,
    plugins: PluginsClient<Channel>,
    cluster: ClusterClient<Channel>,
    channel: Channel,
    authorization: Option<MetadataValue<Ascii>>,
    patience: Patience,
}

impl Grpc {
    pub(super) async fn connect(target: &Target, patience: Patience) -> Result<Self, ApiError> {
        let broken = |cause| ApiError::Connect {
            url: target.shown.clone(),
            cause,
        };
        let address = target.url.as_str().replacen("grpc://", "http://", 1);
        let endpoint = Endpoint::from_shared(address)
            .map_err(|error| broken(root_cause(&error)))?
            .connect_timeout(CONNECT_TIMEOUT);
        let channel = patience
            .run(async || {
                endpoint
                    .connect()
                    .await
                    .map_err(|error| broken(root_cause(&error)))
            })
            .await?;
        Ok(Self {
            connectors: ConnectorsClient::new(channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES),
            plugins: PluginsClient::new(channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES),
            cluster: ClusterClient::new(channel.clone()).max_decoding_message_size(MAX_ANSWER_BYTES),
            channel,
            authorization: target.credentials.as_ref().and_then(authorization),
            patience,
        })
    }

    /// For a client of a further service.
    pub(super) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub(super) fn url(&self) -> &str {
        self.patience.url()
    }

    pub(super) fn timeout(&self) -> Duration {
        self.patience.timeout()
    }

    /// One request, with as many attempts as patience allows.
    pub(super) async fn ask<Q: Clone, A>(
        &self,
        message: Q,
        call: impl AsyncFn(Request<Q>) -> Result<Response<A>, Status>,
    ) -> Result<A, ApiError> {
        self.patience
            .run(async || {
                let mut request = Request::new(message.clone());
                if let Some(authorization) = &self.authorization {
                    request
                        .metadata_mut()
                        .insert("authorization", authorization.clone());
                }
                call(request)
                    .await
                    .map(Response::into_inner)
                    .map_err(|status| self.refused(&status))
            })
            .await
    }

    fn refused(&self, status: &Status) -> ApiError {
        let url = self.patience.url().to_owned();
        if let Some(cause) = std::error::Error::source(status) {
            return ApiError::Lost {
                url,
                cause: root_cause(cause),
            };
        }
        let code = match status.code() {
            Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => 400,
            Code::Unauthenticated => 401,
            Code::PermissionDenied => 403,
            Code::NotFound => 404,
            Code::AlreadyExists | Code::Aborted => 409,
            Code::Unavailable | Code::ResourceExhausted => 503,
            Code::Unimplemented => {
                return ApiError::Foreign {
                    url,
                    what: format!("it has no such gRPC method: {}", status.message()),
                };
            }
            Code::Ok
            | Code::Cancelled
            | Code::Unknown
            | Code::DeadlineExceeded
            | Code::Internal
            | Code::DataLoss => 500,
        };
        ApiError::refused(code, status.message())
    }

    fn foreign(&self, error: &serde_json::Error) -> ApiError {
        ApiError::Foreign {
            url: self.patience.url().to_owned(),
            what: error.to_string(),
        }
    }
}

fn authorization(credentials: &Credentials) -> Option<MetadataValue<Ascii>> {
    let Credentials { username, password } = credentials;
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{username}:{password}"));
    let mut value: MetadataValue<Ascii> = format!("Basic {encoded}").parse().ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[async_trait(?Send)]
impl Cluster for Grpc {
    async fn info(&self) -> Result<ServerInfo, ApiError> {
        let answer = self
            .ask(v1::GetInfoRequest {}, async |r| {
                self.cluster.clone().get_info(r).await
            })
            .await?;
        Ok(answer.into())
    }

    async fn names(&self) -> Result<Vec<String>, ApiError> {
        let request = v1::ListConnectorsRequest {
            with_status: false,
            with_info: false,
        };
        let answer = self
            .ask(request, async |r| self.connectors.clone().list(r).await)
            .await?;
        Ok(answer
            .connectors
            .into_iter()
            .map(|connector| connector.name)
            .collect())
    }

    async fn statuses(&self) -> Result<Vec<ConnectorStatus>, ApiError> {
        let request = v1::ListConnectorsRequest {
            with_status: true,
            with_info: false,
        };
        let answer = self
            .ask(request, async |r| self.connectors.clone().list(r).await)
            .await?;
        Ok(answer
            .connectors
            .into_iter()
            .filter_map(|entry| entry.status)
            .map(Into::into)
            .collect())
    }

    async fn connector(&self, name: &str) -> Result<ConnectorInfo, ApiError> {
        let request = v1::GetConnectorRequest {
            name: name.to_owned(),
        };
        Ok(self
            .ask(request, async |r| self.connectors.clone().get(r).await)
            .await?
            .into())
    }

    async fn status(&self, name: &str) -> Result<ConnectorStatus, ApiError> {
        let request = v1::GetConnectorStatusRequest {
            name: name.to_owned(),
        };
        Ok(self
            .ask(request, async |r| self.connectors.clone().get_status(r).await)
            .await?
            .into())
    }

    async fn task_configs(&self, name: &str) -> Result<Vec<TaskConfig>, ApiError> {
        let request = v1::ListTasksRequest {
            name: name.to_owned(),
        };
        let answer = self
            .ask(request, async |r| self.connectors.clone().list_tasks(r).await)
            .await?;
        Ok(convert::task_configs(name, answer))
    }

    async fn topics(&self, name: &str) -> Result<Vec<String>, ApiError> {
        let request = v1::GetTopicsRequest {
            name: name.to_owned(),
        };
        Ok(self
            .ask(request, async |r| self.connectors.clone().get_topics(r).await)
            .await?
            .topics)
    }

    async fn offsets(&self, name: &str) -> Result<Offsets, ApiError> {
        let request = v1::GetOffsetsRequest {
            name: name.to_owned(),
        };
        let answer = self
            .ask(request, async |r| self.connectors.clone().get_offsets(r).await)
            .await?;
        answer.try_into().map_err(|error| self.foreign(&error))
    }

    async fn alter_offsets(&self, name: &str, offsets: &Offsets) -> Result<String, ApiError> {
        let request = v1::AlterOffsetsRequest {
            name: name.to_owned(),
            offsets: offsets.offsets.iter().map(Into::into).collect(),
        };
        Ok(self
            .ask(request, async |r| self.connectors.clone().alter_offsets(r).await)
            .await?
            .message)
    }

    async fn reset_offsets(&self, name: &str) -> Result<String, ApiError> {
        let request = v1::ResetOffsetsRequest {
            name: name.to_owned(),
        };
        Ok(self
            .ask(request, async |r| self.connectors.clone().reset_offsets(r).await)
            .await?
            .message)
    }

    async fn create(&self, connector: &NewConnector) -> Result<(), ApiError> {
        let state = connector
            .initial_state
            .map_or(v1::TargetState::Unspecified, v1::TargetState::from);
        let request = v1::CreateConnectorRequest {
            name: connector.name.clone(),
            config: Some((&connector.config).into()),
            initial_state: state.into(),
        };
        self.ask(request, async |r| self.connectors.clone().create(r).await)
            .await?;
        Ok(())
    }

    async fn put_config(&self, name: &str, config: &ConnectorConfig) -> Result<bool, ApiError> {
        let request = v1::PutConfigRequest {
            name: name.to_owned(),
            config: Some(config.into()),
        };
        Ok(self
            .ask(request, async |r| self.connectors.clone().put_config(r).await)
            .await?
            .created)
    }

    async fn patch_config(&self, name: &str, patch: &ConnectorConfig) -> Result<(), ApiError> {
        let request = v1::PatchConfigRequest {
            name: name.to_owned(),
            patch: Some(patch.into()),
        };
        self.ask(request, async |r| self.connectors.clone().patch_config(r).await)
            .await?;
        Ok(())
    }

    async fn change(&self, name: &str, change: Change) -> Result<(), ApiError> {
        let name = name.to_owned();
        match change {
            Change::Pause => {
                self.ask(v1::PauseConnectorRequest { name }, async |r| {
                    self.connectors.clone().pause(r).await
                })
                .await?;
            }
            Change::Resume => {
                self.ask(v1::ResumeConnectorRequest { name }, async |r| {
                    self.connectors.clone().resume(r).await
                })
                .await?;
            }
            Change::Stop => {
                self.ask(v1::StopConnectorRequest { name }, async |r| {
                    self.connectors.clone().stop(r).await
                })
                .await?;
            }
            Change::Delete => {
                self.ask(v1::DeleteConnectorRequest { name }, async |r| {
                    self.connectors.clone().delete(r).await
                })
                .await?;
            }
        }
        Ok(())
    }

    async fn restart(&self, name: &str, tasks: RestartTasks) -> Result<Option<ConnectorStatus>, ApiError> {
        let request = v1::RestartConnectorRequest {
            name: name.to_owned(),
            include_tasks: tasks != RestartTasks::None,
            only_failed: tasks == RestartTasks::Failed,
        };
        let answer = self
            .ask(request, async |r| self.connectors.clone().restart(r).await)
            .await?;
        Ok(answer.status.map(Into::into))
    }

    async fn restart_task(&self, name: &str, task: u32) -> Result<(), ApiError> {
        let request = v1::RestartTaskRequest {
            name: name.to_owned(),
            task,
        };
        self.ask(request, async |r| self.connectors.clone().restart_task(r).await)
            .await?;
        Ok(())
    }

    async fn plugins(&self) -> Result<Vec<Plugin>, ApiError> {
        let request = v1::ListPluginsRequest {
            connectors_only: false,
        };
        let answer = self
            .ask(request, async |r| self.plugins.clone().list(r).await)
            .await?;
        Ok(answer.plugins.into_iter().map(Into::into).collect())
    }

    async fn plugin_keys(&self, name: &str) -> Result<Vec<Map<String, Value>>, ApiError> {
        let request = v1::DescribePluginRequest {
            name: name.to_owned(),
        };
        let answer = self
            .ask(request, async |r| self.plugins.clone().describe(r).await)
            .await?;
        serde_json::from_str(&answer.keys_json).map_err(|error| self.foreign(&error))
    }

    async fn validate(&self, plugin: &str, config: &ConnectorConfig) -> Result<ConfigInfos, ApiError> {
        let request = v1::ValidateRequest {
            plugin: plugin.to_owned(),
            config: Some(config.into()),
        };
        let answer = self
            .ask(request, async |r| self.plugins.clone().validate(r).await)
            .await?;
        serde_json::from_str(&answer.config_infos_json).map_err(|error| self.foreign(&error))
    }

    async fn workers(&self) -> Result<Vec<Worker>, ApiError> {
        self.list_workers().await
    }

    async fn worker(&self, name: &str) -> Result<(Worker, Vec<WorkerUnit>), ApiError> {
        self.get_worker(name).await
    }

    async fn set_draining(&self, name: &str, draining: bool) -> Result<(), ApiError> {
        self.drain_worker(name, draining).await
    }

    async fn members(&self) -> Result<Vec<Member>, ApiError> {
        self.list_members().await
    }

    async fn change_members(&self, change: MemberChange) -> Result<(), ApiError> {
        self.make_change(change).await
    }

    async fn backup(&self) -> Result<Backup, ApiError> {
        self.save().await
    }
}
