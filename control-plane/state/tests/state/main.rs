//! The rules of the replicated state, seen from outside.

#[cfg(test)]
mod backups;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod connectors;
#[cfg(test)]
mod fencing;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod kafka_offsets;
#[cfg(test)]
mod offsets;
#[cfg(test)]
mod placement;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod restarts;
#[cfg(test)]
mod scale;
#[cfg(test)]
mod selectors;
#[cfg(test)]
mod workers;
