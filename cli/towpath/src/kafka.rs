//! The broker: built in, or the user's.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use towpath_connect::ConfigMap;
use towpath_kafka::{MockBroker, MockBrokerError, RdKafkaClients, TopicWatcher};
use towpath_runtime::clients::KafkaClients;

use crate::demo::TopicView;

/// How long a look at the topic may take.
const LOOK: Duration = Duration::from_secs(2);

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BrokerError {
    #[error("the built-in broker cannot be used")]
    BuiltIn(#[from] MockBrokerError),
}

/// A Kafka cluster.
#[derive(Debug)]
pub(crate) struct Broker {
    bootstrap_servers: String,
    /// Alive as long as the process uses it.
    built_in: Option<MockBroker>,
}

impl Broker {
    /// The cluster at these addresses, or a built-in broker with these topics: it knows no request to create one.
    pub(crate) fn start(bootstrap_servers: Option<&str>, topics: &[&str]) -> Result<Self, BrokerError> {
        if let Some(servers) = bootstrap_servers {
            return Ok(Self {
                bootstrap_servers: servers.to_owned(),
                built_in: None,
            });
        }
        let broker = MockBroker::start()?;
        for topic in topics {
            broker.create_topic(topic, 1)?;
        }
        Ok(Self {
            bootstrap_servers: broker.bootstrap_servers(),
            built_in: Some(broker),
        })
    }

    pub(crate) fn bootstrap_servers(&self) -> &str {
        &self.bootstrap_servers
    }

    pub(crate) fn is_built_in(&self) -> bool {
        self.built_in.is_some()
    }

    /// Clients with a worker's settings.
    #[expect(clippy::unused_self, reason = "the broker has to be there")]
    pub(crate) fn clients(&self, config: &Arc<ConfigMap>) -> Arc<dyn KafkaClients> {
        Arc::new(RdKafkaClients::new(Arc::clone(config)))
    }

    /// What the demo shows of its topic.
    pub(crate) fn topic_view(&self, topic: &str) -> Watched {
        Watched(TopicWatcher::new(&self.bootstrap_servers, topic))
    }
}

/// Counts the records of a topic.
#[derive(Debug)]
pub(crate) struct Watched(TopicWatcher);

#[async_trait]
impl TopicView for Watched {
    async fn records(&self) -> Option<u64> {
        self.0.end_offset(LOOK).await
    }
}
