//! Source records to bytes for Kafka.

use std::sync::Arc;

use towpath_connect::transform::RecordOrigin;
use towpath_connect::{
    ConnectRecord, ConnectorError, Converter, HeaderConverter, Headers, OffsetMap, SourceRecord,
};

use super::{Failure, TransformChain};
use crate::clients::{OutgoingRecord, RawHeader};
use crate::errors::Stage;

/// A record that is ready for the producer, and what the tracker has to know of it.
#[derive(Debug)]
pub struct Processed {
    /// The bytes; the token is still to be set.
    pub record: OutgoingRecord,
    /// The source partition.
    pub source_partition: Option<Arc<OffsetMap>>,
    /// The source offset.
    pub source_offset: Option<OffsetMap>,
}

/// Transforms and converters of one source task.
#[derive(Debug)]
pub struct SourcePipeline {
    pub(super) transforms: TransformChain,
    pub(super) key: Box<dyn Converter>,
    pub(super) value: Box<dyn Converter>,
    pub(super) header: Box<dyn HeaderConverter>,
    pub(super) classes: super::build::ConverterClasses,
    pub(super) client_stamps: bool,
}

impl SourcePipeline {
    /// The timestamps of the records say "now" and no more: unless a transform may look at them, the client sets them
    /// when it takes the records, which costs less than to pass one with each.
    pub fn leave_timestamps_to_the_client(&mut self) {
        self.client_stamps = self.transforms.is_empty();
    }

    /// The record for Kafka; `None` when a transform dropped it.
    ///
    /// # Errors
    /// The stage that could not process it.
    #[inline]
    pub fn process(&mut self, source: SourceRecord) -> Result<Option<Processed>, Failure> {
        let SourceRecord {
            record,
            source_partition,
            source_offset,
        } = source;
        let record = if self.transforms.is_empty() {
            record
        } else {
            match self.transforms.apply(record, RecordOrigin::Source)? {
                Some(record) => record,
                None => return Ok(None),
            }
        };
        let record = self.convert(record)?;
        Ok(Some(Processed {
            record,
            source_partition,
            source_offset,
        }))
    }

    #[inline]
    fn convert(&mut self, record: ConnectRecord) -> Result<OutgoingRecord, Failure> {
        // In Kafka Connect's order: headers, key, value.
        let headers = self.headers(&record.topic, &record.headers)?;
        let classes = &self.classes;
        let topic = &record.topic;
        let key = self
            .key
            .from_connect(topic, record.key_schema.as_ref(), &record.key)
            .map_err(|error| Failure {
                stage: Stage::KeyConverter,
                class: classes.key,
                error,
            })?;
        let value = self
            .value
            .from_connect(topic, record.value_schema.as_ref(), &record.value)
            .map_err(|error| Failure {
                stage: Stage::ValueConverter,
                class: classes.value,
                error,
            })?;
        let timestamp = match record.timestamp {
            Some(-1) => None,
            Some(_) if self.client_stamps => None,
            Some(timestamp) if timestamp < 0 => {
                let error = ConnectorError::data(format!("Invalid record timestamp {timestamp}"));
                return Err(Failure {
                    stage: Stage::KafkaProduce,
                    class: "",
                    error,
                });
            }
            other => other,
        };
        Ok(OutgoingRecord {
            topic: record.topic,
            partition: record.partition,
            key,
            value,
            timestamp,
            headers,
            token: 0,
        })
    }

    fn headers(&mut self, topic: &str, headers: &Headers) -> Result<Vec<RawHeader>, Failure> {
        let class = self.classes.header;
        let mut convert = |header: &towpath_connect::Header| {
            let bytes =
                self.header
                    .from_connect_header(topic, &header.key, header.schema.as_ref(), &header.value);
            bytes
                .map(|bytes| (Arc::clone(&header.key), bytes))
                .map_err(|error| Failure {
                    stage: Stage::HeaderConverter,
                    class,
                    error,
                })
        };
        headers.iter().map(&mut convert).collect()
    }
}
