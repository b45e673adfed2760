//! Reads the demo's sink file as it grows and checks that each row is there once and in order.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What is wrong with the sink file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinesError {
    #[error("the sink file {} cannot be read", file.display())]
    Read {
        file: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("line {line} of the sink file is no JSON object with an `id`")]
    NoId { line: u64 },
    #[error("line {line} of the sink file holds row {found}, but row {line} should be there: {problem}")]
    Order {
        line: u64,
        found: i64,
        problem: &'static str,
    },
}

/// Follows the file.
#[derive(Debug)]
pub(crate) struct Lines {
    path: PathBuf,
    file: Option<File>,
    /// The begin of a line whose end is not written yet.
    rest: Vec<u8>,
    seen: u64,
}

impl Lines {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            file: None,
            rest: Vec::new(),
            seen: 0,
        }
    }

    /// Lines so far, all of them as they should be.
    pub(crate) fn seen(&self) -> u64 {
        self.seen
    }

    /// Takes what was written since the last call.
    pub(crate) fn follow(&mut self) -> Result<(), LinesError> {
        let failed = |source| LinesError::Read {
            file: self.path.clone(),
            source,
        };
        if self.file.is_none() {
            match File::open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
                Err(error) => return Err(failed(error)),
            }
        }
        let Some(file) = &mut self.file else { return Ok(()) };
        file.read_to_end(&mut self.rest).map_err(failed)?;
        let complete = self
            .rest
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        let lines: Vec<u8> = self.rest.drain(..complete).collect();
        lines
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .try_for_each(|line| self.check(line))
    }

    fn check(&mut self, line: &[u8]) -> Result<(), LinesError> {
        let number = self.seen + 1;
        let id = serde_json::from_slice::<serde_json::Value>(line)
            .ok()
            .and_then(|value| value.get("id")?.as_i64());
        let found = id.ok_or(LinesError::NoId { line: number })?;
        match found.cmp(&i64::try_from(number).unwrap_or(i64::MAX)) {
            std::cmp::Ordering::Equal => {
                self.seen = number;
                Ok(())
            }
            std::cmp::Ordering::Less => Err(LinesError::Order {
                line: number,
                found,
                problem: "it came twice",
            }),
            std::cmp::Ordering::Greater => Err(LinesError::Order {
                line: number,
                found,
                problem: "rows before it are missing",
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn follow(content: &str) -> (Lines, Result<(), LinesError>) {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content.as_bytes()).unwrap();
        let mut lines = Lines::new(file.path());
        let outcome = lines.follow();
        (lines, outcome)
    }

    #[test]
    fn rows_in_order_are_counted_and_an_unfinished_line_waits() {
        let (lines, outcome) = follow("{\"id\":1}\n{\"id\":2}\n{\"id\":");
        outcome.unwrap();
        assert_eq!(lines.seen(), 2);
    }

    #[test]
    fn a_missing_row_and_a_row_that_comes_twice_are_named() {
        let (_, gap) = follow("{\"id\":1}\n{\"id\":3}\n");
        assert!(
            gap.unwrap_err()
                .to_string()
                .contains("line 2 of the sink file holds row 3")
        );
        let (_, twice) = follow("{\"id\":1}\n{\"id\":1}\n");
        assert!(twice.unwrap_err().to_string().contains("came twice"));
        let (_, other) = follow("Struct{id=1}\n");
        assert!(other.unwrap_err().to_string().contains("no JSON object"));
    }

    #[test]
    fn a_file_that_is_not_there_yet_is_waited_for() {
        let mut lines = Lines::new(Path::new("no-such-file"));
        lines.follow().unwrap();
        assert_eq!(lines.seen(), 0);
    }
}
