//! Runs the real binary against servers within the test: REST with the recorded answers of Kafka Connect 4.3.1, and
//! gRPC with the same data. What it prints, and its exit codes, are compared as a whole.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, also in the functions that its tests share"
)]

mod apply;
mod change;
mod completion;
mod contexts;
mod describe;
mod errors;
mod get;
mod grpc;
mod grpc_server;
mod kcctl;
mod member_service;
mod members;
mod offsets;
mod rest_server;
mod worker;
mod worker_service;
