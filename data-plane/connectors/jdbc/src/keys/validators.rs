//! Checks on single values that know more than `ConfigDef` does.

use towpath_connect::config_def::{ConfigValue, invalid};

use super::choices::{Choice, NumericMapping};
use crate::database::Database;
use crate::url::JdbcUrl;
use crate::zone::Zone;

/// Kafka's limit for the name of a topic.
const MOST_TOPIC_CHARS: usize = 249;

pub(super) const NUMERIC_MAPPINGS: &[&str] = &["none", "precision_only", "best_fit", "best_fit_eager_double"];

const DIALECTS: [&str; 11] = [
    "PostgreSqlDatabaseDialect",
    "MySqlDatabaseDialect",
    "SqliteDatabaseDialect",
    "GenericDatabaseDialect",
    "OracleDatabaseDialect",
    "SqlServerDatabaseDialect",
    "Db2DatabaseDialect",
    "DerbyDatabaseDialect",
    "SapHanaDatabaseDialect",
    "SybaseDatabaseDialect",
    "VerticaDatabaseDialect",
];

/// The message leaves the value out: a URL may hold a password.
pub(super) fn url(_key: &str, value: &ConfigValue) -> Result<(), String> {
    match value {
        // That it is missing is said with what else the keys say together.
        ConfigValue::String(url) if url.is_empty() => Ok(()),
        ConfigValue::String(url) => JdbcUrl::parse(url).map(drop).map_err(|error| error.to_string()),
        _ => Ok(()),
    }
}

pub(super) fn numeric_mapping(key: &str, value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::String(word) if NumericMapping::of(word).is_none() => Err(invalid(
            key,
            value,
            &format!(
                "String must be one of (case insensitive): {}",
                NUMERIC_MAPPINGS.join(", ")
            ),
        )),
        _ => Ok(()),
    }
}

pub(super) fn dialect(key: &str, value: &ConfigValue) -> Result<(), String> {
    let ConfigValue::String(name) = value else {
        return Ok(());
    };
    let supported = [Database::MySql, Database::Postgres, Database::Sqlite].map(Database::dialect);
    if name.is_empty() || name == "GenericDatabaseDialect" || supported.contains(&name.as_str()) {
        return Ok(());
    }
    let problem = if DIALECTS.contains(&name.as_str()) {
        format!(
            "this database is not supported; supported are {}",
            supported.join(", ")
        )
    } else {
        format!("String must be one of: {}", supported.join(", "))
    };
    Err(invalid(key, value, &problem))
}

pub(super) fn timezone(key: &str, value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::String(id) if Zone::parse(id).is_none() => Err(invalid(
            key,
            value,
            "Invalid time zone identifier; use a region such as Europe/Berlin or an offset such as +02:00",
        )),
        _ => Ok(()),
    }
}

pub(super) fn topic_prefix(key: &str, value: &ConfigValue) -> Result<(), String> {
    let ConfigValue::String(prefix) = value else {
        return Ok(());
    };
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if prefix.chars().count() > MOST_TOPIC_CHARS {
        let problem = format!("the name of a topic has at most {MOST_TOPIC_CHARS} characters");
        return Err(invalid(key, value, &problem));
    }
    if !prefix.chars().all(is_allowed) {
        return Err(invalid(
            key,
            value,
            "a topic's name consists of letters, digits, `.`, `_` and `-`",
        ));
    }
    Ok(())
}

/// Each entry is `regex:[a|b]`, or `regex:a`.
pub(super) fn column_mapping(key: &str, value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::List(entries) => entries.iter().try_for_each(|entry| {
            crate::settings::columns::parse_entry(entry)
                .map(drop)
                .map_err(|problem| invalid(key, value, &problem))
        }),
        _ => Ok(()),
    }
}

/// Every item is a regular expression.
pub(super) fn patterns(key: &str, value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::List(items) => items.iter().try_for_each(|item| {
            towpath_connect::Pattern::compile(item)
                .map(drop)
                .map_err(|problem| invalid(key, value, &format!("Invalid regex: {problem}")))
        }),
        _ => Ok(()),
    }
}
