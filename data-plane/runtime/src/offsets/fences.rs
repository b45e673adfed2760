//! Fences the producers that an earlier set of a connector's tasks may have left behind, once a worker and set.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::OnceCell;
use towpath_types::Epoch;
use tracing::info;

use crate::clients::{ClientError, ClientOwner, KafkaClients};
use crate::unit::FenceOrder;
use crate::worker_config::OffsetsInKafka;

/// Producers that are fenced at a time: each is a client for a moment.
const FENCED_AT_ONCE: usize = 8;
/// Connectors that are remembered; beyond it all are forgotten, which costs a fence more.
const REMEMBERED: usize = 10_000;

/// Which sets of tasks this worker has made the way free for. Shared by its tasks: those that start together wait for
/// one fence, which would hit them if each had its own.
#[derive(Debug, Default)]
pub struct Fences {
    /// A std mutex: held for a few lines, never across an await.
    done: Mutex<HashMap<Arc<str>, Fence>>,
}

/// Of one set of tasks; filled once the way is free.
type Fence = (Epoch, Arc<OnceCell<()>>);

impl Fences {
    /// Returns once no producer of an earlier set can write any more.
    ///
    /// # Errors
    /// When one could not be fenced.
    pub(crate) async fn pass(
        &self,
        order: FenceOrder,
        place: (&dyn KafkaClients, &ClientOwner, &OffsetsInKafka),
    ) -> Result<(), ClientError> {
        let (_, owner, _) = place;
        let cell = self.cell(&owner.connector, order.task_set);
        cell.get_or_try_init(|| fence(0..order.below, place))
            .await
            .copied()
    }

    fn cell(&self, connector: &Arc<str>, task_set: Epoch) -> Arc<OnceCell<()>> {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if done.len() >= REMEMBERED {
            done.clear();
        }
        let entry = done
            .entry(Arc::clone(connector))
            .or_insert_with(|| (task_set, Arc::default()));
        if entry.0 != task_set {
            *entry = (task_set, Arc::default());
        }
        Arc::clone(&entry.1)
    }
}

/// Taking an id over fences whoever had it; the producer itself is of no further use.
///
/// # Errors
/// When one could not be fenced.
pub(crate) async fn fence(
    tasks: Range<u32>,
    (clients, owner, settings): (&dyn KafkaClients, &ClientOwner, &OffsetsInKafka),
) -> Result<(), ClientError> {
    info!(tasks = tasks.end, "fencing the producers of earlier tasks");
    stream::iter(tasks)
        .map(|number| async move {
            let id = settings.transactional_id(&owner.connector, number);
            clients.transactional_producer(owner, &id).await.map(drop)
        })
        .buffer_unordered(FENCED_AT_ONCE)
        .try_collect::<()>()
        .await
}
