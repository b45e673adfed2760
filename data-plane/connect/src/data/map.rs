//! Maps: values by keys of any type, in the order of insertion.

use std::collections::HashMap;

use crate::data::Value;

/// A map in the order of insertion. Keys are unique; look-up is linear, maps of records are small.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: Vec<(Value, Value)>,
}

impl Map {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// A map of these entries. Of a key that is there several times the first place and the last value count.
    pub fn from_entries(entries: Vec<(Value, Value)>) -> Self {
        if all_keys_differ(&entries) {
            return Self { entries };
        }
        let places = first_places(&entries);
        let mut kept: Vec<Option<(Value, Value)>> = Vec::with_capacity(entries.len());
        for (index, entry) in entries.into_iter().enumerate() {
            let place = places[index];
            if place == index {
                kept.push(Some(entry));
                continue;
            }
            kept.push(None);
            if let Some((_, value)) = &mut kept[place] {
                *value = entry.1;
            }
        }
        Self {
            entries: kept.into_iter().flatten().collect(),
        }
    }

    /// The value of a text key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries
            .iter()
            .find(|(k, _)| k.as_str() == Some(key))
            .map(|(_, value)| value)
    }

    /// Sets the value of a key; a key that exists keeps its place. Returns the old value.
    pub fn insert(&mut self, key: Value, value: Value) -> Option<Value> {
        match self.entries.iter_mut().find(|(k, _)| *k == key) {
            Some((_, old)) => Some(std::mem::replace(old, value)),
            None => {
                self.entries.push((key, value));
                None
            }
        }
    }

    /// Removes a text key.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let index = self.entries.iter().position(|(k, _)| k.as_str() == Some(key))?;
        Some(self.entries.remove(index).1)
    }

    /// The entries in the order of insertion.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Value, &Value)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl FromIterator<(Value, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Value, Value)>>(entries: I) -> Self {
        Self::from_entries(entries.into_iter().collect())
    }
}

impl IntoIterator for Map {
    type Item = (Value, Value);
    type IntoIter = std::vec::IntoIter<(Value, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

/// Maps are equal when they hold the same entries, whatever the order. Nearly always the order is the same too.
impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries
            || (self.entries.len() == other.entries.len()
                && self
                    .entries
                    .iter()
                    .all(|(key, value)| other.entries.iter().any(|(k, v)| k == key && v == value)))
    }
}

/// Up to here keys are compared with each other.
const FEW: usize = 32;

/// Whether no key is there twice, as far as that can be said quickly: false may be wrong.
fn all_keys_differ(entries: &[(Value, Value)]) -> bool {
    if entries.len() > FEW {
        return false;
    }
    let mut marks = 0_u64;
    entries.iter().enumerate().all(|(index, (key, _))| {
        let Value::String(text) = key else {
            return false;
        };
        // A mark that no other key has left means that the key is new, without comparing it.
        let mark = mark(text);
        let is_new = marks & mark == 0 || entries[..index].iter().all(|(other, _)| other != key);
        marks |= mark;
        is_new
    })
}

/// One of 64 bits, from the length of a text and its last bytes.
fn mark(text: &str) -> u64 {
    let last = text
        .bytes()
        .rev()
        .take(2)
        .fold(0_u32, |sum, byte| sum * 7 + u32::from(byte));
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    1 << (last.wrapping_add(length.wrapping_mul(11)) % 64)
}

/// For each entry the index of the first with its key.
fn first_places(entries: &[(Value, Value)]) -> Vec<usize> {
    let mut by_key: HashMap<Key<'_>, usize> = HashMap::with_capacity(entries.len());
    // Keys that have no hash: nobody has many of them.
    let mut others: Vec<usize> = Vec::new();
    let mut places = Vec::with_capacity(entries.len());
    for (index, (value, _)) in entries.iter().enumerate() {
        places.push(match Key::of(value) {
            Some(key) => *by_key.entry(key).or_insert(index),
            None => match others.iter().find(|&&other| entries[other].0 == *value) {
                Some(&first) => first,
                None => {
                    others.push(index);
                    index
                }
            },
        });
    }
    places
}

/// The keys that maps mostly have, with a hash.
#[derive(PartialEq, Eq, Hash)]
enum Key<'v> {
    Text(&'v str),
    Number(crate::data::Type, i64),
}

impl<'v> Key<'v> {
    fn of(value: &'v Value) -> Option<Self> {
        match value {
            Value::String(text) => Some(Self::Text(text)),
            other => Some(Self::Number(other.natural_type()?, other.as_integer()?)),
        }
    }
}

#[cfg(test)]
mod tests;
