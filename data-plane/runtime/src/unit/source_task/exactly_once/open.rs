//! The steps before an exactly-once task can start: nobody else writes for it, and its offsets are known.

use std::sync::Arc;
use std::time::Duration;

use towpath_connect::{ConnectorError, ErrorKind, Result};
use tracing::warn;

use super::Ended;
use super::stored::StoredOffsets;
use crate::backoff::Backoff;
use crate::clients::{ClientError, ClientOwner, NewTopic, TransactionalProducer};
use crate::offsets::OffsetCommit;
use crate::offsets::topic_form::{self, TopicOffsets};
use crate::unit::supervise::UnitContext;
use crate::unit::task_start::TaskStart;
use crate::worker_config::ExactlyOnce;

/// First wait before a step is tried again.
const FIRST_RETRY: Duration = Duration::from_millis(100);
/// Longest wait before a step is tried again.
const MAX_RETRY: Duration = Duration::from_secs(5);

pub(super) struct Opened {
    pub(super) producer: Box<dyn TransactionalProducer>,
    pub(super) stored: Arc<StoredOffsets>,
}

pub(super) fn transactional_id(group_id: &str, connector: &str, task: u32) -> String {
    format!("{group_id}-{connector}-{task}")
}

/// Waits while brokers or the control plane are away. The order matters: what the offsets are is certain only after
/// everybody who might write them is fenced.
pub(super) async fn open(context: &UnitContext, start: &TaskStart) -> Result<Opened, Ended> {
    let environment = &context.environment;
    let settings = environment
        .exactly_once
        .as_deref()
        .ok_or_else(|| ConnectorError::bug("an exactly-once task was started on a worker that has none"))?;
    let clients = environment.clients.as_ref();
    let own_topic = own_offsets_topic(start, settings);
    let admin = start.owner("admin.override.");
    for topic in own_topic.iter().chain([&settings.offsets_topic]) {
        let what = format!("The offsets topic \"{}\" cannot be used", topic.name);
        retrying(&what, || clients.ensure_topic(&admin, topic)).await?;
    }
    let owner = start.owner("producer.override.");
    if let Some(order) = context.spec.fence {
        let place = (clients, &owner, settings.group_id.as_str());
        retrying("Earlier tasks cannot be fenced", || {
            environment.fences.pass(order, place)
        })
        .await?;
    }
    let id = transactional_id(&settings.group_id, &start.connector, start.number);
    let producer = retrying("The task's transactional producer cannot be used", || {
        clients.transactional_producer(&owner, &id)
    })
    .await?;
    // A worker that was stopped for a while may begin what it was told long ago. After this, a later run fences this one.
    holds(context).await?;
    let consumer = start.owner("consumer.override.");
    let own = match &own_topic {
        Some(topic) => Some((topic, read(context, &consumer, topic).await?)),
        None => None,
    };
    let workers = read(context, &consumer, &settings.offsets_topic).await?;
    let kept = kept_by_control_plane(context).await?;
    let stored = StoredOffsets::new(
        Arc::clone(&start.connector),
        own,
        (&settings.offsets_topic, workers),
        kept,
    );
    Ok(Opened {
        producer,
        stored: Arc::new(stored),
    })
}

/// The topic of `offsets.storage.topic`, unless it is the worker's.
fn own_offsets_topic(start: &TaskStart, settings: &ExactlyOnce) -> Option<NewTopic> {
    let name = start.config.get("offsets.storage.topic").map(str::trim)?;
    (!name.is_empty() && name != settings.offsets_topic.name).then(|| NewTopic {
        name: name.to_owned(),
        ..settings.offsets_topic.clone()
    })
}

/// Returns once the control plane has said that this run is the wanted one; waits while it is away.
///
/// # Errors
/// When another run is wanted.
pub(super) async fn holds(context: &UnitContext) -> Result<()> {
    let unit = &context.spec.unit;
    let mut backoff = Backoff::new(FIRST_RETRY, MAX_RETRY);
    loop {
        // A commit of nothing: accepted or refused like one of offsets.
        let nothing = OffsetCommit {
            unit: unit.clone(),
            epoch: context.spec.epoch,
            offsets: Vec::new(),
        };
        match context.environment.offsets.commit(nothing).await {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Retriable => {
                tokio::time::sleep(backoff.next_wait()).await;
            }
            Err(error) => {
                let what = format!(
                    "Cannot start source task {unit} as it has already been revoked from this worker"
                );
                return Err(ConnectorError::external(what).with_source(error));
            }
        }
    }
}

async fn read(context: &UnitContext, owner: &ClientOwner, topic: &NewTopic) -> Result<TopicOffsets, Ended> {
    let connector = Arc::clone(&owner.connector);
    let keep = move |key: &[u8]| topic_form::is_of(&connector, key);
    let what = format!("The offsets topic \"{}\" cannot be read", topic.name);
    let clients = &context.environment.clients;
    let found = retrying(&what, || clients.read_compacted(owner, &topic.name, &keep)).await?;
    Ok(TopicOffsets::read(&owner.connector, &found)?)
}

/// What an at-least-once run of the task has left, for a connector that goes over to exactly-once.
async fn kept_by_control_plane(
    context: &UnitContext,
) -> Result<Vec<(towpath_connect::OffsetMap, towpath_connect::OffsetMap)>> {
    let connector = context.spec.unit.connector_name().as_str();
    let mut backoff = Backoff::new(FIRST_RETRY, MAX_RETRY);
    loop {
        match context.environment.offsets.read(connector).await {
            Err(error) if error.kind() == ErrorKind::Retriable => {
                tokio::time::sleep(backoff.next_wait()).await;
            }
            found => return found,
        }
    }
}

/// Again and again while it may work later.
async fn retrying<T, F: Future<Output = Result<T, ClientError>>>(
    what: &str,
    attempt: impl Fn() -> F,
) -> Result<T, Ended> {
    let mut backoff = Backoff::new(FIRST_RETRY, MAX_RETRY);
    loop {
        let error = match attempt().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        // Being fenced here means that two of us begin at once: the control plane knows which one is to.
        if !matches!(error, ClientError::Retriable(_)) {
            return Err(Ended::of(error, what, ""));
        }
        if backoff.attempts() == 0 {
            warn!(error = %error, "{what}; trying until it works");
        }
        tokio::time::sleep(backoff.next_wait()).await;
    }
}
