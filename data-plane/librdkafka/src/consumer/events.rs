//! Reads the events of a consumer's own queue: rebalances, errors, log lines.

use std::ffi::c_char;
use std::ptr;
use std::sync::Arc;

use rdkafka_sys as sys;
use rdkafka_sys::types::RDKafkaErrorCode;

use super::TopicPartition;
use crate::native::{self, Event};

/// What happened to the membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupEvent {
    /// Partitions came; confirm with [`take_over`](super::BatchConsumer::take_over).
    Assigned(Vec<TopicPartition>),
    /// Partitions go; confirm with [`release`](super::BatchConsumer::release). They are still this member's until then,
    /// unless they are `lost`: then somebody else may have them already, and a commit would fail.
    Revoked {
        partitions: Vec<TopicPartition>,
        lost: bool,
    },
    Error(GroupError),
}

/// An error that librdkafka tells of. It goes on by itself unless it is `fatal`; whether there is a point in waiting (no
/// permission, say) is the caller's to judge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("could not consume: {code}: {text}")]
pub struct GroupError {
    pub code: RDKafkaErrorCode,
    pub text: String,
    pub fatal: bool,
}

/// What an event was.
#[derive(Debug)]
pub(super) enum Seen {
    Assigned(Vec<TopicPartition>),
    Revoked(Vec<TopicPartition>),
    Error(GroupError),
    /// A log line, which has been passed on, or a thing nobody asked for.
    Nothing,
}

pub(super) fn read(event: &Event) -> Seen {
    match event.kind() {
        sys::RD_KAFKA_EVENT_REBALANCE => rebalance(event),
        sys::RD_KAFKA_EVENT_ERROR => error(event),
        sys::RD_KAFKA_EVENT_LOG => {
            log_line(event);
            Seen::Nothing
        }
        // Partitions are forwarded before they are assigned, so no record comes this way. If one did it would be lost,
        // so the consumer must start again from what is committed.
        sys::RD_KAFKA_EVENT_FETCH => Seen::Error(GroupError {
            code: RDKafkaErrorCode::Inconsistent,
            text: String::from("a record arrived outside the data queue"),
            fatal: true,
        }),
        _ => Seen::Nothing,
    }
}

fn rebalance(event: &Event) -> Seen {
    match RDKafkaErrorCode::from(event.error()) {
        RDKafkaErrorCode::AssignPartitions => Seen::Assigned(partitions(event)),
        RDKafkaErrorCode::RevokePartitions => Seen::Revoked(partitions(event)),
        code => Seen::Error(GroupError {
            code,
            text: String::from("the rebalance did not succeed"),
            fatal: false,
        }),
    }
}

fn partitions(event: &Event) -> Vec<TopicPartition> {
    let mut partitions: Vec<TopicPartition> = Vec::new();
    for entry in event.partitions() {
        // SAFETY: a topic's name is a C string that lives as long as the event.
        let name = unsafe { native::text(entry.topic) };
        let topic = match partitions.last() {
            Some(last) if *last.topic == *name => Arc::clone(&last.topic),
            _ => Arc::from(name),
        };
        partitions.push(TopicPartition {
            topic,
            partition: entry.partition,
        });
    }
    partitions
}

fn error(event: &Event) -> Seen {
    // SAFETY: the event is alive.
    let fatal = unsafe { sys::rd_kafka_event_error_is_fatal(event.ptr()) } != 0;
    Seen::Error(GroupError {
        code: RDKafkaErrorCode::from(event.error()),
        text: event.error_text(),
        fatal,
    })
}

fn log_line(event: &Event) {
    let (mut facility, mut line) = (ptr::null::<c_char>(), ptr::null::<c_char>());
    let mut level = 0;
    // SAFETY: the event is alive and lends two C strings.
    let failed =
        unsafe { sys::rd_kafka_event_log(event.ptr(), &raw mut facility, &raw mut line, &raw mut level) };
    if failed == 0 {
        // SAFETY: C strings, and the event outlives this function.
        let facility = unsafe { native::text(facility) };
        // SAFETY: as above.
        let line = unsafe { native::text(line) };
        native::log(level, "consumer", &facility, &line);
    }
}
