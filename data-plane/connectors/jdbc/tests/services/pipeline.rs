//! A connector and its tasks with everything around them in memory: what the runtime does, as far as a test needs it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use towpath_connect::connector::ConnectorEvents;
use towpath_connect::error::Chain;
use towpath_connect::{
    ConfigMap, ConnectorContext, ConnectorError, ErrorKind, OffsetMap, OffsetReader, PluginFactory, Result,
    SourceConnector, SourceRecord, SourceTask, SourceTaskContext, Struct, Value,
};

pub(crate) const CONFLUENT: &str = "io.confluent.connect.jdbc.JdbcSourceConnector";
pub(crate) const AIVEN: &str = "io.aiven.connect.jdbc.JdbcSourceConnector";

/// Long enough for a busy machine; nothing waits this long when all is well.
pub(crate) const DEADLINE: Duration = Duration::from_secs(180);

/// Stored offsets.
#[derive(Default)]
pub(crate) struct Offsets {
    stored: Mutex<Vec<(OffsetMap, OffsetMap)>>,
}

impl Offsets {
    pub(crate) fn store(&self, partition: &OffsetMap, offset: &OffsetMap) {
        let mut stored = self.stored.lock().unwrap();
        stored.retain(|(known, _)| known != partition);
        stored.push((partition.clone(), offset.clone()));
    }

    /// The stored offsets as JSON, `partition offset`, sorted.
    pub(crate) fn as_json(&self) -> Vec<String> {
        let json = |map: &OffsetMap| serde_json::to_string(map).unwrap();
        let stored = self.stored.lock().unwrap();
        let mut all: Vec<String> = stored
            .iter()
            .map(|(p, o)| format!("{} {}", json(p), json(o)))
            .collect();
        all.sort();
        all
    }
}

#[async_trait]
impl OffsetReader for Offsets {
    async fn offsets(&self, partitions: &[OffsetMap]) -> Result<Vec<Option<OffsetMap>>> {
        let stored = self.stored.lock().unwrap();
        let find = |wanted: &OffsetMap| stored.iter().find(|(p, _)| p == wanted).map(|(_, o)| o.clone());
        Ok(partitions.iter().map(find).collect())
    }
}

/// What the connector said.
#[derive(Default)]
pub(crate) struct Events {
    pub(crate) reconfigurations: AtomicUsize,
    pub(crate) errors: Mutex<Vec<String>>,
}

impl ConnectorEvents for Events {
    fn request_task_reconfiguration(&self) {
        self.reconfigurations.fetch_add(1, Ordering::SeqCst);
    }

    fn raise_error(&self, error: ConnectorError) {
        self.errors.lock().unwrap().push(Chain(&error).to_string());
    }
}

/// A configuration of the Confluent flavour in mode bulk that polls often, changed by the entries.
pub(crate) fn config(url: &str, entries: &[(&str, &str)]) -> ConfigMap {
    let mut config: ConfigMap = [
        ("connection.url", url),
        ("mode", "bulk"),
        ("topic.prefix", "t-"),
        ("poll.interval.ms", "50"),
        ("connection.attempts", "1"),
        ("connection.backoff.ms", "200"),
    ]
    .into_iter()
    .collect();
    for (key, value) in entries {
        config.insert(*key, *value);
    }
    config
}

pub(crate) fn connector(class: &str) -> Box<dyn SourceConnector> {
    let plugin = towpath_jdbc::plugins()
        .into_iter()
        .find(|plugin| plugin.class == class)
        .unwrap();
    match plugin.factory {
        PluginFactory::Source(new) => new(),
        other => panic!("{class} is no source: {other:?}"),
    }
}

/// A running connector.
pub(crate) struct Pipeline {
    pub(crate) connector: Box<dyn SourceConnector>,
    pub(crate) events: Arc<Events>,
    pub(crate) offsets: Arc<Offsets>,
    pub(crate) tasks: Vec<Box<dyn SourceTask>>,
    /// Retriable errors of polls, in words.
    pub(crate) outages: Vec<String>,
}

impl Pipeline {
    /// Starts the connector alone.
    pub(crate) async fn start_connector(
        class: &str,
        config: &ConfigMap,
        offsets: &Arc<Offsets>,
    ) -> Result<Self> {
        let events = Arc::new(Events::default());
        let mut connector = connector(class);
        let context = ConnectorContext::new("test", Arc::clone(&events) as Arc<dyn ConnectorEvents>);
        if let Err(error) = connector.start(context, config).await {
            connector.stop().await;
            return Err(error);
        }
        Ok(Self {
            connector,
            events,
            offsets: Arc::clone(offsets),
            tasks: Vec::new(),
            outages: Vec::new(),
        })
    }

    /// Starts the connector and one task, with what was stored before.
    pub(crate) async fn resume(config: &ConfigMap, offsets: &Arc<Offsets>) -> Self {
        Self::resume_class(CONFLUENT, config, offsets).await
    }

    pub(crate) async fn resume_class(class: &str, config: &ConfigMap, offsets: &Arc<Offsets>) -> Self {
        let mut pipeline = Self::start_connector(class, config, offsets).await.unwrap();
        pipeline.start_tasks(1).await.unwrap();
        pipeline
    }

    pub(crate) async fn start(config: &ConfigMap) -> Self {
        Self::resume(config, &Arc::default()).await
    }

    /// Starts the tasks anew as the connector deals them out.
    pub(crate) async fn start_tasks(&mut self, most: usize) -> Result<()> {
        self.stop_tasks().await;
        for (index, config) in (0..).zip(self.connector.task_configs(most).await?) {
            let offsets: Arc<dyn OffsetReader> = Arc::clone(&self.offsets) as _;
            let mut task = self.connector.new_task();
            task.start(SourceTaskContext::new("test", index, offsets), &config)
                .await?;
            self.tasks.push(task);
        }
        Ok(())
    }

    /// One round of polls. Offsets are stored at once, as if the records were acknowledged.
    pub(crate) async fn poll(&mut self) -> Result<Vec<SourceRecord>> {
        let mut records = Vec::new();
        for task in &mut self.tasks {
            match task.poll(Duration::from_millis(20)).await {
                Ok(polled) => records.extend(polled),
                Err(error) if error.kind() == ErrorKind::Retriable => {
                    self.outages.push(Chain(&error).to_string());
                }
                Err(error) => return Err(error),
            }
        }
        for record in &records {
            if let (Some(partition), Some(offset)) = (&record.source_partition, &record.source_offset) {
                self.offsets.store(partition, offset);
            }
        }
        Ok(records)
    }

    /// Polls until there are this many records, and no more.
    pub(crate) async fn take(&mut self, count: usize) -> Vec<SourceRecord> {
        let taken = self.take_at_least(count).await;
        assert_eq!(taken.len(), count, "no more records than expected");
        taken
    }

    pub(crate) async fn take_at_least(&mut self, count: usize) -> Vec<SourceRecord> {
        let mut taken = Vec::new();
        self.poll_until("records", |records| {
            taken.extend(records);
            if taken.len() >= count {
                return Ok(());
            }
            Err(format!("{} of {count}", taken.len()))
        })
        .await;
        taken
    }

    /// Polls until the look at the new records says that all is there.
    pub(crate) async fn poll_until(
        &mut self,
        what: &str,
        mut look: impl FnMut(Vec<SourceRecord>) -> std::result::Result<(), String>,
    ) {
        let end = Instant::now() + DEADLINE;
        loop {
            let records = self
                .poll()
                .await
                .unwrap_or_else(|error| panic!("{}", Chain(&error)));
            match look(records) {
                Ok(()) => return,
                Err(seen) if Instant::now() >= end => panic!("waited {DEADLINE:?} for {what}, saw {seen}"),
                Err(_) => {}
            }
        }
    }

    /// Polls until a task fails.
    pub(crate) async fn failure(&mut self) -> ConnectorError {
        let end = Instant::now() + DEADLINE;
        while Instant::now() < end {
            if let Err(error) = self.poll().await {
                return error;
            }
        }
        panic!("waited {DEADLINE:?} for a task to fail, in vain");
    }

    /// Polls through some whole reads of the tables and returns what came.
    pub(crate) async fn idle(&mut self) -> Vec<SourceRecord> {
        let mut records = Vec::new();
        for _ in 0..10 {
            records.extend(
                self.poll()
                    .await
                    .unwrap_or_else(|error| panic!("{}", Chain(&error))),
            );
        }
        records
    }

    pub(crate) async fn stop_tasks(&mut self) {
        for mut task in self.tasks.drain(..) {
            task.stop().await;
        }
    }

    pub(crate) async fn stop(mut self) {
        self.stop_tasks().await;
        self.connector.stop().await;
    }
}

pub(crate) fn value(record: &SourceRecord) -> &Struct {
    record.record.value.as_struct().unwrap()
}

pub(crate) fn field<'r>(record: &'r SourceRecord, name: &str) -> &'r Value {
    value(record).get(name).unwrap()
}

pub(crate) fn ids(records: &[SourceRecord]) -> Vec<i64> {
    records
        .iter()
        .map(|record| field(record, "id").as_integer().unwrap())
        .collect()
}

/// The offsets that records carry, as JSON.
pub(crate) fn carried(records: &[SourceRecord]) -> Vec<String> {
    let json = |record: &SourceRecord| serde_json::to_string(record.source_offset.as_ref().unwrap()).unwrap();
    records.iter().map(json).collect()
}

/// What a field is: type, name of the logical type, whether it may be null.
pub(crate) fn shape(record: &SourceRecord, name: &str) -> String {
    let schema = &value(record).schema().field(name).unwrap().schema;
    let logical = schema
        .name()
        .and_then(|name| name.rsplit('.').next())
        .unwrap_or_default();
    let optional = if schema.is_optional() { "?" } else { "" };
    format!(
        "{}{}{optional}",
        schema.kind(),
        if logical.is_empty() {
            String::new()
        } else {
            format!(":{logical}")
        }
    )
}
