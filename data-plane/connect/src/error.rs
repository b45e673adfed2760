//! The one error of the plugin boundary: a kind, what happened, and a cause. What a kind leads to is decided in the
//! runtime's `errors/disposition.rs` and nowhere else.

use std::error::Error as StdError;
use std::fmt;

/// Result of everything a plugin does.
pub type Result<T, E = ConnectorError> = std::result::Result<T, E>;

/// What sort of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// It may work if tried again as it is (a lost connection, a busy system).
    Retriable,
    /// The configuration is wrong; a person has to change it.
    Config,
    /// This record (its bytes, value or schema) cannot be processed.
    Data,
    /// The other system refused for good.
    External,
    /// An invariant of ours is broken.
    Bug,
}

impl ErrorKind {
    /// The Java exception class that clients see in traces and dead-letter headers for this kind.
    pub fn java_class(self) -> &'static str {
        match self {
            Self::Retriable => "org.apache.kafka.connect.errors.RetriableException",
            Self::Config => "org.apache.kafka.common.config.ConfigException",
            Self::Data => "org.apache.kafka.connect.errors.DataException",
            Self::External => "org.apache.kafka.connect.errors.ConnectException",
            Self::Bug => "java.lang.IllegalStateException",
        }
    }
}

/// An error of a connector, converter or transform.
///
/// `Display` gives the message without the cause; use [`Chain`] to print both.
#[derive(Debug)]
pub struct ConnectorError {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ConnectorError {
    /// An error of this kind. The message says what was attempted, what is wrong and what to do.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// [`ErrorKind::Retriable`].
    pub fn retriable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Retriable, message)
    }

    /// [`ErrorKind::Config`].
    pub fn config(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Config, message)
    }

    /// [`ErrorKind::Data`].
    pub fn data(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Data, message)
    }

    /// [`ErrorKind::External`].
    pub fn external(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::External, message)
    }

    /// [`ErrorKind::Bug`].
    pub fn bug(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Bug, message)
    }

    /// Attaches the cause.
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The message without the cause.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ConnectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for ConnectorError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Prints an error with all its causes, `a: b: c`. For the edge only: a log line, a REST body, the CLI.
#[derive(Debug)]
pub struct Chain<'a>(pub &'a (dyn StdError + Send + Sync + 'static));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}
