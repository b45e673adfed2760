//! The properties of the Java drivers for MySQL and MariaDB, and the client's options that follow from them.

use std::time::Duration;

use mysql_async::{ClientIdentity, Opts, OptsBuilder, SslOpts};

use crate::error::DbError;
use crate::properties::Properties;
use crate::settings::Connection;
use crate::tls::{self, TlsMode, TlsSettings};
use crate::url::Host;

/// How long a server may take to accept a connection.
pub(crate) const CONNECT_DEADLINE: Duration = Duration::from_secs(15);
const TCP_KEEPALIVE: Duration = Duration::from_secs(30);
/// Statements that a connection keeps prepared. The server notices by itself when their tables change. Without a cache
/// none would ever be closed.
const PREPARED_STATEMENTS: usize = 32;

/// Properties that are read here, and properties that tune a Java driver and mean nothing to this client.
pub(crate) const KNOWN: [&[&str]; 2] = [
    &[
        "sslMode",
        "useSSL",
        "ssl",
        "requireSSL",
        "verifyServerCertificate",
        "trustServerCertificate",
        "serverSslCert",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "tinyInt1isBit",
        "transformedBitIsBoolean",
        "yearIsDateType",
        "zeroDateTimeBehavior",
        "sessionVariables",
        "connectionTimeZone",
        "serverTimezone",
        "forceConnectionTimeZoneToSession",
        "nullDatabaseMeansCurrent",
        "nullCatalogMeansCurrent",
    ],
    &[
        "useCursorFetch",
        "defaultFetchSize",
        "useUnicode",
        "characterEncoding",
        "connectionCollation",
        "allowPublicKeyRetrieval",
        "autoReconnect",
        "failOverReadOnly",
        "maxReconnects",
        "connectTimeout",
        "socketTimeout",
        "tcpKeepAlive",
        "netTimeoutForStreamingResults",
        "useServerPrepStmts",
        "cachePrepStmts",
        "prepStmtCacheSize",
        "prepStmtCacheSqlLimit",
        "rewriteBatchedStatements",
        "useLegacyDatetimeCode",
        "useJDBCCompliantTimezoneShift",
        "useTimezone",
        "jdbcCompliantTruncation",
        "sendFractionalSeconds",
        "noDatetimeStringSync",
        "useCompression",
        "useInformationSchema",
        "useOldAliasMetadataBehavior",
        "cacheServerConfiguration",
        "useLocalSessionState",
        "elideSetAutoCommits",
        "maintainTimeStats",
        "enabledTLSProtocols",
        "permitMysqlScheme",
        "allowMultiQueries",
        "allowLoadLocalInfile",
        "preserveInstants",
        "databaseTerm",
        "treatUtilDateAsTimestamp",
        "paranoid",
    ],
];

/// What becomes of `0000-00-00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ZeroDates {
    Refuse,
    Null,
    /// The first day of the year 1.
    Round,
}

/// Properties that change how rows and tables are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Behaviour {
    pub(crate) tiny_int_1_is_bit: bool,
    pub(crate) transformed_bit_is_boolean: bool,
    pub(crate) year_is_date: bool,
    pub(crate) zero_dates: ZeroDates,
    /// Without `catalog.pattern` only the database of the URL is looked at.
    pub(crate) only_current_database: bool,
}

impl Behaviour {
    pub(crate) fn of(properties: &Properties) -> Self {
        let zero_dates = properties.get("zeroDateTimeBehavior").unwrap_or_default();
        let zero_dates = match zero_dates.to_ascii_lowercase().replace('_', "").as_str() {
            "converttonull" => ZeroDates::Null,
            "round" => ZeroDates::Round,
            _ => ZeroDates::Refuse,
        };
        let current = properties.any_flag(&["nullDatabaseMeansCurrent", "nullCatalogMeansCurrent"]);
        Self {
            tiny_int_1_is_bit: properties.flag("tinyInt1isBit").unwrap_or(true),
            transformed_bit_is_boolean: properties.flag("transformedBitIsBoolean").unwrap_or(false),
            year_is_date: properties.flag("yearIsDateType").unwrap_or(true),
            zero_dates,
            only_current_database: current.unwrap_or(true),
        }
    }
}

/// Whether the properties can be used.
pub(crate) fn check(connection: &Connection) -> Result<(), DbError> {
    tls(connection)?;
    session_statements(&connection.properties).map(drop)
}

pub(crate) fn tls(connection: &Connection) -> Result<TlsSettings, DbError> {
    let properties = &connection.properties;
    let text = |name| {
        properties
            .get(name)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
    };
    let authority = text("serverSslCert").or_else(|| text("sslrootcert"));
    let by_switches = || {
        let on = properties.any_flag(&["useSSL", "ssl", "requireSSL"]);
        let trusts = properties.flag("trustServerCertificate");
        let verifies = properties
            .flag("verifyServerCertificate")
            .or(trusts.map(|trusts| !trusts));
        match on {
            Some(false) => TlsMode::Off,
            Some(true) if verifies.unwrap_or(authority.is_some()) => TlsMode::VerifyAuthority,
            Some(true) => TlsMode::Require,
            None if authority.is_some() => TlsMode::VerifyAuthority,
            None if connection.url.is_mariadb => TlsMode::Off,
            None => TlsMode::Prefer,
        }
    };
    let mode = match properties.get("sslMode") {
        Some(word) => mode_of(word)?,
        None => by_switches(),
    };
    Ok(TlsSettings {
        mode,
        authority,
        certificate: text("sslcert"),
        key: text("sslkey"),
    })
}

fn mode_of(word: &str) -> Result<TlsMode, DbError> {
    Ok(match word.to_ascii_uppercase().replace('-', "_").as_str() {
        "DISABLED" | "DISABLE" => TlsMode::Off,
        "PREFERRED" => TlsMode::Prefer,
        "REQUIRED" | "TRUST" => TlsMode::Require,
        "VERIFY_CA" => TlsMode::VerifyAuthority,
        "VERIFY_IDENTITY" | "VERIFY_FULL" => TlsMode::VerifyHost,
        _ => {
            return Err(DbError::Setting(format!(
                "the connection property `sslMode` is `{word}`; use `DISABLED`, `PREFERRED`, `REQUIRED`, `VERIFY_CA` or \
                 `VERIFY_IDENTITY`"
            )));
        }
    })
}

/// The client's options for one host.
pub(crate) async fn opts(connection: &Connection, host: &Host) -> Result<Opts, DbError> {
    let tls = tls(connection)?;
    let ssl = match tls.mode {
        TlsMode::Off => None,
        _ => Some(ssl_opts(&tls).await?),
    };
    let password = connection
        .password
        .as_ref()
        .map(|password| password.expose().to_owned());
    let builder = OptsBuilder::default()
        .ip_or_hostname(host.name.as_str())
        .tcp_port(host.port)
        .user(connection.user.as_deref())
        .pass(password)
        .db_name(connection.url.name.as_deref())
        // The client runs them from the last to the first.
        .init(
            session_statements(&connection.properties)?
                .into_iter()
                .rev()
                .collect::<Vec<_>>(),
        )
        // A socket of the same machine would be another account for the server.
        .prefer_socket(false)
        .tcp_keepalive(Some(TCP_KEEPALIVE))
        .stmt_cache_size(PREPARED_STATEMENTS)
        .ssl_opts(ssl);
    Ok(builder.into())
}

async fn ssl_opts(tls: &TlsSettings) -> Result<SslOpts, DbError> {
    let accepts_any = matches!(tls.mode, TlsMode::Prefer | TlsMode::Require);
    let mut opts = SslOpts::default()
        .with_danger_accept_invalid_certs(accepts_any)
        .with_danger_skip_domain_validation(tls.mode != TlsMode::VerifyHost);
    if let Some(authority) = &tls.authority {
        let roots = vec![tls::material(authority).await?.into()];
        opts = opts.with_root_certs(roots).with_disable_built_in_roots(true);
    }
    if let (Some(certificate), Some(key)) = (&tls.certificate, &tls.key) {
        let (certificate, key) = (tls::material(certificate).await?, tls::material(key).await?);
        opts = opts.with_client_identity(Some(ClientIdentity::new(certificate.into(), key.into())));
    }
    Ok(opts)
}

/// What is set for the session: `sessionVariables`, and the time zone if it is to be forced.
fn session_statements(properties: &Properties) -> Result<Vec<String>, DbError> {
    let mut statements = Vec::new();
    if let Some(variables) = properties.get("sessionVariables").filter(|text| !text.is_empty()) {
        for variable in split_outside_quotes(variables) {
            let variable = variable.trim_start_matches("@@").trim_start_matches("session.");
            statements.push(format!("SET SESSION {variable}"));
        }
    }
    if properties.flag("forceConnectionTimeZoneToSession") == Some(true) {
        let zone = properties
            .get("connectionTimeZone")
            .or_else(|| properties.get("serverTimezone"));
        if let Some(zone) = zone.filter(|zone| !matches!(*zone, "" | "LOCAL" | "SERVER")) {
            if !zone
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-:/_".contains(c))
            {
                return Err(DbError::Setting(format!(
                    "the connection property `connectionTimeZone` is `{zone}`, which is no name of a time zone"
                )));
            }
            statements.push(format!("SET SESSION time_zone = '{zone}'"));
        }
    }
    Ok(statements)
}

/// The parts between commas and semicolons that are not in quotes.
fn split_outside_quotes(text: &str) -> impl Iterator<Item = &str> {
    let mut quote = None;
    let parts = text.split(move |c: char| match (quote, c) {
        (None, '\'' | '"') => {
            quote = Some(c);
            false
        }
        (None, ',' | ';') => true,
        (Some(open), c) if open == c => {
            quote = None;
            false
        }
        _ => false,
    });
    parts.map(str::trim).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flavour;
    use crate::settings::Settings;
    use towpath_connect::ConfigMap;

    fn connection(url: &str) -> Connection {
        let config: ConfigMap = [("connection.url", url), ("mode", "bulk")].into_iter().collect();
        Settings::parse(Flavour::Confluent, &config).unwrap().connection
    }

    fn mode(properties: &str) -> TlsMode {
        tls(&connection(&format!("jdbc:mysql://h/db?{properties}")))
            .unwrap()
            .mode
    }

    #[test]
    fn the_drivers_ways_to_ask_for_tls_are_understood() {
        for (properties, expected) in [
            ("", TlsMode::Prefer),
            ("useSSL=false", TlsMode::Off),
            ("useSSL=true", TlsMode::Require),
            (
                "useSSL=true&verifyServerCertificate=true",
                TlsMode::VerifyAuthority,
            ),
            ("useSsl=true&trustServerCertificate=true", TlsMode::Require),
            ("useSsl=true&serverSslCert=/ca.pem", TlsMode::VerifyAuthority),
            ("sslMode=DISABLED", TlsMode::Off),
            ("sslMode=preferred", TlsMode::Prefer),
            ("sslMode=trust", TlsMode::Require),
            ("sslMode=verify-ca", TlsMode::VerifyAuthority),
            ("sslMode=VERIFY_IDENTITY&useSSL=false", TlsMode::VerifyHost),
        ] {
            assert_eq!(mode(properties), expected, "{properties}");
        }
        assert_eq!(
            tls(&connection("jdbc:mariadb://h/db")).unwrap().mode,
            TlsMode::Off
        );
    }

    #[test]
    fn the_session_is_set_up_as_the_driver_would() {
        let url = "jdbc:mysql://h/db?sessionVariables=sql_mode='A,B',@@session.max_statement_time=5\
                   &connectionTimeZone=%2B02:00&forceConnectionTimeZoneToSession=true";
        let statements = session_statements(&connection(url).properties).unwrap();
        assert_eq!(
            statements,
            [
                "SET SESSION sql_mode='A,B'",
                "SET SESSION max_statement_time=5",
                "SET SESSION time_zone = '+02:00'"
            ]
        );
        let mut properties = Properties::default();
        properties.set("connectionTimeZone", "a'; DROP");
        assert_eq!(session_statements(&properties).unwrap(), Vec::<String>::new());
        properties.set("forceConnectionTimeZoneToSession", "true");
        assert!(session_statements(&properties).is_err());
    }

    #[test]
    fn types_and_zero_dates_follow_the_properties() {
        let behaviour = |query| Behaviour::of(&connection(&format!("jdbc:mysql://h/db?{query}")).properties);
        let default = behaviour("");
        assert!(default.tiny_int_1_is_bit && default.year_is_date && !default.transformed_bit_is_boolean);
        assert_eq!(default.zero_dates, ZeroDates::Refuse);
        assert_eq!(
            behaviour("zeroDateTimeBehavior=CONVERT_TO_NULL").zero_dates,
            ZeroDates::Null
        );
        assert_eq!(
            behaviour("zeroDateTimeBehavior=convertToNull").zero_dates,
            ZeroDates::Null
        );
        assert_eq!(
            behaviour("zeroDateTimeBehavior=round").zero_dates,
            ZeroDates::Round
        );
        assert!(!behaviour("nullCatalogMeansCurrent=false").only_current_database);
    }
}
