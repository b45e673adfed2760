//! The keys of the connectors' configurations: names, types, defaults and single-key checks, in the groups that forms
//! show. What several keys say together is checked in `settings/checks.rs`.

pub(crate) mod choices;
mod connector;
mod database;
mod mode;
mod validators;

use towpath_connect::config_def::ConfigKey;
use towpath_connect::{ConfigDef, Width};

use crate::Flavour;

pub(crate) const URL: &str = "connection.url";
pub(crate) const USER: &str = "connection.user";
pub(crate) const PASSWORD: &str = "connection.password";
pub(crate) const ATTEMPTS: &str = "connection.attempts";
pub(crate) const BACKOFF: &str = "connection.backoff.ms";
/// Every other key with this prefix is a property for the database's client.
pub(crate) const CONNECTION_PREFIX: &str = "connection.";
pub(crate) const CREDENTIALS_PROVIDER: &str = "jdbc.credentials.provider.class";
pub(crate) const WHITELIST: &str = "table.whitelist";
pub(crate) const BLACKLIST: &str = "table.blacklist";
pub(crate) const INCLUDE: &str = "table.include.list";
pub(crate) const EXCLUDE: &str = "table.exclude.list";
pub(crate) const CATALOG_PATTERN: &str = "catalog.pattern";
pub(crate) const SCHEMA_PATTERN: &str = "schema.pattern";
pub(crate) const NUMERIC_PRECISION_MAPPING: &str = "numeric.precision.mapping";
pub(crate) const NUMERIC_MAPPING: &str = "numeric.mapping";
/// Not of Java's connector, which never maps `DECIMAL` columns.
pub(crate) const NUMERIC_MAPPING_DECIMAL: &str = "numeric.mapping.includes.decimal";
pub(crate) const DIALECT: &str = "dialect.name";
pub(crate) const CALENDAR: &str = "date.calendar.system";
pub(crate) const MODE: &str = "mode";
pub(crate) const INCREMENTING: &str = "incrementing.column.name";
pub(crate) const TIMESTAMP: &str = "timestamp.column.name";
pub(crate) const TIMESTAMP_MAPPING: &str = "timestamp.columns.mapping";
pub(crate) const INCREMENTING_MAPPING: &str = "incrementing.column.mapping";
pub(crate) const TIMESTAMP_INITIAL: &str = "timestamp.initial";
pub(crate) const AIVEN_TIMESTAMP_INITIAL: &str = "timestamp.initial.ms";
pub(crate) const AIVEN_INCREMENTING_INITIAL: &str = "incrementing.initial";
pub(crate) const VALIDATE_NON_NULL: &str = "validate.non.null";
pub(crate) const QUERY: &str = "query";
pub(crate) const QUERY_MASKED: &str = "query.masked";
pub(crate) const QUOTE: &str = "quote.sql.identifiers";
pub(crate) const AIVEN_QUOTE: &str = "sql.quote.identifiers";
pub(crate) const AIVEN_QUALIFY: &str = "table.names.qualify";
pub(crate) const QUERY_SUFFIX: &str = "query.suffix";
pub(crate) const ISOLATION: &str = "transaction.isolation.mode";
pub(crate) const RETRY_ATTEMPTS: &str = "query.retry.attempts";
pub(crate) const TABLE_TYPES: &str = "table.types";
pub(crate) const POLL_INTERVAL: &str = "poll.interval.ms";
pub(crate) const BATCH_MAX_ROWS: &str = "batch.max.rows";
pub(crate) const MAX_BUFFER: &str = "max.buffer.size";
pub(crate) const LINGER: &str = "poll.linger.ms";
pub(crate) const TABLE_POLL_INTERVAL: &str = "table.poll.interval.ms";
pub(crate) const STARTUP_LIMIT: &str = "table.monitoring.startup.polling.limit.ms";
pub(crate) const TOPIC_PREFIX: &str = "topic.prefix";
pub(crate) const DELAY: &str = "timestamp.delay.interval.ms";
pub(crate) const TIMEZONE: &str = "db.timezone";
pub(crate) const GRANULARITY: &str = "timestamp.granularity";
pub(crate) const SHUTDOWN_TIMEOUT: &str = "engine.shutdown.timeout";
/// What the connector gives its tasks: the quoted names of the tables of each.
pub(crate) const TABLES: &str = "tables";
/// Whether `tables` is known yet.
pub(crate) const TABLES_FETCHED: &str = "tables.fetched";

/// The keys that a connector of this flavour knows.
pub(crate) fn definition(flavour: Flavour) -> ConfigDef {
    let groups = [
        database::keys(flavour),
        mode::keys(flavour),
        connector::keys(flavour),
    ];
    groups
        .into_iter()
        .flatten()
        .fold(ConfigDef::new(), ConfigDef::define)
}

fn titled(mut key: ConfigKey, width: Width, title: &str, doc: &str) -> ConfigKey {
    key.width = width;
    title.clone_into(&mut key.display_name);
    key.doc(doc)
}

/// The keys as a form shows them, in this order.
fn in_group(name: &str, mut keys: Vec<ConfigKey>) -> Vec<ConfigKey> {
    for (order, key) in (1..).zip(&mut keys) {
        key.group = Some(name.to_owned());
        key.order_in_group = order;
    }
    keys
}

#[cfg(test)]
mod tests;
