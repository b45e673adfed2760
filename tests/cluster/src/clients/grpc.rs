//! A node's gRPC API.

use std::collections::BTreeMap;
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status};
use towpath_testkit::linearizable::Answer;
use towpath_wire::v1;
use towpath_wire::v1::connectors_client::ConnectorsClient;

use super::{Change, Request, Told, VALUE, configuration, had_no_effect};

/// Of a channel to a node that is away: so that it is there again soon after the node is.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Of the requests that no user makes.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub struct Grpc {
    client: ConnectorsClient<Channel>,
}

impl Grpc {
    /// # Errors
    /// When the address is none.
    pub fn new(address: &str) -> Result<Self, tonic::transport::Error> {
        let endpoint = Endpoint::from_shared(format!("http://{address}"))?.connect_timeout(CONNECT_TIMEOUT);
        Ok(Self {
            client: ConnectorsClient::new(endpoint.connect_lazy()),
        })
    }

    /// All connectors with their states.
    ///
    /// # Errors
    /// As the node answers.
    pub async fn list(&self) -> Result<Vec<v1::ListedConnector>, Status> {
        let request = v1::ListConnectorsRequest {
            with_status: true,
            with_info: true,
        };
        let answer = self.client.clone().list(limited(request)).await?;
        Ok(answer.into_inner().connectors)
    }

    /// One that is gone already is fine.
    ///
    /// # Errors
    /// As the node answers.
    pub async fn delete(&self, name: &str) -> Result<(), Status> {
        let name = name.to_owned();
        let request = v1::DeleteConnectorRequest { name };
        match self.client.clone().delete(limited(request)).await {
            Err(status) if status.code() != Code::NotFound => Err(status),
            _ => Ok(()),
        }
    }

    pub(super) async fn ask(&self, request: &Request, template: &[(String, String)]) -> Told {
        match self.call(request, template).await {
            Ok(answer) => Ok(answer),
            Err(status) => match (status.code(), &request.change) {
                (Code::NotFound, Change::Read) => Ok(Answer::Found(None)),
                (Code::NotFound, Change::Patch(_) | Change::Delete)
                | (Code::AlreadyExists, Change::Create(_)) => Ok(Answer::Refused),
                (Code::Aborted, _) => Ok(Answer::Failed),
                (Code::Unavailable, _) if was_not_sent(&status) || had_no_effect(status.message()) => {
                    Ok(Answer::Failed)
                }
                (
                    Code::NotFound | Code::AlreadyExists | Code::InvalidArgument | Code::PermissionDenied,
                    _,
                ) => Err(status.to_string()),
                _ => Ok(Answer::Unknown),
            },
        }
    }

    async fn call(&self, request: &Request, template: &[(String, String)]) -> Result<Answer<String>, Status> {
        let mut client = self.client.clone();
        let name = request.connector.clone();
        match &request.change {
            Change::Create(value) => {
                let config = Some(wire(configuration(template, value)));
                let initial_state = v1::TargetState::Running.into();
                client
                    .create(v1::CreateConnectorRequest {
                        name,
                        config,
                        initial_state,
                    })
                    .await?;
            }
            Change::Put(value) => {
                let config = Some(wire(configuration(template, value)));
                client.put_config(v1::PutConfigRequest { name, config }).await?;
            }
            Change::Patch(value) => {
                let patch = Some(wire(BTreeMap::from([(VALUE.to_owned(), value.clone())])));
                client
                    .patch_config(v1::PatchConfigRequest { name, patch })
                    .await?;
            }
            Change::Delete => drop(client.delete(v1::DeleteConnectorRequest { name }).await?),
            Change::SetTarget("PAUSED") => drop(client.pause(v1::PauseConnectorRequest { name }).await?),
            Change::SetTarget("STOPPED") => drop(client.stop(v1::StopConnectorRequest { name }).await?),
            Change::SetTarget(_) => drop(client.resume(v1::ResumeConnectorRequest { name }).await?),
            Change::Read => {
                let found = client.get(v1::GetConnectorRequest { name }).await?.into_inner();
                return Ok(Answer::Found(value_of(found)));
            }
            Change::ReadTarget => {
                let found = client.get(v1::GetConnectorRequest { name }).await?.into_inner();
                let target = found.target_state().as_str_name().replace("TARGET_STATE_", "");
                return Ok(Answer::Found(Some(target)));
            }
        }
        Ok(Answer::Done)
    }
}

/// The node could not be connected to.
fn was_not_sent(status: &Status) -> bool {
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        if error.is::<tonic::ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn limited<T>(message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.set_timeout(PATIENCE);
    request
}

fn value_of(connector: v1::Connector) -> Option<String> {
    let entries = connector.config.unwrap_or_default().entries;
    entries.into_iter().find(|entry| entry.key == VALUE)?.value
}

fn wire(config: BTreeMap<String, String>) -> v1::Config {
    let entries = config.into_iter().map(|(key, value)| v1::ConfigEntry {
        key,
        value: Some(value),
    });
    v1::Config {
        entries: entries.collect(),
    }
}
