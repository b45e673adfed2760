//! MySQL and MariaDB. Rows come by the binary protocol, one packet a row, as fast as they are taken.

mod decode;
mod errors;
mod metadata;
pub(crate) mod options;

use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, DriverError, Opts, Row};
use tokio::time::timeout;

use crate::error::DbError;
use crate::keys::choices::Isolation;
use crate::moment::Moment;
use crate::rows::RowSink;
use crate::rows::temporal::Temporal;
use crate::session::{ColumnFacts, FoundTable, Session};
use crate::settings::{Connection, Selection};
use crate::statement::{Bind, Statement};
use crate::table::TableId;
use crate::tls::{self, TlsMode};
use decode::MySqlRow;
use options::Behaviour;

/// How long the end of a connection is waited for.
const CLOSE_DEADLINE: Duration = Duration::from_secs(5);
/// The server gives up on a client that takes no rows for a minute; a paused task may take longer.
const SERVER_WRITE_TIMEOUT_SECONDS: u32 = 3600;

/// A connection to MySQL or MariaDB.
pub(crate) struct MySqlSession {
    /// `None` only while it is being closed.
    conn: Option<Conn>,
    opts: Opts,
    behaviour: Behaviour,
    /// Hosts and database, for messages.
    shown: String,
    /// The database of the URL.
    database: Option<String>,
    /// A read was begun and not ended: the connection still has rows on their way.
    is_reading: bool,
}

impl MySqlSession {
    pub(crate) async fn open(connection: &Connection) -> Result<Self, DbError> {
        let shown = connection.url.to_string();
        let mut last_error = None;
        for host in &connection.url.hosts {
            let opts = options::opts(connection, host).await?;
            match connect(opts, options::tls(connection)?.mode).await {
                Ok((conn, opts)) => {
                    let mut session = Self {
                        conn: Some(conn),
                        opts,
                        behaviour: Behaviour::of(&connection.properties),
                        shown,
                        database: connection.url.name.clone(),
                        is_reading: false,
                    };
                    session.prepare_session(connection.isolation).await?;
                    return Ok(session);
                }
                Err(error) => last_error = Some(error),
            }
        }
        let error = last_error.unwrap_or_else(|| std::io::Error::other("the URL names no host").into());
        Err(errors::while_connecting(
            error,
            &shown,
            connection.user.as_deref(),
        ))
    }

    async fn prepare_session(&mut self, isolation: Isolation) -> Result<(), DbError> {
        let patience = format!("SET SESSION net_write_timeout = {SERVER_WRITE_TIMEOUT_SECONDS}");
        match self.run(&patience).await {
            // A server that only speaks the protocol may not know it.
            Err(DbError::Statement(_)) | Ok(()) => {}
            Err(error) => return Err(error),
        }
        if let Some(level) = isolation.sql() {
            self.run(&format!("SET SESSION TRANSACTION ISOLATION LEVEL {level}"))
                .await?;
        }
        Ok(())
    }

    fn conn(&mut self) -> Result<&mut Conn, DbError> {
        let Self { conn, shown, .. } = self;
        conn.as_mut().ok_or_else(|| DbError::Lost {
            database: shown.clone(),
            source: "it was closed".into(),
        })
    }

    async fn run(&mut self, sql: &str) -> Result<(), DbError> {
        let result = self.conn()?.query_drop(sql).await;
        result.map_err(|error| errors::while_running(error, &self.shown))
    }

    async fn rows(&mut self, sql: &str, binds: Vec<mysql_async::Value>) -> Result<Vec<Row>, DbError> {
        let result = self.conn()?.exec(sql, binds).await;
        result.map_err(|error| errors::while_running(error, &self.shown))
    }

    async fn stream(&mut self, statement: &Statement, sink: &mut RowSink) -> Result<(), DbError> {
        let binds = statement
            .binds
            .iter()
            .map(|bind| bound(*bind, sink.temporal()))
            .collect::<Vec<_>>();
        let (behaviour, shown) = (self.behaviour, self.shown.clone());
        let lost = |error| errors::while_running(error, &shown);
        let conn = self.conn()?;
        let stream = conn.exec_stream::<Row, _, _>(statement.sql.as_str(), binds);
        let mut stream = stream.await.map_err(lost)?;
        let columns = stream.columns();
        let kinds = metadata::kinds(&columns, &behaviour);
        sink.begin(&metadata::columns(&columns, &kinds))?;
        // The rows come as long as the server sends some: keep-alive of the connection finds out if it is gone.
        while let Some(row) = stream.next().await {
            let mut row = MySqlRow::new(row.map_err(lost)?, &kinds, &behaviour);
            if let Some(batch) = sink.push(&mut row)? {
                sink.deliver(batch).await?;
            }
        }
        match sink.finish() {
            Some(batch) => sink.deliver(batch).await,
            None => Ok(()),
        }
    }

    /// Makes the server drop a connection in the middle of a read. Without it the client would have to take all the
    /// rest of the rows first.
    async fn kill(&self, id: u32) {
        let killed = async {
            let mut conn = Conn::new(self.opts.clone()).await?;
            conn.query_drop(format!("KILL CONNECTION {id}")).await?;
            conn.disconnect().await
        };
        match timeout(CLOSE_DEADLINE, killed).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(database = %self.shown, %error, "a connection in the middle of a read was not ended");
            }
            Err(_) => tracing::debug!(database = %self.shown, "ending a connection took too long"),
        }
    }
}

/// With TLS preferred, a server that has none, or only what is too old to be safe, is asked again without.
async fn connect(opts: Opts, mode: TlsMode) -> Result<(Conn, Opts), mysql_async::Error> {
    let error = match limited(opts.clone()).await {
        Ok(conn) => return Ok((conn, opts)),
        Err(error) => error,
    };
    let has_none = matches!(
        error,
        mysql_async::Error::Driver(DriverError::NoClientSslFlagFromServer)
    );
    if mode != TlsMode::Prefer || !(has_none || tls::error_of_tls(&error).is_some()) {
        return Err(error);
    }
    let plain: Opts = mysql_async::OptsBuilder::from_opts(opts).ssl_opts(None).into();
    Ok((limited(plain.clone()).await?, plain))
}

async fn limited(opts: Opts) -> Result<Conn, mysql_async::Error> {
    match timeout(options::CONNECT_DEADLINE, Conn::new(opts)).await {
        Ok(result) => result,
        Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
    }
}

/// Columns have no zone, so moments are bound as what a clock in `db.timezone` shows.
fn bound(bind: Bind, temporal: &Temporal) -> mysql_async::Value {
    match bind {
        Bind::Integer(number) => number.into(),
        Bind::Moment(moment) => decode::wall_value(temporal.zone.wall(moment)),
    }
}

#[async_trait]
impl Session for MySqlSession {
    async fn check(&mut self) -> Result<(), DbError> {
        let result = self.conn()?.ping().await;
        result.map_err(|error| errors::lost(error, &self.shown))
    }

    async fn tables(&mut self, selection: &Selection) -> Result<Vec<FoundTable>, DbError> {
        let (sql, binds) = metadata::tables_query(selection, self.database.as_deref(), &self.behaviour);
        let rows = self.rows(&sql, binds).await?;
        Ok(rows.into_iter().filter_map(metadata::found_table).collect())
    }

    async fn columns(&mut self, table: &TableId) -> Result<Vec<ColumnFacts>, DbError> {
        let binds = vec![table.container.as_deref().into(), table.name.as_str().into()];
        let rows = self.rows(metadata::COLUMNS, binds).await?;
        Ok(rows.into_iter().filter_map(metadata::column_facts).collect())
    }

    async fn now(&mut self, temporal: &Temporal) -> Result<Moment, DbError> {
        let rows = self.rows("SELECT CURRENT_TIMESTAMP", Vec::new()).await?;
        let now = rows.first().and_then(|row| row.as_ref(0)).and_then(decode::wall);
        let now = now.ok_or_else(|| DbError::Statement("CURRENT_TIMESTAMP is no date with time".into()))?;
        Ok(temporal.zone.moment(now))
    }

    async fn prepare(&mut self, sql: &str) -> Result<(), DbError> {
        let result = self.conn()?.prep(sql).await;
        result
            .map(drop)
            .map_err(|error| errors::while_running(error, &self.shown))
    }

    async fn read(&mut self, statement: Statement, mut sink: RowSink) -> (RowSink, Result<(), DbError>) {
        self.is_reading = true;
        let result = self.stream(&statement, &mut sink).await;
        self.is_reading = result.is_err();
        (sink, result)
    }

    async fn close(mut self: Box<Self>) {
        let Some(conn) = self.conn.take() else {
            return;
        };
        if self.is_reading {
            self.kill(conn.id()).await;
        }
        // An error only says that the server was quicker.
        if timeout(CLOSE_DEADLINE, conn.disconnect()).await.is_err() {
            tracing::debug!(database = %self.shown, "closing a connection took too long");
        }
    }
}
