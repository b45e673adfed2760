//! rdkafka behind the runtime's traits.

pub mod config;
