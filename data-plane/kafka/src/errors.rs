//! librdkafka's errors as the runtime's.

use towpath_connect::error::Chain;
use towpath_librdkafka::{ConsumerError, ErrorCode, GroupError};
use towpath_runtime::clients::ClientError;

/// A client could not be made.
pub(crate) fn create(error: &towpath_librdkafka::ClientError) -> ClientError {
    ClientError::Config(Chain(error).to_string())
}

/// A consumer could not do something. It can be tried again: what cannot is told by the group's events.
pub(crate) fn consumer(error: &ConsumerError) -> ClientError {
    ClientError::Retriable(Chain(error).to_string())
}

/// Whether waiting does not help: the same will be said until somebody changes a permission or a setting.
pub(crate) fn is_final(error: &GroupError) -> bool {
    error.fatal
        || matches!(
            error.code,
            ErrorCode::GroupAuthorizationFailed
                | ErrorCode::TopicAuthorizationFailed
                | ErrorCode::ClusterAuthorizationFailed
                | ErrorCode::SaslAuthenticationFailed
                | ErrorCode::FencedInstanceId
                | ErrorCode::InvalidGroupId
        )
}
