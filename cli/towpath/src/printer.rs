//! The one place that writes to the terminal: data on standard output, everything else on standard error.

use std::io::{IsTerminal, Write};

/// Writes lines, and on a terminal one line that changes in place.
#[derive(Debug)]
pub(crate) struct Printer {
    is_terminal: bool,
    /// A changing line stands on the terminal and has to be ended before the next line.
    live: bool,
}

impl Printer {
    pub(crate) fn new() -> Self {
        Self {
            is_terminal: std::io::stdout().is_terminal(),
            live: false,
        }
    }

    /// A line on standard output.
    pub(crate) fn line(&mut self, text: &str) {
        self.end_live();
        write_to(&mut std::io::stdout(), &format!("{text}\n"));
    }

    /// A line on standard error.
    pub(crate) fn error(&mut self, text: &str) {
        self.end_live();
        write_to(&mut std::io::stderr(), &format!("{text}\n"));
    }

    /// Replaces the changing line; without a terminal a line of its own.
    pub(crate) fn live(&mut self, text: &str) {
        if self.is_terminal {
            write_to(&mut std::io::stdout(), &format!("\r\u{1b}[K{text}"));
            self.live = true;
        } else {
            self.line(text);
        }
    }

    /// Whether a changing line is possible.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    fn end_live(&mut self) {
        if std::mem::take(&mut self.live) {
            write_to(&mut std::io::stdout(), "\n");
        }
    }
}

/// A terminal that is gone is no reason to stop the work.
fn write_to(out: &mut impl Write, text: &str) {
    let _gone = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
