//! FileStreamSource: each line of a file is a record, its position in bytes the offset.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use towpath_connect::config_def::Validator;
use towpath_connect::{
    ConfigDef, ConfigKey, ConfigMap, ConnectRecord, ConnectorContext, ConnectorError, ExactlyOnceSupport,
    OffsetMap, OffsetValue, Result, Schema, SchemaRef, SourceConnector, SourceRecord, SourceTask,
    SourceTaskContext, Topic, Type, Value,
};

use crate::FILE;
use crate::clock::now_ms;
use crate::input::Input;
use crate::lines::{Line, Lines};

const TOPIC: &str = "topic";
const BATCH_SIZE: &str = "batch.size";
const FILENAME_FIELD: &str = "filename";
const POSITION_FIELD: &str = "position";

/// No more is read for a batch once this was, whatever `batch.size` says, so that long lines do not fill the memory.
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Room made for a batch at once; a larger `batch.size` grows into it.
const BATCH_CAPACITY: usize = 4096;
/// The first wait after the end of the file was met; it doubles up to the longest.
const FIRST_IDLE_WAIT: Duration = Duration::from_millis(20);
/// The longest wait before an idle or missing file is looked at again.
const LONGEST_IDLE_WAIT: Duration = Duration::from_secs(1);

pub(crate) fn config_def() -> ConfigDef {
    ConfigDef::new()
        .define(
            ConfigKey::string(FILE)
                .default_null()
                .high()
                .doc("The file to read. Without it standard input is read, and no offsets are stored."),
        )
        .define(
            ConfigKey::string(TOPIC)
                .valid(Validator::NonEmptyString)
                .high()
                .doc("The topic that gets a record for each line."),
        )
        .define(
            ConfigKey::int(BATCH_SIZE)
                .default("2000")
                .low()
                .doc("The most records that are read at once."),
        )
}

/// The connector: always one task.
#[derive(Debug, Default)]
pub struct FileStreamSourceConnector {
    config: ConfigMap,
}

#[async_trait]
impl SourceConnector for FileStreamSourceConnector {
    async fn start(&mut self, _context: ConnectorContext, config: &ConfigMap) -> Result<()> {
        config_def().parse(config)?;
        self.config = config.clone();
        Ok(())
    }

    async fn task_configs(&mut self, _max_tasks: usize) -> Result<Vec<ConfigMap>> {
        // One stream of bytes has one order.
        Ok(vec![self.config.clone()])
    }

    fn exactly_once_support(&self, config: &ConfigMap) -> Result<Option<ExactlyOnceSupport>> {
        // Nothing is remembered of standard input.
        let has_file = config.get(FILE).is_some_and(|file| !file.trim().is_empty());
        Ok(Some(if has_file {
            ExactlyOnceSupport::Supported
        } else {
            ExactlyOnceSupport::Unsupported
        }))
    }

    async fn alter_offsets(
        &mut self,
        config: &ConfigMap,
        offsets: &[(Option<OffsetMap>, Option<OffsetMap>)],
    ) -> Result<bool> {
        if file_of(config)?.is_none() {
            return Err(ConnectorError::external(
                "Offsets cannot be modified if the 'file' configuration is unspecified. This is because stdin is used for input and offsets are not tracked.",
            ));
        }
        for (partition, offset) in offsets {
            // Anything may be reset: old configurations leave other partitions behind.
            if let Some(offset) = offset {
                check_altered(partition.as_ref(), offset).map_err(ConnectorError::external)?;
            }
        }
        Ok(true)
    }

    async fn stop(&mut self) {}

    fn new_task(&self) -> Box<dyn SourceTask> {
        Box::new(FileStreamSourceTask::default())
    }

    fn task_class(&self) -> &'static str {
        "org.apache.kafka.connect.file.FileStreamSourceTask"
    }
}

fn file_of(config: &ConfigMap) -> Result<Option<String>> {
    let parsed = config_def().parse(config)?;
    Ok(parsed
        .optional_string(FILE)
        .filter(|file| !file.is_empty())
        .map(str::to_owned))
}

fn check_altered(partition: Option<&OffsetMap>, offset: &OffsetMap) -> Result<(), &'static str> {
    match offset.get(POSITION_FIELD) {
        None => return Err("Offset objects should either be null or contain the key 'position'"),
        Some(OffsetValue::Long(position)) if *position < 0 => {
            return Err("The value for the 'position' key in the offset should be a non-negative value");
        }
        Some(OffsetValue::Long(_)) => {}
        Some(
            OffsetValue::Null | OffsetValue::Boolean(_) | OffsetValue::Double(_) | OffsetValue::String(_),
        ) => {
            return Err("The value for the 'position' key in the offset is expected to be a Long value");
        }
    }
    let partition = partition.ok_or("Partition objects cannot be null")?;
    match partition.get(FILENAME_FIELD) {
        None => Err("Partition objects should contain the key 'filename'"),
        Some(_) => Ok(()),
    }
}

/// What every record of a task shares.
#[derive(Debug)]
struct Shared {
    topic: Topic,
    schema: SchemaRef,
    partition: Arc<OffsetMap>,
    position_key: Arc<str>,
    /// Whether lines have positions: standard input has none.
    positions: bool,
}

impl Shared {
    fn record(&self, line: Line, timestamp: i64) -> SourceRecord {
        let position = if self.positions {
            OffsetValue::Long(line.position)
        } else {
            OffsetValue::Null
        };
        let schema = Some(Arc::clone(&self.schema));
        let mut record = ConnectRecord::of_value(Arc::clone(&self.topic), schema, Value::String(line.text));
        record.timestamp = Some(timestamp);
        SourceRecord {
            record,
            source_partition: Some(Arc::clone(&self.partition)),
            source_offset: Some(OffsetMap::single(Arc::clone(&self.position_key), position)),
        }
    }
}

/// A started task.
#[derive(Debug)]
struct Reader {
    file: Option<String>,
    batch_size: usize,
    shared: Shared,
    /// `None` until the file exists.
    input: Option<Input>,
    lines: Lines,
    start_position: i64,
    idle_wait: Duration,
    missing_was_logged: bool,
}

/// The task. Between start and stop it holds the open file and at most one block of it.
#[derive(Debug, Default)]
pub struct FileStreamSourceTask {
    reader: Option<Reader>,
}

#[async_trait]
impl SourceTask for FileStreamSourceTask {
    async fn start(&mut self, context: SourceTaskContext, config: &ConfigMap) -> Result<()> {
        let parsed = config_def().parse(config)?;
        let file = file_of(config)?;
        let name = match &file {
            Some(file) => OffsetValue::from(file.as_str()),
            None => OffsetValue::Null,
        };
        let partition = OffsetMap::single(FILENAME_FIELD.into(), name);
        let start_position = match file {
            Some(_) => stored_position(&context, &partition).await?,
            None => 0,
        };
        self.reader = Some(Reader {
            batch_size: parsed.count(BATCH_SIZE).max(1),
            shared: Shared {
                topic: parsed.string(TOPIC).into(),
                schema: Schema::required(Type::String),
                partition: Arc::new(partition),
                position_key: POSITION_FIELD.into(),
                positions: file.is_some(),
            },
            file,
            input: None,
            lines: Lines::new(start_position, false),
            start_position,
            idle_wait: FIRST_IDLE_WAIT,
            missing_was_logged: false,
        });
        Ok(())
    }

    async fn poll(&mut self, max_wait: Duration) -> Result<Vec<SourceRecord>> {
        let reader = self
            .reader
            .as_mut()
            .ok_or_else(|| ConnectorError::bug("a file source was polled before it was started"))?;
        reader.poll(max_wait).await
    }

    fn stamps_with_now(&self) -> bool {
        true
    }

    async fn stop(&mut self) {
        self.reader = None;
    }
}

async fn stored_position(context: &SourceTaskContext, partition: &OffsetMap) -> Result<i64> {
    let Some(offset) = context.offset(partition).await? else {
        return Ok(0);
    };
    match offset.get(POSITION_FIELD) {
        None | Some(OffsetValue::Null) => Ok(0),
        Some(OffsetValue::Long(position)) => Ok((*position).max(0)),
        Some(OffsetValue::Boolean(_) | OffsetValue::Double(_) | OffsetValue::String(_)) => {
            Err(ConnectorError::external("Offset position is the incorrect type"))
        }
    }
}

impl Reader {
    async fn poll(&mut self, max_wait: Duration) -> Result<Vec<SourceRecord>> {
        let max_wait = max_wait.min(LONGEST_IDLE_WAIT);
        let deadline = Instant::now() + max_wait;
        if !self.open()? {
            tokio::time::sleep_until(deadline).await;
            return Ok(Vec::new());
        }
        let mut batch = Vec::new();
        let mut bytes_read = 0;
        loop {
            self.take_lines(&mut batch);
            if batch.len() >= self.batch_size || bytes_read >= MAX_BATCH_BYTES {
                break;
            }
            let wait_until = if batch.is_empty() { Some(deadline) } else { None };
            let input = self.input.as_mut().expect("the file was opened above");
            let read = input.read_into(&mut self.lines, wait_until).await;
            let count = read.map_err(|cause| self.error("could not be read", cause))?;
            if count == 0 {
                break;
            }
            bytes_read += count;
        }
        if batch.is_empty() && bytes_read == 0 {
            self.idle(deadline).await;
        } else {
            self.idle_wait = FIRST_IDLE_WAIT;
        }
        Ok(batch)
    }

    /// Moves ended lines into the batch until it is full or they are used up.
    fn take_lines(&mut self, batch: &mut Vec<SourceRecord>) {
        let Some(first) = self.lines.next() else { return };
        if batch.is_empty() {
            batch.reserve(self.batch_size.min(BATCH_CAPACITY));
        }
        let timestamp = now_ms();
        batch.push(self.shared.record(first, timestamp));
        while batch.len() < self.batch_size {
            let Some(line) = self.lines.next() else { return };
            batch.push(self.shared.record(line, timestamp));
        }
    }

    /// Waits at the end of the file: a little after there was data, longer and longer while nothing comes.
    async fn idle(&mut self, deadline: Instant) {
        tokio::time::sleep_until(deadline.min(Instant::now() + self.idle_wait)).await;
        self.idle_wait = LONGEST_IDLE_WAIT.min(self.idle_wait * 2);
    }

    /// Opens the input if it is not open. `false` while the file does not exist.
    fn open(&mut self) -> Result<bool> {
        if self.input.is_some() {
            return Ok(true);
        }
        let opened = match &self.file {
            None => Input::stdin(),
            Some(file) => Input::open(file),
        };
        let mut input = match opened {
            Ok(input) => input,
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                if !self.missing_was_logged {
                    tracing::warn!(file = self.file.as_deref(), "waiting for the file to be created");
                    self.missing_was_logged = true;
                }
                return Ok(false);
            }
            Err(cause) => return Err(self.error("could not be opened", cause)),
        };
        let inside_line = input
            .seek(self.start_position)
            .map_err(|cause| self.error("could not be read", cause))?;
        if inside_line {
            tracing::warn!(
                file = self.file.as_deref(),
                position = self.start_position,
                "the stored position lies inside a character, as one counted in characters does; going on at the next line"
            );
        }
        self.lines = Lines::new(self.start_position, inside_line);
        self.input = Some(input);
        Ok(true)
    }

    fn error(&self, problem: &str, cause: io::Error) -> ConnectorError {
        let input = match &self.file {
            Some(file) => format!("file \"{file}\""),
            None => "standard input".to_owned(),
        };
        ConnectorError::external(format!(
            "{input} {problem} by FileStreamSourceTask; check that it is a readable text file and restart the task"
        ))
        .with_source(cause)
    }
}
