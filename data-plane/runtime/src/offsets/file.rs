//! The offset file of a standalone worker, `offset.storage.file.filename`: the same bytes as Kafka Connect's, so that
//! either can go on from the other's file. Unlike Java's it is replaced in one step, never half written.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use towpath_connect::{ConnectorError, OffsetMap, Result};

use super::java_map::{self, Entry, JavaMapError};
use super::{OffsetCommit, OffsetStore};

/// Why an offset file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OffsetFileError {
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
}

/// Source offsets in a file. The whole of it is in memory.
#[derive(Debug)]
pub struct FileOffsetStore {
    file: PathBuf,
    /// A std mutex: held while the small file is written, which no other task waits for but commits.
    entries: Mutex<Vec<Entry>>,
}

impl FileOffsetStore {
    /// Opens the file; one that is missing or empty holds no offsets.
    ///
    /// # Errors
    /// When it cannot be read or is something else.
    pub fn open(file: &Path) -> Result<Self, OffsetFileError> {
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
        Ok(Self {
            file: file.to_owned(),
            entries: Mutex::new(entries),
        })
    }

    fn write(&self, entries: &[Entry]) -> std::io::Result<()> {
        let mut name = self.file.clone().into_os_string();
        name.push(".new");
        let new = PathBuf::from(name);
        let mut file = std::fs::File::create(&new)?;
        file.write_all(&java_map::write(entries))?;
        file.sync_all()?;
        std::fs::rename(&new, &self.file)
    }
}

/// The key of an offset as text: `["connector",{partition}]`.
fn parse_key(key: &[u8]) -> Option<(String, OffsetMap)> {
    serde_json::from_slice(key).ok()
}

fn put(
    entries: &mut Vec<Entry>,
    connector: &str,
    partition: &OffsetMap,
    offset: Option<&OffsetMap>,
) -> Result<()> {
    let json = |value: serde_json::Result<Vec<u8>>| {
        value.map_err(|cause| ConnectorError::data("a source offset has no JSON form").with_source(cause))
    };
    let value = offset
        .map(|offset| json(serde_json::to_vec(offset)))
        .transpose()?;
    // The bytes of a key that is known stay as they are: Java compares bytes.
    let is_same =
        |key: &[u8]| parse_key(key).is_some_and(|(name, known)| name == connector && known == *partition);
    match entries.iter_mut().find(|(key, _)| is_same(key)) {
        Some((_, known)) => *known = value,
        None => entries.push((json(serde_json::to_vec(&(connector, partition)))?, value)),
    }
    Ok(())
}

#[async_trait]
impl OffsetStore for FileOffsetStore {
    async fn commit(&self, commit: OffsetCommit) -> Result<()> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let mut changed = entries.clone();
        for (partition, offset) in &commit.offsets {
            put(
                &mut changed,
                commit.unit.connector_name().as_str(),
                partition,
                offset.as_ref(),
            )?;
        }
        self.write(&changed).map_err(|cause| {
            let what = format!("the offset file {} could not be written", self.file.display());
            ConnectorError::retriable(what).with_source(cause)
        })?;
        *entries = changed;
        Ok(())
    }

    async fn read(&self, connector: &str) -> Result<Vec<(OffsetMap, OffsetMap)>> {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        for (key, value) in entries.iter() {
            let (Some((name, partition)), Some(value)) = (parse_key(key), value) else {
                continue;
            };
            if name == connector {
                // A position that cannot be read is never taken for none.
                let offset = serde_json::from_slice(value).map_err(|cause| {
                    ConnectorError::data(format!(
                        "the stored offset of connector \"{connector}\" cannot be read"
                    ))
                    .with_source(cause)
                })?;
                found.push((partition, offset));
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use towpath_types::{ConnectorName, Epoch, UnitId};

    use super::*;

    fn commit(position: i64) -> OffsetCommit {
        OffsetCommit {
            unit: UnitId::task(&ConnectorName::new("local-file-source").unwrap(), 0),
            epoch: Epoch(1),
            offsets: vec![(
                Arc::new(OffsetMap::new().with("filename", "in.txt")),
                Some(OffsetMap::new().with("position", position)),
            )],
        }
    }

    #[tokio::test]
    async fn offsets_survive_a_restart_and_a_commit_replaces_the_older_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("offsets");
        let store = FileOffsetStore::open(&file).unwrap();
        store.commit(commit(10)).await.unwrap();
        store.commit(commit(20)).await.unwrap();
        let found = FileOffsetStore::open(&file)
            .unwrap()
            .read("local-file-source")
            .await
            .unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].1.get_long("position"), Some(20));
        assert!(store.read("another").await.unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_file_of_the_java_runtime_is_gone_on_from() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("offsets");
        std::fs::write(
            &file,
            include_bytes!("../../tests/golden/standalone-4.3.1.offsets"),
        )
        .unwrap();
        let store = FileOffsetStore::open(&file).unwrap();
        let found = store.read("local-file-source").await.unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].1.get_long("position").is_some());
    }

    #[test]
    fn a_damaged_file_is_named_and_not_taken_for_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("offsets");
        std::fs::write(&file, "damaged").unwrap();
        let error = FileOffsetStore::open(&file).unwrap_err();
        assert!(error.to_string().contains("is damaged; restore it"), "{error}");
    }
}
