//! The properties of the Java driver for PostgreSQL, and the client's options that follow from them.

use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};

use crate::error::DbError;
use crate::settings::Connection;
use crate::tls::{TlsMode, TlsSettings};

/// How long a server may take to accept a connection.
const CONNECT_DEADLINE: Duration = Duration::from_secs(15);
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);

/// Properties that are read here, and properties that tune a Java driver and mean nothing to this client.
pub(crate) const KNOWN: [&[&str]; 2] = [
    &[
        "ssl",
        "sslmode",
        "sslfactory",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "ApplicationName",
        "currentSchema",
        "options",
        "connectTimeout",
        "loginTimeout",
        "targetServerType",
    ],
    &[
        "prepareThreshold",
        "preparedStatementCacheQueries",
        "preparedStatementCacheSizeMiB",
        "databaseMetadataCacheFields",
        "databaseMetadataCacheFieldsMiB",
        "defaultRowFetchSize",
        "adaptiveFetch",
        "stringtype",
        "preferQueryMode",
        "socketTimeout",
        "cancelSignalTimeout",
        "tcpKeepAlive",
        "tcpNoDelay",
        "reWriteBatchedInserts",
        "binaryTransfer",
        "assumeMinServerVersion",
        "loggerLevel",
        "loggerFile",
        "logUnclosedConnections",
        "autosave",
        "readOnly",
        "gssEncMode",
        "hostRecheckSeconds",
        "loadBalanceHosts",
        "channelBinding",
        "sslResponseTimeout",
        "unknownLength",
        "allowEncodingChanges",
        "charSet",
    ],
];

/// Whether the properties can be used.
pub(crate) fn check(connection: &Connection) -> Result<(), DbError> {
    tls(connection).map(drop)
}

pub(crate) fn tls(connection: &Connection) -> Result<TlsSettings, DbError> {
    let properties = &connection.properties;
    let text = |name| {
        properties
            .get(name)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
    };
    let mode = match properties.get("sslmode") {
        Some(word) => mode_of(word)?,
        None if properties.flag("ssl") == Some(true) => TlsMode::VerifyHost,
        None => TlsMode::Prefer,
    };
    let trusts_all = properties
        .get("sslfactory")
        .is_some_and(|class| class.ends_with("NonValidatingFactory"));
    let verifies = matches!(mode, TlsMode::VerifyAuthority | TlsMode::VerifyHost);
    Ok(TlsSettings {
        mode: if trusts_all && verifies {
            TlsMode::Require
        } else {
            mode
        },
        authority: text("sslrootcert"),
        certificate: text("sslcert"),
        key: text("sslkey"),
    })
}

fn mode_of(word: &str) -> Result<TlsMode, DbError> {
    Ok(match word.to_ascii_lowercase().as_str() {
        "disable" => TlsMode::Off,
        "allow" | "prefer" => TlsMode::Prefer,
        "require" => TlsMode::Require,
        "verify-ca" => TlsMode::VerifyAuthority,
        "verify-full" => TlsMode::VerifyHost,
        _ => {
            return Err(DbError::Setting(format!(
                "the connection property `sslmode` is `{word}`; use `disable`, `prefer`, `require`, `verify-ca` or \
                 `verify-full`"
            )));
        }
    })
}

/// The client's options; hosts are tried in their order.
pub(crate) fn config(connection: &Connection, mode: TlsMode) -> Config {
    let properties = &connection.properties;
    let mut config = Config::new();
    for host in &connection.url.hosts {
        config.host(host.name.as_str()).port(host.port);
    }
    // Without a user it is the account that runs the process, and without a database the one named as the user.
    if let Some(user) = &connection.user {
        config.user(user);
    }
    if let Some(name) = &connection.url.name {
        config.dbname(name);
    }
    config
        .application_name(properties.get("ApplicationName").unwrap_or("towpath"))
        .connect_timeout(connect_timeout(connection))
        .keepalives_idle(TCP_KEEPALIVE)
        .ssl_mode(match mode {
            TlsMode::Off => SslMode::Disable,
            TlsMode::Prefer => SslMode::Prefer,
            TlsMode::Require | TlsMode::VerifyAuthority | TlsMode::VerifyHost => SslMode::Require,
        });
    if let Some(password) = &connection.password {
        config.password(password.expose());
    }
    if let Some(options) = server_options(connection) {
        config.options(options);
    }
    if properties
        .get("targetServerType")
        .is_some_and(|kind| matches!(kind, "primary" | "master"))
    {
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
    }
    config
}

fn connect_timeout(connection: &Connection) -> Duration {
    let seconds = |name| {
        connection
            .properties
            .seconds(name)
            .filter(|limit| !limit.is_zero())
    };
    seconds("connectTimeout")
        .or_else(|| seconds("loginTimeout"))
        .unwrap_or(CONNECT_DEADLINE)
}

/// `options`, and the search path of `currentSchema`.
fn server_options(connection: &Connection) -> Option<String> {
    let properties = &connection.properties;
    let mut options: Vec<String> = properties.get("options").map(str::to_owned).into_iter().collect();
    if let Some(schema) = properties
        .get("currentSchema")
        .filter(|schema| !schema.is_empty())
    {
        let escaped = schema.replace('\\', "\\\\").replace(' ', "\\ ");
        options.push(format!("-c search_path={escaped}"));
    }
    (!options.is_empty()).then(|| options.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flavour;
    use crate::settings::Settings;
    use towpath_connect::ConfigMap;

    fn connection(query: &str) -> Connection {
        let url = format!("jdbc:postgresql://h1,h2:5433/db?{query}");
        let config: ConfigMap = [("connection.url", url.as_str()), ("mode", "bulk")]
            .into_iter()
            .collect();
        Settings::parse(Flavour::Confluent, &config).unwrap().connection
    }

    #[test]
    fn the_drivers_ways_to_ask_for_tls_are_understood() {
        for (query, expected) in [
            ("", TlsMode::Prefer),
            ("ssl=true", TlsMode::VerifyHost),
            ("ssl", TlsMode::VerifyHost),
            ("ssl=false", TlsMode::Prefer),
            (
                "ssl=true&sslfactory=org.postgresql.ssl.NonValidatingFactory",
                TlsMode::Require,
            ),
            ("sslmode=disable", TlsMode::Off),
            ("sslmode=require&ssl=true", TlsMode::Require),
            ("sslmode=verify-ca&sslrootcert=/ca.pem", TlsMode::VerifyAuthority),
        ] {
            assert_eq!(tls(&connection(query)).unwrap().mode, expected, "{query}");
        }
    }

    #[test]
    fn hosts_and_options_reach_the_client() {
        let connection =
            connection("user=app&currentSchema=my%20sales,public&options=-c%20x=1&connectTimeout=3");
        let config = config(&connection, TlsMode::Off);
        assert_eq!(config.get_hosts().len(), 2);
        assert_eq!(config.get_ports(), [5432, 5433]);
        assert_eq!(config.get_user(), Some("app"));
        assert_eq!(
            config.get_options(),
            Some("-c x=1 -c search_path=my\\ sales,public")
        );
        assert_eq!(config.get_connect_timeout(), Some(&Duration::from_secs(3)));
    }
}
