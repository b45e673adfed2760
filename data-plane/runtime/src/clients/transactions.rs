//! What exactly-once source tasks need of Kafka.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use towpath_connect::ConfigMap;

use super::{ClientError, RawHeader, RecordProducer};

/// Produces in transactions for one task, with a connection of its own. Everything that is sent between `begin` and
/// `commit` becomes visible together, or not at all.
#[async_trait]
pub trait TransactionalProducer: RecordProducer {
    /// Begins a transaction; nothing may be sent before.
    ///
    /// # Errors
    /// `Fenced` when another producer has the transactional id.
    async fn begin(&mut self) -> Result<(), ClientError>;

    /// Commits what was sent since `begin`. The deliveries of all of it were drained, and none was an error. Waits while
    /// brokers are away. Dropping the future leaves open what became of the transaction.
    ///
    /// # Errors
    /// `Fenced` or `TransactionExpired` when nothing was committed and this producer is of no use any more; `Fatal` when
    /// it cannot be committed.
    async fn commit(&mut self) -> Result<(), ClientError>;

    /// Aborts what was sent since `begin`. Deliveries that are still to come are dropped.
    ///
    /// # Errors
    /// As `commit`.
    async fn abort(&mut self) -> Result<(), ClientError>;
}

/// A topic to be created. It is compacted, whatever the configurations say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTopic {
    pub name: String,
    /// -1: the broker's default.
    pub partitions: i32,
    /// -1: the broker's default.
    pub replication_factor: i32,
    /// The topic's configurations, in Kafka's names.
    pub configs: ConfigMap,
}

/// The newest record of each key; keys that were deleted are left out.
pub type CompactedTopic = HashMap<Bytes, CompactedRecord>;

/// What a compacted topic holds of a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompactedRecord {
    pub value: Bytes,
    pub headers: Vec<RawHeader>,
}
