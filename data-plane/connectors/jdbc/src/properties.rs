//! Driver properties: the query string of the URL and the keys under `connection.`. The Java drivers know some hundred
//! of them; those that matter here are read by the database that knows them, those that only tune a Java driver are
//! known and do nothing, all others are named in a warning.

use std::time::Duration;

/// Properties by name; names are compared without case.
#[derive(Clone, Default)]
pub(crate) struct Properties {
    entries: Vec<(String, String)>,
}

/// Names only: values may be secrets.
impl std::fmt::Debug for Properties {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set()
            .entries(self.entries.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Properties {
    /// Sets a property; a later one of the same name wins.
    pub(crate) fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        match self
            .entries
            .iter_mut()
            .find(|(n, _)| n.eq_ignore_ascii_case(&name))
        {
            Some(entry) => entry.1 = value,
            None => self.entries.push((name, value)),
        }
    }

    /// Takes a property out.
    pub(crate) fn take(&mut self, name: &str) -> Option<String> {
        let index = self
            .entries
            .iter()
            .position(|(n, _)| n.eq_ignore_ascii_case(name))?;
        Some(self.entries.remove(index).1)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let (_, value) = self.entries.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        Some(value.trim())
    }

    /// A switch. Set without a value means on; a value that is neither counts as not set.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match self.get(name)?.to_ascii_lowercase().as_str() {
            "" | "true" | "yes" | "1" | "on" => Some(true),
            "false" | "no" | "0" | "off" => Some(false),
            _ => None,
        }
    }

    /// The first of these switches that is set.
    pub(crate) fn any_flag(&self, names: &[&str]) -> Option<bool> {
        names.iter().find_map(|name| self.flag(name))
    }

    pub(crate) fn seconds(&self, name: &str) -> Option<Duration> {
        self.get(name)?.parse().ok().map(Duration::from_secs)
    }

    pub(crate) fn millis(&self, name: &str) -> Option<Duration> {
        self.get(name)?.parse().ok().map(Duration::from_millis)
    }

    /// The names that are in none of these lists.
    pub(crate) fn names_beyond(&self, known: &[&[&str]]) -> Vec<String> {
        let is_known = |name: &str| {
            known
                .iter()
                .any(|list| list.iter().any(|k| k.eq_ignore_ascii_case(name)))
        };
        let names = self.entries.iter().map(|(name, _)| name);
        names.filter(|name| !is_known(name)).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case_and_later_values_win() {
        let mut properties = Properties::default();
        properties.set("useSSL", "true");
        properties.set("usessl", "false");
        properties.set("ssl", "");
        assert_eq!(properties.flag("useSsl"), Some(false));
        assert_eq!(properties.flag("SSL"), Some(true));
        assert_eq!(properties.any_flag(&["absent", "useSSL"]), Some(false));
        assert_eq!(properties.take("USESSL").as_deref(), Some("false"));
        assert_eq!(properties.get("useSSL"), None);
    }

    #[test]
    fn unknown_names_are_listed_and_values_do_not_print() {
        let mut properties = Properties::default();
        properties.set("useSSL", "hush");
        properties.set("oracle.net.x", "hush");
        assert_eq!(
            properties.names_beyond(&[&["UseSsl"], &["other"]]),
            ["oracle.net.x"]
        );
        assert!(!format!("{properties:?}").contains("hush"));
    }
}
