//! PostgreSQL. Rows come by the binary protocol; the connection stops reading from the server while they are not taken.

mod decode;
mod errors;
mod metadata;
mod numeric;
pub(crate) mod options;

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;
use towpath_connect::error::Chain;

use crate::error::DbError;
use crate::keys::choices::Isolation;
use crate::moment::Moment;
use crate::rows::RowSink;
use crate::rows::temporal::Temporal;
use crate::session::{ColumnFacts, FoundTable, Session};
use crate::settings::{Connection, Selection};
use crate::statement::Statement;
use crate::table::TableId;
use crate::tls::{self, TlsMode};
use decode::{Bound, PgRow};

/// How long the end of a connection is waited for.
const CLOSE_DEADLINE: Duration = Duration::from_secs(5);

/// A connection to PostgreSQL.
pub(crate) struct PostgresSession {
    client: Client,
    /// `None`: without TLS.
    tls: Option<MakeRustlsConnect>,
    /// Moves bytes between the client and the server.
    driver: JoinSet<()>,
    /// Hosts and database, for messages.
    shown: String,
    /// A read was begun and not ended: the connection still has rows on their way.
    is_reading: bool,
}

impl PostgresSession {
    pub(crate) async fn open(connection: &Connection) -> Result<Self, DbError> {
        let shown = connection.url.to_string();
        let settings = options::tls(connection)?;
        let config = options::config(connection, settings.mode);
        let mut driver = JoinSet::new();
        let tls = match settings.mode {
            TlsMode::Off => None,
            _ => Some(MakeRustlsConnect::new(tls::client_config(&settings).await?)),
        };
        let result = match &tls {
            None => connect_plain(&config, &mut driver).await,
            Some(tls) => connect_tls(&config, tls.clone(), &mut driver).await,
        };
        let client =
            result.map_err(|error| errors::while_connecting(error, &shown, connection.user.as_deref()))?;
        let session = Self {
            client,
            tls,
            driver,
            shown,
            is_reading: false,
        };
        session.prepare_session(connection.isolation).await?;
        Ok(session)
    }

    async fn prepare_session(&self, isolation: Isolation) -> Result<(), DbError> {
        let Some(level) = isolation.sql() else {
            return Ok(());
        };
        let set = format!("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL {level}");
        self.client
            .batch_execute(&set)
            .await
            .map_err(|error| self.running(error))
    }

    fn running(&self, error: tokio_postgres::Error) -> DbError {
        errors::while_running(error, &self.shown)
    }

    async fn rows(&self, sql: &str, binds: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, DbError> {
        self.client
            .query(sql, binds)
            .await
            .map_err(|error| self.running(error))
    }

    async fn stream(&mut self, statement: &Statement, sink: &mut RowSink) -> Result<(), DbError> {
        let prepared = self
            .client
            .prepare(&statement.sql)
            .await
            .map_err(|error| self.running(error))?;
        let facts = self.nullability(prepared.columns()).await?;
        let (columns, kinds) = metadata::columns(prepared.columns(), &facts);
        sink.begin(&columns)?;
        let binds = decode::bound(&statement.binds, prepared.params(), sink.temporal())?;
        let rows = self.client.query_raw::<_, Bound, _>(&prepared, binds).await;
        let mut rows = std::pin::pin!(rows.map_err(|error| self.running(error))?);
        // The rows come as long as the server sends some: keep-alive of the connection finds out if it is gone.
        while let Some(row) = rows.next().await {
            let row = row.map_err(|error| self.running(error))?;
            if let Some(batch) = sink.push(&mut PgRow::new(&row, &kinds))? {
                sink.deliver(batch).await?;
            }
        }
        match sink.finish() {
            Some(batch) => sink.deliver(batch).await,
            None => Ok(()),
        }
    }

    /// Which of the result's columns are NOT NULL in the tables they come from.
    async fn nullability(
        &self,
        columns: &[tokio_postgres::Column],
    ) -> Result<HashMap<(u32, i16), bool>, DbError> {
        let mut tables: Vec<u32> = columns
            .iter()
            .filter_map(tokio_postgres::Column::table_oid)
            .collect();
        tables.sort_unstable();
        tables.dedup();
        if tables.is_empty() {
            return Ok(HashMap::new());
        }
        let rows = self.rows(metadata::NULLABILITY, &[&tables]).await?;
        Ok(rows.iter().filter_map(metadata::nullability).collect())
    }
}

async fn connect_plain(config: &Config, driver: &mut JoinSet<()>) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(NoTls).await?;
    driver.spawn(async move {
        // The client reports by itself what became of its requests.
        connection.await.ok();
    });
    Ok(client)
}

async fn connect_tls(
    config: &Config,
    tls: MakeRustlsConnect,
    driver: &mut JoinSet<()>,
) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = config.connect(tls).await?;
    driver.spawn(async move {
        // The client reports by itself what became of its requests.
        connection.await.ok();
    });
    Ok(client)
}

/// Asks the server to end what it does for us: while it computes it would not notice that nobody listens.
async fn cancel(client: &Client, tls: Option<MakeRustlsConnect>, shown: &str) {
    let token = client.cancel_token();
    let asked = async {
        match tls {
            None => token.cancel_query(NoTls).await,
            Some(tls) => token.cancel_query(tls).await,
        }
    };
    match timeout(CLOSE_DEADLINE, asked).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::debug!(database = %shown, error = %Chain(&error), "a read was not cancelled");
        }
        Err(_) => tracing::debug!(database = %shown, "cancelling a read took too long"),
    }
}

#[async_trait]
impl Session for PostgresSession {
    async fn check(&mut self) -> Result<(), DbError> {
        let result = self.client.simple_query("").await;
        result.map(drop).map_err(|error| errors::lost(error, &self.shown))
    }

    async fn tables(&mut self, selection: &Selection) -> Result<Vec<FoundTable>, DbError> {
        let pattern = selection.schema_pattern.as_deref().unwrap_or("%");
        let rows = self.rows(metadata::TABLES, &[&pattern]).await?;
        Ok(rows.iter().filter_map(metadata::found_table).collect())
    }

    async fn columns(&mut self, table: &TableId) -> Result<Vec<ColumnFacts>, DbError> {
        let schema = table.container.as_deref();
        let rows = self
            .rows(metadata::COLUMNS, &[&schema, &table.name.as_str()])
            .await?;
        Ok(rows.iter().filter_map(metadata::column_facts).collect())
    }

    async fn now(&mut self, _temporal: &Temporal) -> Result<Moment, DbError> {
        let rows = self.rows("SELECT CURRENT_TIMESTAMP", &[]).await?;
        let now = rows.first().and_then(decode::clock);
        now.ok_or_else(|| DbError::Statement("CURRENT_TIMESTAMP is no timestamp".into()))
    }

    async fn prepare(&mut self, sql: &str) -> Result<(), DbError> {
        let result = self.client.prepare(sql).await;
        result.map(drop).map_err(|error| self.running(error))
    }

    async fn read(&mut self, statement: Statement, mut sink: RowSink) -> (RowSink, Result<(), DbError>) {
        self.is_reading = true;
        let result = self.stream(&statement, &mut sink).await;
        self.is_reading = result.is_err();
        (sink, result)
    }

    async fn close(self: Box<Self>) {
        let Self {
            client,
            tls,
            mut driver,
            shown,
            is_reading,
        } = *self;
        if is_reading {
            cancel(&client, tls, &shown).await;
            // The connection would take the rest of the rows before it ends.
            driver.abort_all();
        }
        drop(client);
        let ended = async { while driver.join_next().await.is_some() {} };
        if timeout(CLOSE_DEADLINE, ended).await.is_err() {
            tracing::debug!(database = %shown, "closing a connection took too long");
        }
    }
}
