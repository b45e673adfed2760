//! A source task that says itself where its transactions end, on a real broker.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use towpath_connect::{
    ConfigDef, ConfigMap, ConnectRecord, ConnectorContext, OffsetMap, Plugin, PluginFactory, PluginSet,
    Result, Schema, SourceConnector, SourceRecord, SourceTask, SourceTaskContext, Topic, TransactionContext,
    TransactionEnd, Type, Value,
};
use towpath_runtime::clients::{KafkaClients, NewTopic};
use towpath_runtime::offsets::MemoryOffsetStore;
use towpath_runtime::pipeline::Plugins;
use towpath_runtime::unit::{
    Environment, Reports, RuntimeSettings, TaskConfigsReport, UnitReport, UnitSpec, Units,
};
use towpath_runtime::worker_config::{ExactlyOnceSource, OffsetsInKafka};
use towpath_types::{ConnectorName, Epoch, Revision, TargetState, UnitId};

use crate::support::{DEADLINE, assigned, clients, kafka, map, numbers, owner, read, topic, topics, unique};

/// In a batch.
const BATCH: i64 = 10;
/// So many numbers there are.
const END: i64 = 300;
/// A batch of these is dropped, and one of these is left without an end.
const ABORTED: i64 = 7;
const OPEN: i64 = 11;

/// No run has come to the batch without an end.
const NOT_YET: i64 = -1;
/// The run that comes to it now gives it one.
const OVER: i64 = -2;

/// The batch at which the task waits, since the one before was left without an end.
static WAITS_AT: AtomicI64 = AtomicI64::new(NOT_YET);

/// Two commits a batch: after its fourth record, and at its end.
struct Numbers;

#[derive(Default)]
struct NumbersTask {
    topic: String,
    partition: Arc<OffsetMap>,
    next: i64,
    transactions: Option<TransactionContext>,
}

#[async_trait]
impl SourceConnector for Numbers {
    async fn start(&mut self, _context: ConnectorContext, _config: &ConfigMap) -> Result<()> {
        Ok(())
    }
    async fn task_configs(&mut self, _max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![ConfigMap::new()])
    }
    async fn stop(&mut self) {}
    fn new_task(&self) -> Box<dyn SourceTask> {
        Box::new(NumbersTask::default())
    }
    fn task_class(&self) -> &'static str {
        "test.NumbersTask"
    }
}

#[async_trait]
impl SourceTask for NumbersTask {
    async fn start(&mut self, context: SourceTaskContext, config: &ConfigMap) -> Result<()> {
        self.topic = config.get("topic").expect("the test sets it").to_owned();
        self.transactions = context.transactions().cloned();
        let offset = context.offset(&self.partition).await?;
        self.next = offset
            .and_then(|offset| offset.get_long("n"))
            .map_or(0, |n| n + 1);
        Ok(())
    }

    async fn poll(&mut self, max_wait: Duration) -> Result<Vec<SourceRecord>> {
        let transactions = self
            .transactions
            .as_ref()
            .expect("the boundary is the connector's");
        let batch = self.next / BATCH;
        if self.next >= END || WAITS_AT.load(Ordering::SeqCst) == batch {
            tokio::time::sleep(max_wait).await;
            return Ok(Vec::new());
        }
        let until = (batch + 1) * BATCH;
        let records: Vec<_> = (self.next..until).map(|n| self.record(n)).collect();
        if records.len() > 4 {
            transactions.end_after_record(3, TransactionEnd::Commit);
        }
        match batch {
            // The first time only: whoever comes after ends it.
            OPEN if WAITS_AT.load(Ordering::SeqCst) == NOT_YET => WAITS_AT.store(OPEN + 1, Ordering::SeqCst),
            ABORTED => transactions.end_after_batch(TransactionEnd::Abort),
            _ => transactions.end_after_batch(TransactionEnd::Commit),
        }
        self.next = until;
        Ok(records)
    }

    async fn stop(&mut self) {}
}

impl NumbersTask {
    fn record(&self, n: i64) -> SourceRecord {
        let schema = Some(Schema::required(Type::String));
        let topic = Topic::from(self.topic.as_str());
        SourceRecord {
            record: ConnectRecord::of_value(topic, schema, Value::string(n.to_string())),
            source_partition: Some(Arc::clone(&self.partition)),
            source_offset: Some(OffsetMap::new().with("n", n)),
        }
    }
}

#[derive(Default)]
struct Seen {
    traces: Mutex<Vec<String>>,
}

impl Reports for Seen {
    fn unit(&self, report: UnitReport) {
        self.traces
            .lock()
            .expect("nobody panics with it")
            .extend(report.trace);
    }
    fn task_configs(&self, _report: TaskConfigsReport) {}
    fn topics(&self, _task: &UnitId, _topics: Vec<Topic>) {}
}

fn environment(clients: Arc<dyn KafkaClients>, seen: &Arc<Seen>, offsets: &Topic) -> Environment {
    let mut plugins = vec![Plugin {
        class: "test.Numbers",
        aliases: &[],
        version: "1",
        config_def: ConfigDef::new,
        factory: PluginFactory::Source(|| Box::new(Numbers)),
    }];
    plugins.extend(towpath_builtins::plugins());
    let string = "org.apache.kafka.connect.storage.StringConverter";
    let worker = map(&[
        ("key.converter", string),
        ("value.converter", string),
        ("header.converter", string),
    ]);
    Environment {
        plugins: Plugins {
            set: Arc::new(PluginSet::new(plugins)),
            worker: Arc::new(worker),
        },
        clients,
        offsets: Arc::new(MemoryOffsetStore::default()),
        reports: Arc::clone(seen) as _,
        resolve: Arc::new(|config| Ok(config.clone())),
        settings: RuntimeSettings::default(),
        offsets_in_kafka: Some(Arc::new(OffsetsInKafka {
            support: ExactlyOnceSource::Enabled,
            group_id: "boundaries".to_owned(),
            topic: Some(NewTopic {
                name: offsets.to_string(),
                partitions: 1,
                replication_factor: 1,
                configs: ConfigMap::new(),
            }),
        })),
        fences: Arc::default(),
    }
}

fn spec(name: &str, topic: &Topic, epoch: u64) -> UnitSpec {
    UnitSpec {
        unit: UnitId::task(&ConnectorName::new(name).expect("a good name"), 0),
        epoch: Epoch(epoch),
        target: TargetState::Running,
        connector_config: map(&[
            ("name", name),
            ("connector.class", "test.Numbers"),
            ("transaction.boundary", "connector"),
        ]),
        revision: Revision(1),
        task_config: Some(map(&[("topic", topic.as_ref())])),
        fence: None,
    }
}

#[tokio::test]
async fn transactions_end_where_the_task_says_and_nothing_else_is_seen_though_it_is_killed_in_one() {
    let kafka = kafka().await;
    let topic = topic(&kafka, "boundaries", 1).await;
    let name = unique("boundaries");
    let seen = Arc::new(Seen::default());
    let clients: Arc<dyn KafkaClients> =
        Arc::new(clients(&kafka, &[("consumer.isolation.level", "read_committed")]));
    let environment = environment(Arc::clone(&clients), &seen, &unique("boundaries-offsets"));
    let mut units = Units::new();
    units.start(&environment, spec(&name, &topic, 1));
    let mut consumer = clients
        .consumer(&owner(&name, &[]), &topics(&[&topic]))
        .await
        .unwrap();
    assigned(consumer.as_mut(), &[&topic]).await;
    // Of the batch that is dropped the first four are committed; so of the one that is left open.
    let dropped = ABORTED * BATCH + 4..(ABORTED + 1) * BATCH;
    let first: Vec<i64> = (0..OPEN * BATCH + 4).filter(|n| !dropped.contains(n)).collect();
    let committed = tokio::time::timeout(DEADLINE, read(consumer.as_mut(), first.len())).await;
    let as_numbers = |numbers: Vec<u64>| -> Vec<i64> { numbers.into_iter().map(u64::cast_signed).collect() };
    let committed = committed.unwrap_or_else(|_| panic!("{:?}", seen.traces.lock().unwrap()));
    assert_eq!(as_numbers(numbers(&committed)), first);

    let unit = spec(&name, &topic, 1).unit;
    units.abort(&unit);
    units.next_ended().await;
    WAITS_AT.store(OVER, Ordering::SeqCst);
    units.start(&environment, spec(&name, &topic, 2));
    let rest: Vec<i64> = (OPEN * BATCH + 4..END).collect();
    let committed = tokio::time::timeout(DEADLINE, read(consumer.as_mut(), rest.len())).await;
    let committed = committed.unwrap_or_else(|_| panic!("{:?}", seen.traces.lock().unwrap()));
    assert_eq!(as_numbers(numbers(&committed)), rest);
    units.stop_all(DEADLINE).await;
    consumer.close().await;
}
