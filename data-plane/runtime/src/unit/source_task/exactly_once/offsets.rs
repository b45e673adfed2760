//! The source offsets of one transaction: the newest of each source partition.

use std::sync::Arc;

use towpath_connect::OffsetMap;

/// A source partition, which may be null, and its offset; `None` deletes it.
pub(super) type PartitionOffset = (Option<Arc<OffsetMap>>, Option<OffsetMap>);

#[derive(Debug, Default)]
pub(super) struct NewestOffsets {
    /// In the order in which the partitions came up; few, and mostly the same one again and again.
    entries: Vec<PartitionOffset>,
}

impl NewestOffsets {
    pub(super) fn put(&mut self, (partition, offset): PartitionOffset) {
        match self.position(partition.as_ref()) {
            Some(index) => self.entries[index].1 = offset,
            None => self.entries.push((partition, offset)),
        }
    }

    /// Puts an older offset back, unless a newer one is there.
    pub(super) fn put_back(&mut self, older: PartitionOffset) {
        if self.position(older.0.as_ref()).is_none() {
            self.entries.push(older);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &PartitionOffset> {
        self.entries.iter()
    }

    pub(super) fn take(&mut self) -> Vec<PartitionOffset> {
        std::mem::take(&mut self.entries)
    }

    fn position(&self, partition: Option<&Arc<OffsetMap>>) -> Option<usize> {
        let is_shared = |(known, _): &PartitionOffset| match (known, partition) {
            (Some(known), Some(partition)) => Arc::ptr_eq(known, partition),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        // Sources share one allocation a partition, so this nearly always hits.
        self.entries.iter().position(is_shared).or_else(|| {
            self.entries
                .iter()
                .position(|(known, _)| known.as_ref() == partition)
        })
    }
}
