//! What the client's and the server's errors mean.

use mysql_async::{DriverError, Error, IoError};

use crate::error::{BoxError, DbError};
use crate::tls;

/// An error before the connection could be used.
pub(super) fn while_connecting(error: Error, database: &str, user: Option<&str>) -> DbError {
    let database = database.to_owned();
    let advice = match &error {
        Error::Server(server) => match server.code {
            // Access denied, in several words; a password is needed.
            1044 | 1045 | 1698 | 3118 | 4151 => Some(match user {
                Some(user) => format!(
                    "it does not let user \"{user}\" in; check `connection.user` and `connection.password`"
                ),
                None => "it lets nobody in without a name; set `connection.user`".to_owned(),
            }),
            1049 => Some("it has no such database; check `connection.url`".to_owned()),
            _ if is_passing(server.code, &server.state) => None,
            _ => Some("it refuses the connection".to_owned()),
        },
        Error::Driver(DriverError::NoClientSslFlagFromServer) => {
            Some("it has no TLS; set the connection property `sslMode` to `DISABLED`".to_owned())
        }
        Error::Driver(DriverError::ConnectionClosed) => None,
        Error::Driver(_) => Some("the login does not work with this client".to_owned()),
        Error::Io(_) if tls::is_about_certificates(&error) => Some(
            "its certificate is not trusted; check `sslMode` and the name of the host, and give the authority that \
             signed it by `serverSslCert`"
                .to_owned(),
        ),
        Error::Io(_) | Error::Other(_) | Error::Url(_) => None,
    };
    let source = cause(error);
    match advice {
        Some(advice) => DbError::Refused {
            database,
            advice,
            source,
        },
        None => DbError::unanswered(database, source),
    }
}

/// An error of a statement, or of the connection while it ran.
pub(super) fn while_running(error: Error, database: &str) -> DbError {
    match &error {
        Error::Server(server) if is_gone(server.code, &server.state) => lost(error, database),
        Error::Server(server) if is_passing(server.code, &server.state) => DbError::Busy(cause(error)),
        Error::Server(_) => DbError::Statement(cause(error)),
        Error::Driver(_) | Error::Io(_) | Error::Other(_) | Error::Url(_) => lost(error, database),
    }
}

pub(super) fn lost(error: Error, database: &str) -> DbError {
    DbError::Lost {
        database: database.to_owned(),
        source: cause(error),
    }
}

/// The server ends, or has ended the connection.
fn is_gone(code: u16, state: &str) -> bool {
    // Shutdown in progress, normal shutdown, aborted and killed connections, idle too long.
    const CODES: [u16; 10] = [1053, 1077, 1079, 1152, 1184, 1927, 2006, 2013, 3169, 4031];
    CODES.contains(&code) || state.starts_with("08")
}

/// The same statement may work later.
fn is_passing(code: u16, state: &str) -> bool {
    // Too many connections, out of memory, lock timeouts, deadlock, interrupted queries, limits on time and resources, a
    // table that was changed meanwhile.
    const CODES: [u16; 18] = [
        1040, 1041, 1037, 1038, 1099, 1100, 1203, 1205, 1206, 1213, 1226, 1317, 1412, 1615, 1637, 1969, 3024,
        1180,
    ];
    is_gone(code, state) || CODES.contains(&code) || state.starts_with("40")
}

/// The innermost error, which says it best.
fn cause(error: Error) -> BoxError {
    match error {
        Error::Server(server) => server.into(),
        Error::Io(IoError::Io(error)) => error.into(),
        Error::Io(IoError::Tls(error)) => error.into(),
        Error::Driver(error) => error.into(),
        Error::Other(error) => error,
        Error::Url(error) => error.into(),
    }
}

#[cfg(test)]
mod tests {
    use mysql_async::ServerError;

    use super::*;
    use crate::error::Remedy;

    fn server(code: u16, state: &str) -> Error {
        Error::Server(ServerError {
            code,
            message: "no".to_owned(),
            state: state.to_owned(),
        })
    }

    #[test]
    fn errors_of_the_server_lead_to_the_right_remedy() {
        for (code, state, remedy) in [
            (1053, "08S01", Remedy::Reconnect),
            (1927, "70100", Remedy::Reconnect),
            (1205, "HY000", Remedy::Retry),
            (1213, "40001", Remedy::Retry),
            (1412, "HY000", Remedy::Retry),
            (1615, "HY000", Remedy::Retry),
            (1317, "70100", Remedy::Retry),
            (1146, "42S02", Remedy::Fail),
            (1064, "42000", Remedy::Fail),
            (1054, "42S22", Remedy::Fail),
        ] {
            assert_eq!(while_running(server(code, state), "d").remedy(), remedy, "{code}");
        }
        let closed = Error::Driver(DriverError::ConnectionClosed);
        assert_eq!(while_running(closed, "d").remedy(), Remedy::Reconnect);
    }

    #[test]
    fn a_refused_login_is_final_and_a_full_server_is_not() {
        for (code, state, remedy) in [
            (1045, "28000", Remedy::Fail),
            (1044, "42000", Remedy::Fail),
            (1049, "42000", Remedy::Fail),
            (1040, "08004", Remedy::Reconnect),
            (1053, "08S01", Remedy::Reconnect),
        ] {
            let error = while_connecting(server(code, state), "d", Some("u"));
            assert_eq!(error.remedy(), remedy, "{code}");
        }
        let message = while_connecting(server(1045, "28000"), "mysql://h:1/d", Some("app")).to_string();
        assert_eq!(
            message,
            "could not connect to mysql://h:1/d: it does not let user \"app\" in; check `connection.user` and \
             `connection.password`"
        );
    }
}
