//! The steps before an exactly-once task can start: nobody else writes for it, and its offsets are known.

use std::sync::Arc;

use towpath_connect::ConnectorError;

use super::stored::StoredOffsets;
use super::{Ended, SOURCE};
use crate::clients::{ClientError, TransactionalProducer};
use crate::offsets::topics::{OffsetsTopics, TopicsError};
use crate::unit::fenced::holds;
use crate::unit::source_task::start_offsets::kept;
use crate::unit::supervise::UnitContext;
use crate::unit::task_start::TaskStart;

pub(super) struct Opened {
    pub(super) producer: Box<dyn TransactionalProducer>,
    pub(super) stored: Arc<StoredOffsets>,
}

/// Waits while brokers or the control plane are away. The order matters: what the offsets are is certain only after
/// everybody who might write them is fenced.
pub(super) async fn open(context: &UnitContext, start: &TaskStart) -> Result<Opened, Ended> {
    let topics = OffsetsTopics::of_task(&context.environment, start)
        .ok_or_else(|| ConnectorError::bug("an exactly-once task was started on a worker that has none"))?;
    let wanted = topics.settings.topics(&start.config);
    topics.ensure(&wanted).await.map_err(cannot_begin)?;
    if let Some(order) = context.spec.fence {
        topics.fence(order).await.map_err(cannot_begin)?;
    }
    // Being fenced here means that two of us begin at once: the control plane knows which one is to.
    let producer = topics.producer().await.map_err(cannot_begin)?;
    // A worker that was stopped for a while may begin what it was told long ago. After this, a later run fences this one,
    // and whoever runs the task after it looks into these topics.
    let names = wanted.iter().map(|topic| topic.name.clone()).collect();
    holds(context, SOURCE, names).await?;
    let found = topics.read(&wanted).await.map_err(|error| match error {
        TopicsError::Client(error) => cannot_begin(error),
        TopicsError::Offset(error) => error.into(),
    })?;
    // What at-least-once runs of the connector have left, and which of it is newer than what Kafka has.
    let kept = kept(&context.environment, &start.connector).await?;
    let connector = Arc::clone(&start.connector);
    let stored = StoredOffsets::new(connector, found, kept, context.spec.epoch);
    Ok(Opened {
        producer,
        stored: Arc::new(stored),
    })
}

fn cannot_begin(error: ClientError) -> Ended {
    Ended::of(error, "The task cannot begin to write in transactions", "")
}
