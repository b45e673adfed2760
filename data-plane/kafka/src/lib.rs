//! rdkafka behind the runtime's traits: producers and consumers for tasks, a few questions to the cluster, and the
//! translation of the Java client's settings.

mod clients;
pub mod config;
mod consumer;
mod errors;
mod producer;
mod settings;
mod watcher;

pub use clients::RdKafkaClients;
pub use towpath_librdkafka::{MockBroker, MockBrokerError};
pub use watcher::TopicWatcher;
