//! `towpath.v1.Cluster`.

use tonic::{Request, Response, Status};
use towpath_wire::v1;
use towpath_wire::v1::cluster_server::Cluster;

use super::Face;

#[tonic::async_trait]
impl Cluster for Face {
    async fn get_info(
        &self,
        _request: Request<v1::GetInfoRequest>,
    ) -> Result<Response<v1::GetInfoResponse>, Status> {
        let info = self.app.info();
        Ok(Response::new(v1::GetInfoResponse {
            version: info.version.to_owned(),
            commit: info.commit.to_owned(),
            kafka_cluster_id: info.kafka_cluster_id.as_deref().unwrap_or_default().to_owned(),
            towpath_version: info.towpath_version.to_owned(),
        }))
    }
}
