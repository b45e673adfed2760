//! The sink task: makes bulks of records and says which offsets are written.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;
use towpath_connect::{
    ConfigMap, ConnectorError, ErrorKind, Result, SinkRecord, SinkTask, SinkTaskContext, Topic,
    TopicPartition, TopicPartitionOffsets,
};
use tracing::warn;

use crate::bulk::Operation;
use crate::client::Client;
use crate::config::{Batching, Refused, Settings};
use crate::deliver::Policy;
use crate::document::{self, Unwritable};
use crate::flavour::Flavour;
use crate::naming::{Naming, Target};
use crate::prepare::{Mapping, Preparation};
use crate::tracker::Tracker;
use crate::writer::Writer;

/// `put` waits this long for room; then the same records come again, and in between the task can be stopped.
const ROOM_WAIT: Duration = Duration::from_secs(2);
/// How soon they are to come again.
const ROOM_RETRY: Duration = Duration::from_millis(10);
/// How long an asynchronous commit waits for what is on its way: usually all of it arrives, so that after a stop
/// nothing comes twice, and a search engine that is away holds nobody up.
const COMMIT_WAIT: Duration = Duration::from_secs(1);
/// Topics whose target is kept in mind.
const MAX_KNOWN_TOPICS: usize = 10_000;

/// The task of a sink connector.
#[derive(Debug)]
pub struct ElasticsearchSinkTask {
    flavour: Flavour,
    started: Option<Started>,
}

#[derive(Debug)]
struct Started {
    context: SinkTaskContext,
    client: Arc<Client>,
    naming: Naming,
    documents: document::Writer,
    preparation: Preparation,
    writer: Writer,
    tracker: Tracker,
    targets: Targets,
    batching: Batching,
    drop_invalid: bool,
    malformed: Refused,
}

impl ElasticsearchSinkTask {
    pub(crate) fn new(flavour: Flavour) -> Self {
        Self {
            flavour,
            started: None,
        }
    }

    fn started(&mut self) -> Result<&mut Started> {
        self.started
            .as_mut()
            .ok_or_else(|| ConnectorError::bug("a search engine sink was used before it was started"))
    }
}

#[async_trait]
impl SinkTask for ElasticsearchSinkTask {
    async fn start(&mut self, context: SinkTaskContext, config: &ConfigMap) -> Result<()> {
        // The search engine is not asked here: it may be away, and is waited for when there are records.
        let settings = Settings::read(self.flavour, config)?;
        let client = Arc::new(Client::new(&settings.connection)?);
        let policy = Policy::new(&settings.connection, settings.malformed, settings.conflict);
        self.started = Some(Started {
            context,
            writer: Writer::start(Arc::clone(&client), policy, settings.batching.clone()),
            client,
            naming: settings.naming,
            documents: document::Writer::new(settings.documents),
            preparation: Preparation::new(settings.connection.max_retries, settings.connection.retry_backoff),
            tracker: Tracker::default(),
            targets: Targets::default(),
            batching: settings.batching,
            drop_invalid: settings.drop_invalid,
            malformed: settings.malformed,
        });
        Ok(())
    }

    async fn put(&mut self, records: &[SinkRecord]) -> Result<()> {
        let task = self.started()?;
        task.writer.check()?;
        if records.is_empty() {
            return Ok(());
        }
        task.wait_for_room(records.len()).await?;
        task.prepare(records).await?;
        task.take(records)
    }

    async fn pre_commit(&mut self, delivered: &TopicPartitionOffsets) -> Result<TopicPartitionOffsets> {
        let task = self.started()?;
        let wait = if task.batching.synchronous {
            task.batching.flush_timeout
        } else {
            COMMIT_WAIT
        };
        let written = task.writer.flush(Instant::now() + wait).await;
        if !written && task.batching.synchronous {
            warn!("not everything was written within `flush.timeout.ms`; committing what is");
        }
        // A failure is told by the next put; what is written before it can be committed now.
        Ok(task.tracker.committable(delivered))
    }

    async fn close(&mut self, partitions: &[TopicPartition]) {
        if let Some(task) = &mut self.started {
            task.tracker.close(partitions);
        }
    }

    async fn stop(&mut self) {
        if let Some(task) = self.started.take() {
            task.writer.stop().await;
        }
    }
}

impl Started {
    async fn wait_for_room(&self, count: usize) -> Result<()> {
        if self.writer.wait_for_room(count, Instant::now() + ROOM_WAIT).await {
            return Ok(());
        }
        self.writer.check()?;
        self.context.timeout(ROOM_RETRY);
        Err(ConnectorError::retriable(format!(
            "the search engine takes documents more slowly than they come, and {} records may be held",
            self.batching.buffered
        )))
    }

    /// Makes what is missing on the other side before anything of the batch is taken.
    async fn prepare(&mut self, records: &[SinkRecord]) -> Result<()> {
        let mut without_schema: Option<Arc<Target>> = None;
        for record in records {
            let Some(target) = self.targets.of(&self.naming, record) else {
                return Err(ConnectorError::config(format!(
                    "topic \"{}\" is not in the mapping of topics to resources; add it there",
                    record.record.topic
                )));
            };
            let needs_mapping = self.needs_mapping(record);
            if self.preparation.is_done(&target, needs_mapping) {
                continue;
            }
            let schema = record.record.value_schema.as_deref();
            // The next one without a schema would only be refused again.
            if needs_mapping && schema.is_none() && without_schema.as_ref() == Some(&target) {
                continue;
            }
            let mapping = if needs_mapping {
                Mapping::OfSchema(schema)
            } else {
                Mapping::Dynamic
            };
            match self.preparation.ensure(&self.client, &target, mapping).await {
                Err(error) if error.kind() == ErrorKind::Data && self.leaves_out_malformed() => {
                    without_schema = Some(target);
                }
                outcome => outcome?,
            }
        }
        Ok(())
    }

    fn needs_mapping(&self, record: &SinkRecord) -> bool {
        !record.record.value.is_null() && self.documents.uses_schema(record)
    }

    fn leaves_out_malformed(&self) -> bool {
        self.drop_invalid || self.malformed != Refused::Fail
    }

    fn take(&mut self, records: &[SinkRecord]) -> Result<()> {
        let mut filling = self.writer.fill();
        let mut left_out = LeftOut::default();
        for record in records {
            let Some(target) = self.targets.of(&self.naming, record) else {
                continue;
            };
            if !self.preparation.is_done(&target, self.needs_mapping(record)) {
                left_out.add(record, "its value makes no mapping");
                continue;
            }
            let bulk = filling.bulk();
            let start = bulk.body.len();
            let entry = match self.documents.append(&mut bulk.body, record, &target) {
                Ok(Some(entry)) => entry,
                Ok(None) => continue,
                Err(problem) => {
                    bulk.body.truncate(start);
                    let error = self.tolerate(record, problem)?;
                    left_out.add(record, &error);
                    continue;
                }
            };
            let partition = self.tracker.partition(record);
            let offset = record.original_offset();
            partition.taken(offset);
            let text = start..bulk.body.len();
            bulk.operations.push(Operation {
                entry,
                partition,
                offset,
                text,
            });
            filling.appended();
        }
        left_out.log();
        Ok(())
    }

    /// What is wrong with a record that the user wants left out; otherwise the error that fails the task.
    fn tolerate(&self, record: &SinkRecord, problem: Unwritable) -> Result<String> {
        let (error, tolerated) = match problem {
            Unwritable::Invalid(error) => (error, self.drop_invalid),
            Unwritable::Malformed(error) => (error, self.leaves_out_malformed()),
        };
        if tolerated {
            return Ok(error.to_string());
        }
        let message = format!(
            "the record at offset {} of topic \"{}\", partition {}, makes no document",
            record.original_offset(),
            record.original_topic(),
            record.original_partition()
        );
        Err(ConnectorError::new(error.kind(), message).with_source(error))
    }
}

/// Records of a batch that are left out: one line for all of them.
#[derive(Debug, Default)]
struct LeftOut<'a> {
    count: usize,
    example: Option<(&'a SinkRecord, String)>,
}

impl<'a> LeftOut<'a> {
    fn add(&mut self, record: &'a SinkRecord, problem: &str) {
        self.count += 1;
        self.example.get_or_insert_with(|| (record, problem.to_owned()));
    }

    fn log(&self) {
        let Some((record, problem)) = &self.example else {
            return;
        };
        let (topic, partition, offset) = (
            record.original_topic(),
            record.original_partition(),
            record.original_offset(),
        );
        let count = self.count;
        warn!(count, %topic, partition, offset, problem, "records that make no documents are left out");
    }
}

/// The target of each topic that was met.
#[derive(Debug, Default)]
struct Targets {
    known: HashMap<(Topic, Topic), Arc<Target>>,
    /// Of the record before: records mostly come in runs.
    last: Option<(Topic, Topic, Arc<Target>)>,
}

impl Targets {
    fn of(&mut self, naming: &Naming, record: &SinkRecord) -> Option<Arc<Target>> {
        let (topic, original) = (&record.record.topic, record.original_topic());
        if let Some((last_topic, last_original, target)) = &self.last
            && Arc::ptr_eq(last_topic, topic)
            && Arc::ptr_eq(last_original, original)
        {
            return Some(Arc::clone(target));
        }
        let key = (Arc::clone(topic), Arc::clone(original));
        let target = match self.known.get(&key) {
            Some(target) => Arc::clone(target),
            None => {
                let target = Arc::new(naming.target(topic, original)?);
                if self.known.len() >= MAX_KNOWN_TOPICS {
                    self.known.clear();
                }
                self.known.insert(key, Arc::clone(&target));
                target
            }
        };
        self.last = Some((Arc::clone(topic), Arc::clone(original), Arc::clone(&target)));
        Some(target)
    }
}
