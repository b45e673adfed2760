//! A bulk: the body of one request, and what each part of it stands for. Nothing of how it is sent.

mod response;

pub(crate) use response::{Response, Verdict};

use std::ops::Range;
use std::sync::Arc;

use tokio::time::Instant;

use crate::tracker::Partition;

/// What is done with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Written whole, whether it is there or not.
    Index,
    /// Written if it is not there.
    Create,
    /// Merged with the one that is there.
    Update,
    Delete,
}

impl Action {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// What is to be known of one entry beside its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) action: Action,
    pub(crate) is_versioned: bool,
    /// Set when entries of the same document must be written one after the other: the same number for the same one.
    pub(crate) ordered_id: Option<u64>,
}

/// One entry of a bulk, and the record that it was made of.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) entry: Entry,
    pub(crate) partition: Arc<Partition>,
    pub(crate) offset: i64,
    /// Where its lines stand in the body.
    pub(crate) text: Range<usize>,
}

/// The entries of one request.
#[derive(Debug)]
pub(crate) struct Bulk {
    pub(crate) body: Vec<u8>,
    pub(crate) operations: Vec<Operation>,
    /// When the first entry came.
    pub(crate) opened_at: Instant,
}

impl Bulk {
    pub(crate) fn new() -> Self {
        Self {
            body: Vec::new(),
            operations: Vec::new(),
            opened_at: Instant::now(),
        }
    }

    /// The documents in it that must not be written out of order.
    pub(crate) fn ordered_ids(&self) -> impl Iterator<Item = u64> {
        self.operations
            .iter()
            .filter_map(|operation| operation.entry.ordered_id)
    }

    /// Moves the last entry into a bulk of its own.
    pub(crate) fn split_last(&mut self) -> Option<Self> {
        let last = self.operations.pop()?;
        let mut other = Self::new();
        other.push(&self.body, last);
        self.body.truncate(self.body.len() - other.body.len());
        Some(other)
    }

    /// Splits off the second half. `None` when there is only one entry.
    pub(crate) fn split_half(&mut self) -> Option<Self> {
        if self.operations.len() < 2 {
            return None;
        }
        let later = self.operations.split_off(self.operations.len() / 2);
        let start = later.first()?.text.start;
        let mut other = Self::new();
        for operation in later {
            other.push(&self.body, operation);
        }
        self.body.truncate(start);
        Some(other)
    }

    /// Keeps the entries for which `keep` says so; it is told the number of each.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(usize, &Operation) -> bool) {
        let mut kept = Self::new();
        let before = self.operations.len();
        for (number, operation) in std::mem::take(&mut self.operations).into_iter().enumerate() {
            if keep(number, &operation) {
                kept.push(&self.body, operation);
            }
        }
        if kept.operations.len() < before {
            self.body = kept.body;
        }
        self.operations = kept.operations;
    }

    fn push(&mut self, text: &[u8], mut operation: Operation) {
        let start = self.body.len();
        self.body.extend_from_slice(&text[operation.text.clone()]);
        operation.text = start..self.body.len();
        self.operations.push(operation);
    }
}

#[cfg(test)]
mod tests;
