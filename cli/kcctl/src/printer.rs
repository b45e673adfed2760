//! The only place that writes to the terminal: data on standard output, everything else on standard error, and a line
//! that says what is waited for when that takes long.

use std::convert::Infallible;
use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::style::Style;

/// Nothing is said about a wait that is shorter.
const PATIENCE: Duration = Duration::from_secs(1);
const FRAME: Duration = Duration::from_millis(100);
const FRAMES: [char; 4] = ['|', '/', '-', '\\'];
const CLEAR_LINE: &str = "\r\u{1b}[K";

/// Shared by everything that a command does.
#[derive(Debug)]
pub(crate) struct Printer {
    quiet: bool,
    out: Style,
    err: Style,
    /// Waiting is shown on a terminal only.
    shows_waiting: bool,
    /// A std mutex: never held across an await.
    live: Mutex<Live>,
}

#[derive(Debug)]
struct Live {
    waiting_for: String,
    since: Instant,
    frame: usize,
    shown: bool,
    /// The first reason why something could not be written, other than a reader that has seen enough.
    broken: Option<io::Error>,
}

impl Printer {
    /// `no_color` is what the environment says.
    pub(crate) fn new(quiet: bool, no_color: bool) -> Self {
        let err_is_terminal = io::stderr().is_terminal();
        Self {
            quiet,
            out: Style::new(io::stdout().is_terminal() && !no_color),
            err: Style::new(err_is_terminal && !no_color),
            shows_waiting: err_is_terminal && !quiet,
            live: Mutex::new(Live {
                waiting_for: String::new(),
                since: Instant::now(),
                frame: 0,
                shown: false,
                broken: None,
            }),
        }
    }

    /// The style of standard output.
    pub(crate) fn style(&self) -> Style {
        self.out
    }

    /// Data that was asked for.
    pub(crate) fn line(&self, text: &str) {
        let mut live = self.live();
        live.clear();
        let result = write_to(&mut io::stdout(), &format!("{text}\n"));
        if let Err(error) = result
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            live.broken.get_or_insert(error);
        }
    }

    /// Says that something was done.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.line(text);
        }
    }

    pub(crate) fn warning(&self, text: &str) {
        if !self.quiet {
            self.to_stderr(&format!("warning: {text}"));
        }
    }

    /// An error, what belongs to it, and what to do.
    pub(crate) fn error(&self, message: &str, details: &[String], hint: Option<&str>) {
        self.to_stderr(&self.err.red(&format!("error: {message}")));
        details.iter().for_each(|details| self.to_stderr(details));
        if let Some(hint) = hint {
            self.to_stderr(&format!("hint: {hint}"));
        }
    }

    /// What is shown if it takes long from here on.
    pub(crate) fn waiting_for(&self, what: impl Into<String>) {
        self.live().waiting_for = what.into();
    }

    /// Keeps the line about waiting up to date; runs beside a command until that is done.
    pub(crate) async fn animate(&self) -> Infallible {
        let mut frames = tokio::time::interval(FRAME);
        loop {
            frames.tick().await;
            if self.shows_waiting {
                self.live().next_frame();
            }
        }
    }

    /// Ends the line about waiting.
    ///
    /// # Errors
    /// When something could not be written to standard output.
    pub(crate) fn finish(&self) -> io::Result<()> {
        let mut live = self.live();
        live.clear();
        live.broken.take().map_or(Ok(()), Err)
    }

    fn to_stderr(&self, text: &str) {
        self.live().clear();
        // Nobody is left to tell about it.
        let _gone = write_to(&mut io::stderr(), &format!("{text}\n"));
    }

    fn live(&self) -> std::sync::MutexGuard<'_, Live> {
        self.live
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Live {
    fn next_frame(&mut self) {
        if self.waiting_for.is_empty() || self.since.elapsed() < PATIENCE {
            return;
        }
        self.frame = (self.frame + 1) % FRAMES.len();
        let frame = FRAMES[self.frame];
        let line = format!("{CLEAR_LINE}{frame} waiting for {}", self.waiting_for);
        self.shown = write_to(&mut io::stderr(), &line).is_ok();
    }

    /// Output has come: what comes next is a new wait.
    fn clear(&mut self) {
        self.since = Instant::now();
        if std::mem::take(&mut self.shown) {
            let _gone = write_to(&mut io::stderr(), CLEAR_LINE);
        }
    }
}

fn write_to(out: &mut impl Write, text: &str) -> io::Result<()> {
    out.write_all(text.as_bytes())?;
    out.flush()
}
