//! The cluster's public gRPC API, as the demo uses it.

use towpath_types::TargetState;
use towpath_wire::v1;
use towpath_wire::v1::connectors_client::ConnectorsClient;

/// Why a call did not work.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("the control plane of this process cannot be reached")]
    Connect(#[from] tonic::transport::Error),
    #[error("connector \"{name}\": {message}")]
    Refused { name: String, message: String },
}

/// A client of the control plane.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    connectors: ConnectorsClient<tonic::transport::Channel>,
}

impl Api {
    pub(crate) async fn connect(address: std::net::SocketAddr) -> Result<Self, ApiError> {
        Ok(Self {
            connectors: ConnectorsClient::connect(format!("http://{address}")).await?,
        })
    }

    /// Creates a connector.
    pub(crate) async fn create(
        &self,
        name: &str,
        config: v1::Config,
        state: TargetState,
    ) -> Result<(), ApiError> {
        let request = v1::CreateConnectorRequest {
            name: name.to_owned(),
            config: Some(config),
            initial_state: v1::TargetState::from(state).into(),
        };
        self.connectors
            .clone()
            .create(request)
            .await
            .map_err(|status| refused(name, &status))?;
        Ok(())
    }

    /// Whether the connector instance is where it should be.
    ///
    /// # Errors
    /// With its trace when it has failed.
    pub(crate) async fn has_started(&self, name: &str) -> Result<bool, ApiError> {
        let Some(status) = self.status(name).await? else {
            return Ok(false);
        };
        let Some(connector) = status.connector else {
            return Ok(false);
        };
        match connector.state() {
            v1::UnitState::Failed => {
                let trace = connector.trace.unwrap_or_default();
                let message = format!("it has failed: {}", trace.trim_end());
                Err(ApiError::Refused {
                    name: name.to_owned(),
                    message,
                })
            }
            v1::UnitState::Running | v1::UnitState::Paused | v1::UnitState::Stopped => Ok(true),
            v1::UnitState::Unspecified | v1::UnitState::Unassigned | v1::UnitState::Restarting => Ok(false),
        }
    }

    /// The trace of the connector or of its first task that has failed.
    pub(crate) async fn failure(&self, name: &str) -> Result<Option<String>, ApiError> {
        let Some(status) = self.status(name).await? else {
            return Ok(None);
        };
        let units = status
            .connector
            .into_iter()
            .chain(status.tasks.into_iter().filter_map(|task| task.status));
        let failed = |unit: v1::UnitStatus| {
            (unit.state() == v1::UnitState::Failed).then(|| unit.trace.unwrap_or_default())
        };
        Ok(units.filter_map(failed).next())
    }

    /// `None` while no unit has reported.
    async fn status(&self, name: &str) -> Result<Option<v1::ConnectorStatus>, ApiError> {
        let request = v1::GetConnectorStatusRequest {
            name: name.to_owned(),
        };
        match self.connectors.clone().get_status(request).await {
            Ok(status) => Ok(Some(status.into_inner())),
            Err(status) if status.code() == tonic::Code::NotFound => Ok(None),
            Err(status) => Err(refused(name, &status)),
        }
    }
}

fn refused(name: &str, status: &tonic::Status) -> ApiError {
    ApiError::Refused {
        name: name.to_owned(),
        message: status.message().to_owned(),
    }
}
