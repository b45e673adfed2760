//! librdkafka's in-memory broker, for trying Towpath out without a Kafka cluster.
//!
//! It knows no CreateTopics request, keeps only the newest few megabytes of a partition, and its `read_committed` cannot
//! be trusted: good for a demonstration, not a broker to keep anything in.

use std::fmt;

use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

/// A broker inside this process, reachable on 127.0.0.1 while it lives.
pub struct MockBroker {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

/// The built-in broker could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum MockBrokerError {
    #[error("could not start the built-in broker")]
    Start {
        #[source]
        source: KafkaError,
    },
    #[error("could not create topic \"{topic}\" on the built-in broker")]
    CreateTopic {
        topic: String,
        #[source]
        source: KafkaError,
    },
}

impl MockBroker {
    pub fn start() -> Result<Self, MockBrokerError> {
        let cluster = MockCluster::new(1).map_err(|source| MockBrokerError::Start { source })?;
        Ok(Self { cluster })
    }

    /// `host:port`, as `bootstrap.servers` wants it.
    pub fn bootstrap_servers(&self) -> String {
        self.cluster.bootstrap_servers()
    }

    /// Fails if the topic is there already.
    pub fn create_topic(&self, topic: &str, partitions: i32) -> Result<(), MockBrokerError> {
        let created = self.cluster.create_topic(topic, partitions, 1);
        created.map_err(|source| MockBrokerError::CreateTopic {
            topic: topic.to_owned(),
            source,
        })
    }

    /// The cluster itself, to make it misbehave in tests.
    pub fn cluster(&self) -> &MockCluster<'static, DefaultProducerContext> {
        &self.cluster
    }
}

impl fmt::Debug for MockBroker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MockBroker")
            .field("bootstrap_servers", &self.bootstrap_servers())
            .finish_non_exhaustive()
    }
}
