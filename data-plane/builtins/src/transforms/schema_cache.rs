//! What a transform worked out for a schema, remembered for the next record.

use std::sync::Arc;

use towpath_connect::{Result, SchemaRef};

/// As many schemas as Kafka Connect's transforms remember.
const LIMIT: usize = 16;

/// Results by schema, the latest used first.
#[derive(Debug)]
pub(super) struct SchemaCache<T> {
    entries: Vec<(SchemaRef, T)>,
}

impl<T: Clone> SchemaCache<T> {
    pub(super) fn new() -> Self {
        Self {
            entries: Vec::with_capacity(LIMIT),
        }
    }

    /// The result for `schema`, worked out by `make` if it is not known yet. An equal schema at another address has
    /// the same result, so that what follows sees one schema too.
    pub(super) fn get_or_make(
        &mut self,
        schema: &SchemaRef,
        make: impl FnOnce(&SchemaRef) -> Result<T>,
    ) -> Result<&T> {
        let known = self.entries.iter().position(|(key, _)| Arc::ptr_eq(key, schema));
        match known {
            Some(index) => self.entries[..=index].rotate_right(1),
            None => {
                let equal = self.entries.iter().find(|(key, _)| key == schema);
                let result = match equal {
                    Some((_, result)) => result.clone(),
                    None => make(schema)?,
                };
                self.entries.truncate(LIMIT - 1);
                self.entries.insert(0, (Arc::clone(schema), result));
            }
        }
        Ok(&self.entries[0].1)
    }
}
