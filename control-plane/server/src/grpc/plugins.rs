//! `towpath.v1.Plugins`.

use tonic::{Request, Response, Status};
use towpath_wire::v1;
use towpath_wire::v1::plugins_server::Plugins;

use super::{Face, answered};

#[tonic::async_trait]
impl Plugins for Face {
    async fn list(
        &self,
        request: Request<v1::ListPluginsRequest>,
    ) -> Result<Response<v1::ListPluginsResponse>, Status> {
        let connectors_only = request.into_inner().connectors_only;
        answered(async {
            let plugins = self
                .app
                .plugins(connectors_only)
                .await?
                .into_iter()
                .map(|plugin| v1::PluginInfo {
                    class: plugin.class,
                    r#type: plugin.kind.as_str().to_owned(),
                    version: plugin.version.unwrap_or_default(),
                });
            Ok(v1::ListPluginsResponse {
                plugins: plugins.collect(),
            })
        })
        .await
    }

    async fn describe(
        &self,
        request: Request<v1::DescribePluginRequest>,
    ) -> Result<Response<v1::DescribePluginResponse>, Status> {
        let name = request.into_inner().name;
        answered(async {
            let keys = self.app.plugin_keys(&name, None).await?;
            Ok(v1::DescribePluginResponse {
                keys_json: keys.get().to_owned(),
            })
        })
        .await
    }

    async fn validate(
        &self,
        request: Request<v1::ValidateRequest>,
    ) -> Result<Response<v1::ValidateResponse>, Status> {
        let v1::ValidateRequest { plugin, config } = request.into_inner();
        let config = config.unwrap_or_default().into();
        answered(async {
            let answer = self.app.validate(&plugin, &config).await?;
            let v1::ValidationAnswer {
                config_infos_json,
                error_count,
                ..
            } = answer;
            Ok(v1::ValidateResponse {
                config_infos_json,
                error_count,
            })
        })
        .await
    }
}
