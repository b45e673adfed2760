//! What can go wrong with a database, and what that means for a connector or task.

use towpath_connect::ConnectorError;

use crate::types::FieldError;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// An error of a database or of what it delivered. Messages hold no password and no value of a row.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DbError {
    #[error(
        "could not connect to {database}: it does not answer; check `connection.url` and that the database is up"
    )]
    Unreachable {
        database: String,
        #[source]
        source: BoxError,
    },
    #[error("could not connect to {database}: {advice}")]
    Refused {
        database: String,
        advice: String,
        #[source]
        source: BoxError,
    },
    #[error("lost the connection to {database}")]
    Lost {
        database: String,
        #[source]
        source: BoxError,
    },
    #[error("the database could not run the statement for the moment")]
    Busy(#[source] BoxError),
    #[error("the database refused the statement; check that table, columns and query exist and may be read")]
    Statement(#[source] BoxError),
    #[error("column \"{column}\" {problem}; {advice}")]
    Field {
        column: String,
        problem: FieldError,
        advice: &'static str,
    },
    #[error("{0}")]
    Setting(String),
    #[error("the schema of the rows cannot be made")]
    Schema(#[source] ConnectorError),
    /// Not an error: nobody takes the rows any more.
    #[error("the task is stopping")]
    Stopped,
}

/// What is to be done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Wait for the database to come back.
    Reconnect,
    /// Run the statement again, a limited number of times.
    Retry,
    /// A person is needed.
    Fail,
    /// End quietly.
    Stop,
}

impl DbError {
    pub(crate) fn remedy(&self) -> Remedy {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } => Remedy::Reconnect,
            Self::Busy(_) => Remedy::Retry,
            Self::Refused { .. }
            | Self::Statement(_)
            | Self::Field { .. }
            | Self::Setting(_)
            | Self::Schema(_) => Remedy::Fail,
            Self::Stopped => Remedy::Stop,
        }
    }

    /// The error that the runtime sees; `attempt` says what was attempted, for example `could not read table "a.b"`.
    pub(crate) fn during(self, attempt: &str) -> ConnectorError {
        let error = match self.remedy() {
            Remedy::Reconnect | Remedy::Retry | Remedy::Stop => ConnectorError::retriable(attempt),
            Remedy::Fail => match self {
                Self::Setting(_) => ConnectorError::config(attempt),
                Self::Field { .. } | Self::Schema(_) => ConnectorError::data(attempt),
                _ => ConnectorError::external(attempt),
            },
        };
        error.with_source(self)
    }

    /// Without what the database itself says, which may quote the statement.
    pub(crate) fn without_statement(self) -> Self {
        let hidden = || BoxError::from("what it says is hidden, as the query is");
        match self {
            Self::Busy(_) => Self::Busy(hidden()),
            Self::Statement(_) => Self::Statement(hidden()),
            other => other,
        }
    }
}
