//! Offset commits of a sink task: what the task says is written, never more than it was given.

use tokio::time::{Instant, timeout};
use towpath_connect::{ConnectorError, Result, TopicPartition, TopicPartitionOffsets};
use tracing::{debug, warn};

use super::super::client_error;
use super::SinkLoop;

impl SinkLoop {
    /// The regular commit. What the task refuses is logged, and its records come again.
    pub(super) async fn commit(&mut self) -> Result<()> {
        let settings = self.context.environment.settings;
        self.commit_due_at = Instant::now() + settings.offset_flush_interval;
        let delivered = self.delivered(|_| true);
        if delivered.is_empty() {
            return Ok(());
        }
        let committable = match self.task.pre_commit(&delivered).await {
            Ok(committable) => self.allowed(&delivered, committable),
            Err(error) => {
                let chain = towpath_connect::error::Chain(&error);
                warn!(error = %chain, "the sink could not say what is written; going back to the last commit");
                return self.rewind().await;
            }
        };
        if let Err(error) = self.write(committable).await {
            warn!(error = %towpath_connect::error::Chain(&error), "offsets were not committed; trying again at the next commit");
        }
        Ok(())
    }

    /// The commit before partitions are closed.
    pub(super) async fn closing_commit(&mut self, partitions: &[TopicPartition]) -> Result<()> {
        let delivered = self.delivered(|partition| partitions.contains(partition));
        if delivered.is_empty() {
            return Ok(());
        }
        let committable = self.task.pre_commit(&delivered).await?;
        let committable = self.allowed(&delivered, committable);
        self.write(committable).await
    }

    fn delivered(&self, wanted: impl Fn(&TopicPartition) -> bool) -> TopicPartitionOffsets {
        let all = self.assigned.by_partition.iter();
        all.filter(|(partition, _)| wanted(partition))
            .filter_map(|(partition, state)| Some((partition.clone(), state.delivered?)))
            .collect()
    }

    /// Leaves out what is not assigned, lies beyond what was delivered, or is committed already.
    fn allowed(
        &self,
        delivered: &TopicPartitionOffsets,
        wanted: TopicPartitionOffsets,
    ) -> TopicPartitionOffsets {
        let fine = |partition: &TopicPartition, offset: i64| {
            let within = delivered.get(partition).is_some_and(|most| offset <= *most);
            if !within {
                warn!(topic = %partition.topic, partition = partition.partition, offset, "the sink wants to commit an offset that it was not given; ignored");
            }
            within
                && self
                    .assigned
                    .by_partition
                    .get(partition)
                    .is_some_and(|state| state.committed != Some(offset))
        };
        wanted
            .into_iter()
            .filter(|(partition, offset)| fine(partition, *offset))
            .collect()
    }

    async fn write(&mut self, offsets: TopicPartitionOffsets) -> Result<()> {
        if offsets.is_empty() {
            return Ok(());
        }
        let limit = self.context.environment.settings.offset_flush_timeout;
        match timeout(limit, self.consumer.commit(&offsets)).await {
            Ok(committed) => committed.map_err(client_error)?,
            Err(_elapsed) => {
                return Err(ConnectorError::retriable(format!(
                    "the group did not answer within {} ms",
                    limit.as_millis()
                )));
            }
        }
        debug!(partitions = offsets.len(), "offsets committed");
        for (partition, offset) in offsets {
            if let Some(state) = self.assigned.by_partition.get_mut(&partition) {
                state.committed = Some(offset);
            }
        }
        Ok(())
    }
}
