//! A source and a sink that do what a script says, and write down what is done to them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use towpath_connect::*;

/// What a plugin is to do, and what happened to it. Found by the key `script` of the configuration.
#[derive(Debug, Default)]
pub(crate) struct Script {
    state: Mutex<ScriptState>,
}

#[derive(Debug, Default)]
pub(crate) struct ScriptState {
    /// Numbers that the source emits; it begins after its stored offset.
    pub(crate) numbers: i64,
    /// Errors of the next starts, of connectors and tasks.
    pub(crate) start_errors: Vec<ConnectorError>,
    /// Starts take until somebody gives up.
    pub(crate) start_hangs: bool,
    pub(crate) starts: u64,
    pub(crate) poll_errors: Vec<ConnectorError>,
    pub(crate) poll_panics: bool,
    /// Errors of the next puts.
    pub(crate) put_errors: Vec<ConnectorError>,
    pub(crate) pre_commit_errors: Vec<ConnectorError>,
    /// The sink says in `open` that it goes on there.
    pub(crate) goes_on_at: Option<i64>,
    /// The sink says that only offsets up to this are written.
    pub(crate) written_up_to: Option<i64>,
    /// Offsets that `SourceTask::commit` was told are durable.
    pub(crate) durable: Vec<i64>,
    /// Everything that was done to the sink, in order.
    pub(crate) events: Vec<String>,
    /// Values that a `put` took.
    pub(crate) taken: Vec<String>,
    pub(crate) polls: u64,
    /// Numbers with which a transaction is to end, and how.
    pub(crate) ends_after: Vec<(i64, TransactionEnd)>,
    /// How transactions are to end with each batch.
    pub(crate) end_after_batches: Option<TransactionEnd>,
}

impl Script {
    pub(crate) fn with<R>(&self, f: impl FnOnce(&mut ScriptState) -> R) -> R {
        f(&mut self.state.lock().unwrap())
    }

    /// What a start does.
    async fn start(&self) -> Result<()> {
        let (hangs, error) = self.with(|s| {
            s.starts += 1;
            (s.start_hangs, s.start_errors.pop())
        });
        if hangs {
            std::future::pending::<()>().await;
        }
        error.map_or(Ok(()), Err)
    }
}

static SCRIPTS: OnceLock<Mutex<HashMap<String, Arc<Script>>>> = OnceLock::new();

/// The script of this name; made when it is first asked for.
pub(crate) fn script(name: &str) -> Arc<Script> {
    let all = SCRIPTS.get_or_init(Mutex::default);
    Arc::clone(all.lock().unwrap().entry(name.to_owned()).or_default())
}

pub(crate) fn plugins() -> Vec<Plugin> {
    let config_def = || ConfigDef::new();
    vec![
        Plugin {
            class: "test.NumberSourceConnector",
            aliases: &[],
            version: "1",
            config_def,
            factory: PluginFactory::Source(|| Box::new(NumberSource)),
        },
        Plugin {
            class: "test.ListSinkConnector",
            aliases: &[],
            version: "1",
            config_def,
            factory: PluginFactory::Sink(|| Box::new(ListSink)),
        },
    ]
}

struct NumberSource;
struct ListSink;

#[async_trait]
impl SourceConnector for NumberSource {
    async fn start(&mut self, _context: ConnectorContext, config: &ConfigMap) -> Result<()> {
        script(config.get("name").unwrap()).start().await
    }
    async fn task_configs(&mut self, _max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![ConfigMap::new()])
    }
    async fn stop(&mut self) {}
    fn new_task(&self) -> Box<dyn SourceTask> {
        Box::new(NumberTask::default())
    }
    fn task_class(&self) -> &'static str {
        "test.NumberTask"
    }
}

#[derive(Default)]
struct NumberTask {
    script: Arc<Script>,
    partition: Arc<OffsetMap>,
    next: i64,
    transactions: Option<TransactionContext>,
}

#[async_trait]
impl SourceTask for NumberTask {
    async fn start(&mut self, context: SourceTaskContext, config: &ConfigMap) -> Result<()> {
        self.script = script(config.get("script").unwrap());
        self.partition = Arc::new(OffsetMap::new().with("source", "numbers"));
        self.transactions = context.transactions().cloned();
        self.next = context
            .offset(&self.partition)
            .await?
            .and_then(|o| o.get_long("n"))
            .map_or(0, |n| n + 1);
        self.script.start().await
    }

    async fn poll(&mut self, max_wait: Duration) -> Result<Vec<SourceRecord>> {
        let (panics, error, numbers) = self.script.with(|s| {
            s.polls += 1;
            (s.poll_panics, s.poll_errors.pop(), s.numbers)
        });
        assert!(!panics, "the script says so");
        if let Some(error) = error {
            return Err(error);
        }
        let batch: Vec<SourceRecord> = (self.next..numbers.min(self.next + 10))
            .map(|n| self.record(n))
            .collect();
        self.mark_ends(batch.len());
        self.next += i64::try_from(batch.len()).unwrap();
        if batch.is_empty() {
            tokio::time::sleep(max_wait.min(Duration::from_millis(50))).await;
        }
        Ok(batch)
    }

    async fn commit(&mut self, durable: &[(Arc<OffsetMap>, OffsetMap)]) -> Result<()> {
        let offsets = durable.iter().filter_map(|(_, o)| o.get_long("n"));
        self.script.with(|s| s.durable.extend(offsets));
        Ok(())
    }

    async fn stop(&mut self) {}
}

impl NumberTask {
    fn mark_ends(&self, batch: usize) {
        let Some(transactions) = self.transactions.as_ref().filter(|_| batch > 0) else {
            return;
        };
        let (ends, all) = self.script.with(|s| (s.ends_after.clone(), s.end_after_batches));
        for (number, end) in ends {
            let index = usize::try_from(number - self.next)
                .ok()
                .filter(|index| *index < batch);
            index
                .into_iter()
                .for_each(|index| transactions.end_after_record(index, end));
        }
        all.into_iter().for_each(|end| transactions.end_after_batch(end));
    }

    fn record(&self, n: i64) -> SourceRecord {
        let schema = Some(Schema::required(Type::String));
        SourceRecord {
            record: ConnectRecord::of_value("numbers".into(), schema, Value::string(n.to_string())),
            source_partition: Some(Arc::clone(&self.partition)),
            source_offset: Some(OffsetMap::new().with("n", n)),
        }
    }
}

#[async_trait]
impl SinkConnector for ListSink {
    async fn start(&mut self, _context: ConnectorContext, config: &ConfigMap) -> Result<()> {
        script(config.get("name").unwrap()).start().await
    }
    async fn task_configs(&mut self, _max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![ConfigMap::new()])
    }
    async fn stop(&mut self) {}
    fn new_task(&self) -> Box<dyn SinkTask> {
        Box::new(ListTask::default())
    }
    fn task_class(&self) -> &'static str {
        "test.ListTask"
    }
}

#[derive(Default)]
struct ListTask {
    script: Arc<Script>,
    context: Option<SinkTaskContext>,
}

impl ListTask {
    fn event(&self, text: String) {
        self.script.with(|s| s.events.push(text));
    }
}

#[async_trait]
impl SinkTask for ListTask {
    async fn start(&mut self, context: SinkTaskContext, config: &ConfigMap) -> Result<()> {
        self.script = script(config.get("script").unwrap());
        self.context = Some(context);
        self.script.start().await
    }

    async fn open(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        self.event(format!("open {}", partitions.len()));
        let offset = self.script.with(|script| script.goes_on_at);
        if let (Some(offset), Some(context)) = (offset, &self.context) {
            let offsets = partitions.iter().map(|partition| (partition.clone(), offset));
            context.seek(&offsets.collect());
        }
        Ok(())
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let values: Vec<String> = records
            .iter()
            .map(|r| r.record.value.as_str().unwrap().to_owned())
            .collect();
        self.event(format!("put {}", values.join(" ")));
        match self.script.with(|s| s.put_errors.pop()) {
            Some(error) => Err(error),
            None => {
                self.script.with(|s| s.taken.extend(values));
                Ok(())
            }
        }
    }

    async fn pre_commit(&mut self, delivered: &TopicPartitionOffsets) -> Result<TopicPartitionOffsets> {
        let (error, limit) = self.script.with(|s| (s.pre_commit_errors.pop(), s.written_up_to));
        self.event("pre_commit".to_owned());
        if let Some(error) = error {
            return Err(error);
        }
        let limit = limit.unwrap_or(i64::MAX);
        Ok(delivered
            .iter()
            .map(|(partition, offset)| (partition.clone(), (*offset).min(limit)))
            .collect())
    }

    async fn close(&mut self, partitions: &[TopicPartition]) {
        self.event(format!("close {}", partitions.len()));
    }

    async fn stop(&mut self) {
        self.event("stop".to_owned());
    }
}
