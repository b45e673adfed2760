//! rdkafka behind the runtime's traits: producers that tasks share, group consumers, and what is asked of a cluster.
//!
//! Clients are configured with the settings that people have for Kafka's Java clients ([`config`]). Records go through
//! `towpath-librdkafka`; nothing here touches one for longer than to hand it on.

pub mod admin;
mod clients;
mod compacted;
pub mod config;
mod consumer;
mod coverage;
mod membership;
mod pool;
mod producer;
mod subscription;
mod transactions;
mod trouble;
mod watcher;

pub use admin::Admin;
pub use clients::RdKafkaClients;
pub use towpath_librdkafka::{MockBroker, MockBrokerError};
pub use watcher::TopicWatcher;
