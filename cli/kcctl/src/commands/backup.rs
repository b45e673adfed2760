//! `cluster backup`.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Session;
use crate::failure::Failure;

/// Under its name the file is there only when it is whole, and only its owner may read it: there are secrets in it.
pub(super) async fn save(session: &Session<'_>, file: &Path) -> Result<(), Failure> {
    let unwritten = |source| Failure::BackupFile {
        file: file.to_owned(),
        source,
    };
    let mut part = NamedTempFile::new_in(folder_of(file)).map_err(unwritten)?;
    let mut backup = session.cluster.backup().await?;
    while let Some(data) = backup.next().await? {
        part.write_all(&data).map_err(unwritten)?;
    }
    let saved = backup.finish()?;
    keep(part, file).map_err(unwritten)?;
    session.printer.note(&format!(
        "Saved the state at revision {} to {} ({} bytes)",
        saved.revision,
        file.display(),
        saved.bytes
    ));
    Ok(())
}

fn keep(part: NamedTempFile, file: &Path) -> io::Result<()> {
    part.as_file().sync_all()?;
    part.persist(file)?;
    std::fs::File::open(folder_of(file))?.sync_all()
}

fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}
