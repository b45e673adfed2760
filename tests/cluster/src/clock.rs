//! A wall clock that can be set, for one process: libraries that are loaded before its own.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Where Debian has the library that makes clocks wrong, below the folder of the architecture.
const FAKE_CLOCK: &str = "faketime/libfaketimeMT.so.1";
const LIBRARIES: &str = "/usr/lib";
/// What that one leaves out.
const WAITS: &str = include_str!("waits.c");

#[derive(Debug, thiserror::Error)]
pub enum ClockError {
    #[error("could not find {FAKE_CLOCK} below {LIBRARIES}: install the Debian package libfaketime")]
    NoLibrary,
    #[error("could not write or compile `{file}`")]
    Io {
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("could not compile `{file}`: {output}")]
    Compiler { file: PathBuf, output: String },
}

/// What goes into `LD_PRELOAD`.
///
/// # Errors
/// When a library is missing, or cannot be compiled into this folder.
pub fn libraries(folder: &Path) -> Result<String, ClockError> {
    let folders = std::fs::read_dir(LIBRARIES).into_iter().flatten().flatten();
    let mut found = folders
        .map(|folder| folder.path().join(FAKE_CLOCK))
        .filter(|file| file.is_file());
    let fake_clock = found.next().ok_or(ClockError::NoLibrary)?;
    let waits = compiled(folder)?;
    Ok(format!("{}:{}", waits.display(), fake_clock.display()))
}

fn compiled(folder: &Path) -> Result<PathBuf, ClockError> {
    let (file, library) = (folder.join("waits.c"), folder.join("waits.so"));
    if library.exists() {
        return Ok(library);
    }
    let io = |source| ClockError::Io {
        file: file.clone(),
        source,
    };
    std::fs::write(&file, WAITS).map_err(io)?;
    let output = Command::new("cc")
        .args(["-shared", "-fPIC", "-O2", "-o"])
        .args([&library, &file])
        .output()
        .map_err(io)?;
    if output.status.success() {
        return Ok(library);
    }
    let output = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(ClockError::Compiler { file, output })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_library_leaves_out_is_compiled_once_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let library = compiled(folder.path()).unwrap();
        std::fs::remove_file(folder.path().join("waits.c")).unwrap();
        assert_eq!(compiled(folder.path()).unwrap(), library);
        let absent = compiled(&folder.path().join("absent")).unwrap_err();
        assert!(absent.to_string().ends_with("waits.c`"), "{absent}");
    }
}
