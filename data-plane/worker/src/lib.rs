//! The worker process.
