//! Records: what transforms may change, and around it what they may not.

use std::sync::Arc;

use crate::data::{SchemaRef, Value, java_text, validate};
use crate::error::{ConnectorError, Result};
use crate::offset::OffsetMap;

/// The name of a topic, shared between the records that go there.
pub type Topic = Arc<str>;

/// One header. Names may repeat.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the parts of a header")]
pub struct Header {
    pub key: Arc<str>,
    pub schema: Option<SchemaRef>,
    pub value: Value,
}

/// Headers in order; an ordered multi-map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Headers {
    headers: Vec<Header>,
}

impl Headers {
    /// No headers; allocates nothing.
    pub const fn new() -> Self {
        Self { headers: Vec::new() }
    }

    /// Appends a header; equal names are kept.
    pub fn add(&mut self, key: impl Into<Arc<str>>, schema: Option<SchemaRef>, value: Value) {
        self.headers.push(Header {
            key: key.into(),
            schema,
            value,
        });
    }

    /// [`Headers::add`] after checking the value against the schema.
    ///
    /// # Errors
    /// `Data` when the value does not fit the schema.
    pub fn add_checked(
        &mut self,
        key: impl Into<Arc<str>>,
        schema: Option<SchemaRef>,
        value: Value,
    ) -> Result<()> {
        if let Some(schema) = &schema {
            if value.is_null() && !schema.is_optional() {
                return Err(ConnectorError::data(format!(
                    "A null value requires an optional schema but was {schema}"
                )));
            }
            validate::value(schema, &value).map_err(|cause| {
                let text = java_text::to_string(&value);
                ConnectorError::data(format!(
                    "The value {text} is not compatible with the schema {schema}"
                ))
                .with_source(cause)
            })?;
        }
        self.add(key, schema, value);
        Ok(())
    }

    /// The last header of this name.
    pub fn last_with_name(&self, key: &str) -> Option<&Header> {
        self.headers
            .iter()
            .rev()
            .find(|header| header.key.as_ref() == key)
    }

    /// Removes every header of this name.
    pub fn remove(&mut self, key: &str) {
        self.headers.retain(|header| header.key.as_ref() != key);
    }

    /// The headers in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Header> {
        self.headers.iter()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }
}

/// The part of a record that transforms may change.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the parts of a record, named as in Kafka Connect")]
pub struct ConnectRecord {
    pub topic: Topic,
    /// `None`: the partitioner decides.
    pub partition: Option<i32>,
    pub key_schema: Option<SchemaRef>,
    pub key: Value,
    pub value_schema: Option<SchemaRef>,
    pub value: Value,
    /// Milliseconds since the epoch; `None`: now, when it is sent.
    pub timestamp: Option<i64>,
    pub headers: Headers,
}

impl ConnectRecord {
    /// A record of a value only.
    pub fn of_value(topic: Topic, value_schema: Option<SchemaRef>, value: Value) -> Self {
        Self {
            topic,
            partition: None,
            key_schema: None,
            key: Value::Null,
            value_schema,
            value,
            timestamp: None,
            headers: Headers::new(),
        }
    }
}

/// A record on its way from another system to Kafka.
#[derive(Clone, Debug)]
pub struct SourceRecord {
    /// What transforms may change.
    pub record: ConnectRecord,
    /// Where in the source it comes from: shared by all records of a source partition, so that the tracker compares
    /// pointers. `None` when the source keeps no offsets.
    pub source_partition: Option<Arc<OffsetMap>>,
    /// Where to go on after this record. `None`: nothing is stored.
    pub source_offset: Option<OffsetMap>,
}

/// What the timestamp of a consumed record means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in Kafka")]
pub enum TimestampType {
    NoTimestampType,
    CreateTime,
    LogAppendTime,
}

/// Where in Kafka a record was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in Kafka")]
pub struct SinkPlace {
    pub topic: Topic,
    pub partition: i32,
    pub offset: i64,
    pub timestamp_type: TimestampType,
}

/// A record on its way from Kafka to another system. The place it was read from cannot be changed by a transform.
#[derive(Clone, Debug)]
pub struct SinkRecord {
    /// What transforms may change.
    pub record: ConnectRecord,
    place: SinkPlace,
}

impl SinkRecord {
    /// A record as read: its topic is that of `record` at this moment.
    pub fn new(record: ConnectRecord, partition: i32, offset: i64, timestamp_type: TimestampType) -> Self {
        let place = SinkPlace {
            topic: Arc::clone(&record.topic),
            partition,
            offset,
            timestamp_type,
        };
        Self { record, place }
    }

    /// A record that transforms have changed, with the place it was read from.
    pub fn at(place: SinkPlace, record: ConnectRecord) -> Self {
        Self { record, place }
    }

    /// The topic it was read from, whatever transforms made of `record.topic`.
    pub fn original_topic(&self) -> &Topic {
        &self.place.topic
    }

    /// The partition it was read from.
    pub fn original_partition(&self) -> i32 {
        self.place.partition
    }

    /// The offset it was read at.
    pub fn original_offset(&self) -> i64 {
        self.place.offset
    }

    /// What its timestamp means.
    pub fn timestamp_type(&self) -> TimestampType {
        self.place.timestamp_type
    }
}

#[cfg(test)]
mod tests;
