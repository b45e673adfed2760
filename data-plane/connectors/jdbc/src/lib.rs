//! JDBC source for MySQL, MariaDB, PostgreSQL and SQLite: copies tables, or the result of a query, and what is added to
//! them, into topics. Keys, offsets and records are those of Kafka Connect's JDBC source connectors; there is no JDBC
//! and no JVM, each database is spoken to by its own client.

mod connector;
mod cursor;
mod database;
mod error;
mod filter;
mod keys;
mod moment;
mod monitor;
mod mysql;
mod number;
mod offset;
mod postgres;
mod properties;
mod reader;
mod rows;
mod schema;
mod session;
mod settings;
mod sqlite;
mod statement;
mod table;
mod task;
mod tls;
mod types;
mod url;
mod validation;
mod zone;

use towpath_connect::source::SourceConnector;
use towpath_connect::{ConfigDef, Plugin, PluginFactory};

use crate::connector::JdbcSourceConnector;

/// Whose keys and defaults are understood. The engine behind them is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    Confluent,
    Aiven,
}

/// The connectors of this crate.
pub fn plugins() -> Vec<Plugin> {
    vec![
        Plugin {
            class: "io.confluent.connect.jdbc.JdbcSourceConnector",
            // The short names would fit both.
            aliases: &["JdbcSourceConnector", "JdbcSource"],
            version: env!("CARGO_PKG_VERSION"),
            config_def: confluent_keys,
            factory: PluginFactory::Source(confluent_connector),
        },
        Plugin {
            class: "io.aiven.connect.jdbc.JdbcSourceConnector",
            aliases: &[],
            version: env!("CARGO_PKG_VERSION"),
            config_def: aiven_keys,
            factory: PluginFactory::Source(aiven_connector),
        },
    ]
}

fn confluent_keys() -> ConfigDef {
    keys::definition(Flavour::Confluent)
}

fn aiven_keys() -> ConfigDef {
    keys::definition(Flavour::Aiven)
}

fn confluent_connector() -> Box<dyn SourceConnector> {
    Box::new(JdbcSourceConnector::new(Flavour::Confluent))
}

fn aiven_connector() -> Box<dyn SourceConnector> {
    Box::new(JdbcSourceConnector::new(Flavour::Aiven))
}
