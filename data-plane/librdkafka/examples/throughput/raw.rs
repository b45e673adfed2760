//! The ceiling: librdkafka's batch calls with nothing around them.

use std::ffi::{CString, c_int};
use std::ptr;
use std::sync::Arc;
use std::time::Instant;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka_sys as sys;

use super::{Lived, Outcome, TIMEOUT, Work};

const NO_ERROR: sys::rd_kafka_resp_err_t = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
const QUEUE_FULL: sys::rd_kafka_resp_err_t = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__QUEUE_FULL;

struct Client(*mut sys::rd_kafka_t);

impl Drop for Client {
    fn drop(&mut self) {
        // SAFETY: the only owner.
        unsafe { sys::rd_kafka_destroy(self.0) };
    }
}

/// `rd_kafka_produce_batch` and delivery events.
pub(super) fn produce(work: &Work, topic: &Arc<str>) -> Outcome<Lived> {
    let config = work.producer_config().create_native_config()?;
    // SAFETY: a valid configuration.
    unsafe { sys::rd_kafka_conf_set_events(config.ptr(), sys::RD_KAFKA_EVENT_DR) };
    let mut text = [0u8; 512];
    let kind = sys::rd_kafka_type_t::RD_KAFKA_PRODUCER;
    // SAFETY: a valid configuration, which is taken over, and a buffer of the length given.
    let client = unsafe { sys::rd_kafka_new(kind, config.ptr(), text.as_mut_ptr().cast(), text.len()) };
    std::mem::forget(config);
    let client = Client(client);
    let name = CString::new(&**topic)?;
    // SAFETY: the client is alive.
    let topic = unsafe { sys::rd_kafka_topic_new(client.0, name.as_ptr(), ptr::null_mut()) };
    // SAFETY: the client is alive.
    let queue = unsafe { sys::rd_kafka_queue_get_main(client.0) };
    let empty = sys::rd_kafka_message_t {
        err: NO_ERROR,
        rkt: ptr::null_mut(),
        partition: 0,
        payload: work.value.as_ptr().cast_mut().cast(),
        len: work.value.len(),
        key: ptr::null_mut(),
        key_len: 0,
        offset: 0,
        _private: ptr::null_mut(),
    };
    let (mut sent, mut done) = (0, 0);
    while done < work.records {
        let mut batch = vec![empty; work.poll.min(work.records - sent)];
        let mut wait = 0;
        if !batch.is_empty() {
            let count = c_int::try_from(batch.len())?;
            // SAFETY: topic and payload are alive, the array has `count` messages.
            sent += usize::try_from(unsafe {
                sys::rd_kafka_produce_batch(topic, -1, sys::RD_KAFKA_MSG_F_COPY, batch.as_mut_ptr(), count)
            })?;
        }
        if batch.last().is_none_or(|last| last.err == QUEUE_FULL) {
            wait = 100;
        }
        done += delivered(queue, wait)?;
    }
    // SAFETY: both are ours.
    unsafe { sys::rd_kafka_queue_destroy(queue) };
    // SAFETY: as above.
    unsafe { sys::rd_kafka_topic_destroy(topic) };
    Ok(Box::new(client))
}

fn delivered(queue: *mut sys::rd_kafka_queue_t, wait_ms: c_int) -> Outcome<usize> {
    // SAFETY: the queue is alive.
    let event = unsafe { sys::rd_kafka_queue_poll(queue, wait_ms) };
    if event.is_null() {
        return Ok(0);
    }
    let mut done = 0;
    loop {
        // SAFETY: the event is alive.
        let message = unsafe { sys::rd_kafka_event_message_next(event) };
        // SAFETY: null, or a message of the event.
        let Some(message) = (unsafe { message.as_ref() }) else {
            break;
        };
        if message.err != NO_ERROR {
            return Err(format!("{:?}", message.err).into());
        }
        done += 1;
    }
    // SAFETY: the event is ours.
    unsafe { sys::rd_kafka_event_destroy(event) };
    Ok(done)
}

/// `rd_kafka_consume_batch_queue` on the forwarded queue of the one partition.
pub(super) fn consume(work: &Work, topic: &Arc<str>) -> Outcome<Lived> {
    let consumer: BaseConsumer = work.consumer_config("raw").create()?;
    let client = consumer.client().native_ptr();
    let name = CString::new(&**topic)?;
    // SAFETY: the client is alive.
    let queue = unsafe { sys::rd_kafka_queue_new(client) };
    // SAFETY: the client is alive.
    let source = unsafe { sys::rd_kafka_queue_get_partition(client, name.as_ptr(), 0) };
    // SAFETY: both queues are alive.
    unsafe { sys::rd_kafka_queue_forward(source, queue) };
    // SAFETY: ours.
    unsafe { sys::rd_kafka_queue_destroy(source) };
    consumer.subscribe(&[topic])?;
    let mut batch = vec![ptr::null_mut(); work.poll];
    let (mut done, mut bytes) = (0, 0);
    let deadline = Instant::now() + TIMEOUT;
    while done < work.records && Instant::now() < deadline {
        if done == 0 {
            consumer.poll(std::time::Duration::ZERO);
        }
        // SAFETY: the queue is alive, the array has the length given.
        let count = unsafe { sys::rd_kafka_consume_batch_queue(queue, 10, batch.as_mut_ptr(), batch.len()) };
        for &message in batch.iter().take(usize::try_from(count)?) {
            // SAFETY: the message is ours until it is destroyed.
            bytes += unsafe { &*message }.len;
            // SAFETY: as above.
            unsafe { sys::rd_kafka_message_destroy(message) };
            done += 1;
        }
    }
    // SAFETY: ours.
    unsafe { sys::rd_kafka_queue_destroy(queue) };
    if done < work.records || bytes != done * work.value.len() {
        return Err(format!("read {done} records and {bytes} bytes").into());
    }
    Ok(Box::new(consumer))
}
