//! The files that a worker is started with: properties, worker configurations, connector files (worker-config.md).
#![cfg(test)]

mod connector_files;
mod listeners;
mod properties;
mod warnings;
mod worker_keys;
