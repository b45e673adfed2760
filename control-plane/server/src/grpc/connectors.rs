//! `towpath.v1.Connectors`.

use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};
use towpath_types::TargetState;
use towpath_wire::v1;
use towpath_wire::v1::connectors_server::Connectors;

use super::{Face, answered};
use crate::app::{Created, Expansion, NewConnector, OffsetRequest, RestartOptions};

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Connectors for Face {
    async fn create(&self, request: Request<v1::CreateConnectorRequest>) -> Answer<v1::Connector> {
        let request = request.into_inner();
        let new = NewConnector {
            initial_state: request.initial_state().into(),
            name: request.name,
            config: request.config.unwrap_or_default().into(),
        };
        answered(async { Ok((&self.app.create(new).await?).into()) }).await
    }

    async fn get(&self, request: Request<v1::GetConnectorRequest>) -> Answer<v1::Connector> {
        let name = request.into_inner().name;
        answered(async { Ok((&self.app.get(&name).await?).into()) }).await
    }

    async fn list(&self, request: Request<v1::ListConnectorsRequest>) -> Answer<v1::ListConnectorsResponse> {
        let v1::ListConnectorsRequest {
            with_status,
            with_info,
        } = request.into_inner();
        let expansion = Expansion {
            info: with_info,
            status: with_status,
        };
        answered(async {
            let listed = self.app.list(expansion).await?;
            Ok(v1::ListConnectorsResponse {
                connectors: listed.iter().map(Into::into).collect(),
            })
        })
        .await
    }

    async fn put_config(&self, request: Request<v1::PutConfigRequest>) -> Answer<v1::PutConfigResponse> {
        let v1::PutConfigRequest { name, config } = request.into_inner();
        answered(async {
            let (view, created) = self
                .app
                .put_config(&name, config.unwrap_or_default().into())
                .await?;
            Ok(v1::PutConfigResponse {
                connector: Some((&view).into()),
                created: created == Created::Yes,
            })
        })
        .await
    }

    async fn patch_config(&self, request: Request<v1::PatchConfigRequest>) -> Answer<v1::Connector> {
        let v1::PatchConfigRequest { name, patch } = request.into_inner();
        let patch = patch.unwrap_or_default().into();
        answered(async { Ok((&self.app.patch_config(&name, &patch).await?).into()) }).await
    }

    async fn pause(&self, request: Request<v1::PauseConnectorRequest>) -> Answer<v1::PauseConnectorResponse> {
        let name = request.into_inner().name;
        answered(async {
            self.app.set_target(&name, TargetState::Paused).await?;
            Ok(v1::PauseConnectorResponse {})
        })
        .await
    }

    async fn resume(
        &self,
        request: Request<v1::ResumeConnectorRequest>,
    ) -> Answer<v1::ResumeConnectorResponse> {
        let name = request.into_inner().name;
        answered(async {
            self.app.set_target(&name, TargetState::Running).await?;
            Ok(v1::ResumeConnectorResponse {})
        })
        .await
    }

    async fn stop(&self, request: Request<v1::StopConnectorRequest>) -> Answer<v1::StopConnectorResponse> {
        let name = request.into_inner().name;
        answered(async {
            self.app.set_target(&name, TargetState::Stopped).await?;
            Ok(v1::StopConnectorResponse {})
        })
        .await
    }

    async fn restart(
        &self,
        request: Request<v1::RestartConnectorRequest>,
    ) -> Answer<v1::RestartConnectorResponse> {
        let v1::RestartConnectorRequest {
            name,
            include_tasks,
            only_failed,
        } = request.into_inner();
        let options = RestartOptions {
            include_tasks,
            only_failed,
        };
        answered(async {
            let status = self.app.restart(&name, options).await?;
            Ok(v1::RestartConnectorResponse {
                status: status.as_ref().map(Into::into),
            })
        })
        .await
    }

    async fn restart_task(
        &self,
        request: Request<v1::RestartTaskRequest>,
    ) -> Answer<v1::RestartTaskResponse> {
        let v1::RestartTaskRequest { name, task } = request.into_inner();
        answered(async {
            self.app.restart_task(&name, i64::from(task)).await?;
            Ok(v1::RestartTaskResponse {})
        })
        .await
    }

    async fn delete(
        &self,
        request: Request<v1::DeleteConnectorRequest>,
    ) -> Answer<v1::DeleteConnectorResponse> {
        let name = request.into_inner().name;
        answered(async {
            self.app.delete(&name).await?;
            Ok(v1::DeleteConnectorResponse {})
        })
        .await
    }

    async fn get_status(
        &self,
        request: Request<v1::GetConnectorStatusRequest>,
    ) -> Answer<v1::ConnectorStatus> {
        let name = request.into_inner().name;
        answered(async { Ok((&self.app.status(&name).await?).into()) }).await
    }

    async fn list_tasks(&self, request: Request<v1::ListTasksRequest>) -> Answer<v1::ListTasksResponse> {
        let name = request.into_inner().name;
        answered(async { Ok(self.app.tasks(&name).await?.into()) }).await
    }

    async fn get_topics(&self, request: Request<v1::GetTopicsRequest>) -> Answer<v1::GetTopicsResponse> {
        let name = request.into_inner().name;
        answered(async {
            Ok(v1::GetTopicsResponse {
                topics: self.app.topics(&name).await?,
            })
        })
        .await
    }

    async fn get_offsets(&self, request: Request<v1::GetOffsetsRequest>) -> Answer<v1::GetOffsetsResponse> {
        let name = request.into_inner().name;
        answered(async {
            let offsets = self.app.offsets(&name).await?;
            Ok(v1::GetOffsetsResponse {
                offsets: offsets.into_iter().map(Into::into).collect(),
            })
        })
        .await
    }

    async fn alter_offsets(
        &self,
        request: Request<v1::AlterOffsetsRequest>,
    ) -> Answer<v1::AlterOffsetsResponse> {
        let v1::AlterOffsetsRequest { name, offsets } = request.into_inner();
        let changes = offsets.into_iter().map(Into::into).collect();
        answered(async {
            let message = self
                .app
                .change_offsets(&name, OffsetRequest::Alter(changes))
                .await?;
            Ok(v1::AlterOffsetsResponse { message })
        })
        .await
    }

    async fn reset_offsets(
        &self,
        request: Request<v1::ResetOffsetsRequest>,
    ) -> Answer<v1::ResetOffsetsResponse> {
        let name = request.into_inner().name;
        answered(async {
            let message = self.app.change_offsets(&name, OffsetRequest::Reset).await?;
            Ok(v1::ResetOffsetsResponse { message })
        })
        .await
    }

    type WatchStream = ReceiverStream<Result<v1::ConnectorEvent, Status>>;

    async fn watch(&self, request: Request<v1::WatchRequest>) -> Answer<Self::WatchStream> {
        self.begin_watch(request.into_inner().names)
    }
}
