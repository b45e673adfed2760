//! Source partitions and source offsets: small ordered maps of primitive values. One entry needs no allocation, so a
//! file source can attach a position to each of millions of records.

use std::fmt;
use std::sync::Arc;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smallvec::SmallVec;

/// A value in a source partition or source offset.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum OffsetValue {
    /// JSON null.
    Null,
    /// JSON boolean.
    Boolean(bool),
    /// JSON integer; Kafka Connect reads every integer back as 64 bits.
    Long(i64),
    /// JSON number with a fraction or exponent.
    Double(f64),
    /// JSON text.
    String(Arc<str>),
}

/// A source partition or a source offset, for example `{"filename":"in.txt"}` or `{"position":30}`.
///
/// Equality is semantic: the order of the keys does not matter.
#[derive(Clone, Debug, Default)]
pub struct OffsetMap {
    entries: SmallVec<[(Arc<str>, OffsetValue); 1]>,
}

impl OffsetMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// A map of one entry; allocates nothing.
    pub fn single(key: Arc<str>, value: OffsetValue) -> Self {
        Self {
            entries: SmallVec::from_buf([(key, value)]),
        }
    }

    /// Adds or replaces an entry.
    pub fn with(mut self, key: impl Into<Arc<str>>, value: impl Into<OffsetValue>) -> Self {
        self.insert(key, value);
        self
    }

    /// Adds or replaces an entry.
    pub fn insert(&mut self, key: impl Into<Arc<str>>, value: impl Into<OffsetValue>) {
        let (key, value) = (key.into(), value.into());
        match self.entries.iter_mut().find(|(k, _)| *k == key) {
            Some((_, old)) => *old = value,
            None => self.entries.push((key, value)),
        }
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&OffsetValue> {
        self.entries
            .iter()
            .find(|(k, _)| k.as_ref() == key)
            .map(|(_, value)| value)
    }

    /// The integer of a key, if it is one.
    pub fn get_long(&self, key: &str) -> Option<i64> {
        match self.get(key) {
            Some(OffsetValue::Long(n)) => Some(*n),
            _ => None,
        }
    }

    /// The entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &OffsetValue)> {
        self.entries.iter().map(|(key, value)| (key.as_ref(), value))
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl PartialEq for OffsetMap {
    fn eq(&self, other: &Self) -> bool {
        self.entries.len() == other.entries.len() && self.entries.iter().all(|(k, v)| other.get(k) == Some(v))
    }
}

impl From<i64> for OffsetValue {
    fn from(value: i64) -> Self {
        Self::Long(value)
    }
}

impl From<&str> for OffsetValue {
    fn from(value: &str) -> Self {
        Self::String(value.into())
    }
}

impl<'de> Deserialize<'de> for OffsetValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde_json::Value;
        // Through a JSON value: it knows how numbers of any size are handed over.
        Ok(match Value::deserialize(deserializer)? {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Boolean(value),
            Value::String(text) => Self::String(text.into()),
            Value::Number(number) => match number.as_i64() {
                Some(number) => Self::Long(number),
                None => Self::Double(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::Array(_) | Value::Object(_) => {
                return Err(D::Error::custom("a source offset holds primitive values only"));
            }
        })
    }
}

impl Serialize for OffsetMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.entries.len()))?;
        for (key, value) in &self.entries {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for OffsetMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = OffsetMap;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of primitive values")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<OffsetMap, A::Error> {
                let mut map = OffsetMap::new();
                while let Some((key, value)) = access.next_entry::<Arc<str>, OffsetValue>()? {
                    map.insert(key, value);
                }
                Ok(map)
            }
        }
        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests;
