//! The crate under load: against librdkafka's own mock cluster, which can be told to misbehave, and against real Kafka.

#[cfg(test)]
mod consuming;
#[cfg(test)]
mod fake_broker;
#[cfg(test)]
mod mock_broker;
#[cfg(test)]
mod producer_ids;
#[cfg(test)]
mod producing;
#[cfg(test)]
mod reach;
#[cfg(test)]
mod rebalances;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod sharing;
#[cfg(test)]
mod sticky;
#[cfg(test)]
mod support;
#[cfg(test)]
mod transactions;
