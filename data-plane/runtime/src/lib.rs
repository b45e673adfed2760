//! Runs connectors and tasks.
