//! Single message transforms and predicates: plain functions over one record.

use crate::config::ConfigMap;
use crate::error::Result;
use crate::record::ConnectRecord;

/// What kind of record a transform gets, beside the part that it may change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordOrigin {
    /// On its way to Kafka.
    Source,
    /// Read from Kafka at this offset.
    Sink {
        /// The offset it was read at.
        offset: i64,
    },
}

/// Changes or drops a record. One instance belongs to one task and is called by it alone, once a record, in the order
/// of the records; it may keep caches and state.
#[doc(alias = "Transformation")]
pub trait Transform: Send + std::fmt::Debug {
    /// The changed record, or `None` to drop it.
    ///
    /// # Errors
    /// `Data` when this record cannot be transformed.
    fn apply(&mut self, record: ConnectRecord, origin: RecordOrigin) -> Result<Option<ConnectRecord>>;
}

/// Decides whether a transform is applied to a record.
pub trait Predicate: Send + std::fmt::Debug {
    /// Whether the record is one of those meant.
    ///
    /// # Errors
    /// `Data` when it cannot be said for this record.
    fn test(&mut self, record: &ConnectRecord) -> Result<bool>;
}

/// Makes a transform from its configuration (prefix removed).
pub type NewTransform = fn(&ConfigMap) -> Result<Box<dyn Transform>>;
/// Makes a predicate from its configuration (prefix removed).
pub type NewPredicate = fn(&ConfigMap) -> Result<Box<dyn Predicate>>;
