//! JDBC URLs: `jdbc:mysql://host:3306/db?user=…`. They may hold passwords, so nothing here prints one as it was given.

use std::fmt;

use percent_encoding::percent_decode_str;
use towpath_connect::Password;

use crate::database::Database;

/// Every form that is understood, for messages.
pub(crate) const SUPPORTED: &str = "`jdbc:mysql://HOST:PORT/DATABASE`, `jdbc:mariadb://HOST:PORT/DATABASE`, \
     `jdbc:postgresql://HOST:PORT/DATABASE` and `jdbc:sqlite:/PATH/FILE`";

/// Why a URL is no good. No variant holds more of the URL than the name of the database and of a host.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UrlError {
    #[error("`connection.url` is not set; use {SUPPORTED}")]
    Missing,
    #[error("`connection.url` does not begin with `jdbc:` and the name of a database; use {SUPPORTED}")]
    NoJdbc,
    #[error("`connection.url` is for `{0}`, which is not supported; supported are {SUPPORTED}")]
    Unsupported(String),
    #[error("`connection.url` has no `//` and host after the name of the database; use {SUPPORTED}")]
    NoHost,
    #[error("`connection.url` describes its hosts by `address=(…)` or `(host=…)`; use `HOST:PORT` instead")]
    HostDescription,
    #[error("`connection.url` has a port for host `{0}` that is no number from 1 to 65535")]
    Port(String),
    #[error(
        "`connection.url` names no file that others could write to; use the path of a file, as in `jdbc:sqlite:/data/shop.db`"
    )]
    NoFile,
    #[error(
        "`connection.url` holds a percent sign that is not followed by the bytes of UTF-8 text; write it as `%25`"
    )]
    Encoding,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) port: u16,
}

/// A URL in its parts.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct JdbcUrl {
    pub(crate) database: Database,
    /// Whether the URL says `mariadb`, whose driver has other defaults.
    pub(crate) is_mariadb: bool,
    /// Tried in this order; empty for SQLite.
    pub(crate) hosts: Vec<Host>,
    /// The name of the database; the path of the file for SQLite.
    pub(crate) name: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<Password>,
    /// The query string, decoded.
    pub(crate) parameters: Vec<(String, String)>,
}

impl JdbcUrl {
    pub(crate) fn parse(url: &str) -> Result<Self, UrlError> {
        let url = url.trim();
        if url.is_empty() {
            return Err(UrlError::Missing);
        }
        let rest = strip_prefix_ignoring_case(url, "jdbc:").ok_or(UrlError::NoJdbc)?;
        let (name, rest) = rest.split_once(':').ok_or(UrlError::NoJdbc)?;
        match name.to_ascii_lowercase().as_str() {
            "mysql" => parse_mysql(rest, false),
            "mariadb" => parse_mysql(rest, true),
            "postgresql" => parse_postgres(rest),
            "sqlite" => parse_sqlite(rest),
            "" => Err(UrlError::NoJdbc),
            other => Err(UrlError::Unsupported(other.to_owned())),
        }
    }
}

/// Hosts and database; never a user, a password or a parameter.
impl fmt::Display for JdbcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_deref().unwrap_or_default();
        let scheme = match self.database {
            Database::MySql if self.is_mariadb => "mariadb",
            Database::MySql => "mysql",
            Database::Postgres => "postgresql",
            Database::Sqlite => return write!(f, "sqlite:{name}"),
        };
        write!(f, "{scheme}://")?;
        for (index, host) in self.hosts.iter().enumerate() {
            let separator = if index > 0 { "," } else { "" };
            write!(f, "{separator}{}:{}", host.name, host.port)?;
        }
        write!(f, "/{name}")
    }
}

impl fmt::Debug for JdbcUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

fn parse_mysql(rest: &str, is_mariadb: bool) -> Result<JdbcUrl, UrlError> {
    // The names of strategies over several hosts (`replication:`, `loadbalance:`); here they are tried in order.
    let (_, rest) = rest.split_once("//").ok_or(UrlError::NoHost)?;
    let mut url = parse_network(Database::MySql, rest, 3306)?;
    url.is_mariadb = is_mariadb;
    Ok(url)
}

fn parse_postgres(rest: &str) -> Result<JdbcUrl, UrlError> {
    match rest.strip_prefix("//") {
        Some(rest) => parse_network(Database::Postgres, rest, 5432),
        // `jdbc:postgresql:db` and `jdbc:postgresql:/` mean this machine.
        None => {
            let rest = rest.strip_prefix('/').unwrap_or(rest);
            parse_network(Database::Postgres, &format!("localhost/{rest}"), 5432)
        }
    }
}

fn parse_network(database: Database, rest: &str, default_port: u16) -> Result<JdbcUrl, UrlError> {
    let (location, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, name) = location.split_once('/').unwrap_or((location, ""));
    let (login, hosts) = match authority.rsplit_once('@') {
        Some((login, hosts)) => (Some(login), hosts),
        None => (None, authority),
    };
    let (user, password) = match login {
        Some(login) => match login.split_once(':') {
            Some((user, password)) => (Some(decode(user)?), Some(decode(password)?)),
            None => (Some(decode(login)?), None),
        },
        None => (None, None),
    };
    Ok(JdbcUrl {
        database,
        is_mariadb: false,
        hosts: parse_hosts(hosts, default_port)?,
        name: Some(decode(name)?).filter(|name| !name.is_empty()),
        user,
        password: password.map(Password::new),
        parameters: parse_parameters(query)?,
    })
}

fn parse_hosts(hosts: &str, default_port: u16) -> Result<Vec<Host>, UrlError> {
    if hosts.contains(['(', '=']) {
        return Err(UrlError::HostDescription);
    }
    hosts
        .split(',')
        .map(|host| parse_host(host.trim(), default_port))
        .collect()
}

fn parse_host(host: &str, default_port: u16) -> Result<Host, UrlError> {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address, rest.strip_prefix(':')),
        None => match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        },
    };
    let bad_port = || UrlError::Port(name.to_owned());
    let port = match port {
        Some(text) => text.parse().ok().filter(|port| *port > 0).ok_or_else(bad_port)?,
        None => default_port,
    };
    let name = if name.is_empty() { "localhost" } else { name };
    Ok(Host {
        name: name.to_owned(),
        port,
    })
}

fn parse_sqlite(rest: &str) -> Result<JdbcUrl, UrlError> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path.strip_prefix("file:").unwrap_or(path);
    let parameters = parse_parameters(query)?;
    let in_memory = parameters
        .iter()
        .any(|(name, value)| name == "mode" && value == "memory");
    if path.is_empty() || path == ":memory:" || path.starts_with(":resource:") || in_memory {
        return Err(UrlError::NoFile);
    }
    Ok(JdbcUrl {
        database: Database::Sqlite,
        is_mariadb: false,
        hosts: Vec::new(),
        name: Some(path.to_owned()),
        user: None,
        password: None,
        parameters,
    })
}

fn parse_parameters(query: &str) -> Result<Vec<(String, String)>, UrlError> {
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

/// As `java.net.URLDecoder`: a plus is a blank.
fn decode(text: &str) -> Result<String, UrlError> {
    let with_blanks = text.replace('+', " ");
    percent_decode_str(&with_blanks)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| UrlError::Encoding)
}

#[cfg(test)]
mod tests;
