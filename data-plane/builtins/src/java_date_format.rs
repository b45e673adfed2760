//! Dates as text by the patterns of Java's `SimpleDateFormat`: formatting in UTC and lenient parsing, in English, with
//! weeks that begin on Sunday. Not a general date library: the point is to agree with Java, its odd corners included.

mod calendar;
mod fields;
mod format;
mod parse;
mod pattern;
mod zone;

use pattern::Item;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub struct DateFormat {
    items: Vec<Item>,
    /// The first instant that a year of two digits can mean: 80 years ago.
    century_start_ms: i64,
}

/// Why a pattern is no good, in Java's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PatternError(String);

impl DateFormat {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// When a letter is no pattern letter or a quote has no end.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        Self::at(pattern, crate::clock::now_ms())
    }

    /// [`DateFormat::new`] at another time: years of two digits lie between 80 years before and 20 years after it.
    ///
    /// # Errors
    /// As [`DateFormat::new`].
    pub fn at(pattern: &str, now_ms: i64) -> Result<Self, PatternError> {
        Ok(Self {
            items: pattern::compile(pattern)?,
            century_start_ms: calendar::years_before(now_ms, 80),
        })
    }

    /// The text of an instant in UTC.
    pub fn format(&self, millis: i64) -> String {
        format::format(&self.items, millis)
    }

    /// The instant that the beginning of `text` means; `None` if it does not fit the pattern. Text after that is
    /// ignored, and numbers out of range carry over: month 13 is January of the next year.
    pub fn parse(&self, text: &str) -> Option<i64> {
        parse::parse(&self.items, text, self.century_start_ms)
    }
}

#[cfg(test)]
mod tests;
