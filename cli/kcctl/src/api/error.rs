//! What can go wrong with a request, the same for both protocols.

use std::time::Duration;

use crate::args::show_duration;

const REBALANCE: &str = "Request cannot be completed because a rebalance is expected";
const ALREADY_EXISTS: &str = "already exists";
const UNKNOWN_CLASS: &str = "Failed to find any class that implements Connector";
/// A sentence for users of the REST API, which says nothing to one of kcctl.
const ENDPOINT_ADVICE: &str = "You can also find the above list of errors at the endpoint";

#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    #[error("Couldn't connect to Kafka Connect API at {url}.")]
    Connect { url: String, cause: String },
    #[error("The configured user is unauthorized to run this command.")]
    Unauthorized,
    #[error("{message}")]
    Refused { status: u16, message: String },
    #[error("{url} did not answer within {}", show_duration(*.after))]
    TimedOut { url: String, after: Duration },
    #[error("the connection to {url} was lost")]
    Lost { url: String, cause: String },
    #[error("{url} does not answer as Kafka Connect does ({what})")]
    Foreign { url: String, what: String },
    /// Something that the REST API of Kafka Connect has no request for.
    #[error("{what} needs Towpath's gRPC API, but {url} is a REST API")]
    NeedsGrpc { url: String, what: &'static str },
}

impl ApiError {
    /// An answer with an error: status and message of the REST API.
    pub(crate) fn refused(status: u16, message: &str) -> Self {
        if status == 401 {
            return Self::Unauthorized;
        }
        let lines: Vec<&str> = message
            .lines()
            .filter(|line| !line.starts_with(ENDPOINT_ADVICE))
            .collect();
        Self::Refused {
            status,
            message: lines.join("\n"),
        }
    }

    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    pub(crate) fn is_forbidden(&self) -> bool {
        matches!(self, Self::Refused { status: 403, .. })
    }

    pub(crate) fn already_exists(&self) -> bool {
        matches!(self, Self::Refused { status: 409, message } if message.ends_with(ALREADY_EXISTS))
    }

    /// The request may be made again: it changed nothing, because the cluster was about to move tasks around.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Refused { status, message } => {
                (*status == 409 && !self.already_exists()) || message.contains(REBALANCE)
            }
            Self::Connect { .. }
            | Self::Unauthorized
            | Self::TimedOut { .. }
            | Self::Lost { .. }
            | Self::Foreign { .. }
            | Self::NeedsGrpc { .. } => false,
        }
    }

    pub(crate) fn names_unknown_class(&self) -> bool {
        matches!(self, Self::Refused { message, .. } if message.contains(UNKNOWN_CLASS))
    }

    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Self::Connect { cause, .. } => Some(format!(
                "{cause}; start the cluster, or choose another with `--cluster URL` or `--context NAME`"
            )),
            Self::Unauthorized => Some(
                "set user and password with `kcctl config set-context NAME --username USER --password PASSWORD`".into(),
            ),
            Self::TimedOut { .. } => Some("give it more time with `--timeout`, for example `--timeout 5m`".into()),
            Self::Lost { cause, .. } => Some(format!("{cause}; try again, and check the URL of the cluster if that does not help")),
            Self::Foreign { .. } => Some("check the URL of the cluster, `kcctl config current-context` shows it".into()),
            Self::NeedsGrpc { .. } => Some(
                "use `--cluster grpc://HOST:7083` or a context with such a URL; plain Kafka Connect cannot do it".into(),
            ),
            Self::Refused { .. } => None,
        }
    }
}

/// What is at the bottom of an error.
pub(super) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_rebalance_is_waited_for() {
        assert!(
            ApiError::refused(
                409,
                "Cannot complete request momentarily due to no known leader URL"
            )
            .is_passing()
        );
        assert!(ApiError::refused(500, REBALANCE).is_passing());
        assert!(!ApiError::refused(409, "Connector orders already exists").is_passing());
        assert!(!ApiError::refused(500, "Request timed out").is_passing());
        assert!(!ApiError::refused(401, "").is_passing());
    }

    #[test]
    fn the_advice_about_the_endpoint_is_left_out() {
        let message = "Connector configuration is invalid and contains the following 1 error(s):\nMissing `topic`\n\
                       You can also find the above list of errors at the endpoint \
                       `/connector-plugins/{connectorType}/config/validate`";
        assert_eq!(
            ApiError::refused(400, message).to_string(),
            "Connector configuration is invalid and contains the following 1 error(s):\nMissing `topic`"
        );
    }
}
