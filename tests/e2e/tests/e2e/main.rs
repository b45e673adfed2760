//! The whole thing: our binaries as processes, real Kafka, real databases, a real search engine.

#[cfg(test)]
mod cluster;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod exactly_once;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod files;
#[cfg(test)]
mod group;
#[cfg(test)]
mod handover;
#[cfg(test)]
mod news;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod numbers;
#[cfg(test)]
mod recorded;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod rest;
#[cfg(test)]
mod scenario;
#[cfg(test)]
mod spread;
#[cfg(test)]
mod stability;
#[cfg(test)]
mod upkeep;
