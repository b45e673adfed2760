//! What can go wrong with a request: one list for both faces. `Display` is what the caller reads, in the words of
//! Kafka Connect where it has some; the cause is for the log only.

use std::time::Duration;

use http::StatusCode;
use towpath_raft::StoreError;

/// When a caller who was told 503 may try again.
const RETRY_AFTER: Duration = Duration::from_secs(1);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("Connector {0} not found")]
    ConnectorNotFound(String),
    #[error("No status found for connector {0}")]
    NoConnectorStatus(String),
    #[error("No status found for task {0}")]
    NoTaskStatus(String),
    /// Of a change of the target state.
    #[error("Unknown connector {0}")]
    UnknownConnector(String),
    /// Of a restart.
    #[error("Unknown connector: {0}")]
    NothingToRestart(String),
    #[error("Unknown task: {0}")]
    UnknownTask(String),
    #[error("Status for connector {0} not found")]
    NoStatusToRestart(String),
    #[error("Unknown plugin {0}.")]
    UnknownPlugin(String),
    #[error("Worker {0} not found: it is not registered, or its lease has run out")]
    WorkerNotFound(String),
    #[error("Connector {0} already exists")]
    AlreadyExists(String),
    #[error(
        "Cannot complete request momentarily due to stale configuration (typically caused by a concurrent config \
         change)"
    )]
    ConcurrentChange,
    #[error(
        "Connector name configuration ({configured}) doesn't match connector name in the URL ({requested})"
    )]
    NameMismatch { configured: String, requested: String },
    #[error("Connector config {shown} contains no connector type")]
    NoConnectorType { shown: String },
    #[error("Included connector type {included} does not match request type {requested}")]
    TypeMismatch { included: String, requested: String },
    #[error(
        "Failed to find any class that implements Connector and which name matches {class}, available connectors \
         are: {available}"
    )]
    ClassNotFound { class: String, available: String },
    #[error(
        "Connector configuration is invalid and contains the following {count} error(s):\n{}\n\
         You can also find the above list of errors at the endpoint `/connector-plugins/{{connectorType}}/config/validate`",
        .lines.join("\n")
    )]
    InvalidConfig { count: i32, lines: Vec<String> },
    #[error(
        "Plugin {class} not found that matches the version range {range}, available versions: [{available}]"
    )]
    NoSuchPluginVersion {
        class: String,
        range: String,
        available: String,
    },
    #[error("Partitions / offsets need to be provided for an alter offsets request")]
    NoOffsetsGiven,
    #[error(
        "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified \
         connector by issuing a 'PUT' request to the '/connectors/{0}/stop' endpoint"
    )]
    NotStopped(String),
    #[error("Task {unit} has not stopped yet, so the offsets cannot be changed: try again in a moment")]
    StillStopping { unit: String },
    /// In the words of the worker that answered.
    #[error("{message}")]
    Refused { status: StatusCode, message: String },
    #[error(
        "No worker is connected, so nobody can answer the request: start a worker whose `control.plane.endpoints` name \
         this control plane, and try again"
    )]
    NoWorker,
    #[error("The worker that was asked is gone or busy: try again")]
    WorkerGone,
    #[error("This node of the control plane is not the leader{}: try there or again", at(.leader.as_deref()))]
    NotLeader { leader: Option<String> },
    #[error(
        "The leader of the control plane went away before it answered, so the change may or may not be made: look, then \
         try again"
    )]
    LeaderLost,
    #[error(
        "The path of the request cannot be sent on to the leader of the control plane ({0}): make it shorter, or ask the \
         leader itself"
    )]
    NotForwardable(http::uri::InvalidUri),
    /// A change of the group's members that is not possible.
    #[error("{0}")]
    Members(StoreError),
    #[error("{0}")]
    TooLarge(StoreError),
    #[error("The control plane cannot take requests at the moment: try again")]
    Unavailable(#[source] StoreError),
    #[error("The control plane is busy with too many requests: try again")]
    Overloaded,
    #[error("Request timed out")]
    TimedOut,
    #[error(
        "The control plane could not answer the request because of an internal error; its log has the details"
    )]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

fn at(leader: Option<&str>) -> String {
    match leader {
        Some(leader) => format!(", {leader} is"),
        None => ", and none is known yet".to_owned(),
    }
}

impl ApiError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::ConnectorNotFound(_)
            | Self::NoConnectorStatus(_)
            | Self::NoTaskStatus(_)
            | Self::UnknownConnector(_)
            | Self::NothingToRestart(_)
            | Self::UnknownTask(_)
            | Self::NoStatusToRestart(_)
            | Self::UnknownPlugin(_)
            | Self::WorkerNotFound(_) => StatusCode::NOT_FOUND,
            Self::AlreadyExists(_) | Self::ConcurrentChange => StatusCode::CONFLICT,
            Self::NameMismatch { .. }
            | Self::NoConnectorType { .. }
            | Self::TypeMismatch { .. }
            | Self::ClassNotFound { .. }
            | Self::InvalidConfig { .. }
            | Self::NoSuchPluginVersion { .. }
            | Self::NoOffsetsGiven
            | Self::NotStopped(_)
            | Self::Members(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotForwardable(_) => StatusCode::URI_TOO_LONG,
            Self::Refused { status, .. } => *status,
            Self::NoWorker
            | Self::StillStopping { .. }
            | Self::WorkerGone
            | Self::NotLeader { .. }
            | Self::LeaderLost
            | Self::Unavailable(_)
            | Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::TimedOut | Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn code(&self) -> tonic::Code {
        match self {
            Self::TimedOut => tonic::Code::DeadlineExceeded,
            Self::ConcurrentChange => tonic::Code::Aborted,
            Self::NotStopped(_) => tonic::Code::FailedPrecondition,
            other => code_of(other.status()),
        }
    }

    /// Nothing was done, and another node would do it.
    pub(crate) fn is_not_led(&self) -> bool {
        matches!(self, Self::NotLeader { .. })
    }

    /// The caller gets the message, the log gets the causes; the request id leads from one to the other.
    pub(crate) fn log(&self, request_id: &str) {
        if self.is_not_led() {
            // Another node is asked next.
            tracing::debug!(request_id, error = %Chain(self), "request not answered here");
        } else if self.status().is_server_error() {
            tracing::warn!(request_id, error = %Chain(self), "request failed");
        }
    }

    pub(crate) fn retry_after(&self) -> Option<Duration> {
        (self.status() == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER)
    }
}

fn code_of(status: StatusCode) -> tonic::Code {
    match status {
        StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::URI_TOO_LONG => {
            tonic::Code::InvalidArgument
        }
        StatusCode::FORBIDDEN => tonic::Code::PermissionDenied,
        StatusCode::NOT_FOUND => tonic::Code::NotFound,
        StatusCode::CONFLICT => tonic::Code::AlreadyExists,
        StatusCode::SERVICE_UNAVAILABLE => tonic::Code::Unavailable,
        _ => tonic::Code::Internal,
    }
}

/// An error with the whole chain of its causes, for the log.
#[derive(Debug)]
pub struct Chain<'a>(pub &'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_configuration_has_the_layout_that_clients_parse() {
        let lines = vec!["Missing required configuration \"topic\" which has no default value.".to_owned()];
        let error = ApiError::InvalidConfig { count: 1, lines };
        assert_eq!(
            error.to_string(),
            "Connector configuration is invalid and contains the following 1 error(s):\n\
             Missing required configuration \"topic\" which has no default value.\n\
             You can also find the above list of errors at the endpoint \
             `/connector-plugins/{connectorType}/config/validate`"
        );
        assert_eq!(
            (error.status().as_u16(), error.code()),
            (400, tonic::Code::InvalidArgument)
        );
    }

    #[test]
    fn only_a_caller_who_should_try_again_is_told_when() {
        assert!(ApiError::NoWorker.retry_after().is_some());
        assert!(ApiError::ConcurrentChange.retry_after().is_none());
        assert_eq!(ApiError::NoWorker.code(), tonic::Code::Unavailable);
        assert_eq!(ApiError::TimedOut.code(), tonic::Code::DeadlineExceeded);
    }
}
