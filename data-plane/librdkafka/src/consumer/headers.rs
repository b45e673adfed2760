//! Headers of a message that was read.

use std::ptr;
use std::sync::Arc;

use bytes::Bytes;
use rdkafka_sys as sys;
use rdkafka_sys::types::RDKafkaErrorCode;

use super::fetch::slice;
use crate::Header;
use crate::native;

const NO_ERROR: sys::rd_kafka_resp_err_t = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;

/// The headers of a message; an error if they cannot be parsed.
pub(super) fn of(message: &sys::rd_kafka_message_t) -> Result<Vec<Header>, RDKafkaErrorCode> {
    if has_none(message) {
        debug_assert_eq!(
            parse(message),
            Ok(Vec::new()),
            "a message without headers by its bytes has none"
        );
        return Ok(Vec::new());
    }
    parse(message)
}

/// Whether the bytes of the record say that it has no headers.
///
/// Asking librdkafka costs a third of all it takes to consume a small record, since it sets up a parser each time to find
/// that out. So one byte of the record is looked at. In a record of format 2, `value length, value, header count,
/// headers` follow each other; librdkafka lends key and value as they lie in the buffer that was fetched or decompressed.
fn has_none(message: &sys::rd_kafka_message_t) -> bool {
    const VALUE_IS_NULL: u8 = 1; // the length -1 as a zigzag varint
    // Empty keys and values are not lent from the buffer, so they say nothing about what follows them.
    let (last, skipped) = match (message.payload.is_null(), message.len, message.key_len) {
        (false, 1.., _) => (message.payload.cast::<u8>().wrapping_add(message.len), 0),
        (true, _, 1..) => (message.key.cast::<u8>().wrapping_add(message.key_len), 1),
        _ => return false,
    };
    // SAFETY: the message is alive.
    let epoch = unsafe { sys::rd_kafka_message_leader_epoch(message) };
    if epoch < 0 {
        // Only format 2 has a leader epoch: in another format there may be nothing behind the value.
        return false;
    }
    // SAFETY: in format 2 at least one byte follows value or key in the same buffer: the header count after a value,
    // the length of the null value after a key.
    let first = unsafe { last.read() };
    if skipped == 0 {
        return first == 0;
    }
    if first != VALUE_IS_NULL {
        return false;
    }
    // SAFETY: behind the length of a null value comes the header count.
    unsafe { last.wrapping_add(1).read() == 0 }
}

fn parse(message: &sys::rd_kafka_message_t) -> Result<Vec<Header>, RDKafkaErrorCode> {
    let mut list = ptr::null_mut();
    // SAFETY: the message is alive and keeps the list.
    let error = unsafe { sys::rd_kafka_message_headers(message, &raw mut list) };
    match RDKafkaErrorCode::from(error) {
        RDKafkaErrorCode::NoError => {}
        RDKafkaErrorCode::NoEnt => return Ok(Vec::new()),
        code => return Err(code),
    }
    let mut headers = Vec::new();
    loop {
        let (mut name, mut value, mut len) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the list is alive; an index beyond its end is answered with an error.
        let error = unsafe {
            sys::rd_kafka_header_get_all(list, headers.len(), &raw mut name, &raw mut value, &raw mut len)
        };
        if error != NO_ERROR {
            return Ok(headers);
        }
        // SAFETY: a header's name is a C string and lives as long as the list.
        let name = Arc::from(unsafe { native::text(name) });
        // SAFETY: the value has `len` bytes and lives as long as the list.
        let value = unsafe { slice(value, len) };
        headers.push((name, value.map(Bytes::copy_from_slice)));
    }
}
