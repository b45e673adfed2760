//! The offset file of `connect-standalone`, `offset.storage.file.filename`: the same bytes as Kafka Connect's, so that
//! either can go on from the other's file. Unlike Java's it is replaced in one step, never half written.

mod java_map;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;
use serde_json::value::RawValue;
use towpath_state::{SourceOffset, SourceOffsets, SourcePartition};
use towpath_types::ConnectorName;

use java_map::JavaMapError;
pub(crate) use store::OffsetFileStore;

/// Why an offset file cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OffsetFileError {
    #[error("the offset file {} cannot be read", file.display())]
    Read {
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the offset file {} is damaged; restore it, or remove it to start over from the begin", file.display())]
    Damaged {
        file: PathBuf,
        #[source]
        source: JavaMapError,
    },
    #[error(
        "the offset file {} holds an offset of connector \"{connector}\" that cannot be read; restore it, or remove it \
         to start over from the begin",
        file.display()
    )]
    Offset {
        file: PathBuf,
        connector: ConnectorName,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("the offset file {} cannot be written", file.display())]
    Write {
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// One entry of the file.
struct Entry {
    /// As first written: Java compares bytes.
    key: Vec<u8>,
    /// What the key says. One that says nothing is kept for whoever wrote it.
    meaning: Option<(ConnectorName, SourcePartition)>,
    /// Nothing once the offset is deleted.
    value: Option<Vec<u8>>,
}

/// What is in the file, or is to be in it. All of it is in memory.
pub(crate) struct OffsetFile {
    file: PathBuf,
    entries: Vec<Entry>,
    /// The entries have changed since they were read or written.
    is_behind: bool,
}

impl std::fmt::Debug for OffsetFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OffsetFile")
            .field("file", &self.file)
            .field("entries", &self.entries.len())
            .field("is_behind", &self.is_behind)
            .finish()
    }
}

impl OffsetFile {
    /// Opens the file; one that is missing or empty holds no offsets.
    ///
    /// # Errors
    /// When it cannot be read or is something else.
    pub(crate) fn open(file: &Path) -> Result<Self, OffsetFileError> {
        let bytes = match std::fs::read(file) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(source) => {
                return Err(OffsetFileError::Read {
                    file: file.to_owned(),
                    source,
                });
            }
        };
        let entries = if bytes.is_empty() {
            Vec::new()
        } else {
            java_map::read(&bytes).map_err(|source| OffsetFileError::Damaged {
                file: file.to_owned(),
                source,
            })?
        };
        let entries = entries.into_iter().map(|(key, value)| Entry {
            meaning: meaning_of(&key),
            key,
            value,
        });
        let entries: Vec<Entry> = entries.collect();
        let unknown = entries.iter().filter(|entry| entry.meaning.is_none()).count();
        if unknown > 0 {
            tracing::warn!(file = %file.display(), unknown, "keys of the offset file name no connector and partition: ignored");
        }
        Ok(Self {
            file: file.to_owned(),
            entries,
            is_behind: false,
        })
    }

    /// All offsets that are in it.
    ///
    /// # Errors
    /// When one cannot be read: a position that is lost is never taken for none.
    fn offsets(&self) -> Result<Vec<(ConnectorName, SourcePartition, SourceOffset)>, OffsetFileError> {
        let mut offsets = Vec::new();
        for entry in &self.entries {
            let (Some((connector, partition)), Some(value)) = (&entry.meaning, &entry.value) else {
                continue;
            };
            let offset = offset_of(value).map_err(|source| OffsetFileError::Offset {
                file: self.file.clone(),
                connector: connector.clone(),
                source,
            })?;
            offsets.push((connector.clone(), partition.clone(), offset));
        }
        Ok(offsets)
    }

    /// Makes these the offsets of the connector, all of them. [`save`](Self::save) writes them.
    fn put(&mut self, connector: &ConnectorName, offsets: Option<&SourceOffsets>) {
        let mut new: BTreeMap<_, _> = offsets.into_iter().flatten().collect();
        for entry in &mut self.entries {
            let Some((_, partition)) = entry.meaning.as_ref().filter(|(name, _)| name == connector) else {
                continue;
            };
            // Two keys may mean the same and differ in bytes. Java finds the newest under either.
            let offset = offsets.and_then(|offsets| offsets.get(partition));
            let value = offset.map(|offset| offset.as_str().as_bytes());
            new.remove(partition);
            if entry.value.as_deref() != value {
                entry.value = value.map(<[u8]>::to_vec);
                self.is_behind = true;
            }
        }
        for (partition, offset) in new {
            self.entries.push(Entry {
                key: key_of(connector, partition),
                meaning: Some((connector.clone(), partition.clone())),
                value: Some(offset.as_str().into()),
            });
            self.is_behind = true;
        }
    }

    /// Writes everything that is not in the file yet, also what could not be written before.
    ///
    /// # Errors
    /// When it cannot be written; the file is what it was.
    fn save(&mut self) -> Result<(), OffsetFileError> {
        if !self.is_behind {
            return Ok(());
        }
        self.write().map_err(|source| OffsetFileError::Write {
            file: self.file.clone(),
            source,
        })?;
        self.is_behind = false;
        Ok(())
    }

    fn write(&self) -> std::io::Result<()> {
        let mut name = self.file.clone().into_os_string();
        name.push(".new");
        let new = PathBuf::from(name);
        let entries = self.entries.iter();
        let bytes = java_map::write(entries.map(|entry| (&*entry.key, entry.value.as_deref())));
        let mut file = File::create(&new)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        std::fs::rename(&new, &self.file)?;
        // The new name is durable once its folder is.
        let folder = self.file.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

/// `["connector",{partition}]`; the partition may be null.
fn meaning_of(key: &[u8]) -> Option<(ConnectorName, SourcePartition)> {
    let (connector, partition) = serde_json::from_slice::<(ConnectorName, &RawValue)>(key).ok()?;
    Some((connector, SourcePartition::parse(partition.get()).ok()?))
}

/// Without blanks, as Java writes it.
fn key_of(connector: &ConnectorName, partition: &SourcePartition) -> Vec<u8> {
    let partition: Value = serde_json::from_str(partition.as_str()).expect("a source partition is JSON");
    serde_json::to_vec(&(connector, partition)).expect("texts and JSON have a JSON form")
}

fn offset_of(value: &[u8]) -> Result<SourceOffset, Box<dyn std::error::Error + Send + Sync>> {
    Ok(SourceOffset::parse(std::str::from_utf8(value)?)?)
}
