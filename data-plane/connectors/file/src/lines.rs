//! Splits a stream of bytes into lines as Java's FileStreamSource does: `\n`, `\r` and `\r\n` end a line, a `\r` at the
//! end waits for the byte after it, and a line that has not ended is not given out. Reads nothing by itself.

use std::io;

use bytes::Bytes;
use bytestring::ByteString;
use memchr::{memchr2, memrchr2};

/// Bytes asked for in one read: large enough that a read costs nothing beside its lines, small enough for the cache.
pub(crate) const READ_BLOCK: usize = 256 * 1024;

/// A line may be this long. Kafka's own limit is far below; this keeps a file without line ends from taking all memory.
pub(crate) const MAX_LINE: usize = 256 * 1024 * 1024;

/// The ended lines of what was read last. Checked to be UTF-8 as a whole where it can be, so that a line costs a slice.
#[derive(Debug)]
enum Block {
    Text(ByteString),
    /// Some line in it is not UTF-8.
    Raw(Bytes),
}

impl Block {
    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Raw(bytes) => bytes,
        }
    }

    /// The line at `start..end`, both at the edge of a terminator. What is not UTF-8 is replaced, as Java decodes.
    fn line(&self, start: usize, end: usize) -> ByteString {
        match self {
            Self::Text(text) => text.slice_ref(
                text.get(start..end)
                    .expect("terminators are characters of their own"),
            ),
            Self::Raw(bytes) => ByteString::try_from(bytes.slice(start..end))
                .unwrap_or_else(|_| String::from_utf8_lossy(&bytes[start..end]).into_owned().into()),
        }
    }
}

/// One line and the position in bytes after its terminator.
#[derive(Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) text: ByteString,
    pub(crate) position: i64,
}

/// The splitter. Memory: one block, and the line that has not ended yet.
#[derive(Debug)]
pub(crate) struct Lines {
    block: Block,
    /// Where the next line begins in `block`.
    cursor: usize,
    /// Where the next line begins in the stream.
    position: i64,
    /// Bytes after the last ended line. A copy: a slice would keep a whole block alive while the file is idle.
    tail: Vec<u8>,
    /// The stream begins inside a line that is not to be given out.
    skip_line: bool,
}

impl Lines {
    /// A splitter whose stream begins at `position`. With `skip_line` what comes before the first terminator is left
    /// out.
    pub(crate) fn new(position: i64, skip_line: bool) -> Self {
        Self {
            block: Block::Text(ByteString::new()),
            cursor: 0,
            position,
            tail: Vec::new(),
            skip_line,
        }
    }

    /// The next ended line of what was read so far.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<Line> {
        let line = self.next_ended()?;
        if self.skip_line {
            self.skip_line = false;
            return self.next_ended();
        }
        Some(line)
    }

    #[inline]
    fn next_ended(&mut self) -> Option<Line> {
        let bytes = self.block.as_bytes();
        let start = self.cursor;
        let end = start + memchr2(b'\n', b'\r', &bytes[start..])?;
        let crlf = bytes[end] == b'\r' && bytes.get(end + 1) == Some(&b'\n');
        self.cursor = end + 1 + usize::from(crlf);
        self.position += i64::try_from(self.cursor - start).expect("a block is shorter than 2^63 bytes");
        Some(Line {
            text: self.block.line(start, end),
            position: self.position,
        })
    }

    /// Takes up more bytes, once [`Lines::next`] has given out all lines: `read` appends about as many bytes as it is
    /// told and answers how many. Answers the same; 0 is the end of the stream for now.
    ///
    /// # Errors
    /// Those of `read`; a line longer than [`MAX_LINE`].
    pub(crate) fn refill(
        &mut self,
        read: impl FnOnce(&mut Vec<u8>, usize) -> io::Result<usize>,
    ) -> io::Result<usize> {
        debug_assert!(
            self.cursor == self.block.as_bytes().len(),
            "all lines were given out"
        );
        self.block = Block::Text(ByteString::new());
        self.cursor = 0;
        // A long line is read in growing steps, so that copying it takes linear time in all.
        let wanted = READ_BLOCK.max(self.tail.len());
        let known = self.tail.len();
        let mut buffer = Vec::with_capacity(known + wanted);
        buffer.extend_from_slice(&self.tail);
        let count = read(&mut buffer, wanted)?;
        if count == 0 {
            return Ok(0);
        }
        // A terminator among the known bytes can only be a `\r` at their end.
        let searched = known.saturating_sub(1);
        // A `\r` at the very end is not decided yet: the next byte may be its `\n`.
        let decided = buffer.len() - usize::from(buffer.last() == Some(&b'\r'));
        let ended = match memrchr2(b'\n', b'\r', &buffer[searched..decided.max(searched)]) {
            Some(index) => searched + index + 1,
            None => 0,
        };
        self.tail.clear();
        self.tail.shrink_to(READ_BLOCK);
        self.tail.extend_from_slice(&buffer[ended..]);
        if self.tail.len() > MAX_LINE {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("a line is longer than {MAX_LINE} bytes, so the file seems not to be made of lines"),
            ));
        }
        buffer.truncate(ended);
        let bytes = Bytes::from(buffer);
        self.block = match ByteString::try_from(bytes.clone()) {
            Ok(text) => Block::Text(text),
            Err(_) => Block::Raw(bytes),
        };
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
