//! Runs connectors and tasks.

pub mod backoff;
pub mod clients;
pub mod counters;
pub mod errors;
pub mod memory;
pub mod offsets;
pub mod pipeline;
pub mod plugin_view;
pub mod tracker;
pub mod unit;
pub mod validation;
