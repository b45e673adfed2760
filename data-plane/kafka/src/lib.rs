//! rdkafka behind the runtime's traits: producers and consumers for tasks, a few questions to the cluster, and the
//! translation of the Java client's settings.
// NOTE (remove when done): the lead wrote clients/producer/consumer/errors.rs against `config.rs`. The config.rs that
// is here is only the lead's scaffold: the Kafka engineer replaces its table by the full translation and keeps the
// names that clients.rs uses.

mod clients;
pub mod config;
mod consumer;
mod errors;
mod producer;

pub use clients::RdKafkaClients;
pub use towpath_librdkafka::{MockBroker, MockBrokerError};
