//! The gRPC face of the application layer: the same operations and errors as over REST.

mod cluster;
mod connectors;
mod convert;
mod members;
mod plugins;
mod watch;
mod workers;

use std::future::Future;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::metadata::MetadataValue;
use tonic::{Response, Status};

use crate::app::{ApiError, App, REQUEST_DEADLINE};
use crate::forward;

/// A request that holds a whole registration, or the commits of a thousand tasks.
pub(crate) const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;

/// Tells the caller when to try again, in seconds.
const RETRY_AFTER_METADATA: &str = "retry-after";
/// Leads from the caller's error to the line in our log.
const REQUEST_ID_METADATA: &str = "towpath-request-id";

/// The services that clients call.
#[derive(Debug, Clone)]
pub(crate) struct Face {
    app: Arc<App>,
    watchers: Arc<Semaphore>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Face {
    pub(crate) fn new(app: Arc<App>, tracker: TaskTracker, stop: CancellationToken) -> Self {
        Self {
            app,
            watchers: Arc::new(Semaphore::new(watch::MAX_WATCHERS)),
            tracker,
            stop,
        }
    }
}

async fn answered<T>(operation: impl Future<Output = Result<T, ApiError>>) -> Result<Response<T>, Status> {
    let answer = tokio::time::timeout(REQUEST_DEADLINE, operation).await;
    answer
        .unwrap_or(Err(ApiError::TimedOut))
        .map(Response::new)
        .map_err(to_status)
}

pub(crate) fn to_status(error: ApiError) -> Status {
    let request_id = uuid::Uuid::new_v4().simple().to_string();
    error.log(&request_id);
    let mut status = Status::new(error.code(), error.to_string());
    let metadata = status.metadata_mut();
    if let Ok(id) = request_id.parse() {
        metadata.insert(REQUEST_ID_METADATA, id);
    }
    if let Some(pause) = error.retry_after() {
        metadata.insert(RETRY_AFTER_METADATA, pause.as_secs().into());
    }
    if error.is_not_led() {
        metadata.insert(forward::NOT_LED, MetadataValue::from_static("1"));
    }
    status
}
