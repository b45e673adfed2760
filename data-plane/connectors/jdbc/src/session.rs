//! One connection to a database, whichever it is: what the connector and its tasks ask of it.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::timeout;

use crate::database::Database;
use crate::error::DbError;
use crate::moment::Moment;
use crate::rows::RowSink;
use crate::rows::temporal::Temporal;
use crate::settings::{Connection, Selection};
use crate::statement::Statement;
use crate::table::TableId;
use crate::{mysql, postgres, sqlite, tls};

/// What a table says of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnFacts {
    pub(crate) name: String,
    pub(crate) nullable: bool,
    pub(crate) auto_increment: bool,
}

/// A table that was found, and its type in JDBC's words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FoundTable {
    pub(crate) kind: String,
    pub(crate) table: TableId,
}

/// A connection. After an error whose remedy is to reconnect it is of no more use.
#[async_trait]
pub(crate) trait Session: Send {
    /// Whether the connection still works.
    async fn check(&mut self) -> Result<(), DbError>;

    /// The tables, of every type, where the selection says to look; in no particular order.
    async fn tables(&mut self, selection: &Selection) -> Result<Vec<FoundTable>, DbError>;

    /// The columns of a table in their order; empty when there is no such table.
    async fn columns(&mut self, table: &TableId) -> Result<Vec<ColumnFacts>, DbError>;

    /// The database's clock.
    async fn now(&mut self, temporal: &Temporal) -> Result<Moment, DbError>;

    /// Lets the database look at a statement without running it.
    async fn prepare(&mut self, sql: &str) -> Result<(), DbError>;

    /// Reads all rows into the sink as they come, and gives the sink back. The future may be dropped at any point; then
    /// only [`Session::close`] may be called, and the sink is gone.
    async fn read(&mut self, statement: Statement, sink: RowSink) -> (RowSink, Result<(), DbError>);

    /// Ends the connection, also in the middle of a read, without waiting for the rest of its rows.
    async fn close(self: Box<Self>);
}

/// How long a database may take from the first packet to a connection that can be used, all hosts together.
const OPEN_DEADLINE: Duration = Duration::from_secs(60);

/// Opens a connection; gives up when no server answers in time.
pub(crate) async fn open(connection: &Connection) -> Result<Box<dyn Session>, DbError> {
    tls::install_provider();
    match timeout(OPEN_DEADLINE, open_of(connection)).await {
        Ok(result) => result,
        Err(error) => Err(DbError::Unreachable {
            database: connection.url.to_string(),
            source: error.into(),
        }),
    }
}

async fn open_of(connection: &Connection) -> Result<Box<dyn Session>, DbError> {
    Ok(match connection.url.database {
        Database::MySql => Box::new(mysql::MySqlSession::open(connection).await?),
        Database::Postgres => Box::new(postgres::PostgresSession::open(connection).await?),
        Database::Sqlite => Box::new(sqlite::SqliteSession::open(connection).await?),
    })
}

/// Whether the properties for the client have values it can use.
pub(crate) fn check_properties(connection: &Connection) -> Result<(), DbError> {
    match connection.url.database {
        Database::MySql => mysql::options::check(connection),
        Database::Postgres => postgres::options::check(connection),
        Database::Sqlite => Ok(()),
    }
}

/// The names of properties that mean nothing here.
pub(crate) fn unknown_properties(connection: &Connection) -> Vec<String> {
    let known: [&[&str]; 2] = match connection.url.database {
        Database::MySql => mysql::options::KNOWN,
        Database::Postgres => postgres::options::KNOWN,
        Database::Sqlite => sqlite::KNOWN,
    };
    connection.properties.names_beyond(&known)
}
