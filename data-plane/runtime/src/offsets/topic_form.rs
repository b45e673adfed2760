//! Source offsets as Kafka Connect writes them into its offsets topic: key `["connector",{partition}]`, value `{offset}`.
//! Java compares the bytes of keys, so a key that was read is written again as it was. The epoch of the run that wrote an
//! offset goes along as a header, which Java does not look at.

use std::collections::HashMap;

use bytes::Bytes;
use serde_json::value::RawValue;
use towpath_connect::{ConnectorError, OffsetMap, Result};

use towpath_types::Epoch;

use crate::clients::{CompactedTopic, RawHeader};

/// The header with the epoch, in decimal digits.
const EPOCH_HEADER: &str = "towpath.epoch";

/// What one topic holds of one connector.
#[derive(Debug, Default)]
pub struct TopicOffsets {
    /// By the meaning of the partition: its members sorted.
    entries: HashMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// As first written.
    key: Bytes,
    partition: Option<OffsetMap>,
    offset: OffsetMap,
    /// `None` if the Java runtime has written it.
    epoch: Option<Epoch>,
}

impl TopicOffsets {
    /// Reads what a topic holds. Keys that are no connector and partition are left out.
    ///
    /// # Errors
    /// When an offset of the connector cannot be read: a position that is lost is never taken for none.
    pub fn read(connector: &str, topic: &CompactedTopic) -> Result<Self> {
        let mut entries = HashMap::new();
        for (key, record) in topic {
            let Some(partition) = partition_of(connector, key) else {
                continue;
            };
            let offset = serde_json::from_slice(&record.value).map_err(|cause| {
                let key = String::from_utf8_lossy(key);
                ConnectorError::data(format!("the stored source offset of {key} cannot be read"))
                    .with_source(cause)
            })?;
            let entry = Entry {
                key: key.clone(),
                partition,
                offset,
                epoch: epoch_of(&record.headers),
            };
            entries.insert(meaning(entry.partition.as_ref()), entry);
        }
        Ok(Self { entries })
    }

    /// The offset of a partition.
    pub fn get(&self, partition: Option<&OffsetMap>) -> Option<&OffsetMap> {
        self.entries.get(&meaning(partition)).map(|entry| &entry.offset)
    }

    /// The offset of a partition, and the epoch of the run that wrote it if that was one of ours.
    pub fn get_with_epoch(&self, partition: &OffsetMap) -> Option<(&OffsetMap, Option<Epoch>)> {
        let entry = self.entries.get(&meaning(Some(partition)))?;
        Some((&entry.offset, entry.epoch))
    }

    /// All partitions, the null one included.
    pub fn partitions(&self) -> impl Iterator<Item = Option<&OffsetMap>> {
        self.entries.values().map(|entry| entry.partition.as_ref())
    }

    /// All that have a partition.
    pub fn iter(&self) -> impl Iterator<Item = (&OffsetMap, &OffsetMap)> {
        self.entries
            .values()
            .filter_map(|entry| Some((entry.partition.as_ref()?, &entry.offset)))
    }

    /// The key to write a partition's offset with.
    pub fn key(&self, connector: &str, partition: Option<&OffsetMap>) -> Bytes {
        match self.entries.get(&meaning(partition)) {
            Some(entry) => entry.key.clone(),
            None => key(connector, partition),
        }
    }
}

/// Whether a key may be one of this connector; cheap, for a topic with those of many.
pub fn is_of(connector: &str, key: &[u8]) -> bool {
    serde_json::from_slice::<(&RawValue, &RawValue)>(key)
        .ok()
        .and_then(|(name, _)| serde_json::from_str::<String>(name.get()).ok())
        .is_some_and(|name| name == connector)
}

/// Without blanks, as Java writes it.
pub fn key(connector: &str, partition: Option<&OffsetMap>) -> Bytes {
    json(&(connector, partition))
}

/// The header of a record that a run of this epoch writes.
pub fn header(epoch: Epoch) -> RawHeader {
    (EPOCH_HEADER.into(), Some(epoch.get().to_string().into()))
}

fn epoch_of(headers: &[RawHeader]) -> Option<Epoch> {
    let (_, value) = headers.iter().rfind(|(name, _)| name.as_ref() == EPOCH_HEADER)?;
    let text = std::str::from_utf8(value.as_ref()?).ok()?;
    text.parse().ok().map(Epoch)
}

/// The value of a record.
pub fn value(offset: &OffsetMap) -> Bytes {
    json(offset)
}

fn json(value: &impl serde::Serialize) -> Bytes {
    serde_json::to_vec(value)
        .expect("maps of primitives with text keys have a JSON form")
        .into()
}

/// `Some(None)`: the null partition.
fn partition_of(connector: &str, key: &[u8]) -> Option<Option<OffsetMap>> {
    let (name, partition) = serde_json::from_slice::<(String, Option<OffsetMap>)>(key).ok()?;
    (name == connector).then_some(partition)
}

/// Two partitions that differ only in the order of their members have the same.
fn meaning(partition: Option<&OffsetMap>) -> String {
    let Some(partition) = partition else {
        return "null".to_owned();
    };
    let mut members: Vec<_> = partition.iter().collect();
    members.sort_by_key(|(name, _)| *name);
    serde_json::to_string(&members).expect("pairs of texts and primitives have a JSON form")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clients::CompactedRecord;

    fn topic(records: &[(&'static str, &'static str)]) -> CompactedTopic {
        let bytes = |text: &'static str| Bytes::from_static(text.as_bytes());
        let record = |value: &'static str| CompactedRecord {
            value: bytes(value),
            headers: Vec::new(),
        };
        records.iter().map(|(k, v)| (bytes(k), record(v))).collect()
    }

    #[test]
    fn records_have_the_bytes_that_java_was_seen_to_write() {
        // From the offsets topic of Kafka Connect 4.3.1 with a file source `src`.
        let partition = OffsetMap::new().with("filename", "/data/in.txt");
        assert_eq!(
            key("src", Some(&partition)),
            r#"["src",{"filename":"/data/in.txt"}]"#
        );
        assert_eq!(
            value(&OffsetMap::new().with("position", 14)),
            r#"{"position":14}"#
        );
        assert_eq!(key("src", None), r#"["src",null]"#);
    }

    #[test]
    fn a_key_that_was_read_is_written_as_it_was() {
        let written = r#"["c",{"b":1,"a":"x"}]"#;
        let read = TopicOffsets::read("c", &topic(&[(written, r#"{"n":7}"#)])).unwrap();
        let same = OffsetMap::new().with("a", "x").with("b", 1);
        assert_eq!(read.get(Some(&same)).unwrap().get_long("n"), Some(7));
        assert_eq!(read.key("c", Some(&same)), written);
        let other = OffsetMap::new().with("a", "y");
        assert_eq!(read.key("c", Some(&other)), r#"["c",{"a":"y"}]"#);
    }

    #[test]
    fn the_epoch_of_a_run_is_read_back_and_one_of_another_form_is_none() {
        assert_eq!(epoch_of(&[header(Epoch(42))]), Some(Epoch(42)));
        let odd = |value: &'static [u8]| (EPOCH_HEADER.into(), Some(Bytes::from_static(value)));
        assert_eq!(epoch_of(&[odd(b"-1")]), None);
        assert_eq!(epoch_of(&[(EPOCH_HEADER.into(), None)]), None);
        assert_eq!(
            epoch_of(&[("other".into(), Some(Bytes::from_static(b"1")))]),
            None
        );
    }

    #[test]
    fn keys_of_other_connectors_and_of_another_form_are_left_out() {
        let offset = r#"{"n":1}"#;
        let read = topic(&[
            (r#"["d",{"a":1}]"#, offset),
            (r#"["c"]"#, offset),
            ("c", offset),
            (r#"{"c":1}"#, offset),
            (r#"["c",null]"#, offset),
        ]);
        let read = TopicOffsets::read("c", &read).unwrap();
        assert_eq!(read.iter().count(), 0);
        assert_eq!(read.get(None).unwrap().get_long("n"), Some(1));
        assert!(is_of("c", br#"["c",{"a":1}]"#));
        assert!(!is_of("c", br#"["d",{"a":1}]"#));
        assert!(!is_of("c", b"c"));
    }

    #[test]
    fn an_offset_that_cannot_be_read_is_an_error() {
        assert!(TopicOffsets::read("c", &topic(&[(r#"["c",{"a":1}]"#, "[]")])).is_err());
    }
}
