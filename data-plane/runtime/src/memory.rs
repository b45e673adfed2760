//! Kafka in memory: the second implementation of the client traits, for tests of the loops. One partition a topic, one
//! member a group, and switches for the faults that matter: acknowledgements held back or refused, partitions taken
//! away, commits refused.

mod consumer;
mod producer;
mod transactions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::Notify;
use towpath_connect::{TopicPartition, TopicPartitionOffsets};

use crate::clients::{
    ClientError, ClientOwner, CompactedRecord, CompactedTopic, ConsumedRecord, GroupConsumer, KafkaClients,
    NewTopic, OutgoingRecord, RecordProducer, SinkGroup, Subscription, TransactionalProducer,
};
pub use transactions::CommitFault;

/// A cluster.
#[derive(Clone, Debug, Default)]
pub struct MemoryKafka {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    topics: HashMap<String, Vec<ConsumedRecord>>,
    committed: HashMap<String, TopicPartitionOffsets>,
    /// Records are taken but not acknowledged.
    acks_are_held: bool,
    /// Values of records that are refused for good.
    poison: Option<Bytes>,
    commits_fail: bool,
    /// Members cannot read what their group has committed.
    committed_is_unreadable: bool,
    /// Offsets of groups cannot be changed: they have members.
    groups_are_in_use: bool,
    /// Raised to take all partitions of all members away once.
    revocations: u64,
    /// Raised to make all producers of no use any more.
    lost_producers: u64,
    /// Raised to let others take the places of all members.
    fenced_members: u64,
    /// The next assignment is completed too late: another has the place.
    fences_next_assignment: bool,
    /// The largest batch that a consumer gets.
    batch_limit: Option<usize>,
    transactions: transactions::Coordinator,
}

impl MemoryKafka {
    /// An empty cluster.
    pub fn new() -> Self {
        Self::default()
    }

    /// The values in a topic, in order.
    pub fn values(&self, topic: &str) -> Vec<Option<Bytes>> {
        self.lock()
            .topics
            .get(topic)
            .into_iter()
            .flatten()
            .map(|record| record.value.clone())
            .collect()
    }

    /// Appends a record of this value.
    pub fn append(&self, topic: &str, value: impl Into<Bytes>) {
        let record = OutgoingRecord {
            topic: topic.into(),
            partition: None,
            key: None,
            value: Some(value.into()),
            timestamp: None,
            headers: Vec::new(),
            token: 0,
        };
        self.lock().append(&record);
        self.shared.changed.notify_waiters();
    }

    /// What a group has committed for a topic.
    pub fn committed(&self, group: &str, topic: &str) -> Option<i64> {
        let partition = TopicPartition {
            topic: topic.into(),
            partition: 0,
        };
        self.lock().committed.get(group)?.get(&partition).copied()
    }

    /// Whether acknowledgements are held back.
    pub fn hold_acks(&self, held: bool) {
        self.change(|state| state.acks_are_held = held);
    }

    /// Records of this value are refused for good.
    pub fn refuse_value(&self, value: impl Into<Bytes>) {
        self.change(|state| state.poison = Some(value.into()));
    }

    /// Whether offset commits fail.
    pub fn fail_commits(&self, fail: bool) {
        self.change(|state| state.commits_fail = fail);
    }

    /// Whether reading committed offsets fails.
    pub fn hide_committed(&self, hidden: bool) {
        self.change(|state| state.committed_is_unreadable = hidden);
    }

    /// Whether groups have members as far as those can tell who change offsets.
    pub fn use_groups(&self, used: bool) {
        self.change(|state| state.groups_are_in_use = used);
    }

    /// Takes all partitions away from their consumers; they get them back at once.
    pub fn rebalance(&self) {
        self.change(|state| state.revocations += 1);
    }

    /// Producers write nothing more, nor what they have in flight; new ones do.
    pub fn lose_producers(&self) {
        self.change(|state| state.lost_producers += 1);
    }

    /// Takes the places of all members of groups, as other runs of their tasks would.
    pub fn fence_members(&self) {
        self.change(|state| state.fenced_members += 1);
    }

    /// Takes the place of the member that completes its assignment next, and all partitions away so that one does.
    pub fn fence_at_rebalance(&self) {
        self.change(|state| {
            state.fences_next_assignment = true;
            state.revocations += 1;
        });
    }

    /// What becomes of the next commit of a transaction.
    pub fn fail_next_commit(&self, fault: CommitFault) {
        self.change(|state| state.transactions.fail_next_commit(fault));
    }

    /// Takes a transactional id over, as another producer would.
    pub fn fence(&self, transactional_id: &str) {
        self.change(|state| {
            state.transactions.take_over(transactional_id);
        });
    }

    /// How often a transactional id was taken over.
    pub fn take_overs(&self, transactional_id: &str) -> u64 {
        self.lock().transactions.epoch(transactional_id)
    }

    /// Appends a record with a key, as a whole transaction.
    pub fn append_keyed(&self, topic: &str, key: impl Into<Bytes>, value: Option<Bytes>) {
        let record = OutgoingRecord {
            topic: topic.into(),
            partition: None,
            key: Some(key.into()),
            value,
            timestamp: None,
            headers: Vec::new(),
            token: 0,
        };
        self.change(|state| state.append(&record));
    }

    /// Consumers get at most this many records at a time.
    pub fn limit_batches(&self, limit: usize) {
        self.change(|state| state.batch_limit = Some(limit));
    }

    fn change(&self, f: impl FnOnce(&mut State)) {
        f(&mut self.lock());
        self.shared.changed.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.lock()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn check_group_is_free(&self) -> Result<(), ClientError> {
        if self.groups_are_in_use {
            return Err(ClientError::GroupInUse("the group has members".to_owned()));
        }
        Ok(())
    }

    fn append(&mut self, record: &OutgoingRecord) {
        let log = self.topics.entry(record.topic.to_string()).or_default();
        log.push(ConsumedRecord {
            topic: Arc::clone(&record.topic),
            partition: 0,
            offset: i64::try_from(log.len()).unwrap_or(i64::MAX),
            key: record.key.clone(),
            value: record.value.clone(),
            timestamp: record.timestamp,
            timestamp_type: towpath_connect::TimestampType::CreateTime,
            headers: record.headers.clone(),
        });
    }
}

#[async_trait]
impl KafkaClients for MemoryKafka {
    async fn producer(&self, _owner: &ClientOwner) -> Result<Box<dyn RecordProducer>, ClientError> {
        Ok(Box::new(producer::MemoryProducer::new(Arc::clone(&self.shared))))
    }

    async fn transactional_producer(
        &self,
        _owner: &ClientOwner,
        transactional_id: &str,
    ) -> Result<Box<dyn TransactionalProducer>, ClientError> {
        let shared = Arc::clone(&self.shared);
        Ok(Box::new(transactions::MemoryTransactions::new(
            shared,
            transactional_id,
        )))
    }

    async fn ensure_topic(&self, _owner: &ClientOwner, topic: &NewTopic) -> Result<(), ClientError> {
        self.change(|state| {
            state.topics.entry(topic.name.clone()).or_default();
        });
        Ok(())
    }

    async fn read_compacted(
        &self,
        _owner: &ClientOwner,
        topic: &str,
        keep: &(dyn for<'k> Fn(&'k [u8]) -> bool + Send + Sync),
    ) -> Result<CompactedTopic, ClientError> {
        let state = self.lock();
        let mut found = CompactedTopic::new();
        for record in state.topics.get(topic).into_iter().flatten() {
            let Some(key) = record.key.as_ref().filter(|key| keep(key)) else {
                continue;
            };
            match &record.value {
                Some(value) => found.insert(
                    key.clone(),
                    CompactedRecord {
                        value: value.clone(),
                        headers: record.headers.clone(),
                    },
                ),
                None => found.remove(key),
            };
        }
        Ok(found)
    }

    async fn consumer(
        &self,
        owner: &ClientOwner,
        subscription: &Subscription,
    ) -> Result<Box<dyn GroupConsumer>, ClientError> {
        let Subscription::Topics(topics) = subscription else {
            return Err(ClientError::Config(
                "the cluster in memory knows no patterns".to_owned(),
            ));
        };
        let group = format!("connect-{}", owner.connector);
        Ok(Box::new(consumer::MemoryConsumer::new(
            Arc::clone(&self.shared),
            group,
            topics,
        )))
    }

    async fn cluster_id(&self) -> Result<String, ClientError> {
        Ok("memory".to_owned())
    }

    async fn group_offsets(
        &self,
        owner: &ClientOwner,
        _subscription: &Subscription,
    ) -> Result<TopicPartitionOffsets, ClientError> {
        let group = format!("connect-{}", owner.connector);
        Ok(self.lock().committed.get(&group).cloned().unwrap_or_default())
    }

    async fn alter_group_offsets(
        &self,
        group: &SinkGroup,
        offsets: &[(TopicPartition, Option<i64>)],
    ) -> Result<(), ClientError> {
        let mut state = self.lock();
        state.check_group_is_free()?;
        if let Some((unknown, _)) = offsets
            .iter()
            .find(|(entry, _)| !state.topics.contains_key(entry.topic.as_ref()) || entry.partition != 0)
        {
            let what = format!(
                "there is no partition {} of topic \"{}\"",
                unknown.partition, unknown.topic
            );
            return Err(ClientError::Fatal(what));
        }
        let committed = state
            .committed
            .entry(format!("connect-{}", group.consumer.connector))
            .or_default();
        for (entry, offset) in offsets {
            match offset {
                Some(offset) => committed.insert(entry.clone(), *offset),
                None => committed.remove(entry),
            };
        }
        Ok(())
    }

    async fn delete_group(&self, group: &SinkGroup) -> Result<(), ClientError> {
        let mut state = self.lock();
        state.check_group_is_free()?;
        state
            .committed
            .remove(&format!("connect-{}", group.consumer.connector));
        Ok(())
    }
}
