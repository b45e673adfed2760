//! Looks at the end of a topic, for a display.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{Consumer, DefaultConsumerContext};
use towpath_librdkafka::LastingConsumer;

/// Watches partition 0 of a topic.
#[derive(Clone)]
pub struct TopicWatcher {
    /// `None`: the client could not be made, so nothing can be said.
    consumer: Option<Arc<LastingConsumer>>,
    topic: Arc<str>,
}

impl std::fmt::Debug for TopicWatcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TopicWatcher")
            .field("topic", &self.topic)
            .finish_non_exhaustive()
    }
}

impl TopicWatcher {
    /// A watcher of a topic at these brokers. Nothing is connected yet.
    pub fn new(bootstrap_servers: &str, topic: &str) -> Self {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", bootstrap_servers)
            .set("client.id", "towpath-watcher");
        let consumer = LastingConsumer::new(&config, DefaultConsumerContext)
            .ok()
            .map(Arc::new);
        Self {
            consumer,
            topic: topic.into(),
        }
    }

    /// The offset that the next record will get; `None` when the broker does not answer in time.
    pub async fn end_offset(&self, timeout: Duration) -> Option<u64> {
        let consumer = Arc::clone(self.consumer.as_ref()?);
        let topic = Arc::clone(&self.topic);
        let looked = tokio::task::spawn_blocking(move || consumer.fetch_watermarks(&topic, 0, timeout)).await;
        let (_, end) = looked.ok()?.ok()?;
        u64::try_from(end).ok()
    }
}
