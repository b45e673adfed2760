//! Reads the tables of one task in turn, on one connection, and waits for the database when it is away. Runs as a task
//! of its own beside `poll`; the channel between them is bounded, so it reads no further ahead than the configuration
//! allows. Ends when it is cancelled, when nobody polls any more, or at an error that needs a person.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;
use towpath_connect::ConnectorError;
use towpath_connect::error::Chain;

use crate::cursor;
use crate::error::{DbError, Remedy};
use crate::moment::Moment;
use crate::offset::Position;
use crate::rows::{Cursor, Delivery, Route, RowSink};
use crate::schema::SchemaMemory;
use crate::session::{self, Session};
use crate::settings::{Connection, InitialTimestamp, Settings};
use crate::statement::{self, Range};
use crate::table::TableId;

/// How long the check of an idle connection may take.
const CHECK_DEADLINE: Duration = Duration::from_secs(5);
/// How long the database may take to tell its time or describe a table.
const METADATA_DEADLINE: Duration = Duration::from_secs(60);
const FIRST_BACKOFF: Duration = Duration::from_millis(100);
/// A database that is back should not be kept waiting, whatever `connection.backoff.ms` says.
const MOST_BACKOFF: Duration = Duration::from_secs(5);

/// A table, or the query, and how far it was read.
#[derive(Debug)]
pub(crate) struct Reading {
    /// `None` for the query.
    table: Option<TableId>,
    route: Arc<Route>,
    position: Position,
    memory: SchemaMemory,
    /// Known once the table was looked at.
    cursor: Option<Cursor>,
    /// When the last read ended.
    last_end: Option<Instant>,
    /// Attempts in a row that the database could not run.
    failures: u32,
}

impl Reading {
    pub(crate) fn new(table: Option<TableId>, route: Arc<Route>, position: Position) -> Self {
        Self {
            table,
            route,
            position,
            memory: SchemaMemory::default(),
            cursor: None,
            last_end: None,
            failures: 0,
        }
    }
}

/// What one task reads, apart from the connection it reads by.
struct Work {
    settings: Arc<Settings>,
    readings: Vec<Reading>,
    out: mpsc::Sender<Delivery>,
}

/// Reads in turn.
pub(crate) struct Reader {
    work: Work,
    /// Stays here during a read, so that a read that is cancelled leaves a connection that can be closed.
    session: Option<Box<dyn Session>>,
    /// Since when nothing works; it is said once.
    outage: Option<Instant>,
    backoff: Duration,
}

impl Reader {
    pub(crate) fn new(
        settings: Arc<Settings>,
        session: Box<dyn Session>,
        readings: Vec<Reading>,
        out: mpsc::Sender<Delivery>,
    ) -> Self {
        Self {
            work: Work {
                settings,
                readings,
                out,
            },
            session: Some(session),
            outage: None,
            backoff: FIRST_BACKOFF,
        }
    }

    /// Reads until one of the ends named above.
    pub(crate) async fn run(mut self, cancel: CancellationToken) {
        let end = tokio::select! {
            () = cancel.cancelled() => None,
            end = self.read_in_turn() => end,
        };
        if let Some(session) = self.session.take() {
            session.close().await;
        }
        if let Some(error) = end {
            // Nobody listens any more if the task is being stopped at this moment.
            self.work.out.send(Err(error)).await.ok();
        }
    }

    async fn read_in_turn(&mut self) -> Option<ConnectorError> {
        loop {
            let index = self.work.next();
            if let Some(last_end) = self.work.readings[index].last_end {
                sleep_until(last_end + self.work.settings.limits.poll_interval).await;
            }
            match self.turn(index).await {
                Ok(()) => self.recovered(),
                Err(error) => match self.remedy(index, error).await {
                    Ok(()) => {}
                    Err(end) => return end,
                },
            }
        }
    }

    async fn turn(&mut self, index: usize) -> Result<(), DbError> {
        let connection = &self.work.settings.connection;
        if let Some(session) = &mut self.session
            && within(connection, CHECK_DEADLINE, session.check()).await.is_err()
        {
            self.disconnect().await;
        }
        let session = match &mut self.session {
            Some(session) => session,
            None => self
                .session
                .insert(session::open(&self.work.settings.connection).await?),
        };
        self.work.read(session.as_mut(), index).await?;
        let reading = &mut self.work.readings[index];
        reading.last_end = Some(Instant::now());
        reading.failures = 0;
        Ok(())
    }

    async fn disconnect(&mut self) {
        if let Some(session) = self.session.take() {
            session.close().await;
        }
    }

    fn recovered(&mut self) {
        self.backoff = FIRST_BACKOFF;
        if let Some(since) = self.outage.take() {
            let elapsed_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
            let database = &self.work.settings.connection.url;
            tracing::info!(%database, elapsed_ms, "the database works again");
        }
    }

    /// Waits if that can help; otherwise tells how to end.
    async fn remedy(&mut self, index: usize, error: DbError) -> Result<(), Option<ConnectorError>> {
        let settings = Arc::clone(&self.work.settings);
        let reading = &mut self.work.readings[index];
        let attempt = format!("could not read {}", reading.route.source);
        let is_masked = settings.query.as_ref().is_some_and(|query| query.is_masked);
        let error = if is_masked {
            error.without_statement()
        } else {
            error
        };
        match error.remedy() {
            Remedy::Stop => return Err(None),
            Remedy::Fail => return Err(Some(error.during(&attempt))),
            Remedy::Reconnect => self.disconnect().await,
            Remedy::Retry => {
                reading.failures += 1;
                reading.last_end = Some(Instant::now());
                if settings
                    .limits
                    .query_attempts
                    .is_some_and(|most| reading.failures >= most)
                {
                    let attempt = format!("{attempt} in {} attempts", reading.failures);
                    return Err(Some(ConnectorError::external(attempt).with_source(error)));
                }
            }
        }
        if self.outage.is_none() {
            self.outage = Some(Instant::now());
            // `poll` hands it to the runtime, which logs it and goes on.
            let told = self.work.out.send(Err(error.during(&attempt))).await;
            told.map_err(|_| None)?;
        }
        sleep(self.backoff).await;
        let most = settings.connection.backoff.clamp(FIRST_BACKOFF, MOST_BACKOFF);
        self.backoff = (self.backoff * 2).min(most);
        Ok(())
    }
}

impl Work {
    /// The one that was read longest ago; of several the first by name.
    fn next(&self) -> usize {
        let key = |index: &usize| {
            let reading = &self.readings[*index];
            (reading.last_end, &reading.table)
        };
        (0..self.readings.len()).min_by_key(key).unwrap_or_default()
    }

    async fn read(&mut self, session: &mut dyn Session, index: usize) -> Result<(), DbError> {
        let cursor = self.cursor(session, index).await?;
        let before = self.upper_bound(session, index).await?;
        let reading = &mut self.readings[index];
        let range = Range {
            after: reading.position,
            before,
        };
        let statement = statement::build(&self.settings, reading.table.as_ref(), &cursor, &range);
        let sink = RowSink::new(
            &self.settings,
            &reading.route,
            cursor,
            reading.position,
            self.out.clone(),
        )
        .remembering(std::mem::take(&mut reading.memory));
        let (sink, result) = session.read(statement, sink).await;
        let (memory, delivered) = sink.into_parts();
        reading.memory = memory;
        // After an error too: what was handed over is not read again.
        reading.position = delivered.unwrap_or(reading.position);
        result
    }

    async fn cursor(&mut self, session: &mut dyn Session, index: usize) -> Result<Cursor, DbError> {
        let reading = &mut self.readings[index];
        if let Some(cursor) = &reading.cursor {
            return Ok(cursor.clone());
        }
        let progress = &self.settings.progress;
        let uses_columns = progress.mode.uses_incrementing() || progress.mode.uses_timestamp();
        let cursor = match &reading.table {
            Some(table) if uses_columns => {
                let columns = session.columns(table);
                let facts = within(&self.settings.connection, METADATA_DEADLINE, columns).await?;
                if facts.is_empty() {
                    return Err(DbError::Statement(
                        "there is no such table, or it may not be read".into(),
                    ));
                }
                cursor::of_table(progress, table, &facts)?
            }
            Some(_) => Cursor::default(),
            None => cursor::of_query(progress)?,
        };
        Ok(reading.cursor.insert(cursor).clone())
    }

    /// The database's clock less the delay. Rows from there on may still get siblings with the same timestamp.
    async fn upper_bound(&mut self, session: &mut dyn Session, index: usize) -> Result<Moment, DbError> {
        let progress = &self.settings.progress;
        if !progress.mode.uses_timestamp() {
            return Ok(Moment::default());
        }
        let now = session.now(&self.settings.temporal);
        let now = within(&self.settings.connection, METADATA_DEADLINE, now).await?;
        let reading = &mut self.readings[index];
        if progress.initial_timestamp == InitialTimestamp::Now && reading.position.timestamp.is_none() {
            reading.position.timestamp = Some(now);
        }
        Ok(now.truncated_to_millis().minus(progress.delay))
    }
}

/// An answer that does not come in time is a lost connection.
async fn within<T>(
    connection: &Connection,
    deadline: Duration,
    answer: impl Future<Output = Result<T, DbError>>,
) -> Result<T, DbError> {
    match timeout(deadline, answer).await {
        Ok(result) => result,
        Err(error) => Err(DbError::Lost {
            database: connection.url.to_string(),
            source: error.into(),
        }),
    }
}

/// Connects at the start of a connector or task, in a limited number of attempts.
///
/// # Errors
/// `Retriable` when the database may come back: the runtime shows why and starts over.
pub(crate) async fn connect_at_start(connection: &Connection) -> Result<Box<dyn Session>, ConnectorError> {
    let attempts = connection.attempts;
    let mut attempt = 1;
    loop {
        let error = match session::open(connection).await {
            Ok(session) => return Ok(session),
            Err(error) => error,
        };
        if error.remedy() == Remedy::Fail {
            return Err(error.during("could not start without a connection"));
        }
        if attempt >= attempts {
            let what = format!("could not start after {attempt} of {attempts} attempts to connect");
            let failed = if error.passes_at_start() {
                ConnectorError::retriable(what)
            } else {
                ConnectorError::external(what)
            };
            return Err(failed.with_source(error));
        }
        tracing::debug!(attempt, attempts, error = %Chain(&error), "the database does not answer yet");
        attempt += 1;
        sleep(connection.backoff).await;
    }
}
