//! Offsets of consumer groups that have no members: the requests that the `rdkafka` crate has no calls for. They block
//! their thread.

use std::ffi::{CString, c_int};
use std::ptr::{self, NonNull};
use std::time::Duration;

use rdkafka::client::{Client, ClientContext};
use rdkafka::error::KafkaResult;
use rdkafka::{Offset, TopicPartitionList};
use rdkafka_sys as sys;
use rdkafka_sys::types::RDKafkaErrorCode;

use crate::TopicPartition;
use crate::error::GroupOffsetsError;
use crate::native::{Event, text};

/// What is done to the offsets of a group.
#[derive(Debug, Clone, Copy)]
pub enum GroupOffsets<'a> {
    Set(&'a [(TopicPartition, i64)]),
    Delete(&'a [TopicPartition]),
}

/// Changes the offsets of a group, all or those that the broker lets through.
///
/// # Errors
/// When the group has members or cannot be reached, and for the first partition that was refused.
pub fn change_group_offsets<C: ClientContext>(
    client: &Client<C>,
    group: &str,
    change: GroupOffsets<'_>,
    timeout: Duration,
) -> Result<(), GroupOffsetsError> {
    let refused = |code, reason: &str| GroupOffsetsError {
        group: group.to_owned(),
        code,
        reason: reason.to_owned(),
    };
    let invalid = |_| refused(RDKafkaErrorCode::InvalidArgument, "it cannot be asked for");
    let name = CString::new(group)
        .map_err(|_| refused(RDKafkaErrorCode::InvalidGroupId, "no group can have this name"))?;
    let list = change.list().map_err(invalid)?;
    let options = Options::new(client, change.operation(), timeout);
    let queue = Replies::new(client);
    change.send(client, &name, (&list, &options, &queue));
    // The broker answers within the request's time; the client itself ends a request that it could not send.
    let event = queue
        .wait(timeout.saturating_mul(2))
        .ok_or_else(|| refused(RDKafkaErrorCode::OperationTimedOut, "no answer came in time"))?;
    if event.error() != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
        return Err(refused(
            RDKafkaErrorCode::from(event.error()),
            &event.error_text(),
        ));
    }
    change
        .judge(&event)
        .map_err(|(code, reason)| refused(code, &reason))
}

impl GroupOffsets<'_> {
    fn list(self) -> KafkaResult<TopicPartitionList> {
        let mut list = TopicPartitionList::new();
        match self {
            Self::Set(offsets) => {
                for (entry, offset) in offsets {
                    list.add_partition_offset(&entry.topic, entry.partition, Offset::Offset(*offset))?;
                }
            }
            Self::Delete(partitions) => {
                for entry in partitions {
                    list.add_partition(&entry.topic, entry.partition);
                }
            }
        }
        Ok(list)
    }

    fn operation(self) -> sys::rd_kafka_admin_op_t {
        match self {
            Self::Set(_) => sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS,
            Self::Delete(_) => sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DELETECONSUMERGROUPOFFSETS,
        }
    }

    fn send<C: ClientContext>(
        self,
        client: &Client<C>,
        group: &CString,
        (list, options, replies): (&TopicPartitionList, &Options, &Replies),
    ) {
        let (rk, list) = (client.native_ptr(), list.ptr());
        let (options, queue) = (options.0.as_ptr(), replies.0.as_ptr());
        match self {
            Self::Set(_) => {
                // SAFETY: a C string and a list that live for the call, which copies them.
                let mut request =
                    unsafe { sys::rd_kafka_AlterConsumerGroupOffsets_new(group.as_ptr(), list) };
                // SAFETY: everything is alive, there is one request, and librdkafka copies it.
                unsafe { sys::rd_kafka_AlterConsumerGroupOffsets(rk, &raw mut request, 1, options, queue) };
                // SAFETY: the request is ours and not used after this.
                unsafe { sys::rd_kafka_AlterConsumerGroupOffsets_destroy(request) };
            }
            Self::Delete(_) => {
                // SAFETY: a C string and a list that live for the call, which copies them.
                let mut request =
                    unsafe { sys::rd_kafka_DeleteConsumerGroupOffsets_new(group.as_ptr(), list) };
                // SAFETY: everything is alive, there is one request, and librdkafka copies it.
                unsafe { sys::rd_kafka_DeleteConsumerGroupOffsets(rk, &raw mut request, 1, options, queue) };
                // SAFETY: the request is ours and not used after this.
                unsafe { sys::rd_kafka_DeleteConsumerGroupOffsets_destroy(request) };
            }
        }
    }

    /// The error of the group, or of its first partition that has one.
    fn judge(self, event: &Event) -> Result<(), (RDKafkaErrorCode, String)> {
        let Some(group) = self.group_result(event) else {
            return Err((
                RDKafkaErrorCode::BadMessage,
                "the answer names no group".to_owned(),
            ));
        };
        // SAFETY: the result lives as long as the event, which is borrowed; so does what it lends.
        let error = unsafe { sys::rd_kafka_group_result_error(group) };
        if !error.is_null() {
            // SAFETY: not null, and lent by the result.
            let code = unsafe { sys::rd_kafka_error_code(error) };
            // SAFETY: as above.
            let lent = unsafe { sys::rd_kafka_error_string(error) };
            // SAFETY: a C string that lives as long as the error.
            let reason = unsafe { text(lent) }.into_owned();
            return Err((RDKafkaErrorCode::from(code), reason));
        }
        // SAFETY: as of the error above.
        let list = unsafe { sys::rd_kafka_group_result_partitions(group) };
        // SAFETY: null, or a list that lives as long as the event.
        let Some(list) = (unsafe { list.as_ref() }) else {
            return Ok(());
        };
        let count = usize::try_from(list.cnt).unwrap_or(0);
        if count == 0 {
            return Ok(());
        }
        // SAFETY: a list that is not empty has `cnt` elements.
        let partitions = unsafe { std::slice::from_raw_parts(list.elems, count) };
        let no_error = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        match partitions.iter().find(|partition| partition.err != no_error) {
            None => Ok(()),
            Some(refused) => {
                // SAFETY: each element has the name of its topic.
                let topic = unsafe { text(refused.topic) };
                let code = RDKafkaErrorCode::from(refused.err);
                Err((code, format!("topic \"{topic}\" partition {}", refused.partition)))
            }
        }
    }

    fn group_result(self, event: &Event) -> Option<*const sys::rd_kafka_group_result_t> {
        let mut count = 0;
        let groups = match self {
            Self::Set(_) => {
                // SAFETY: the event is alive; null if it is of another kind.
                let result = unsafe { sys::rd_kafka_event_AlterConsumerGroupOffsets_result(event.ptr()) };
                if result.is_null() {
                    return None;
                }
                // SAFETY: the result lives as long as the event.
                unsafe { sys::rd_kafka_AlterConsumerGroupOffsets_result_groups(result, &raw mut count) }
            }
            Self::Delete(_) => {
                // SAFETY: the event is alive; null if it is of another kind.
                let result = unsafe { sys::rd_kafka_event_DeleteConsumerGroupOffsets_result(event.ptr()) };
                if result.is_null() {
                    return None;
                }
                // SAFETY: the result lives as long as the event.
                unsafe { sys::rd_kafka_DeleteConsumerGroupOffsets_result_groups(result, &raw mut count) }
            }
        };
        if count == 0 || groups.is_null() {
            return None;
        }
        // SAFETY: an array that is not empty.
        Some(unsafe { *groups })
    }
}

/// Of one request.
struct Options(NonNull<sys::rd_kafka_AdminOptions_t>);

impl Options {
    fn new<C: ClientContext>(
        client: &Client<C>,
        operation: sys::rd_kafka_admin_op_t,
        timeout: Duration,
    ) -> Self {
        // SAFETY: the client is alive.
        let options = unsafe { sys::rd_kafka_AdminOptions_new(client.native_ptr(), operation) };
        let options = NonNull::new(options).expect("librdkafka has options for each of its requests");
        let millis = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: the options are ours; no text is asked for. A time that is out of range leaves the default.
        unsafe {
            sys::rd_kafka_AdminOptions_set_request_timeout(options.as_ptr(), millis, ptr::null_mut(), 0)
        };
        Self(options)
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: the options are ours and not used after this.
        unsafe { sys::rd_kafka_AdminOptions_destroy(self.0.as_ptr()) };
    }
}

/// Where the answer arrives.
struct Replies(NonNull<sys::rd_kafka_queue_t>);

impl Replies {
    fn new<C: ClientContext>(client: &Client<C>) -> Self {
        // SAFETY: the client is alive, and outlives this, which lives within one call.
        let queue = unsafe { sys::rd_kafka_queue_new(client.native_ptr()) };
        Self(NonNull::new(queue).expect("librdkafka makes a queue whenever it is asked for one"))
    }

    fn wait(&self, timeout: Duration) -> Option<Event> {
        let millis = c_int::try_from(timeout.as_millis()).unwrap_or(c_int::MAX);
        // SAFETY: the queue is ours.
        let event = unsafe { sys::rd_kafka_queue_poll(self.0.as_ptr(), millis) };
        NonNull::new(event).map(Event::of)
    }
}

impl Drop for Replies {
    fn drop(&mut self) {
        // SAFETY: the queue is ours and not used after this. An answer that comes later is dropped by librdkafka.
        unsafe { sys::rd_kafka_queue_destroy(self.0.as_ptr()) };
    }
}
