//! Partitions that are taken over and released, and where they are read from.

use std::sync::Arc;

use rdkafka::consumer::Consumer;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use super::leave::Membership;
use super::partitions::list_of;
use super::{BatchConsumer, GroupEvent, Pending, TopicPartition};
use crate::error::ConsumerError;

/// `auto.offset.reset`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OffsetReset {
    Beginning,
    End,
    Refuse,
}

impl OffsetReset {
    /// librdkafka has names of its own beside Java's, and has checked that it is one of them.
    pub(super) fn of(config: &ClientConfig) -> Self {
        match config.get("auto.offset.reset") {
            Some("smallest" | "earliest" | "beginning") => Self::Beginning,
            Some("error") => Self::Refuse,
            Some(_) | None => Self::End,
        }
    }

    pub(super) fn offset_of(self, partition: &TopicPartition) -> Result<Offset, ConsumerError> {
        match self {
            Self::Beginning => Ok(Offset::Beginning),
            Self::End => Ok(Offset::End),
            Self::Refuse => Err(ConsumerError::NoOffset {
                topic: Arc::clone(&partition.topic),
                partition: partition.partition,
            }),
        }
    }
}

impl BatchConsumer {
    /// Confirms an assignment: fetching starts where `start` says, which has the committed offsets as a rule, and of other
    /// partitions where `auto.offset.reset` says.
    ///
    /// librdkafka could look committed offsets up by itself, but it asks once: after an answer that is an error, as from a
    /// coordinator that has just moved, it never fetches these partitions, and says so in a passing remark only.
    ///
    /// # Errors
    /// [`ConsumerError::NoOffset`] when `auto.offset.reset` refuses a partition; the assignment is still unconfirmed then.
    pub fn take_over(&mut self, start: &[(TopicPartition, i64)]) -> Result<(), ConsumerError> {
        let Some(Pending::Assign(partitions)) = &self.pending else {
            return Ok(());
        };
        let mut offsets = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let from = start.iter().find(|(wanted, _)| wanted == partition);
            offsets.push(match from {
                Some((_, offset)) => Offset::Offset(*offset),
                None => self.reset.offset_of(partition)?,
            });
        }
        self.assign(&offsets)
    }

    /// Confirms an assignment: the partitions start at these offsets, in order.
    pub(super) fn assign(&mut self, offsets: &[Offset]) -> Result<(), ConsumerError> {
        let partitions = match self.pending.take() {
            Some(Pending::Assign(partitions)) => partitions,
            other => {
                self.pending = other;
                return Ok(());
            }
        };
        let count = partitions.len();
        let failed = |source| ConsumerError::Assign {
            partitions: count,
            source,
        };
        let is_eager = self.is_eager();
        if is_eager {
            // What is still there was fetched for the last assignment.
            self.data.discard();
        }
        let mut list = TopicPartitionList::with_capacity(count);
        for (partition, offset) in partitions.iter().zip(offsets) {
            list.add_partition_offset(&partition.topic, partition.partition, *offset)
                .map_err(failed)?;
        }
        // Before the assignment, so that no record takes the other way.
        self.forward(&partitions);
        // A pause outlives an assignment in librdkafka, also one of long ago.
        self.inner.resume(&list).map_err(failed)?;
        let done = if is_eager {
            self.inner.assign(&list)
        } else {
            self.inner.incremental_assign(&list)
        };
        done.map_err(failed)?;
        if std::mem::take(&mut self.supersedes) {
            // What was still being fetched stops now, and takes its forwarding along; an answer to a question means that it
            // has.
            let _answer = self.is_eager();
            self.forward(&partitions);
        }
        self.assigned = true;
        self.held = if is_eager { partitions } else { Vec::new() };
        Ok(())
    }

    fn forward(&self, partitions: &[TopicPartition]) {
        for partition in partitions {
            self.data.forward(self.inner.client().native_ptr(), partition);
        }
    }

    /// librdkafka may give an assignment anew without taking the last one back, when it learns of changed topics while one
    /// waits to be confirmed. The caller is told of the revocation that is missing.
    pub(super) fn assigned(&mut self, partitions: Vec<TopicPartition>) -> GroupEvent {
        self.membership = Membership::Member;
        if self.held.is_empty() {
            self.pending = Some(Pending::Assign(partitions.clone()));
            return GroupEvent::Assigned(partitions);
        }
        self.pending = Some(Pending::Supersede(partitions));
        GroupEvent::Revoked {
            partitions: std::mem::take(&mut self.held),
            lost: true,
        }
    }

    /// Confirms a revocation. Records of these partitions that were not read are dropped.
    pub fn release(&mut self) -> Result<(), ConsumerError> {
        let partitions = match self.pending.take() {
            Some(Pending::Revoke(partitions)) => partitions,
            Some(Pending::Supersede(next)) => {
                self.data.forget_topics();
                self.assigned = false;
                self.supersedes = true;
                self.next = Some(next);
                return Ok(());
            }
            other => {
                self.pending = other;
                return Ok(());
            }
        };
        self.data.forget_topics();
        let done = if self.is_eager() {
            self.assigned = false;
            self.held.clear();
            self.inner.unassign()
        } else {
            list_of(&partitions).and_then(|list| self.inner.incremental_unassign(&list))
        };
        done.map_err(|source| ConsumerError::Unassign {
            partitions: partitions.len(),
            source,
        })
    }
}
