//! What the client's and the server's errors mean.

use tokio_postgres::Error;

use crate::error::DbError;
use crate::tls;

/// An error before the connection could be used.
pub(super) fn while_connecting(error: Error, database: &str, user: Option<&str>) -> DbError {
    let database = database.to_owned();
    let advice = match error.code().map(tokio_postgres::error::SqlState::code) {
        Some(state) if state.starts_with("28") => Some(match user {
            Some(user) => {
                format!("it does not let user \"{user}\" in; check `connection.user` and `connection.password`")
            }
            None => "it lets nobody in without a name; set `connection.user`".to_owned(),
        }),
        Some(state) if state.starts_with("3D") => {
            Some("it has no such database; check `connection.url`".to_owned())
        }
        // Connections to this database are not allowed.
        Some("55000") => Some("it refuses the connection".to_owned()),
        Some(state) if is_gone(state) || is_passing(state) => None,
        Some(_) => Some("it refuses the connection".to_owned()),
        None if tls::is_about_certificates(&error) => Some(
            "its certificate is not trusted; check `sslmode`, and give the authority that signed it by `sslrootcert`"
                .to_owned(),
        ),
        None => advice_on_client(&error),
    };
    let source = Box::new(error);
    match advice {
        Some(advice) => DbError::Refused {
            database,
            advice,
            source,
        },
        None => DbError::unanswered(database, source),
    }
}

/// The client has no code for these, only their words.
fn advice_on_client(error: &Error) -> Option<String> {
    let mut words = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        words.push_str(&cause.to_string());
        next = cause.source();
    }
    if words.contains("password missing") {
        return Some("it asks for a password; set `connection.password`".to_owned());
    }
    if words.contains("server does not support TLS") {
        return Some("it has no TLS; set the connection property `sslmode` to `disable`".to_owned());
    }
    None
}

/// An error of a statement, or of the connection while it ran.
pub(super) fn while_running(error: Error, database: &str) -> DbError {
    match error.code().map(tokio_postgres::error::SqlState::code) {
        Some(state) if is_gone(state) => lost(error, database),
        // The table was changed after the statement was prepared: a new connection prepares it anew.
        Some("0A000") if has_cached_plan(&error) => lost(error, database),
        Some(state) if is_passing(state) => DbError::Busy(error.into()),
        Some(_) => DbError::Statement(error.into()),
        None => lost(error, database),
    }
}

fn has_cached_plan(error: &Error) -> bool {
    error
        .as_db_error()
        .is_some_and(|told| told.routine() == Some("RevalidateCachedQuery"))
}

pub(super) fn lost(error: Error, database: &str) -> DbError {
    DbError::Lost {
        database: database.to_owned(),
        source: error.into(),
    }
}

/// The server ends, starts, or has ended the connection.
fn is_gone(state: &str) -> bool {
    state.starts_with("08") || matches!(state, "57P01" | "57P02" | "57P03" | "57P05")
}

/// The same statement may work later.
fn is_passing(state: &str) -> bool {
    // Conflicts of transactions, resources, locks and states, limits on time, trouble of the system and of foreign servers.
    ["40", "53", "55", "58", "HV"]
        .iter()
        .any(|class| state.starts_with(class))
        || matches!(state, "57014" | "25P03" | "72000")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_told_apart() {
        for state in ["57P01", "57P03", "08006"] {
            assert!(is_gone(state), "{state}");
        }
        for state in ["40001", "40P01", "53300", "55P03", "55000", "57014", "HV00N"] {
            assert!(is_passing(state) && !is_gone(state), "{state}");
        }
        for state in ["42P01", "42601", "42703", "42501", "22P02"] {
            assert!(!is_passing(state) && !is_gone(state), "{state}");
        }
    }
}
