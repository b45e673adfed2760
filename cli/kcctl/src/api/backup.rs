//! The state of the whole cluster, which only Towpath gives out, over gRPC.

use std::time::Duration;

use tonic::Streaming;
use towpath_wire::v1;
use towpath_wire::v1::members_client::MembersClient;

use super::ApiError;
use super::grpc::Grpc;

/// A file that comes in parts.
pub(crate) struct Backup {
    parts: Streaming<v1::BackupPart>,
    url: String,
    /// For each part.
    timeout: Duration,
    received: u64,
    announced: Announced,
}

#[derive(Default)]
struct Announced {
    bytes: u64,
    revision: u64,
}

/// What a whole backup is.
pub(crate) struct Saved {
    pub(crate) bytes: u64,
    pub(crate) revision: u64,
}

impl Grpc {
    pub(super) async fn save(&self) -> Result<Backup, ApiError> {
        let parts = self
            .ask(v1::BackupRequest {}, async |r| {
                MembersClient::new(self.channel()).backup(r).await
            })
            .await?;
        Ok(Backup {
            parts,
            url: self.url().to_owned(),
            timeout: self.timeout(),
            received: 0,
            announced: Announced::default(),
        })
    }
}

impl Backup {
    /// `None` when nothing more comes.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, ApiError> {
        let next = tokio::time::timeout(self.timeout, self.parts.message()).await;
        let next = next.map_err(|_| ApiError::TimedOut {
            url: self.url.clone(),
            after: self.timeout,
        })?;
        let part = next.map_err(|status| self.lost(status.message().to_owned()))?;
        let Some(part) = part else { return Ok(None) };
        self.received += u64::try_from(part.data.len()).expect("a length fits 64 bits");
        self.announced = Announced {
            bytes: part.file_bytes,
            revision: part.revision,
        };
        Ok(Some(part.data))
    }

    /// After the last part: whether all has come.
    pub(crate) fn finish(&self) -> Result<Saved, ApiError> {
        let Announced { bytes, revision } = self.announced;
        if self.received == 0 || self.received != bytes {
            let received = self.received;
            return Err(self.lost(format!(
                "it ended after {received} of {bytes} bytes of the backup"
            )));
        }
        Ok(Saved { bytes, revision })
    }

    fn lost(&self, cause: String) -> ApiError {
        ApiError::Lost {
            url: self.url.clone(),
            cause,
        }
    }
}
