//! Where lines go: a regular file, which is written in place, or something whose reader may be slow (standard output,
//! a pipe), which is written on a thread for blocking work.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::sync::Arc;

#[derive(Debug)]
pub(crate) enum Output {
    Regular(File),
    Stream(Arc<File>),
    Stdout,
}

impl Output {
    /// Opens the file for appending and creates it if it is not there.
    pub(crate) async fn open(path: &str) -> io::Result<Self> {
        let path = path.to_owned();
        // Opening a pipe waits for its reader.
        blocking(move || {
            let file = OpenOptions::new().append(true).create(true).open(path)?;
            if file.metadata()?.is_file() {
                Ok(Self::Regular(file))
            } else {
                Ok(Self::Stream(Arc::new(file)))
            }
        })
        .await
    }

    /// Writes whole lines in one call, so that those of other tasks on the same file do not get between them, and
    /// empties the buffer.
    pub(crate) async fn write(&mut self, lines: &mut String) -> io::Result<()> {
        match self {
            Self::Regular(file) => file.write_all(lines.as_bytes())?,
            Self::Stream(file) => {
                let (file, lines) = (Arc::clone(file), std::mem::take(lines));
                blocking(move || (&*file).write_all(lines.as_bytes())).await?;
            }
            Self::Stdout => {
                let lines = std::mem::take(lines);
                blocking(move || {
                    let mut stdout = io::stdout().lock();
                    stdout.write_all(lines.as_bytes())?;
                    stdout.flush()
                })
                .await?;
            }
        }
        lines.clear();
        Ok(())
    }
}

async fn blocking<R: Send + 'static>(work: impl FnOnce() -> io::Result<R> + Send + 'static) -> io::Result<R> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)?
}
