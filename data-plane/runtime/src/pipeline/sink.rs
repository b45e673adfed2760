//! Bytes from Kafka to sink records.

use std::sync::Arc;

use towpath_connect::record::SinkPlace;
use towpath_connect::transform::RecordOrigin;
use towpath_connect::{ConnectRecord, Converter, HeaderConverter, Headers, SinkRecord};

use super::{Failure, TransformChain};
use crate::clients::{ConsumedRecord, RawHeader};
use crate::errors::Stage;

/// Converters and transforms of one sink task.
#[derive(Debug)]
pub struct SinkPipeline {
    pub(super) transforms: TransformChain,
    pub(super) key: Box<dyn Converter>,
    pub(super) value: Box<dyn Converter>,
    pub(super) header: Box<dyn HeaderConverter>,
    pub(super) classes: super::build::ConverterClasses,
}

impl SinkPipeline {
    /// Appends the record for the task, or nothing when a transform dropped it. The bytes stay with the caller, so that
    /// it can try again or hand them to a dead-letter topic.
    ///
    /// # Errors
    /// The stage that could not process it; nothing is appended.
    pub fn process(
        &mut self,
        consumed: &ConsumedRecord,
        records: &mut Vec<SinkRecord>,
    ) -> Result<(), Failure> {
        let topic = &consumed.topic;
        let classes = &self.classes;
        // In Kafka Connect's order: key, value, headers.
        let key = self
            .key
            .to_connect(topic, consumed.key.as_ref())
            .map_err(|error| Failure {
                stage: Stage::KeyConverter,
                class: classes.key,
                error,
            })?;
        let value = self
            .value
            .to_connect(topic, consumed.value.as_ref())
            .map_err(|error| Failure {
                stage: Stage::ValueConverter,
                class: classes.value,
                error,
            })?;
        let headers = self.headers(topic, &consumed.headers)?;
        let record = ConnectRecord {
            topic: Arc::clone(topic),
            partition: Some(consumed.partition),
            key_schema: key.schema,
            key: key.value,
            value_schema: value.schema,
            value: value.value,
            timestamp: consumed.timestamp,
            headers,
        };
        if self.transforms.is_empty() {
            records.push(SinkRecord::new(
                record,
                consumed.partition,
                consumed.offset,
                consumed.timestamp_type,
            ));
            return Ok(());
        }
        let origin = RecordOrigin::Sink {
            offset: consumed.offset,
        };
        let Some(changed) = self.transforms.apply(record, origin)? else {
            return Ok(());
        };
        let place = SinkPlace {
            topic: Arc::clone(topic),
            partition: consumed.partition,
            offset: consumed.offset,
            timestamp_type: consumed.timestamp_type,
        };
        records.push(SinkRecord::at(place, changed));
        Ok(())
    }

    fn headers(&mut self, topic: &str, raw: &[RawHeader]) -> Result<Headers, Failure> {
        let mut headers = Headers::new();
        for (key, bytes) in raw {
            let converted = self
                .header
                .to_connect_header(topic, key, bytes.as_ref())
                .map_err(|error| Failure {
                    stage: Stage::HeaderConverter,
                    class: self.classes.header,
                    error,
                })?;
            headers.add(Arc::clone(key), converted.schema, converted.value);
        }
        Ok(headers)
    }
}
