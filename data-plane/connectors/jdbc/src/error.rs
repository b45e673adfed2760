//! What can go wrong with a database, and what that means for a connector or task.

use towpath_connect::ConnectorError;

use crate::types::FieldError;

pub(crate) type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What glibc and musl say when a name server could not be asked just now.
const PASSING_LOOKUPS: [&str; 2] = ["Temporary failure in name resolution", "Try again"];

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
    /// Nobody knows the host, or there is no such file.
    #[error(
        "could not connect to {database}: it does not answer; check `connection.url` and that the database is up"
    )]
    NotFound {
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
    /// When there is nobody who could refuse the connection.
    pub(crate) fn unanswered(database: String, source: BoxError) -> Self {
        if is_unknown_host(source.as_ref()) {
            Self::NotFound { database, source }
        } else {
            Self::Unreachable { database, source }
        }
    }

    /// Whether a start may count on the database to come back. A name that does not exist may be a mistake, so a person
    /// has to look; a reader that had a connection waits for it.
    pub(crate) fn passes_at_start(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Lost { .. } | Self::Busy(_) => true,
            Self::NotFound { .. }
            | Self::Refused { .. }
            | Self::Statement(_)
            | Self::Field { .. }
            | Self::Setting(_)
            | Self::Schema(_)
            | Self::Stopped => false,
        }
    }

    pub(crate) fn remedy(&self) -> Remedy {
        match self {
            Self::Unreachable { .. } | Self::NotFound { .. } | Self::Lost { .. } => Remedy::Reconnect,
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

/// Whether a name could not be resolved, and not just for the moment. The standard library has no code for it, only words.
fn is_unknown_host(error: &(dyn std::error::Error + 'static)) -> bool {
    let words = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
    words
        .filter_map(|words| {
            Some(
                words
                    .split_once("failed to lookup address information: ")?
                    .1
                    .to_owned(),
            )
        })
        .any(|why| !PASSING_LOOKUPS.iter().any(|passing| why.contains(passing)))
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_start_counts_on_a_database_that_does_not_answer_and_not_on_an_unknown_name() {
        let lookup = "failed to lookup address information";
        for (cause, passes) in [
            (io::Error::from(io::ErrorKind::ConnectionRefused), true),
            (io::Error::from(io::ErrorKind::TimedOut), true),
            (
                io::Error::other(format!("{lookup}: Temporary failure in name resolution")),
                true,
            ),
            (io::Error::other(format!("{lookup}: Try again")), true),
            (
                io::Error::other(format!("{lookup}: Name or service not known")),
                false,
            ),
        ] {
            let text = cause.to_string();
            let error = DbError::unanswered("mysql://h:1/d".to_owned(), cause.into());
            assert_eq!(error.passes_at_start(), passes, "{text}");
            assert_eq!(
                error.remedy(),
                Remedy::Reconnect,
                "a running reader waits: {text}"
            );
        }
    }

    #[tokio::test]
    async fn the_system_says_in_known_words_that_a_name_does_not_exist() {
        let cause = tokio::net::lookup_host("no-such-host.invalid:1")
            .await
            .err()
            .unwrap();
        let words = cause.to_string();
        // Without a network it says that it may be asked again.
        let is_passing = PASSING_LOOKUPS.iter().any(|passing| words.contains(passing));
        let error = DbError::unanswered(String::new(), cause.into());
        assert_eq!(error.passes_at_start(), is_passing, "{words}");
    }
}
