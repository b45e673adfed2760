//! Source connectors and source tasks.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::config::ConfigMap;
use crate::config_def::KeyResult;
use crate::connector::ConnectorContext;
use crate::error::Result;
use crate::offset::OffsetMap;
use crate::record::SourceRecord;
use crate::transaction::TransactionContext;

/// What a source connector promises about exactly-once delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as in Kafka Connect")]
pub enum ExactlyOnceSupport {
    Supported,
    Unsupported,
}

/// One configured source: watches its system and splits the work into tasks. All calls come from one place, one at a
/// time.
#[async_trait]
#[doc(alias = "org.apache.kafka.connect.source.SourceConnector")]
pub trait SourceConnector: Send + Sync {
    /// Called once before the others, except `validate`. `Ok` promises that `task_configs` can be asked. Dropping the
    /// future abandons the instance.
    ///
    /// # Errors
    /// `Config` when the configuration cannot work, `Retriable` when what it needs is away for the moment: then another
    /// instance is started after a while, and meanwhile the status shows the error. Any other error makes the connector
    /// FAILED.
    async fn start(&mut self, context: ConnectorContext, config: &ConfigMap) -> Result<()>;

    /// The configurations of at most `max_tasks` tasks. Called after start and whenever the connector asked for it
    /// through its context. An error is retried with back-off by the runtime.
    ///
    /// # Errors
    /// Why the work cannot be split now.
    async fn task_configs(&mut self, max_tasks: usize) -> Result<Vec<ConfigMap>>;

    /// Checks what single keys cannot show (keys against each other, a live connection); adds messages to `results`,
    /// which hold what the `ConfigDef` found. Called on an instance of its own that was not started; may take as long
    /// as the request's deadline.
    async fn validate(&self, _config: &ConfigMap, _results: &mut Vec<KeyResult>) {}

    /// Whether the connector can deliver exactly once with this configuration; `None`: it does not say. Called on an
    /// instance that was not started, when a user asks for `exactly.once.support=required`.
    ///
    /// # Errors
    /// Why that cannot be said.
    fn exactly_once_support(&self, _config: &ConfigMap) -> Result<Option<ExactlyOnceSupport>> {
        Ok(None)
    }

    /// Whether the tasks can define the boundaries of transactions with this configuration. Called on an instance that
    /// was not started, when a user asks for `transaction.boundary=connector`.
    ///
    /// # Errors
    /// Why that cannot be said.
    fn can_define_transaction_boundaries(&self, _config: &ConfigMap) -> Result<bool> {
        Ok(false)
    }

    /// Whether an alteration of these offsets (`None`: removal) is fine; `Ok(true)` if nothing else is to be done in the
    /// connector's system. Called on an instance that was not started, while no task runs; again if what follows fails.
    /// A partition may be null (`None`), as users can write it. Removals should be let through: an earlier configuration
    /// may have left any partition behind.
    ///
    /// # Errors
    /// What is wrong with a partition or an offset.
    async fn alter_offsets(
        &mut self,
        _config: &ConfigMap,
        _offsets: &[(Option<OffsetMap>, Option<OffsetMap>)],
    ) -> Result<bool> {
        Ok(false)
    }

    /// Releases everything. Called once, also after a failed start.
    async fn stop(&mut self);

    /// A task that was not started.
    fn new_task(&self) -> Box<dyn SourceTask>;

    /// The class name of the tasks, the key `task.class`.
    fn task_class(&self) -> &'static str;
}

/// Copies data from a part of a system. All calls come from one place, one at a time, in the order
/// start, poll and commit…, stop.
#[async_trait]
#[doc(alias = "org.apache.kafka.connect.source.SourceTask")]
pub trait SourceTask: Send {
    /// Called once. `Ok` promises that `poll` can be called; connections may be opened here or later. The stored
    /// offsets are read through the context.
    ///
    /// # Errors
    /// After a `Retriable` one another instance is started after a while, and meanwhile the status shows the error; this
    /// one is dropped. Any other error makes the task FAILED.
    async fn start(&mut self, context: SourceTaskContext, config: &ConfigMap) -> Result<()>;

    /// The next records, waiting at most about `max_wait` for some; empty when there are none. Called again as soon as
    /// the records were handed to the producer, before they are acknowledged. Dropping the future happens only when
    /// the task is about to be stopped: records read so far may be lost then, since their offsets were not committed.
    ///
    /// # Errors
    /// `Retriable`: logged, and polled again after a back-off. Others make the task FAILED.
    async fn poll(&mut self, max_wait: Duration) -> Result<Vec<SourceRecord>>;

    /// These offsets are durable on our side; the source may forget what lies before them. Called after each
    /// successful commit, with the newest offset of each source partition that moved (empty if none did).
    ///
    /// # Errors
    /// Logged only.
    #[doc(alias = "SourceTask#commitRecord")]
    async fn commit(&mut self, _durable: &[(Arc<OffsetMap>, OffsetMap)]) -> Result<()> {
        Ok(())
    }

    /// Whether the timestamp of every record is the moment at which it was read. Where nothing looks at it, the Kafka
    /// client may set it instead, when the record is sent a moment later. Asked once, after a successful start.
    fn stamps_with_now(&self) -> bool {
        false
    }

    /// Releases everything. Called once after a successful start, when no other call runs.
    async fn stop(&mut self);
}

/// Reads the stored source offsets of the task's connector. Implemented by the runtime.
#[async_trait]
pub trait OffsetReader: Send + Sync {
    /// The stored offset of each partition, `None` where nothing is stored.
    ///
    /// # Errors
    /// `Retriable` when the store cannot be reached; it was tried for a while.
    async fn offsets(&self, partitions: &[OffsetMap]) -> Result<Vec<Option<OffsetMap>>>;
}

/// Handed to a source task at start.
#[derive(Clone)]
pub struct SourceTaskContext {
    connector: Arc<str>,
    task: u32,
    offsets: Arc<dyn OffsetReader>,
    transactions: Option<TransactionContext>,
}

impl std::fmt::Debug for SourceTaskContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("SourceTaskContext");
        out.field("connector", &self.connector)
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}

impl SourceTaskContext {
    /// The context of a task.
    pub fn new(connector: impl Into<Arc<str>>, task: u32, offsets: Arc<dyn OffsetReader>) -> Self {
        Self {
            connector: connector.into(),
            task,
            offsets,
            transactions: None,
        }
    }

    /// With the say over where transactions end.
    pub fn with_transactions(mut self, transactions: TransactionContext) -> Self {
        self.transactions = Some(transactions);
        self
    }

    /// Where to say that a transaction ends; `None` unless `transaction.boundary=connector` and the worker delivers
    /// exactly once.
    pub fn transactions(&self) -> Option<&TransactionContext> {
        self.transactions.as_ref()
    }

    /// The connector's name.
    pub fn connector(&self) -> &str {
        &self.connector
    }

    /// The number of the task in its connector, from 0.
    pub fn task(&self) -> u32 {
        self.task
    }

    /// The stored offset of one source partition.
    ///
    /// # Errors
    /// As [`OffsetReader::offsets`].
    pub async fn offset(&self, partition: &OffsetMap) -> Result<Option<OffsetMap>> {
        let found = self.offsets.offsets(std::slice::from_ref(partition)).await?;
        Ok(found.into_iter().next().flatten())
    }

    /// The stored offsets of several source partitions, in their order.
    ///
    /// # Errors
    /// As [`OffsetReader::offsets`].
    pub async fn offsets(&self, partitions: &[OffsetMap]) -> Result<Vec<Option<OffsetMap>>> {
        self.offsets.offsets(partitions).await
    }
}
