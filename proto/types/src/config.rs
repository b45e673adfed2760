//! A connector's or task's configuration, exactly as it was submitted.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// Keys in the order of submission; a value may be JSON `null`. Two configurations are equal when they hold the same
/// entries, in whatever order.
///
/// `Debug` and `Display` show keys only, because values hold passwords (invariant 8).
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ConnectorConfig(IndexMap<String, Option<String>>);

impl ConnectorConfig {
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of a key; absent and `null` are both `None`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_deref()
    }

    /// Tells an absent key (`None`) from a `null` value (`Some(None)`).
    pub fn entry(&self, key: &str) -> Option<Option<&str>> {
        self.0.get(key).map(Option::as_deref)
    }

    pub fn contains_key(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// A key that is there keeps its place, a new one is appended.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.insert(key.into(), Some(value.into()));
    }

    pub fn insert_null(&mut self, key: impl Into<String>) {
        self.0.insert(key.into(), None);
    }

    /// Takes the key out; the others keep their order. Says whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        self.0.shift_remove(key).is_some()
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_deref()))
    }

    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for ConnectorConfig {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self(
            entries
                .into_iter()
                .map(|(key, value)| (key.into(), Some(value.into())))
                .collect(),
        )
    }
}

impl IntoIterator for ConnectorConfig {
    type Item = (String, Option<String>);
    type IntoIter = indexmap::map::IntoIter<String, Option<String>>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// For values that may be `null`.
impl Extend<(String, Option<String>)> for ConnectorConfig {
    fn extend<I: IntoIterator<Item = (String, Option<String>)>>(&mut self, entries: I) {
        self.0.extend(entries);
    }
}

impl fmt::Debug for ConnectorConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.keys()).finish()
    }
}

impl fmt::Display for ConnectorConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys: Vec<&str> = self.keys().collect();
        write!(f, "{{{}}}", keys.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"z":"1","connection.password":"s3cret","a":null}"#;

    #[test]
    fn json_keeps_the_order_and_the_nulls() {
        let config: ConnectorConfig = serde_json::from_str(JSON).unwrap();
        assert_eq!(
            config.keys().collect::<Vec<_>>(),
            ["z", "connection.password", "a"]
        );
        assert_eq!(
            (config.get("a"), config.entry("a"), config.entry("b")),
            (None, Some(None), None)
        );
        assert_eq!(serde_json::to_string(&config).unwrap(), JSON);
    }

    #[test]
    fn neither_debug_nor_display_shows_a_value() {
        let config: ConnectorConfig = serde_json::from_str(JSON).unwrap();
        assert_eq!(config.to_string(), "{z, connection.password, a}");
        assert!(!format!("{config:?} {config:#?}").contains("s3cret"));
    }

    #[test]
    fn removing_and_replacing_keep_the_order_of_the_others() {
        let mut config: ConnectorConfig = serde_json::from_str(JSON).unwrap();
        config.insert("z", "2");
        assert!(config.remove("connection.password"));
        config.insert("new", "3");
        assert_eq!(config.keys().collect::<Vec<_>>(), ["z", "a", "new"]);
        assert_eq!(config.get("z"), Some("2"));
    }

    #[test]
    fn equality_does_not_depend_on_the_order() {
        let one: ConnectorConfig = [("a", "1"), ("b", "2")].into_iter().collect();
        let two: ConnectorConfig = [("b", "2"), ("a", "1")].into_iter().collect();
        assert_eq!(one, two);
    }

    #[test]
    fn the_last_of_two_equal_members_wins() {
        let config: ConnectorConfig = serde_json::from_str(r#"{"a":"1","a":"2"}"#).unwrap();
        assert_eq!(config.get("a"), Some("2"));
    }
}
