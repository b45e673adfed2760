//! What goes wrong with a disk, and what is to be done then.

use std::path::{Path, PathBuf};

use tokio::task::JoinError;

const ADVICE: &str = "see that the disk has free space and is healthy, then start the node again";

/// A damaged node must not come back under its number with less than it has acknowledged, and voted, before.
const REPLACE: &str = "if the other nodes of the group run, start this one with an empty data directory under a new number \
                       with `--join`, then take the old number out with `kcctl cluster remove`; if the whole group is lost, \
                       begin a new one from a backup with `--restore`";

#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    #[error(
        "could not open the data directory {}: it must be writable, and no other process may use it",
        dir.display()
    )]
    Open {
        dir: PathBuf,
        #[source]
        source: sled::Error,
    },
    #[error("could not open the data directory {}: check that it exists and is writable", dir.display())]
    Directory {
        dir: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("could not {action} {what} in {}: {ADVICE}", file.display())]
    Database {
        action: &'static str,
        what: &'static str,
        file: PathBuf,
        #[source]
        source: sled::Error,
    },
    #[error("could not make a write to {} durable: {ADVICE}", file.display())]
    Sync {
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("{} is damaged: {REPLACE}", file.display())]
    Corrupt {
        file: PathBuf,
        #[source]
        source: sled::Error,
    },
    #[error("{what} in {} is damaged ({why}): {REPLACE}", file.display())]
    Damaged {
        what: &'static str,
        file: PathBuf,
        why: String,
    },
    #[error(
        "the work on {} broke off, because of an error in this program or because the file is damaged: start the node \
         again. If it breaks off again: {REPLACE}",
        file.display()
    )]
    Panicked {
        file: PathBuf,
        #[source]
        source: JoinError,
    },
    #[error("the work on {} was given up, because the process is stopping", file.display())]
    GivenUp {
        file: PathBuf,
        #[source]
        source: JoinError,
    },
}

impl DiskError {
    pub(super) fn of_opening(dir: &Path, source: sled::Error) -> Self {
        let dir = dir.to_owned();
        match source {
            sled::Error::Corruption { .. } => Self::Corrupt { file: dir, source },
            source => Self::Open { dir, source },
        }
    }

    /// Of work on another thread that did not come to its end.
    pub(crate) fn of_work(file: &Path, source: JoinError) -> Self {
        let file = file.to_owned();
        if source.is_panic() {
            Self::Panicked { file, source }
        } else {
            Self::GivenUp { file, source }
        }
    }

    /// sled's locks outlive a database by a moment, also those of a process that was killed.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Open {
                source: sled::Error::Io(_),
                ..
            }
        )
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::disk::Disk;

    const CORRUPTION: sled::Error = sled::Error::Corruption { at: None, bt: () };

    #[test]
    fn what_sled_finds_damaged_is_told_as_damaged_with_the_place_and_what_to_do() {
        let found = DiskError::of_opening(Path::new("/data/7"), CORRUPTION);
        assert!(!found.may_pass(), "{found}");
        let text = found.to_string();
        assert!(text.starts_with("/data/7 is damaged: "), "{text}");
        assert!(text.contains("under a new number with `--join`"), "{text}");
        let busy = sled::Error::Io(std::io::Error::other("lock"));
        assert!(DiskError::of_opening(Path::new("/data/7"), busy).may_pass());
    }

    #[tokio::test]
    async fn work_that_panics_is_not_told_as_given_up() {
        let dir = tempfile::TempDir::new().unwrap();
        let disk = Arc::new(Disk::open(dir.path()).unwrap());
        let broken: Result<(), DiskError> =
            disk.run(|_| panic!("as sled does with some damaged files")).await;
        let text = broken.unwrap_err().to_string();
        let file = dir.path().join("db");
        assert!(
            text.starts_with(&format!("the work on {} broke off", file.display())),
            "{text}"
        );
        assert!(text.contains("`kcctl cluster remove`"), "{text}");
    }

    #[tokio::test]
    async fn work_that_is_given_up_is_not_told_as_damage() {
        let mut work = tokio::task::JoinSet::new();
        work.spawn(std::future::pending::<()>());
        work.abort_all();
        let ended = work.join_next().await.unwrap();
        let given_up = DiskError::of_work(Path::new("/data/7"), ended.unwrap_err());
        assert_eq!(
            given_up.to_string(),
            "the work on /data/7 was given up, because the process is stopping"
        );
    }
}
