//! Produces for source tasks. Tasks of equal settings share a producer: each client costs threads and memory.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use towpath_librdkafka::{BatchProducer, ErrorCode, Lane, RecordRef, SendError, Stop};
use towpath_runtime::clients::{ClientError, Delivery, OutgoingRecord, RecordProducer};
use tracing::{info, warn};

use crate::config::{Settings, Translated};
use crate::errors;

/// How long one look for a missing topic may take.
const TOPIC_LOOKUP: Duration = Duration::from_secs(10);
/// Wait between two looks for a missing topic: brokers create topics in their own time.
const TOPIC_RETRY: Duration = Duration::from_millis(200);

/// The producers in use, by their settings.
#[derive(Debug, Default)]
pub(crate) struct ProducerPool {
    /// A std mutex: held while a client is made, never across an await.
    producers: Mutex<BTreeMap<Settings, BatchProducer>>,
}

impl ProducerPool {
    /// A part of a producer of these settings for one task.
    pub(crate) fn lane(&self, settings: &Translated) -> Result<Lane, ClientError> {
        let mut key = settings.librdkafka.clone();
        // The only setting that differs from task to task; a shared producer has the first one's.
        key.remove("client.id");
        let mut producers = self.producers.lock().unwrap_or_else(PoisonError::into_inner);
        producers.retain(|_, producer| producer.lane_count() > 0 && producer.fatal_error().is_none());
        if let Some(lane) = producers.get(&key).and_then(|producer| producer.lane().ok()) {
            return Ok(lane);
        }
        let buffer = settings.ours.buffer_memory;
        let config = settings.librdkafka.to_client_config();
        let producer = BatchProducer::new(&config, buffer).map_err(|e| errors::create(&e))?;
        let lane = producer.lane().map_err(|error| ClientError::Fatal(error.to_string()))?;
        producers.insert(key, producer);
        Ok(lane)
    }
}

/// One task's part of a producer.
#[derive(Debug)]
pub(crate) struct TaskProducer {
    lane: Lane,
    /// Reused between drains.
    reports: Vec<towpath_librdkafka::Delivery>,
}

impl TaskProducer {
    pub(crate) fn new(lane: Lane) -> Self {
        Self { lane, reports: Vec::new() }
    }

    /// Waits until the cluster has the topic: it creates it when asked for it, or somebody else does.
    async fn wait_for_topic(&self, topic: &str) {
        let producer = self.lane.producer();
        let mut said = false;
        loop {
            match producer.partition_count(topic, TOPIC_LOOKUP).await {
                Ok(Some(_)) => break,
                Ok(None) if said => {}
                Ok(None) => {
                    said = true;
                    info!(topic, "waiting for the topic: create it if the brokers do not create topics by themselves");
                }
                Err(code) if said => tracing::debug!(topic, %code, "the topic could not be looked up"),
                Err(code) => {
                    said = true;
                    warn!(topic, %code, "the topic cannot be looked up; trying again until it can");
                }
            }
            tokio::time::sleep(TOPIC_RETRY).await;
        }
    }
}

fn view(record: &OutgoingRecord) -> RecordRef<'_> {
    RecordRef {
        topic: &record.topic,
        partition: record.partition,
        key: record.key.as_deref(),
        value: record.value.as_deref(),
        timestamp: record.timestamp,
        headers: &record.headers,
        token: record.token,
    }
}

#[async_trait]
impl RecordProducer for TaskProducer {
    async fn send(&mut self, records: &[OutgoingRecord]) -> Result<usize, ClientError> {
        loop {
            let sent = self.lane.try_send(records, view).map_err(|error| match &error {
                SendError::Fatal { .. } | SendError::Token { .. } | SendError::TooManyLanes { .. } => {
                    ClientError::Fatal(error.to_string())
                }
            })?;
            if sent.count > 0 || sent.stop == Stop::Done {
                return Ok(sent.count);
            }
            match sent.stop {
                Stop::Done => {}
                Stop::Full => {
                    // Room comes with deliveries, of this task's records too: they have to be taken meanwhile.
                    self.lane.drain_deliveries(&mut self.reports);
                    self.lane.room().await;
                }
                Stop::UnknownTopic(topic) => self.wait_for_topic(&topic).await,
            }
        }
    }

    fn drain_deliveries(&mut self, out: &mut Vec<Delivery>) {
        self.lane.drain_deliveries(&mut self.reports);
        out.extend(self.reports.drain(..).map(|report| Delivery {
            token: report.token,
            result: report.result.map(drop).map_err(delivery_error),
        }));
    }

    async fn delivered(&mut self) {
        if self.reports.is_empty() {
            self.lane.delivered().await;
        }
    }

    /// librdkafka lingers a few milliseconds at most; nothing is worth hurrying.
    fn flush(&mut self) {}
}

fn delivery_error(code: ErrorCode) -> ClientError {
    // Deliveries are retried inside for as long as the settings say; what is reported is final.
    ClientError::Fatal(format!("Kafka did not accept a record: {code}"))
}
