//! A small disk in memory, which can be full.

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;

use crate::shell::{self, ShellError};

/// More than the log of a run, and filled in no time.
const SIZE: &str = "size=64m";
const FILLER: &str = "filler";
static BLOCK: [u8; 64 * 1024] = [0; 64 * 1024];

#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    #[error(transparent)]
    Mount(#[from] ShellError),
    #[error("could not make, fill or free `{file}`")]
    File {
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

/// Dropping it unmounts it.
#[derive(Debug)]
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// # Errors
    /// When it cannot be mounted.
    pub async fn mount(folder: PathBuf) -> Result<Self, DiskError> {
        std::fs::create_dir_all(&folder).map_err(|source| DiskError::File {
            file: folder.clone(),
            source,
        })?;
        let target = folder.to_string_lossy().into_owned();
        shell::run("mount", &["-t", "tmpfs", "-o", SIZE, "towpath", &target]).await?;
        Ok(Self { folder })
    }

    /// Until no byte is free.
    ///
    /// # Errors
    /// When it cannot be written to for another reason than that.
    pub fn fill(&self) -> Result<(), DiskError> {
        let file = self.folder.join(FILLER);
        let failed = |source| DiskError::File {
            file: file.clone(),
            source,
        };
        let mut filler = File::create(&file).map_err(failed)?;
        for size in [BLOCK.len(), 1] {
            loop {
                match filler.write_all(&BLOCK[..size]) {
                    Ok(()) => {}
                    Err(error) if error.kind() == ErrorKind::StorageFull => break,
                    Err(error) => return Err(failed(error)),
                }
            }
        }
        Ok(())
    }

    /// # Errors
    /// When there is nothing to free.
    pub fn free(&self) -> Result<(), DiskError> {
        let file = self.folder.join(FILLER);
        std::fs::remove_file(&file).map_err(|source| DiskError::File { file, source })
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a process that is still ending may have it open.
        let folder = &self.folder;
        std::process::Command::new("umount")
            .arg("-l")
            .arg(folder)
            .output()
            .ok();
    }
}
