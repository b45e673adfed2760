//! Producers by their settings. A producer costs some threads and a buffer, so tasks with equal settings share one; it
//! ends with the last of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use towpath_librdkafka::{BatchProducer, Lane};
use towpath_runtime::clients::ClientError;

use crate::config::{Ours, Settings, Translated};

/// What makes producers different. It holds passwords, which is as long as the producer has them too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    settings: Settings,
    ours: Ours,
}

#[derive(Debug, Default)]
pub(crate) struct ProducerPool {
    producers: Mutex<HashMap<Arc<Key>, BatchProducer>>,
}

impl ProducerPool {
    pub(crate) fn len(&self) -> usize {
        self.producers().len()
    }

    /// A lane of a producer that nobody shares.
    pub(crate) fn alone(translated: Translated) -> Result<PooledLane, ClientError> {
        Arc::new(Self::default()).lane(translated)
    }

    /// A lane of the producer with these settings, which is made if there is none.
    pub(crate) fn lane(self: &Arc<Self>, translated: Translated) -> Result<PooledLane, ClientError> {
        let key = Arc::new(Key {
            settings: translated.librdkafka,
            ours: translated.ours,
        });
        self.lane_of(key)
    }

    fn lane_of(self: &Arc<Self>, key: Arc<Key>) -> Result<PooledLane, ClientError> {
        let mut producers = self.producers();
        let usable = producers
            .get(&key)
            .filter(|producer| producer.fatal_error().is_none())
            .cloned();
        let producer = match usable {
            Some(producer) => producer,
            None => {
                let made = BatchProducer::new(&key.settings.to_client_config(), key.ours.buffer_memory);
                let producer = made.map_err(|error| ClientError::Config(error.to_string()))?;
                // One that is beyond repair is out of the pool with this, and ends with its last lane.
                producers.insert(Arc::clone(&key), producer.clone());
                producer
            }
        };
        let lane = producer
            .lane()
            .map_err(|error| ClientError::Retriable(error.to_string()))?;
        Ok(PooledLane {
            lane: Some(lane),
            producer,
            key,
            pool: Arc::clone(self),
        })
    }

    fn producers(&self) -> MutexGuard<'_, HashMap<Arc<Key>, BatchProducer>> {
        self.producers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lane that ends its producer if it was the last one.
#[derive(Debug)]
pub(crate) struct PooledLane {
    /// Taken when dropped.
    lane: Option<Lane>,
    producer: BatchProducer,
    key: Arc<Key>,
    pool: Arc<ProducerPool>,
}

impl PooledLane {
    pub(crate) fn lane(&mut self) -> &mut Lane {
        self.lane.as_mut().expect("the lane is there until it is dropped")
    }

    pub(crate) fn producer(&self) -> &BatchProducer {
        &self.producer
    }

    pub(crate) fn ours(&self) -> &Ours {
        &self.key.ours
    }

    /// Goes over to a new producer with the same settings, if the one behind this lane is beyond repair.
    pub(crate) fn replace(&mut self) -> Result<(), ClientError> {
        let new = self.pool.lane_of(Arc::clone(&self.key))?;
        drop(std::mem::replace(self, new));
        Ok(())
    }
}

impl Drop for PooledLane {
    fn drop(&mut self) {
        drop(self.lane.take());
        let mut producers = self.pool.producers();
        if self.producer.lane_count() > 0 {
            return;
        }
        // Under the lock: nobody can open a lane meanwhile. What is in the pool may be a successor of this one.
        if producers
            .get(&self.key)
            .is_some_and(|pooled| pooled.is_same(&self.producer))
        {
            producers.remove(&self.key);
        }
    }
}
