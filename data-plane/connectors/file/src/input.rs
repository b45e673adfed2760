//! Where the bytes come from: a regular file, which is read in place since reads of it do not wait for others, or
//! something that may wait for ever (standard input, a pipe, a terminal), which a thread of its own reads.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::lines::{Lines, READ_BLOCK};

/// Blocks that the thread of a stream may be ahead of the task.
const STREAM_BLOCKS_AHEAD: usize = 4;

/// How often a pipe that nobody writes to is looked at.
const NEXT_WRITER: Duration = Duration::from_millis(100);

/// What to do when a stream has no more for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AtEnd {
    Stop,
    /// A pipe may get another writer.
    ReadOn,
}

#[derive(Debug)]
pub(crate) enum Input {
    Regular(File),
    Stream(mpsc::Receiver<io::Result<Vec<u8>>>),
}

impl Input {
    /// Opens a file.
    ///
    /// # Errors
    /// `NotFound` while it does not exist; whatever else opening it says.
    pub(crate) fn open(path: &str) -> io::Result<Self> {
        if std::fs::metadata(path)?.is_file() {
            return Ok(Self::Regular(File::open(path)?));
        }
        // Opening a pipe waits for its writer, so this is for the thread too.
        let path = PathBuf::from(path);
        let open = move || Ok(Box::new(File::open(path)?) as Box<dyn Read>);
        Self::stream(open, AtEnd::ReadOn)
    }

    pub(crate) fn stdin() -> io::Result<Self> {
        Self::stream(|| Ok(Box::new(io::stdin()) as Box<dyn Read>), AtEnd::Stop)
    }

    /// Reads in a thread until the end of the stream, an error, or until the receiver is gone. The thread is not
    /// joined: nothing can wake a thread that reads a terminal.
    fn stream(
        open: impl FnOnce() -> io::Result<Box<dyn Read>> + Send + 'static,
        at_end: AtEnd,
    ) -> io::Result<Self> {
        let (sender, receiver) = mpsc::channel(STREAM_BLOCKS_AHEAD);
        let run = move || {
            let outcome = open().and_then(|mut stream| {
                let mut block = vec![0; READ_BLOCK];
                loop {
                    match stream.read(&mut block) {
                        Ok(0) if at_end == AtEnd::Stop || sender.is_closed() => return Ok(()),
                        // Nobody unparks it.
                        Ok(0) => std::thread::park_timeout(NEXT_WRITER),
                        Ok(count) if sender.blocking_send(Ok(block[..count].to_vec())).is_err() => {
                            return Ok(());
                        }
                        Ok(_) => {}
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
            });
            if let Err(error) = outcome {
                // The task may be gone by now; then nobody is left to tell.
                drop(sender.blocking_send(Err(error)));
            }
        };
        std::thread::Builder::new()
            .name("file-source".to_owned())
            .spawn(run)?;
        Ok(Self::Stream(receiver))
    }

    /// Goes to `position` in a regular file; a stream has no positions. Answers whether that lies inside a character,
    /// as it may when it was counted in characters.
    pub(crate) fn seek(&mut self, position: i64) -> io::Result<bool> {
        let (Self::Regular(file), Ok(position)) = (self, u64::try_from(position)) else {
            return Ok(false);
        };
        let Some(before) = position.checked_sub(1) else {
            return Ok(false);
        };
        file.seek(SeekFrom::Start(before))?;
        let mut around = Vec::with_capacity(2);
        file.take(2).read_to_end(&mut around)?;
        file.seek(SeekFrom::Start(position))?;
        Ok(match around[..] {
            [before, at] => !matches!(before, b'\n' | b'\r') && (0x80..0xC0).contains(&at),
            _ => false,
        })
    }

    /// Hands what can be had now to the splitter. A stream that has nothing is waited for until `wait_until`. Answers
    /// the count of bytes.
    pub(crate) async fn read_into(
        &mut self,
        lines: &mut Lines,
        wait_until: Option<Instant>,
    ) -> io::Result<usize> {
        match self {
            Self::Regular(file) => lines.refill(|buffer, count| {
                let limit = u64::try_from(count).unwrap_or(u64::MAX);
                file.take(limit).read_to_end(buffer)
            }),
            Self::Stream(blocks) => {
                let block = match (blocks.try_recv(), wait_until) {
                    (Ok(block), _) => Some(block),
                    (Err(_), None) => None,
                    (Err(_), Some(deadline)) => tokio::time::timeout_at(deadline, blocks.recv())
                        .await
                        .ok()
                        .flatten(),
                };
                let Some(block) = block.transpose()? else {
                    return Ok(0);
                };
                lines.refill(|buffer, _| {
                    buffer.extend_from_slice(&block);
                    Ok(block.len())
                })
            }
        }
    }
}
