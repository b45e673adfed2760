//! Batch produce and batch consume over rdkafka's native handle: a small safe API around librdkafka's C batch calls.
//!
//! The only crate with `unsafe`: the safe wrapper costs more than half of what librdkafka can do, since it turns a topic
//! name into a C string for each record, boxes each opaque and makes an event of each message. Everything that is not
//! done once a record (configuration, group membership, administration) stays with the `rdkafka` crate.
//!
//! Nothing here knows connectors, retries or configuration keys of the Java client.

use std::sync::Arc;

use bytes::Bytes;

mod consumer;
mod ending;
mod error;
mod groups;
mod mock;
mod native;
mod producer;
mod reach;

pub use consumer::{
    BatchConsumer, Commit, Coverage, GroupError, GroupEvent, Message, Timestamp, TimestampKind,
    TopicPartition,
};
pub use ending::EndsElsewhere;
pub use error::{ClientError, ConsumerError, GroupOffsetsError, SendError, TransactionError};
pub use groups::{GroupOffsets, change_group_offsets};
pub use mock::{MockBroker, MockBrokerError};
pub use producer::{
    BatchProducer, Delivery, Lane, MAX_TOKEN, MESSAGE_OVERHEAD_BYTES, Position, RecordRef, Sent, Stop,
    TOKEN_BITS,
};
pub use rdkafka_sys::types::RDKafkaErrorCode as ErrorCode;
pub use reach::LastingConsumer;

/// Name and value of a header.
pub type Header = (Arc<str>, Option<Bytes>);
