//! The configuration of a plugin as text, after config providers were resolved.

use std::fmt;

use indexmap::IndexMap;

/// Keys and values of a plugin's configuration, in the order of submission. Values are resolved, so they may hold
/// secrets: `Debug` prints the keys only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ConfigMap {
    entries: IndexMap<String, Option<String>>,
}

impl ConfigMap {
    /// An empty configuration.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a key; `None` when it is absent or null.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries.get(key).and_then(Option::as_deref)
    }

    /// Whether the key is there, even with a null value.
    pub fn contains_key(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Sets a key. One that exists keeps its place.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.entries.insert(key.into(), Some(value.into()));
    }

    /// Sets a key to null.
    pub fn insert_null(&mut self, key: impl Into<String>) {
        self.entries.insert(key.into(), None);
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &str) -> Option<String> {
        self.entries.shift_remove(key).flatten()
    }

    /// The entries in order; `None` stands for null.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.entries
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_deref()))
    }

    /// The entries whose key begins with `prefix`, without the prefix.
    pub fn with_prefix(&self, prefix: &str) -> Self {
        let entries = self
            .entries
            .iter()
            .filter_map(|(key, value)| Some((key.strip_prefix(prefix)?.to_owned(), value.clone())))
            .collect();
        Self { entries }
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl fmt::Debug for ConfigMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.entries.keys()).finish()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for ConfigMap {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self {
            entries: entries
                .into_iter()
                .map(|(key, value)| (key.into(), Some(value.into())))
                .collect(),
        }
    }
}

/// A secret. It prints as `[hidden]` whatever asks.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Wraps a secret.
    pub fn new(secret: impl Into<String>) -> Self {
        Self(secret.into())
    }

    /// The secret itself, for the one place that sends it to the other system.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

impl fmt::Display for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[hidden]")
    }
}

#[cfg(test)]
mod tests;
