//! What can go wrong, one enum for each thing that can be attempted.

use std::sync::Arc;

use rdkafka::error::KafkaError;
use rdkafka_sys::types::RDKafkaErrorCode;

/// A client could not be made from its configuration.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// One setting is not what librdkafka takes. The value is left out: it may be a password.
    #[error("could not create a Kafka client: setting `{key}` is not accepted: {reason}")]
    Setting { key: String, reason: String },
    /// The settings are fine one by one but not together, or a file they name cannot be used.
    #[error("could not create a Kafka client: {reason}")]
    Create { reason: String },
}

impl From<KafkaError> for ClientError {
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::ClientConfig(_, reason, key, value) => {
                // librdkafka repeats the value in its text.
                let reason = if value.is_empty() {
                    reason
                } else {
                    reason.replace(&value, "…")
                };
                Self::Setting { key, reason }
            }
            KafkaError::ClientCreation(reason) => Self::Create { reason },
            other => Self::Create {
                reason: other.to_string(),
            },
        }
    }
}

/// Records could not be handed to the producer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The producer is beyond repair (librdkafka's "fatal error"): nothing can be sent with it any more.
    #[error("could not send records: the producer must be replaced: {reason}")]
    Fatal { reason: String },
    /// A token needs more than its [`TOKEN_BITS`](crate::TOKEN_BITS) bits.
    #[error("could not send a record: token {token} is beyond {max}", max = crate::MAX_TOKEN)]
    Token { token: u64 },
    /// A lane was asked for when all numbers were taken.
    #[error("could not share the producer: it already has {count} users")]
    TooManyLanes { count: usize },
}

/// A step of a transaction did not work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not {attempt}: {code}: {reason}")]
pub struct TransactionError {
    pub attempt: &'static str,
    pub code: RDKafkaErrorCode,
    pub reason: String,
    /// The producer is beyond repair: another one has its transactional id, for example.
    pub is_fatal: bool,
    /// The same call may work later.
    pub is_retriable: bool,
    /// The transaction cannot be committed any more.
    pub requires_abort: bool,
}

/// The offsets of a consumer group could not be changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not change the offsets of group \"{group}\": {code}: {reason}")]
pub struct GroupOffsetsError {
    pub group: String,
    pub code: RDKafkaErrorCode,
    /// Names the partition if it is about one.
    pub reason: String,
}

impl GroupOffsetsError {
    /// Whether somebody still reads as a member of the group.
    pub fn is_in_use(&self) -> bool {
        use RDKafkaErrorCode as Code;
        matches!(
            self.code,
            Code::UnknownMemberId
                | Code::NonEmptyGroup
                | Code::GroupSubscribedToTopic
                | Code::RebalanceInProgress
        )
    }

    /// Whether the group's coordinator is about to be another one, or has just become it.
    pub fn is_moving(&self) -> bool {
        use RDKafkaErrorCode as Code;
        matches!(
            self.code,
            Code::CoordinatorLoadInProgress | Code::CoordinatorNotAvailable | Code::NotCoordinator
        )
    }
}

/// A consumer could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum ConsumerError {
    #[error("could not subscribe to {topics} topics")]
    Subscribe {
        topics: usize,
        #[source]
        source: KafkaError,
    },
    #[error("could not take over {partitions} assigned partitions")]
    Assign {
        partitions: usize,
        #[source]
        source: KafkaError,
    },
    /// `auto.offset.reset` is `none`.
    #[error(
        "topic \"{topic}\" partition {partition} cannot be read: its group has committed no offset, and `auto.offset.reset` is `none`; commit an offset, or set `earliest` or `latest`"
    )]
    NoOffset { topic: Arc<str>, partition: i32 },
    #[error("could not release {partitions} revoked partitions")]
    Unassign {
        partitions: usize,
        #[source]
        source: KafkaError,
    },
    #[error("could not {action} {partitions} partitions")]
    PauseResume {
        action: &'static str,
        partitions: usize,
        #[source]
        source: KafkaError,
    },
    #[error("could not seek topic \"{topic}\" partition {partition} to offset {offset}")]
    Seek {
        topic: Arc<str>,
        partition: i32,
        offset: i64,
        #[source]
        source: KafkaError,
    },
    #[error("could not read the committed offsets of {partitions} partitions")]
    Committed {
        partitions: usize,
        #[source]
        source: KafkaError,
    },
    #[error("could not ask the group what it reads")]
    Coverage {
        #[source]
        source: KafkaError,
    },
    #[error("could not read the position of the consumer")]
    Position {
        #[source]
        source: KafkaError,
    },
    #[error("could not commit the offsets of {partitions} partitions: {code}")]
    Commit {
        partitions: usize,
        code: RDKafkaErrorCode,
    },
    #[error("could not fetch metadata")]
    Metadata {
        #[source]
        source: KafkaError,
    },
    /// The blocking call was given up because the runtime is shutting down.
    #[error("could not wait for a Kafka call: the runtime is shutting down")]
    Stopped,
}
