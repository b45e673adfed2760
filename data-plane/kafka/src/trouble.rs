//! What an error code of librdkafka means for a task: wait, or give up.

use towpath_librdkafka::ErrorCode;
use towpath_runtime::clients::ClientError;

/// Whether waiting cannot help, so that a person is needed. Everything else passes when a broker is back, a leader is
/// elected or a coordinator has moved.
pub(crate) fn is_permanent(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::Authentication
            | ErrorCode::SaslAuthenticationFailed
            | ErrorCode::UnsupportedSASLMechanism
            | ErrorCode::IllegalSASLState
            | ErrorCode::TopicAuthorizationFailed
            | ErrorCode::GroupAuthorizationFailed
            | ErrorCode::ClusterAuthorizationFailed
            | ErrorCode::TransactionalIdAuthorizationFailed
            | ErrorCode::InvalidTopic
            | ErrorCode::InvalidGroupId
            | ErrorCode::InvalidSessionTimeout
            | ErrorCode::InconsistentGroupProtocol
            | ErrorCode::FencedInstanceId
            | ErrorCode::UnsupportedVersion
            | ErrorCode::UnsupportedFeature
            | ErrorCode::Fatal
    )
}

/// An error for a task. `what` says what was attempted.
pub(crate) fn client_error(what: impl std::fmt::Display, code: ErrorCode) -> ClientError {
    let text = format!("{what}: {code}");
    if is_permanent(code) {
        ClientError::Fatal(text)
    } else {
        ClientError::Retriable(text)
    }
}

/// As [`client_error`], for errors of the `rdkafka` crate.
pub(crate) fn kafka_error(what: impl std::fmt::Display, error: &rdkafka::error::KafkaError) -> ClientError {
    match error.rdkafka_error_code() {
        Some(code) => client_error(what, code),
        None => ClientError::Retriable(format!("{what}: {error}")),
    }
}
