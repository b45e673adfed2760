//! What can stand in a JSON text, and what can be wrong with it.

use towpath_connect::ConnectorError;

/// The text is no JSON. The message tells nothing of the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is no JSON from byte {at} on: {problem}")]
pub(super) struct SyntaxError {
    pub(super) at: usize,
    pub(super) problem: &'static str,
}

/// Why a text has no value.
#[derive(Debug)]
pub(super) enum ReadError {
    /// It is no JSON.
    Syntax(SyntaxError),
    /// It is JSON, but not what is wanted.
    Data(ConnectorError),
}

impl From<SyntaxError> for ReadError {
    fn from(error: SyntaxError) -> Self {
        Self::Syntax(error)
    }
}

impl From<ConnectorError> for ReadError {
    fn from(error: ConnectorError) -> Self {
        Self::Data(error)
    }
}

/// What stands at some place of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Object,
    Array,
    String,
    Number,
    Boolean,
    Null,
    /// The text is blank.
    Missing,
}

impl Kind {
    /// The name in Kafka Connect's messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Object => "OBJECT",
            Self::Array => "ARRAY",
            Self::String => "STRING",
            Self::Number => "NUMBER",
            Self::Boolean => "BOOLEAN",
            Self::Null => "NULL",
            Self::Missing => "MISSING",
        }
    }
}
