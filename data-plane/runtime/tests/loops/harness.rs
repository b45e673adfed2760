//! One worker's worth of units over Kafka in memory.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use towpath_connect::{ConfigMap, ConnectorError, PluginSet, Result, Topic};
use towpath_runtime::clients::NewTopic;
use towpath_runtime::memory::MemoryKafka;
use towpath_runtime::offsets::{KeptOffsets, MemoryOffsetStore, OffsetCommit, OffsetStore};
use towpath_runtime::pipeline::Plugins;
use towpath_runtime::unit::{
    Environment, FenceOrder, Reports, RuntimeSettings, TaskConfigsReport, UnitReport, UnitSpec, Units,
};
use towpath_runtime::worker_config::{ExactlyOnceSource, OffsetsInKafka};
use towpath_types::{ConnectorName, Epoch, Revision, TargetState, UnitId, UnitState};

use crate::plugins::{Script, plugins, script};

/// Longer than any test should wait, in paused time.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) reports: Mutex<Vec<UnitReport>>,
    pub(crate) task_configs: Mutex<Vec<TaskConfigsReport>>,
    pub(crate) topics: Mutex<Vec<Topic>>,
}

impl Reports for Seen {
    fn unit(&self, report: UnitReport) {
        self.reports.lock().unwrap().push(report);
    }
    fn task_configs(&self, report: TaskConfigsReport) {
        self.task_configs.lock().unwrap().push(report);
    }
    fn topics(&self, _task: &UnitId, topics: Vec<Topic>) {
        self.topics.lock().unwrap().extend(topics);
    }
}

/// A store that can be out of reach.
#[derive(Default)]
pub(crate) struct FlakyStore {
    pub(crate) inner: MemoryOffsetStore,
    pub(crate) is_down: AtomicBool,
    pub(crate) is_unreadable: AtomicBool,
    refuses: AtomicBool,
}

impl FlakyStore {
    /// Commits are refused as those of a run that is over.
    pub(crate) fn refuse_commits(&self) {
        self.refuses.store(true, Ordering::SeqCst);
    }
}

#[async_trait]
impl OffsetStore for FlakyStore {
    async fn commit(&self, commit: OffsetCommit) -> Result<()> {
        if self.is_down.load(Ordering::SeqCst) {
            return Err(ConnectorError::retriable("the store is down"));
        }
        if self.refuses.load(Ordering::SeqCst) {
            return Err(ConnectorError::external("this run of it is over"));
        }
        self.inner.commit(commit).await
    }
    async fn read(&self, connector: &str) -> Result<KeptOffsets> {
        if self.is_unreadable.load(Ordering::SeqCst) {
            return Err(ConnectorError::retriable("the store is down"));
        }
        self.inner.read(connector).await
    }
}

pub(crate) struct Harness {
    pub(crate) kafka: MemoryKafka,
    pub(crate) store: Arc<FlakyStore>,
    pub(crate) seen: Arc<Seen>,
    pub(crate) units: Units,
    pub(crate) script: Arc<Script>,
    pub(crate) environment: Environment,
    name: &'static str,
    epoch: u64,
    /// What the next start is to fence.
    pub(crate) fence: Option<FenceOrder>,
}

impl Harness {
    /// `name` is the connector's and the script's, so it has to be the test's own.
    pub(crate) fn new(name: &'static str) -> Self {
        let kafka = MemoryKafka::new();
        let store = Arc::new(FlakyStore::default());
        let seen = Arc::new(Seen::default());
        let mut all = plugins();
        all.extend(towpath_builtins::plugins());
        let string = "org.apache.kafka.connect.storage.StringConverter";
        let worker: ConfigMap = [
            ("key.converter", string),
            ("value.converter", string),
            ("header.converter", string),
        ]
        .into_iter()
        .collect();
        let environment = Environment {
            plugins: Plugins {
                set: Arc::new(PluginSet::new(all)),
                worker: Arc::new(worker),
            },
            clients: Arc::new(kafka.clone()),
            offsets: Arc::clone(&store) as _,
            reports: Arc::clone(&seen) as _,
            resolve: Arc::new(|config| Ok(config.clone())),
            settings: RuntimeSettings {
                offset_flush_interval: Duration::from_secs(1),
                ..Default::default()
            },
            offsets_in_kafka: None,
            fences: Arc::default(),
        };
        Self {
            kafka,
            store,
            seen,
            units: Units::new(),
            script: script(name),
            environment,
            name,
            epoch: 0,
            fence: None,
        }
    }

    /// The same on a worker whose sources deliver exactly once.
    pub(crate) fn exactly_once(name: &'static str) -> Self {
        let mut harness = Self::new(name);
        harness.support(ExactlyOnceSource::Enabled);
        harness
    }

    /// From the next start on, the worker is configured so.
    pub(crate) fn support(&mut self, support: ExactlyOnceSource) {
        self.environment.offsets_in_kafka = Some(Arc::new(OffsetsInKafka {
            support,
            group_id: "g".to_owned(),
            topic: Some(NewTopic {
                name: "offsets".to_owned(),
                partitions: 1,
                replication_factor: 1,
                configs: ConfigMap::new(),
            }),
        }));
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Of the last start.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch
    }

    fn start(&mut self, class: &str, extra: &[(&str, &str)]) {
        self.start_unit(self.unit(), class, extra);
    }

    fn start_unit(&mut self, unit: UnitId, class: &str, extra: &[(&str, &str)]) {
        self.epoch += 1;
        let mut config: ConfigMap = [("name", self.name), ("connector.class", class)]
            .into_iter()
            .collect();
        for (key, value) in extra {
            config.insert(*key, *value);
        }
        let spec = UnitSpec {
            unit,
            epoch: Epoch(self.epoch),
            target: TargetState::Running,
            connector_config: config,
            revision: Revision(1),
            task_config: Some([("script", self.name)].into_iter().collect()),
            fence: self.fence,
        };
        self.units.start(&self.environment, spec);
    }

    pub(crate) fn start_source(&mut self, extra: &[(&str, &str)]) {
        self.start("test.NumberSourceConnector", extra);
    }

    /// The connector itself, without a task.
    pub(crate) fn start_connector(&mut self) {
        self.start_unit(self.connector(), "test.NumberSourceConnector", &[]);
    }

    pub(crate) fn start_sink(&mut self) {
        self.start("test.ListSinkConnector", &[("topics", "in")]);
    }

    pub(crate) fn unit(&self) -> UnitId {
        UnitId::task(&ConnectorName::new(self.name).unwrap(), 0)
    }

    pub(crate) fn connector(&self) -> UnitId {
        UnitId::Connector(ConnectorName::new(self.name).unwrap())
    }

    /// Ends the unit as a crash would: nothing is committed or closed.
    pub(crate) async fn crash(&mut self) {
        self.units.abort(&self.unit());
        self.units.next_ended().await;
    }

    pub(crate) async fn stop(&mut self) {
        self.units.stop_all(Duration::from_secs(30)).await;
    }

    /// The offset that is stored for the source.
    pub(crate) fn stored(&self) -> Option<i64> {
        self.store
            .inner
            .of(self.name)
            .first()
            .and_then(|(_, offset)| offset.get_long("n"))
    }

    pub(crate) fn last_state(&self) -> Option<UnitState> {
        self.seen
            .reports
            .lock()
            .unwrap()
            .last()
            .map(|report| report.state)
    }

    pub(crate) fn trace(&self) -> String {
        self.seen
            .reports
            .lock()
            .unwrap()
            .iter()
            .filter_map(|report| report.trace.clone())
            .collect()
    }

    /// What was produced, as numbers.
    pub(crate) fn produced(&self) -> Vec<i64> {
        let number =
            |value: Option<bytes::Bytes>| std::str::from_utf8(&value.unwrap()).unwrap().parse().unwrap();
        self.kafka.values("numbers").into_iter().map(number).collect()
    }

    /// What the sink has taken, as one text.
    pub(crate) fn taken(&self) -> String {
        self.script.with(|s| s.taken.join(" "))
    }

    pub(crate) fn events(&self) -> Vec<String> {
        self.script.with(|s| s.events.clone())
    }

    pub(crate) async fn until(&self, what: &str, ready: impl Fn(&Self) -> bool) {
        let all = async {
            while !ready(self) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, all).await;
        assert!(
            waited.is_ok(),
            "{what} did not come true; state {:?}, trace {}",
            self.last_state(),
            self.trace()
        );
    }
}
