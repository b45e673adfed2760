//! `towpath dev --demo`: a table that fills while one watches, a JDBC source, a topic, a file sink.

mod lines;
mod table;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use towpath_types::{ConnectorConfig, TargetState};

use self::lines::{Lines, LinesError};
use self::table::{TABLE, Table};
use crate::api::{Api, ApiError};
use crate::printer::Printer;

const SOURCE: &str = "demo-source";
const SINK: &str = "demo-sink";
/// The topic: the prefix and the name of the table.
pub(crate) const TOPIC: &str = "demo-articles";
/// Rows written in one go.
const ROWS_PER_STEP: u64 = 500;
/// Rows that may be under way: far less than the built-in broker keeps of a partition, so that it drops none.
const MAX_ROWS_AHEAD: u64 = 10_000;
/// How often the table grows and the files are looked at.
const STEP: Duration = Duration::from_millis(50);
/// How often progress is shown on a terminal, and how often in a log.
const SHOW_EVERY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(2));
/// Without any progress for this long something is wrong.
const STALLED_AFTER: Duration = Duration::from_secs(60);

/// What the demo is asked for.
#[derive(Clone, Debug)]
pub(crate) struct DemoOptions {
    pub(crate) rows: u64,
    pub(crate) exit_when_done: bool,
    /// Where the database and the sink file are put.
    pub(crate) folder: PathBuf,
}

/// Why the demo did not end well.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error("`{}` is there already, from an earlier demo: remove it, or name another `--folder`", file.display())]
    Used { file: PathBuf },
    #[error("the demo's table cannot be written")]
    Table(#[from] rusqlite::Error),
    #[error("the sink file is not what it should be")]
    Lines(#[from] LinesError),
    #[error("a demo connector could not be created or asked")]
    Api(#[from] ApiError),
    #[error("the demo made no progress for {} s with {done} of {rows} rows done: {reason}", STALLED_AFTER.as_secs())]
    Stalled { done: u64, rows: u64, reason: String },
    #[error("{0}")]
    Failed(String),
    #[error("stopped with {done} of {rows} rows done")]
    Stopped { done: u64, rows: u64 },
}

/// What is shown of the topic.
#[async_trait::async_trait]
pub(crate) trait TopicView: Send + Sync {
    /// Records that the topic has had; `None` when it cannot be said now.
    async fn records(&self) -> Option<u64>;
}

struct Demo<'a> {
    options: DemoOptions,
    table: Table,
    lines: Lines,
    api: &'a Api,
    topic: &'a dyn TopicView,
    started: Instant,
    last_progress: Instant,
}

/// Runs the demo until all rows are through (with `exit_when_done`) or it is stopped.
pub(crate) async fn run(
    options: DemoOptions,
    (api, topic): (&Api, &dyn TopicView),
    printer: &mut Printer,
    stop: CancellationToken,
) -> Result<(), DemoError> {
    let database = options.folder.join("articles.db");
    let sink_file = options.folder.join("articles.jsonl");
    check_unused([&database, &sink_file])?;
    let table = Table::create(&database)?;
    printer.line(&format!("table    {} in {}", TABLE, database.display()));
    printer.line(&format!("topic    {TOPIC}"));
    printer.line(&format!("file     {}", sink_file.display()));
    api.create(SOURCE, (&source_config(&database)).into(), TargetState::Running)
        .await?;
    api.create(SINK, (&sink_config(&sink_file)).into(), TargetState::Running)
        .await?;
    let now = Instant::now();
    let lines = Lines::new(&sink_file);
    let mut demo = Demo {
        options,
        table,
        lines,
        api,
        topic,
        started: now,
        last_progress: now,
    };
    demo.follow(printer, &stop).await
}

/// The rows of another demo would be taken for this one's.
fn check_unused(files: [&Path; 2]) -> Result<(), DemoError> {
    match files.into_iter().find(|file| file.exists()) {
        Some(file) => Err(DemoError::Used {
            file: file.to_owned(),
        }),
        None => Ok(()),
    }
}

fn source_config(database: &Path) -> ConnectorConfig {
    [
        (
            "connector.class",
            "io.confluent.connect.jdbc.JdbcSourceConnector".to_owned(),
        ),
        ("connection.url", format!("jdbc:sqlite:{}", database.display())),
        ("table.whitelist", TABLE.to_owned()),
        ("mode", "incrementing".to_owned()),
        ("incrementing.column.name", "id".to_owned()),
        ("topic.prefix", "demo-".to_owned()),
        ("poll.interval.ms", "100".to_owned()),
        (
            "value.converter",
            "org.apache.kafka.connect.json.JsonConverter".to_owned(),
        ),
        ("value.converter.schemas.enable", "false".to_owned()),
    ]
    .into_iter()
    .collect()
}

fn sink_config(file: &Path) -> ConnectorConfig {
    [
        (
            "connector.class",
            "org.apache.kafka.connect.file.FileStreamSinkConnector".to_owned(),
        ),
        ("topics", TOPIC.to_owned()),
        ("file", file.display().to_string()),
        (
            "value.converter",
            "org.apache.kafka.connect.storage.StringConverter".to_owned(),
        ),
    ]
    .into_iter()
    .collect()
}

impl Demo<'_> {
    async fn follow(&mut self, printer: &mut Printer, stop: &CancellationToken) -> Result<(), DemoError> {
        let show_every = if printer.is_terminal() {
            SHOW_EVERY.0
        } else {
            SHOW_EVERY.1
        };
        let mut step = tokio::time::interval(STEP);
        step.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut shown: Option<Instant> = None;
        loop {
            tokio::select! {
                _tick = step.tick() => {}
                () = stop.cancelled() => return self.stopped(),
            }
            self.grow()?;
            self.look().await?;
            let done = self.lines.seen() >= self.options.rows;
            if done || shown.is_none_or(|at| at.elapsed() >= show_every) {
                shown = Some(Instant::now());
                let text = self.progress().await;
                printer.live(&text);
            }
            if done {
                printer.line(&format!(
                    "all {} rows are in the file, each once and in order",
                    self.options.rows
                ));
                if self.options.exit_when_done {
                    return Ok(());
                }
                stop.cancelled().await;
                return Ok(());
            }
        }
    }

    fn stopped(&self) -> Result<(), DemoError> {
        let (done, rows) = (self.lines.seen(), self.options.rows);
        if self.options.exit_when_done {
            Err(DemoError::Stopped { done, rows })
        } else {
            Ok(())
        }
    }

    /// Adds rows, but never so many that the built-in broker would drop some before the sink has read them.
    fn grow(&mut self) -> Result<(), DemoError> {
        let rows = self.table.rows();
        let ahead = rows.saturating_sub(self.lines.seen());
        let room = MAX_ROWS_AHEAD.saturating_sub(ahead).min(self.options.rows - rows);
        let count = room.min(ROWS_PER_STEP);
        if count > 0 {
            self.table.insert(count)?;
        }
        Ok(())
    }

    async fn look(&mut self) -> Result<(), DemoError> {
        let before = self.lines.seen();
        self.lines.follow()?;
        if self.lines.seen() > before {
            self.last_progress = Instant::now();
            return Ok(());
        }
        for name in [SOURCE, SINK] {
            if let Some(trace) = self.api.failure(name).await? {
                return Err(DemoError::Failed(format!(
                    "connector \"{name}\" has failed: {}",
                    trace.trim_end()
                )));
            }
        }
        if self.last_progress.elapsed() > STALLED_AFTER {
            let reason = match self.topic.records().await {
                Some(records) => format!("the topic has {records} records"),
                None => "the broker does not answer".to_owned(),
            };
            return Err(DemoError::Stalled {
                done: self.lines.seen(),
                rows: self.options.rows,
                reason,
            });
        }
        Ok(())
    }

    async fn progress(&self) -> String {
        let records = self
            .topic
            .records()
            .await
            .map_or_else(|| "?".to_owned(), |n| n.to_string());
        let elapsed = self.started.elapsed().as_millis().max(1);
        let rate = u128::from(self.lines.seen()) * 1000 / elapsed;
        format!(
            "table {} rows   topic {records} records   file {} of {} lines   {rate} rows/s",
            self.table.rows(),
            self.lines.seen(),
            self.options.rows
        )
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_folder_that_holds_an_earlier_demo_is_refused_with_what_to_do() {
        let folder = TempDir::new().unwrap();
        let files = ["articles.db", "articles.jsonl"].map(|name| folder.path().join(name));
        let check = || check_unused([&files[0], &files[1]]);
        check().unwrap();
        std::fs::write(&files[1], "").unwrap();
        let text = check().unwrap_err().to_string();
        assert!(text.contains("articles.jsonl` is there already"), "{text}");
        assert!(text.contains("another `--folder`"), "{text}");
    }
}
