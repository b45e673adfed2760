//! The control plane over its real ports, with workers that follow a script.

mod cluster;
mod connectors;
mod durability;
mod grpc;
mod replay;
mod script;
mod secrets;
mod sessions;
mod transport;
mod worker;
