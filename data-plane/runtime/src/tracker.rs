//! Source offsets between the producer and the commit: which prefix of each source partition is acknowledged.
//!
//! One queue a source partition in poll order; a record takes one slot in it and no allocation of its own.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use towpath_connect::OffsetMap;

/// Bits of a token that number the record within its source partition; the others name the partition's queue.
const SEQUENCE_BITS: u32 = 32;
/// Tokens stay below 2^48, as the producer asks for.
const MAX_QUEUES: usize = 1 << 16;

/// The newest offset that may be committed for a source partition.
pub type Committable = (Arc<OffsetMap>, OffsetMap);

/// Follows the records of one task.
#[derive(Debug, Default)]
pub struct Tracker {
    queues: Vec<Queue>,
    /// By the address of the shared partition: sources share one `Arc` a partition, so this nearly always hits.
    by_address: HashMap<usize, usize>,
    /// The address and the queue of the last record: most records come from where the one before came from.
    last: Option<(usize, usize)>,
    in_flight: usize,
}

#[derive(Debug)]
struct Queue {
    /// Kept alive here, so that its address is not given to another partition.
    partition: Option<Arc<OffsetMap>>,
    /// Sequence number of the first slot, modulo 2^32.
    base: u32,
    slots: VecDeque<Slot>,
    /// The offset of the longest acknowledged prefix, if it moved since it was last taken.
    committable: Option<OffsetMap>,
}

#[derive(Debug)]
struct Slot {
    offset: Option<OffsetMap>,
    done: bool,
}

impl Tracker {
    /// Nothing in flight.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes a record that is about to go to the producer, in poll order, and gives the token for it. `None` when a
    /// task uses more source partitions than tokens can tell apart.
    pub fn submit(&mut self, partition: Option<&Arc<OffsetMap>>, offset: Option<OffsetMap>) -> Option<u64> {
        let index = self.queue_of(partition)?;
        let queue = &mut self.queues[index];
        let position = u32::try_from(queue.slots.len()).ok()?;
        queue.slots.push_back(Slot { offset, done: false });
        self.in_flight += 1;
        let sequence = u64::from(queue.base.wrapping_add(position));
        Some((u64::try_from(index).ok()? << SEQUENCE_BITS) | sequence)
    }

    /// Kafka has acknowledged the record of this token. Tokens that are not in flight are ignored.
    pub fn acknowledge(&mut self, token: u64) {
        let Some(queue) = usize::try_from(token >> SEQUENCE_BITS)
            .ok()
            .and_then(|i| self.queues.get_mut(i))
        else {
            return;
        };
        let sequence = u32::try_from(token & u64::from(u32::MAX)).unwrap_or_default();
        let position = usize::try_from(sequence.wrapping_sub(queue.base)).unwrap_or(usize::MAX);
        let Some(slot) = queue.slots.get_mut(position).filter(|slot| !slot.done) else {
            return;
        };
        slot.done = true;
        self.in_flight -= 1;
        // Invariant 1: only the prefix without a gap becomes committable.
        while let Some(first) = queue.slots.pop_front_if(|slot| slot.done) {
            queue.base = queue.base.wrapping_add(1);
            if first.offset.is_some() {
                queue.committable = first.offset;
            }
        }
    }

    /// Records that Kafka has not acknowledged yet.
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Takes the offsets that moved since the last call.
    pub fn take_committable(&mut self) -> Vec<Committable> {
        let moved = |queue: &mut Queue| {
            let partition = queue.partition.as_ref()?;
            Some((Arc::clone(partition), queue.committable.take()?))
        };
        self.queues.iter_mut().filter_map(moved).collect()
    }

    /// Gives back offsets whose commit did not work, unless newer ones came meanwhile.
    pub fn put_back(&mut self, offsets: Vec<Committable>) {
        for (partition, offset) in offsets {
            if let Some(index) = self.queue_of(Some(&partition)) {
                self.queues[index].committable.get_or_insert(offset);
            }
        }
    }

    fn queue_of(&mut self, partition: Option<&Arc<OffsetMap>>) -> Option<usize> {
        let address = partition.map_or(0, |p| Arc::as_ptr(p).addr());
        if let Some((last, index)) = self.last
            && last == address
        {
            return Some(index);
        }
        if let Some(&index) = self.by_address.get(&address) {
            self.last = Some((address, index));
            return Some(index);
        }
        // An address that is not known may still be an equal partition in another `Arc`. Its address is not
        // remembered, because that `Arc` is not kept alive.
        let equal = |queue: &Queue| queue.partition.as_deref() == partition.map(AsRef::as_ref);
        if let Some(index) = self.queues.iter().position(equal) {
            return Some(index);
        }
        if self.queues.len() == MAX_QUEUES {
            return None;
        }
        let index = self.queues.len();
        let queue = Queue {
            partition: partition.cloned(),
            base: 0,
            slots: VecDeque::new(),
            committable: None,
        };
        self.queues.push(queue);
        self.by_address.insert(address, index);
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(name: &str) -> Arc<OffsetMap> {
        Arc::new(OffsetMap::new().with("p", name))
    }

    fn offset(n: i64) -> Option<OffsetMap> {
        Some(OffsetMap::new().with("n", n))
    }

    #[test]
    fn a_committed_offset_never_lies_beyond_a_record_that_is_not_acknowledged() {
        let mut tracker = Tracker::new();
        let p = partition("a");
        let tokens: Vec<u64> = (0..4)
            .map(|n| tracker.submit(Some(&p), offset(n)).unwrap())
            .collect();
        tracker.acknowledge(tokens[1]);
        tracker.acknowledge(tokens[2]);
        assert!(
            tracker.take_committable().is_empty(),
            "record 0 is not acknowledged"
        );
        tracker.acknowledge(tokens[0]);
        assert_eq!(tracker.take_committable(), [(Arc::clone(&p), offset(2).unwrap())]);
        assert_eq!(tracker.in_flight(), 1);
        tracker.acknowledge(tokens[0]);
        assert_eq!(
            tracker.in_flight(),
            1,
            "a second report of one record changes nothing"
        );
    }

    #[test]
    fn a_late_record_holds_back_only_its_own_partition() {
        let mut tracker = Tracker::new();
        let (a, b) = (partition("a"), partition("b"));
        let _waiting = tracker.submit(Some(&a), offset(1)).unwrap();
        let token = tracker.submit(Some(&b), offset(7)).unwrap();
        tracker.acknowledge(token);
        assert_eq!(tracker.take_committable(), [(b, offset(7).unwrap())]);
    }

    #[test]
    fn equal_partitions_in_different_allocations_are_one() {
        let mut tracker = Tracker::new();
        let first = tracker.submit(Some(&partition("a")), offset(1)).unwrap();
        let second = tracker.submit(Some(&partition("a")), offset(2)).unwrap();
        tracker.acknowledge(second);
        assert!(tracker.take_committable().is_empty());
        tracker.acknowledge(first);
        assert_eq!(tracker.take_committable().len(), 1);
    }

    #[test]
    fn records_without_an_offset_are_counted_but_commit_nothing() {
        let mut tracker = Tracker::new();
        let token = tracker.submit(None, None).unwrap();
        assert_eq!(tracker.in_flight(), 1);
        tracker.acknowledge(token);
        assert_eq!(tracker.in_flight(), 0);
        assert!(tracker.take_committable().is_empty());
    }

    #[test]
    fn offsets_put_back_do_not_overwrite_newer_ones() {
        let mut tracker = Tracker::new();
        let p = partition("a");
        let first = tracker.submit(Some(&p), offset(1)).unwrap();
        tracker.acknowledge(first);
        let taken = tracker.take_committable();
        let second = tracker.submit(Some(&p), offset(2)).unwrap();
        tracker.acknowledge(second);
        tracker.put_back(taken.clone());
        assert_eq!(tracker.take_committable(), [(Arc::clone(&p), offset(2).unwrap())]);
        tracker.put_back(taken);
        assert_eq!(tracker.take_committable(), [(p, offset(1).unwrap())]);
    }
}
