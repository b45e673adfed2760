//! Runs connectors and tasks.

pub mod clients;
