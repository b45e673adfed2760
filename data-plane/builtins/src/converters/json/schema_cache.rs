//! Schemas that were read, remembered by their text.

use std::collections::HashMap;

use towpath_connect::SchemaRef;

/// Schemas by their text.
#[derive(Debug)]
pub(super) struct SchemaCache {
    limit: usize,
    /// Nearly every record has the schema of the one before.
    last: Option<(Box<str>, SchemaRef)>,
    by_text: HashMap<Box<str>, SchemaRef>,
}

impl SchemaCache {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            last: None,
            by_text: HashMap::new(),
        }
    }

    /// The schema of the record before, if its text stands at the beginning of `rest`; and the length of the text.
    pub(super) fn last_in(&self, rest: &str) -> Option<(usize, SchemaRef)> {
        let (text, schema) = self.last.as_ref()?;
        rest.starts_with(text.as_ref())
            .then(|| (text.len(), SchemaRef::clone(schema)))
    }

    /// The schema of this text.
    pub(super) fn get(&mut self, text: &str) -> Option<SchemaRef> {
        let schema = self.by_text.get(text)?;
        let schema = SchemaRef::clone(schema);
        self.last = Some((text.into(), SchemaRef::clone(&schema)));
        Some(schema)
    }

    /// Remembers the schema of a text, which is that of an object: no longer text begins with it and means another
    /// schema.
    pub(super) fn put(&mut self, text: &str, schema: &SchemaRef) {
        if self.by_text.len() >= self.limit {
            self.by_text.clear();
        }
        self.by_text.insert(text.into(), SchemaRef::clone(schema));
        self.last = Some((text.into(), SchemaRef::clone(schema)));
    }
}
