//! FileStreamSink: appends the text of each record's value to a file, one line a record. Keys and headers are left out.

use async_trait::async_trait;
use towpath_connect::data::java_text;
use towpath_connect::{
    ConfigDef, ConfigKey, ConfigMap, ConnectorContext, ConnectorError, Result, SinkConnector, SinkRecord,
    SinkTask, SinkTaskContext, TopicPartition, TopicPartitionOffsets, Value,
};

use crate::FILE;
use crate::output::Output;

/// Lines are written out at this size at the latest; a batch of usual size is one write.
const WRITE_BLOCK: usize = 4 * 1024 * 1024;

pub(crate) fn config_def() -> ConfigDef {
    ConfigDef::new().define(
        ConfigKey::string(FILE)
            .default_null()
            .high()
            .doc("The file to append to. Without it the lines go to standard output."),
    )
}

/// The connector: as many tasks as allowed, all on the same file.
#[derive(Debug, Default)]
pub struct FileStreamSinkConnector {
    config: ConfigMap,
}

#[async_trait]
impl SinkConnector for FileStreamSinkConnector {
    async fn start(&mut self, _context: ConnectorContext, config: &ConfigMap) -> Result<()> {
        config_def().parse(config)?;
        self.config = config.clone();
        Ok(())
    }

    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![self.config.clone(); max_tasks])
    }

    async fn alter_offsets(
        &mut self,
        _config: &ConfigMap,
        _offsets: &[(TopicPartition, Option<i64>)],
    ) -> Result<bool> {
        // Nothing is known of what the file holds, so every offset is fine.
        Ok(true)
    }

    async fn stop(&mut self) {}

    fn new_task(&self) -> Box<dyn SinkTask> {
        Box::new(FileStreamSinkTask::default())
    }

    fn task_class(&self) -> &'static str {
        "org.apache.kafka.connect.file.FileStreamSinkTask"
    }
}

#[derive(Debug)]
struct Writer {
    /// For messages.
    target: String,
    output: Output,
    lines: String,
}

/// The task. What `put` took is in the file when it returns.
#[derive(Debug, Default)]
pub struct FileStreamSinkTask {
    writer: Option<Writer>,
}

#[async_trait]
impl SinkTask for FileStreamSinkTask {
    async fn start(&mut self, _context: SinkTaskContext, config: &ConfigMap) -> Result<()> {
        let parsed = config_def().parse(config)?;
        let (target, output) = match parsed.optional_string(FILE) {
            Some(file) if !file.is_empty() => {
                let output = Output::open(file).await.map_err(|cause| {
                    ConnectorError::external(format!(
                        "Couldn't find or create file '{file}' for FileStreamSinkTask"
                    ))
                    .with_source(cause)
                })?;
                (format!("file \"{file}\""), output)
            }
            _ => ("standard output".to_owned(), Output::Stdout),
        };
        self.writer = Some(Writer {
            target,
            output,
            lines: String::new(),
        });
        Ok(())
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        let writer = self
            .writer
            .as_mut()
            .ok_or_else(|| ConnectorError::bug("a file sink was given records before it was started"))?;
        for record in records {
            append_line(&mut writer.lines, &record.record.value);
            if writer.lines.len() >= WRITE_BLOCK {
                writer.write().await?;
            }
        }
        writer.write().await
    }

    async fn pre_commit(&mut self, delivered: &TopicPartitionOffsets) -> Result<TopicPartitionOffsets> {
        // `put` leaves nothing behind in memory, and the contract of this connector has no fsync.
        Ok(delivered.clone())
    }

    async fn stop(&mut self) {
        self.writer = None;
    }
}

fn append_line(lines: &mut String, value: &Value) {
    match value {
        // Text is the usual case, and the formatting machinery would double its cost.
        Value::String(text) => lines.push_str(text),
        other => java_text::append(lines, other),
    }
    lines.push('\n');
}

impl Writer {
    async fn write(&mut self) -> Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        // Not retriable: a part may be written, and a second try would write it twice.
        self.output.write(&mut self.lines).await.map_err(|cause| {
            ConnectorError::external(format!(
                "{} could not be written by FileStreamSinkTask; free some space or check its permissions and restart the task",
                self.target
            ))
            .with_source(cause)
        })
    }
}
