//! Batch produce and batch consume over rdkafka's native handle.
