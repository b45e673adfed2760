//! Runs connectors and tasks.

pub mod backoff;
pub mod clients;
pub mod counters;
pub mod errors;
pub mod offsets;
pub mod pipeline;
pub mod tracker;
pub mod unit;
