//! What ends with the lease and with the worker, and how soon.

mod leaving;

use async_trait::async_trait;
use tokio::task::JoinSet;
use towpath_connect::{
    ConfigDef, ConfigMap, ConnectorContext, Plugin, PluginFactory, PluginSet, Result, SinkConnector,
    SinkRecord, SinkTask, SinkTaskContext, SourceConnector, SourceRecord, SourceTask, SourceTaskContext,
    TopicPartitionOffsets,
};
use towpath_runtime::memory::MemoryKafka;
use towpath_runtime::offsets::MemoryOffsetStore;
use towpath_runtime::pipeline::Plugins;
use towpath_runtime::unit::RuntimeSettings;
use towpath_types::{ConnectorName, Revision, TargetState};

use super::*;

const LEASE: Duration = Duration::from_secs(3);
const GRACE: Duration = Duration::from_millis(200);
const STRING: &str = "org.apache.kafka.connect.storage.StringConverter";

/// Its tasks never finish stopping.
struct Stubborn;

#[async_trait]
impl SourceConnector for Stubborn {
    async fn start(&mut self, _context: ConnectorContext, _config: &ConfigMap) -> Result<()> {
        Ok(())
    }
    async fn task_configs(&mut self, _max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![ConfigMap::new()])
    }
    async fn stop(&mut self) {}
    fn new_task(&self) -> Box<dyn SourceTask> {
        Box::new(Self)
    }
    fn task_class(&self) -> &'static str {
        "test.StubbornTask"
    }
}

#[async_trait]
impl SourceTask for Stubborn {
    async fn start(&mut self, _context: SourceTaskContext, _config: &ConfigMap) -> Result<()> {
        Ok(())
    }
    async fn poll(&mut self, max_wait: Duration) -> Result<Vec<SourceRecord>> {
        tokio::time::sleep(max_wait).await;
        Ok(Vec::new())
    }
    async fn stop(&mut self) {
        std::future::pending::<()>().await;
    }
}

struct Sink;

#[async_trait]
impl SinkConnector for Sink {
    async fn start(&mut self, _context: ConnectorContext, _config: &ConfigMap) -> Result<()> {
        Ok(())
    }
    async fn task_configs(&mut self, _max_tasks: usize) -> Result<Vec<ConfigMap>> {
        Ok(vec![ConfigMap::new()])
    }
    async fn stop(&mut self) {}
    fn new_task(&self) -> Box<dyn SinkTask> {
        Box::new(Self)
    }
    fn task_class(&self) -> &'static str {
        "test.SinkTask"
    }
}

#[async_trait]
impl SinkTask for Sink {
    async fn start(&mut self, _context: SinkTaskContext, _config: &ConfigMap) -> Result<()> {
        Ok(())
    }
    async fn put(&mut self, _records: &[SinkRecord]) -> Result<()> {
        Ok(())
    }
    async fn pre_commit(&mut self, delivered: &TopicPartitionOffsets) -> Result<TopicPartitionOffsets> {
        Ok(delivered.clone())
    }
    async fn stop(&mut self) {}
}

fn plugins() -> PluginSet {
    let plugin = |class, factory| Plugin {
        class,
        aliases: &[],
        version: "1",
        config_def: || ConfigDef::new(),
        factory,
    };
    let mut all = vec![
        plugin("test.Source", PluginFactory::Source(|| Box::new(Stubborn))),
        plugin("test.Sink", PluginFactory::Sink(|| Box::new(Sink))),
    ];
    all.extend(towpath_builtins::plugins());
    PluginSet::new(all)
}

fn environment(outbox: &Arc<Outbox>) -> Environment {
    let converters = ["key.converter", "value.converter", "header.converter"];
    Environment {
        plugins: Plugins {
            set: Arc::new(plugins()),
            worker: Arc::new(converters.map(|key| (key, STRING)).into_iter().collect()),
        },
        clients: Arc::new(MemoryKafka::new()),
        offsets: Arc::new(MemoryOffsetStore::default()),
        reports: Arc::clone(outbox) as _,
        resolve: Arc::new(|config| Ok(config.clone())),
        settings: RuntimeSettings::default(),
        offsets_in_kafka: None,
        fences: Arc::default(),
    }
}

fn task(name: &str) -> UnitId {
    UnitId::task(&ConnectorName::new(name).unwrap(), 0)
}

fn desired(name: &str, class: &str, kind: ConnectorKind) -> (UnitId, Desired) {
    let config = [("name", name), ("connector.class", class), ("topics", "in")];
    let spec = UnitSpec {
        unit: task(name),
        epoch: Epoch(1),
        target: TargetState::Running,
        connector_config: config.into_iter().collect(),
        revision: Revision(1),
        task_config: Some(ConfigMap::new()),
        fence: None,
    };
    (task(name), Desired { spec, kind })
}

/// A reconciler that is to run a source task and a sink task.
struct Running {
    outbox: Arc<Outbox>,
    wanted: watch::Sender<Arc<Wanted>>,
    lease: watch::Sender<Option<Term>>,
    departure: Departure,
    stop: CancellationToken,
    reconciling: JoinSet<()>,
}

impl Running {
    async fn start() -> Self {
        let outbox = Arc::new(Outbox::default());
        let (departure, stop) = (Departure::default(), CancellationToken::new());
        let wanted = Wanted {
            units: [
                desired("source", "test.Source", ConnectorKind::Source),
                desired("sink", "test.Sink", ConnectorKind::Sink),
            ]
            .into(),
            releases: HashMap::new(),
        };
        let (wanted, wanted_seen) = watch::channel(Arc::new(wanted));
        let (lease, lease_seen) = watch::channel(None);
        let reconciler = Reconciler::new(
            environment(&outbox),
            Arc::clone(&outbox),
            wanted_seen,
            (lease_seen, LeaseLost::Stop),
            departure.clone(),
        );
        let mut reconciling = JoinSet::new();
        reconciling.spawn(reconciler.run(stop.clone()));
        let running = Self {
            outbox,
            wanted,
            lease,
            departure,
            stop,
            reconciling,
        };
        running.until_here(&["sink", "source"]).await;
        running
    }

    /// Until exactly these run here or are stopping.
    async fn until_here(&self, names: &[&str]) {
        let names: Vec<UnitId> = names.iter().map(|name| task(name)).collect();
        loop {
            let mut here: Vec<UnitId> = self.outbox.begin_session().into_keys().collect();
            here.sort();
            if here == names {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    fn hold_lease(&self) -> Instant {
        let until = Instant::now() + LEASE;
        self.lease.send_replace(Some(Term { until, grace: GRACE }));
        until
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_task_that_does_not_stop_is_gone_before_another_worker_may_have_it() {
    let running = Running::start().await;
    let lost = running.hold_lease();

    running.until_here(&["sink"]).await;
    assert!(Instant::now() >= lost, "it runs as long as the lease holds");
    assert!(
        Instant::now() <= lost + LEASE / 6,
        "the leader waits a sixth of the lease"
    );

    running.hold_lease();
    running.until_here(&["sink", "source"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_source_task_that_was_stopping_already_has_no_more_time_than_the_lease() {
    let running = Running::start().await;
    let lost = running.hold_lease();
    tokio::time::sleep(LEASE / 2).await;
    running.wanted.send_modify(|wanted| {
        let mut fewer = Wanted::clone(wanted);
        fewer.units.remove(&task("source"));
        *wanted = Arc::new(fewer);
    });

    running.until_here(&["sink"]).await;
    assert!(Instant::now() <= lost + LEASE / 6);
}
