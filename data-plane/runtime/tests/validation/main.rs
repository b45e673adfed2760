//! Validation of connector configurations, through the public functions: what Kafka Connect 4.3.1 answered (`golden`),
//! and each rule on its own.
#![cfg(test)]

mod client_overrides;
mod converters;
mod embedded;
mod fixture;
mod framework_keys;
mod golden;
mod local_plugins;
mod parsing;
mod plugin_versions;
mod plugin_views;
mod refusals;
mod secrets;
mod sinks;
mod sources;
