//! How commands and snapshots are written: JSON in an envelope with a format version.
//!
//! JSON, because a node of another version must be able to skip members it does not know and to fill in those it
//! misses, because configurations and offsets are JSON already, and because an operator can read it. It costs nothing
//! that matters: an `fdatasync` takes longer than parsing a command, and a snapshot of 10,000 connectors is read once.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What this build writes. It reads this and older ones. A member that is added with a default needs no new version.
pub const FORMAT_VERSION: u32 = 1;

#[derive(Debug, thiserror::Error)]
#[error(
    "could not read the {what}: it is damaged, or was written by a newer version; \
     run the newer version, or replace this node: start one with an empty data directory under a new number with \
     `--join`, then take the old number out with `kcctl cluster remove`; if the whole group is lost, begin a new one from a \
     backup with `--restore`"
)]
pub struct DecodeError {
    what: &'static str,
    #[source]
    source: serde_json::Error,
}

/// The envelope. The version comes first, so that a body of another version is refused before it is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Versioned<T> {
    version: FormatVersion,
    pub body: T,
}

impl<T> Versioned<T> {
    pub fn new(body: T) -> Self {
        Self {
            version: FormatVersion,
            body,
        }
    }
}

/// Always the version that this build writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FormatVersion;

impl Serialize for FormatVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(FORMAT_VERSION)
    }
}

impl<'de> Deserialize<'de> for FormatVersion {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            FORMAT_VERSION => Ok(Self),
            other => Err(D::Error::custom(format!(
                "the format version is {other}, but this build reads version {FORMAT_VERSION}"
            ))),
        }
    }
}

pub(crate) fn encode(body: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(&Versioned::new(body)).expect("every part of the state has a JSON form")
}

pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8], what: &'static str) -> Result<T, DecodeError> {
    let envelope: Versioned<T> =
        serde_json::from_slice(bytes).map_err(|source| DecodeError { what, source })?;
    Ok(envelope.body)
}

/// A map whose keys are no texts, as a list of pairs.
pub(crate) mod pairs {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<K, V, S>(map: &BTreeMap<K, V>, serializer: S) -> Result<S::Ok, S::Error>
    where
        K: Serialize,
        V: Serialize,
        S: Serializer,
    {
        serializer.collect_seq(map)
    }

    pub(crate) fn deserialize<'de, K, V, D>(deserializer: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
        D: Deserializer<'de>,
    {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}
