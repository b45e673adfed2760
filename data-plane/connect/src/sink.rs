//! Sink connectors and sink tasks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use crate::config::ConfigMap;
use crate::config_def::KeyResult;
use crate::connector::ConnectorContext;
use crate::error::Result;
use crate::record::{SinkRecord, Topic};

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "named as in Kafka")]
pub struct TopicPartition {
    pub topic: Topic,
    pub partition: i32,
}

/// The next offset to read of each partition: one more than the last record that is done.
pub type TopicPartitionOffsets = BTreeMap<TopicPartition, i64>;

/// One configured sink. All calls come from one place, one at a time.
#[async_trait]
#[doc(alias = "org.apache.kafka.connect.sink.SinkConnector")]
pub trait SinkConnector: Send + Sync {
    /// Called once before the others, except `validate`.
    ///
    /// # Errors
    /// After a `Retriable` one another instance is started after a while, and meanwhile the status shows the error. Any
    /// other error makes the connector FAILED.
    async fn start(&mut self, context: ConnectorContext, config: &ConfigMap) -> Result<()>;

    /// The configurations of at most `max_tasks` tasks.
    ///
    /// # Errors
    /// Why the work cannot be split now; retried with back-off.
    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>>;

    /// As [`SourceConnector::validate`](crate::SourceConnector::validate).
    async fn validate(&self, _config: &ConfigMap, _results: &mut Vec<KeyResult>) {}

    /// Whether an alteration of these consumer offsets (`None`: reset) is fine; `Ok(true)` if nothing else is to do.
    ///
    /// # Errors
    /// What is wrong with an offset.
    async fn alter_offsets(
        &mut self,
        _config: &ConfigMap,
        _offsets: &[(TopicPartition, Option<i64>)],
    ) -> Result<bool> {
        Ok(false)
    }

    /// Releases everything. Called once, also after a failed start.
    async fn stop(&mut self);

    /// A task that was not started.
    fn new_task(&self) -> Box<dyn SinkTask>;

    /// The class name of the tasks, the key `task.class`.
    fn task_class(&self) -> &'static str;
}

/// Writes records to a system. All calls come from one place, one at a time: start, then open, put, `pre_commit` and
/// close in any number, then stop.
#[async_trait]
#[doc(alias = "org.apache.kafka.connect.sink.SinkTask")]
pub trait SinkTask: Send {
    /// Called once, before partitions are assigned.
    ///
    /// # Errors
    /// After a `Retriable` one another instance is started after a while, and meanwhile the status shows the error; this
    /// one is dropped. Any other error makes the task FAILED.
    async fn start(&mut self, context: SinkTaskContext, config: &ConfigMap) -> Result<()>;

    /// These partitions are the task's from now on; records of them follow.
    ///
    /// # Errors
    /// Any error makes the task FAILED.
    async fn open(&mut self, _partitions: &[TopicPartition]) -> Result<()> {
        Ok(())
    }

    /// Takes records, in order per partition; also called with none, so that buffered ones can be written. `Ok` means
    /// taken, not written: what is written is said by `pre_commit`. Dropping the future happens only at a forced stop.
    ///
    /// # Errors
    /// `Retriable`: nothing of the batch was taken; the same slice comes again after a back-off. Others make the task
    /// FAILED.
    async fn put(&mut self, records: &[SinkRecord]) -> Result<()>;

    /// Which of the delivered offsets may be committed, because everything before them is written for good. Called at
    /// intervals, and before partitions are closed (then it should write what it can first).
    ///
    /// # Errors
    /// The commit is skipped; consumption goes back to the last committed offsets.
    #[doc(alias = "SinkTask#flush")]
    async fn pre_commit(&mut self, delivered: &TopicPartitionOffsets) -> Result<TopicPartitionOffsets>;

    /// These partitions are no longer the task's. Always called, even if `pre_commit` failed.
    async fn close(&mut self, _partitions: &[TopicPartition]) {}

    /// Releases everything. Called once after a successful start.
    async fn stop(&mut self);
}

/// What a sink task asked for since the runtime last looked.
#[derive(Debug, Default)]
#[expect(missing_docs, reason = "named after the methods of the context")]
pub struct SinkRequests {
    pub commit: bool,
    pub pause: Vec<TopicPartition>,
    pub resume: Vec<TopicPartition>,
    pub seek: TopicPartitionOffsets,
    pub timeout: Option<Duration>,
}

/// Handed to a sink task at start. Requests are taken up by the runtime before it polls again.
#[derive(Clone, Debug)]
pub struct SinkTaskContext {
    connector: Arc<str>,
    task: u32,
    /// A std mutex: held for a push, never across an await.
    requests: Arc<Mutex<SinkRequests>>,
}

impl SinkTaskContext {
    /// The context of a task.
    pub fn new(connector: impl Into<Arc<str>>, task: u32) -> Self {
        Self {
            connector: connector.into(),
            task,
            requests: Arc::default(),
        }
    }

    /// The connector's name.
    pub fn connector(&self) -> &str {
        &self.connector
    }

    /// The number of the task in its connector, from 0.
    pub fn task(&self) -> u32 {
        self.task
    }

    /// Asks for an offset commit soon.
    pub fn request_commit(&self) {
        self.with(|requests| requests.commit = true);
    }

    /// No records of these partitions until they are resumed.
    pub fn pause(&self, partitions: &[TopicPartition]) {
        self.with(|requests| {
            requests
                .resume
                .retain(|partition| !partitions.contains(partition));
            requests.pause.extend_from_slice(partitions);
        });
    }

    /// Records of these partitions again.
    pub fn resume(&self, partitions: &[TopicPartition]) {
        self.with(|requests| {
            requests.pause.retain(|partition| !partitions.contains(partition));
            requests.resume.extend_from_slice(partitions);
        });
    }

    /// Reads on from these offsets.
    #[doc(alias = "SinkTaskContext#offset")]
    pub fn seek(&self, offsets: &TopicPartitionOffsets) {
        self.with(|requests| requests.seek.extend(offsets.iter().map(|(p, o)| (p.clone(), *o))));
    }

    /// The next wait for records, or the back-off before a batch comes again, takes at most this long. Holds once.
    pub fn timeout(&self, timeout: Duration) {
        self.with(|requests| requests.timeout = Some(timeout));
    }

    /// Takes what [`SinkTaskContext::timeout`] asked for, and leaves the rest; for the runtime.
    pub fn take_timeout(&self) -> Option<Duration> {
        self.with(|requests| requests.timeout.take())
    }

    /// Takes what [`SinkTaskContext::seek`] asked for of these partitions, and leaves the rest; for the runtime.
    pub fn take_seeks(&self, partitions: &[TopicPartition]) -> TopicPartitionOffsets {
        self.with(|requests| {
            let taken = partitions
                .iter()
                .filter_map(|partition| requests.seek.remove_entry(partition));
            taken.collect()
        })
    }

    /// Takes the requests; for the runtime.
    pub fn take_requests(&self) -> SinkRequests {
        self.with(std::mem::take)
    }

    fn with<R>(&self, f: impl FnOnce(&mut SinkRequests) -> R) -> R {
        f(&mut self.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
