//! The loops of source and sink tasks against Kafka in memory, with faults where they hurt. Time is paused: a test
//! waits for a state, never for the clock.

#[cfg(test)]
mod alteration;
#[cfg(test)]
mod exactly_once;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod plugins;
#[cfg(test)]
mod sink;
#[cfg(test)]
mod source;
#[cfg(test)]
mod starting;
#[cfg(test)]
mod switching;
