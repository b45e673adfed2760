//! The runtime's clients against real Kafka, and against librdkafka's mock cluster where a broker must misbehave.

#[cfg(test)]
mod administration;
#[cfg(test)]
mod connector_boundaries;
#[cfg(test)]
mod consuming;
#[cfg(test)]
mod membership;
#[cfg(test)]
mod producing;
#[cfg(test)]
mod security;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod support;
#[cfg(test)]
mod transactions;
