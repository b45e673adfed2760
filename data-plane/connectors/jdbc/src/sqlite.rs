//! SQLite. The library blocks, so each piece of work runs on a thread for blocking work, one at a time.

mod decode;
mod metadata;

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rusqlite::functions::FunctionFlags;
use rusqlite::types::Value as Wired;
use rusqlite::{Connection as Db, ErrorCode, InterruptHandle, OpenFlags};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
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
use decode::{Precision, SqliteRow};

/// The function that makes microseconds since 1970 of whatever a column holds as a time.
pub(crate) const MOMENT_FUNCTION: &str = "towpath_micros";

/// Properties that are read here, and properties that tune the Java driver and mean nothing to this client.
pub(crate) const KNOWN: [&[&str]; 2] = [
    &["busy_timeout", "date_precision", "mode"],
    &[
        "cache",
        "cache_size",
        "date_class",
        "date_string_format",
        "enable_load_extension",
        "encoding",
        "foreign_keys",
        "journal_mode",
        "locking_mode",
        "mmap_size",
        "open_mode",
        "read_uncommitted",
        "shared_cache",
        "synchronous",
        "temp_store",
        "transaction_mode",
    ],
];

/// How long a writer's lock is waited for.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the end of the work on the thread is waited for.
const CLOSE_DEADLINE: Duration = Duration::from_secs(5);

/// An open database file.
pub(crate) struct SqliteSession {
    /// A std mutex: only work on a blocking thread holds it, one piece at a time.
    db: Arc<Mutex<Db>>,
    interrupt: InterruptHandle,
    work: JoinSet<()>,
    path: PathBuf,
    /// Device and inode: another file may be put in this one's place.
    identity: Option<(u64, u64)>,
    precision: Precision,
    shown: String,
}

impl SqliteSession {
    pub(crate) async fn open(connection: &Connection) -> Result<Self, DbError> {
        let shown = connection.url.to_string();
        let path = PathBuf::from(connection.url.name.clone().unwrap_or_default());
        let patience = connection
            .properties
            .millis("busy_timeout")
            .unwrap_or(BUSY_TIMEOUT);
        let reads_uncommitted = connection.isolation == Isolation::ReadUncommitted;
        let (file, shown_in_error) = (path.clone(), shown.clone());
        let opened = tokio::task::spawn_blocking(move || {
            let opened = open_file(&file, patience, reads_uncommitted);
            opened.map_err(|error| while_opening(error, &shown_in_error))
        });
        let db = opened.await.map_err(|error| DbError::Unreachable {
            database: shown.clone(),
            source: error.into(),
        })??;
        Ok(Self {
            interrupt: db.get_interrupt_handle(),
            db: Arc::new(Mutex::new(db)),
            work: JoinSet::new(),
            identity: identity(&path),
            path,
            precision: Precision::of(&connection.properties),
            shown,
        })
    }

    /// Runs work on the database on a thread that may block.
    async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Db) -> T + Send + 'static,
    ) -> Result<T, DbError> {
        let db = Arc::clone(&self.db);
        let (answer, answered) = oneshot::channel();
        self.work.spawn_blocking(move || {
            let db = db.lock().unwrap_or_else(PoisonError::into_inner);
            // Nobody waits for the answer any more when the session is being closed.
            answer.send(work(&db)).ok();
        });
        let result = answered.await;
        while self.work.try_join_next().is_some() {}
        result.map_err(|error| self.lost(error.into()))
    }

    async fn query<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Db) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let result = self.run(work).await?;
        result.map_err(|error| while_running(error, &self.shown))
    }

    fn lost(&self, source: crate::error::BoxError) -> DbError {
        DbError::Lost {
            database: self.shown.clone(),
            source,
        }
    }
}

/// The file may be written to by others, in WAL mode too, so it is opened for writing and then nothing is written: a
/// connection for reading only could not use the index of the WAL that readers and writers share.
fn open_file(file: &std::path::Path, patience: Duration, reads_uncommitted: bool) -> rusqlite::Result<Db> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Db::open_with_flags(file, flags)?;
    db.busy_timeout(patience)?;
    db.pragma_update(None, "query_only", true)?;
    if reads_uncommitted {
        db.pragma_update(None, "read_uncommitted", true)?;
    }
    // Only now the file is looked at.
    db.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(()))?;
    Ok(db)
}

fn identity(path: &std::path::Path) -> Option<(u64, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}

fn while_opening(error: rusqlite::Error, shown: &str) -> DbError {
    let database = shown.to_owned();
    let source = error.to_string().into();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => DbError::Refused {
            database,
            advice: "the file is no SQLite database".to_owned(),
            source,
        },
        Some(ErrorCode::PermissionDenied) => DbError::Refused {
            database,
            advice: "the file may not be read by this process".to_owned(),
            source,
        },
        // The file or its folder is not there, or it is a folder.
        Some(ErrorCode::CannotOpen) => DbError::NotFound { database, source },
        _ => DbError::Unreachable { database, source },
    }
}

fn while_running(error: rusqlite::Error, shown: &str) -> DbError {
    let source = error.to_string().into();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::SchemaChanged) => {
            DbError::Busy(source)
        }
        Some(ErrorCode::OperationInterrupted) => DbError::Stopped,
        Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => DbError::Lost {
            database: shown.to_owned(),
            source,
        },
        _ => DbError::Statement(source),
    }
}

/// Makes the function that statements compare times by. It reads values exactly as the position is read from rows.
fn define_moments(db: &Db, temporal: Temporal, precision: Precision) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    db.create_scalar_function(MOMENT_FUNCTION, 1, flags, move |context| {
        let moment = decode::moment(context.get_raw(0), &temporal, precision);
        match moment {
            Ok(moment) => Ok(moment.map(Moment::micros)),
            Err(problem) => {
                let message = format!("the timestamp column {problem}");
                Err(rusqlite::Error::UserFunctionError(message.into()))
            }
        }
    })
}

fn read_rows(
    db: &Db,
    statement: &Statement,
    sink: &mut RowSink,
    precision: Precision,
    shown: &str,
) -> Result<(), DbError> {
    let failed = |error| while_running(error, shown);
    define_moments(db, *sink.temporal(), precision).map_err(failed)?;
    let mut prepared = db.prepare(&statement.sql).map_err(failed)?;
    let binds = statement.binds.iter().map(|bind| match bind {
        Bind::Integer(number) => Wired::Integer(*number),
        Bind::Moment(moment) => Wired::Integer(moment.micros()),
    });
    let mut rows = prepared
        .query(rusqlite::params_from_iter(binds))
        .map_err(failed)?;
    let mut has_begun = false;
    while let Some(row) = rows.next().map_err(failed)? {
        if !has_begun {
            sink.begin(&metadata::columns(row))?;
            has_begun = true;
        }
        if let Some(batch) = sink.push(&mut SqliteRow::new(row, precision))? {
            sink.deliver_blocking(batch)?;
        }
    }
    match sink.finish() {
        Some(batch) => sink.deliver_blocking(batch),
        None => Ok(()),
    }
}

#[async_trait]
impl Session for SqliteSession {
    async fn check(&mut self) -> Result<(), DbError> {
        if identity(&self.path) == self.identity {
            return Ok(());
        }
        Err(self.lost("the file was moved, deleted or replaced".into()))
    }

    async fn tables(&mut self, _selection: &Selection) -> Result<Vec<FoundTable>, DbError> {
        self.query(metadata::tables).await
    }

    async fn columns(&mut self, table: &TableId) -> Result<Vec<ColumnFacts>, DbError> {
        let name = table.name.clone();
        self.query(move |db| metadata::table_columns(db, &name)).await
    }

    /// The second that is running is not over: `CURRENT_TIMESTAMP` has no fraction, so rows that come later may get the
    /// same time as rows that are there.
    async fn now(&mut self, _temporal: &Temporal) -> Result<Moment, DbError> {
        let sql = "SELECT CAST(strftime('%s', 'now') AS INTEGER)";
        let seconds = self
            .query(move |db| db.query_row(sql, [], |row| row.get(0)))
            .await?;
        Ok(Moment::new(seconds, 0))
    }

    async fn prepare(&mut self, sql: &str) -> Result<(), DbError> {
        let sql = sql.to_owned();
        self.query(move |db| db.prepare(&sql).map(drop)).await
    }

    async fn read(&mut self, statement: Statement, mut sink: RowSink) -> (RowSink, Result<(), DbError>) {
        let (precision, shown) = (self.precision, self.shown.clone());
        let spare = sink.spare();
        let read = self.run(move |db| {
            let result = read_rows(db, &statement, &mut sink, precision, &shown);
            (sink, result)
        });
        match read.await {
            Ok(done) => done,
            // The thread panicked and took the sink along.
            Err(error) => (spare, Err(error)),
        }
    }

    async fn close(self: Box<Self>) {
        let Self {
            db,
            interrupt,
            mut work,
            shown,
            ..
        } = *self;
        interrupt.interrupt();
        // Closing may write a checkpoint of the WAL, which blocks.
        work.spawn_blocking(move || drop(db));
        let ended = async { while work.join_next().await.is_some() {} };
        if timeout(CLOSE_DEADLINE, ended).await.is_err() {
            tracing::debug!(database = %shown, "closing a database file took too long");
        }
    }
}
