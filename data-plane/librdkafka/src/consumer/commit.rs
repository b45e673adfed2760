//! A commit of offsets as a future. Each has its own queue for the answer: commits are rare, and an answer can then
//! belong to nobody else.

use std::any::Any;
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::task::{Context, Poll};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer;
use rdkafka_sys as sys;
use rdkafka_sys::types::RDKafkaErrorCode;
use tokio::sync::Notify;

use super::TopicPartition;
use super::partitions::list_with_offsets;
use crate::error::ConsumerError;
use crate::native::{Event, Queue};
use crate::reach::LastingConsumer;

const NO_ERROR: sys::rd_kafka_resp_err_t = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;

type Answer = Result<(), RDKafkaErrorCode>;

/// Resolves when the coordinator has answered.
pub struct Commit {
    partitions: usize,
    answer: Pin<Box<dyn Future<Output = Answer> + Send>>,
}

impl std::fmt::Debug for Commit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Commit")
            .field("partitions", &self.partitions)
            .finish_non_exhaustive()
    }
}

impl Commit {
    pub(super) fn start(consumer: &Arc<LastingConsumer>, offsets: &[(TopicPartition, i64)]) -> Self {
        let partitions = offsets.len();
        if offsets.is_empty() {
            return Self {
                partitions,
                answer: Box::pin(std::future::ready(Ok(()))),
            };
        }
        let started = list_with_offsets(offsets).map_err(|_| RDKafkaErrorCode::InvalidArgument);
        match started.and_then(|list| send(consumer, &list)) {
            Ok(queue) => Self {
                partitions,
                answer: Box::pin(answer(queue)),
            },
            Err(code) => Self {
                partitions,
                answer: Box::pin(std::future::ready(Err(code))),
            },
        }
    }
}

impl Future for Commit {
    type Output = Result<(), ConsumerError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let partitions = self.partitions;
        self.answer
            .as_mut()
            .poll(context)
            .map_err(|code| ConsumerError::Commit { partitions, code })
    }
}

fn send(consumer: &Arc<LastingConsumer>, offsets: &TopicPartitionList) -> Result<Queue, RDKafkaErrorCode> {
    let client = consumer.client().native_ptr();
    // SAFETY: the client is alive.
    let queue = unsafe { sys::rd_kafka_queue_new(client) };
    let queue = NonNull::new(queue).expect("librdkafka aborts when it has no memory");
    let keep = Arc::clone(consumer) as Arc<dyn Any + Send + Sync>;
    // SAFETY: the queue is ours and the client goes along.
    let queue = unsafe { Queue::new(queue, Arc::new(Notify::new()), keep) };
    // SAFETY: client, list and queue are alive; the list is copied; without a callback the answer is an event.
    let error =
        unsafe { sys::rd_kafka_commit_queue(client, offsets.ptr(), queue.ptr(), None, ptr::null_mut()) };
    if error == NO_ERROR {
        Ok(queue)
    } else {
        Err(RDKafkaErrorCode::from(error))
    }
}

async fn answer(queue: Queue) -> Answer {
    loop {
        while let Some(event) = queue.poll() {
            if event.kind() == sys::RD_KAFKA_EVENT_OFFSET_COMMIT {
                return outcome(&event);
            }
        }
        queue.ready().notified().await;
    }
}

/// The whole may have succeeded while one partition did not.
fn outcome(event: &Event) -> Answer {
    if event.error() != NO_ERROR {
        return Err(RDKafkaErrorCode::from(event.error()));
    }
    match event.partitions().iter().find(|entry| entry.err != NO_ERROR) {
        None => Ok(()),
        Some(entry) => Err(RDKafkaErrorCode::from(entry.err)),
    }
}
