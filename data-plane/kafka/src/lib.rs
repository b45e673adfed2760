//! rdkafka behind the runtime's traits.
