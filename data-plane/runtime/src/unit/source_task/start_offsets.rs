//! The source offsets that an at-least-once task goes on from: those of the control plane, unless a run that delivered
//! exactly once has left newer ones in Kafka.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::OnceCell;
use towpath_connect::{ConnectorError, ErrorKind, OffsetMap, OffsetReader, Result, Topic};
use tracing::{info, warn};

use crate::offsets::newest::newest;
use crate::offsets::topic_form::TopicOffsets;
use crate::offsets::topics::{OffsetsTopics, TopicsError, retry_backoff};
use crate::offsets::{KafkaMarks, KeptOffsets};
use crate::unit::supervise::UnitContext;
use crate::unit::task_start::TaskStart;
use crate::unit::{Environment, FenceOrder, client_error};

/// What the control plane keeps for a connector. Waits while it is away: a task may start just when its leader is lost.
pub(super) async fn kept(environment: &Environment, connector: &str) -> Result<KeptOffsets> {
    let mut backoff = retry_backoff();
    loop {
        match environment.offsets.read(connector).await {
            Err(error) if error.kind() == ErrorKind::Retriable => {
                if backoff.attempts() == 0 {
                    warn!(error = %towpath_connect::error::Chain(&error), "waiting for the offsets that the control plane keeps");
                }
                tokio::time::sleep(backoff.next_wait()).await;
            }
            found => return found,
        }
    }
}

pub(super) struct StartOffsets {
    environment: Environment,
    start: Arc<TaskStart>,
    fence: Option<FenceOrder>,
    /// Nobody writes there while this run holds, so it is read once.
    in_kafka: OnceCell<Vec<(Topic, TopicOffsets)>>,
}

impl StartOffsets {
    pub(super) fn new(context: &UnitContext, start: &Arc<TaskStart>) -> Self {
        Self {
            environment: context.environment.clone(),
            start: Arc::clone(start),
            fence: context.spec.fence,
            in_kafka: OnceCell::new(),
        }
    }

    async fn read_topics(&self, marks: &KafkaMarks) -> Result<Vec<(Topic, TopicOffsets)>> {
        let Some(topics) = OffsetsTopics::of_task(&self.environment, &self.start) else {
            warn!("the connector has left offsets in Kafka, which only a worker of a cluster reads");
            return Ok(Vec::new());
        };
        info!("the connector has delivered exactly once before: looking for its offsets in Kafka");
        let wanted: Vec<_> = marks
            .topics
            .iter()
            .map(|name| topics.settings.like(name))
            .collect();
        topics.ensure(&wanted).await.map_err(client_error)?;
        if let Err(error) = self.end_transactions(&topics).await {
            // Without it, what they have not committed yet is waited for, and read again at the worst.
            warn!(error = %error, "the producers of earlier tasks could not be fenced");
        }
        topics.read(&wanted).await.map_err(|error| match error {
            TopicsError::Client(error) => client_error(error),
            TopicsError::Offset(error) => error,
        })
    }

    /// Of tasks that were killed or cut off before they could end theirs.
    async fn end_transactions(&self, topics: &OffsetsTopics<'_>) -> Result<(), crate::clients::ClientError> {
        if let Some(order) = self.fence {
            topics.fence(order).await?;
        }
        topics.producer().await.map(drop)
    }
}

#[async_trait]
impl OffsetReader for StartOffsets {
    async fn offsets(&self, partitions: &[OffsetMap]) -> Result<Vec<Option<OffsetMap>>> {
        let connector = &self.start.connector;
        let unreadable = |cause: ConnectorError| {
            let what = format!("could not read the source offsets of connector \"{connector}\"");
            ConnectorError::new(cause.kind(), what).with_source(cause)
        };
        let kept = kept(&self.environment, connector).await.map_err(unreadable)?;
        let topics: &[(Topic, TopicOffsets)] = match &kept.in_kafka {
            None => &[],
            Some(marks) => {
                let read = self.in_kafka.get_or_try_init(|| self.read_topics(marks));
                read.await.map_err(unreadable)?.as_slice()
            }
        };
        let find = |partition| newest(topics, &kept, partition).map(|found| found.offset.clone());
        Ok(partitions.iter().map(find).collect())
    }
}
