//! Runs connectors and tasks.

pub mod alteration;
pub mod backoff;
pub mod clients;
pub mod connector_file;
pub mod counters;
pub mod errors;
pub mod memory;
pub mod offsets;
pub mod pipeline;
pub mod plugin_view;
pub mod properties;
pub mod tracker;
pub mod unit;
pub mod validation;
pub mod worker_config;
