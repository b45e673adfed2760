//! The demo's table `articles` in SQLite, filled while one watches.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

/// Name of the table, and so of the topic after its prefix.
pub(crate) const TABLE: &str = "articles";
/// How long a write waits for a read of the source to end.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The table and how many rows it has.
#[derive(Debug)]
pub(crate) struct Table {
    connection: Connection,
    rows: u64,
}

impl Table {
    /// Creates the database with an empty table.
    pub(crate) fn create(file: &Path) -> rusqlite::Result<Self> {
        let connection = Connection::open(file)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        // With a write-ahead log the source reads while rows are written.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.execute_batch(&format!(
            "CREATE TABLE {TABLE} (
               id BIGINT NOT NULL PRIMARY KEY,
               title TEXT NOT NULL,
               author TEXT,
               words INTEGER NOT NULL,
               rating DOUBLE
             )"
        ))?;
        Ok(Self { connection, rows: 0 })
    }

    /// The rows so far; their ids are 1 to this number.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Appends this many rows in one transaction.
    pub(crate) fn insert(&mut self, count: u64) -> rusqlite::Result<()> {
        const AUTHORS: [Option<&str>; 4] = [Some("Ada Löwe"), Some("\"Q\" O'Neil"), None, Some("小林 😀")];
        let transaction = self.connection.transaction()?;
        {
            let mut insert =
                transaction.prepare_cached(&format!("INSERT INTO {TABLE} VALUES (?1, ?2, ?3, ?4, ?5)"))?;
            for id in self.rows + 1..=self.rows + count {
                let author = usize::try_from(id % 4)
                    .ok()
                    .and_then(|index| AUTHORS.get(index).copied())
                    .flatten();
                let rating = if id % 5 == 0 {
                    None
                } else {
                    Some(f64::from(u8::try_from(id % 50).unwrap_or(0)) / 10.0)
                };
                let id = i64::try_from(id).unwrap_or(i64::MAX);
                insert.execute((
                    id,
                    format!("Article number {id}"),
                    author,
                    200 + id % 1800,
                    rating,
                ))?;
            }
        }
        transaction.commit()?;
        self.rows += count;
        Ok(())
    }
}
