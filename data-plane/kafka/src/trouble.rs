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
            | ErrorCode::InvalidTransactionTimeout
            | ErrorCode::InconsistentGroupProtocol
            | ErrorCode::FencedInstanceId
            | ErrorCode::UnsupportedVersion
            | ErrorCode::UnsupportedFeature
            | ErrorCode::Fatal
    )
}

/// Whether what a client has told of needs a person. A connection that breaks during the SASL handshake, as brokers that stop
/// break it, has the code of a login that is refused: only the text says which of the two it is.
pub(crate) fn is_hopeless(code: ErrorCode, text: &str) -> bool {
    let is_broken_handshake = code == ErrorCode::Authentication && text.contains("handshake failed: Local: ");
    is_permanent(code) && !is_broken_handshake
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handshake_that_breaks_is_no_refused_login() {
        let text = |why: &str| {
            format!(
                "sasl_ssl://b:9092/1: SASL PLAIN mechanism handshake failed: {why}: broker's supported mechanisms: "
            )
        };
        let broken = text("Local: Broker transport failure");
        assert!(!is_hopeless(ErrorCode::Authentication, &broken));
        let unknown = text("Broker: Unsupported SASL mechanism");
        assert!(is_hopeless(ErrorCode::Authentication, &unknown));
        assert!(is_hopeless(
            ErrorCode::Authentication,
            "SASL authentication error: Authentication failed"
        ));
        assert!(!is_hopeless(
            ErrorCode::BrokerTransportFailure,
            "Connection refused"
        ));
    }
}
