//! The control plane over its real ports, with workers that follow a script.

#[cfg(test)]
mod cluster;
#[cfg(test)]
mod connectors;
#[cfg(test)]
mod durability;
#[cfg(test)]
mod group;
#[cfg(test)]
mod grpc;
#[cfg(test)]
mod offset_changes;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod script;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod transport;
#[cfg(test)]
mod worker;
#[cfg(test)]
mod workers;
