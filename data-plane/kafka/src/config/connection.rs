//! Connections to brokers: what all clients have, and where librdkafka's defaults or limits are not Java's.

use super::draft::Draft;
use super::rules::{clamped, number};

/// Java's defaults; librdkafka waits up to 10 s before it tries a broker again.
const RECONNECT_BACKOFF_MS: i64 = 50;
const RECONNECT_BACKOFF_MAX_MS: i64 = 1000;
/// librdkafka's limits.
const HOUR_MS: i64 = 3_600_000;
const SOCKET_TIMEOUT_MS: (i64, i64) = (10, 300_000);
const SOCKET_BUFFER_BYTES: i64 = 100_000_000;

pub(super) fn apply(draft: &mut Draft<'_>) {
    draft.set("client.software.name", "towpath");
    draft.set("client.software.version", env!("CARGO_PKG_VERSION"));
    // As Java does.
    draft.set("socket.keepalive.enable", "true");
    // Brokers close idle connections all the time.
    draft.set("log.connection.close", "false");
    backoff(draft);
    request_timeout(draft);
    if let Some(age) = clamped(draft, "metadata.max.age.ms", 1, HOUR_MS) {
        draft.set("topic.metadata.refresh.interval.ms", age.to_string());
        draft.ours.metadata_max_age = super::rules::millis(age.unsigned_abs());
    }
    // -1 is "never" for Java, 0 for librdkafka.
    if let Some(idle) = number(draft, "connections.max.idle.ms") {
        draft.set(
            "connections.max.idle.ms",
            idle.clamp(0, i32::MAX.into()).to_string(),
        );
    }
    // -1 is "as the system has it" for Java, 0 for librdkafka.
    for (key, name) in [
        ("receive.buffer.bytes", "socket.receive.buffer.bytes"),
        ("send.buffer.bytes", "socket.send.buffer.bytes"),
    ] {
        if let Some(bytes) = number(draft, key) {
            draft.set(name, bytes.clamp(0, SOCKET_BUFFER_BYTES).to_string());
        }
    }
}

fn backoff(draft: &mut Draft<'_>) {
    let first = clamped(draft, "reconnect.backoff.ms", 0, HOUR_MS).unwrap_or(RECONNECT_BACKOFF_MS);
    let most = clamped(draft, "reconnect.backoff.max.ms", 0, HOUR_MS).unwrap_or(RECONNECT_BACKOFF_MAX_MS);
    draft.set("reconnect.backoff.ms", first.to_string());
    // Java takes the first for all if it is larger.
    draft.set("reconnect.backoff.max.ms", most.max(first).to_string());
}

fn request_timeout(draft: &mut Draft<'_>) {
    let (least, most) = SOCKET_TIMEOUT_MS;
    if let Some(timeout) = clamped(draft, "request.timeout.ms", least, most) {
        draft.set("socket.timeout.ms", timeout.to_string());
        if draft.client == towpath_runtime::validation::Client::Producer {
            // How long the leader waits for its followers.
            draft.set("request.timeout.ms", timeout.to_string());
        }
    }
}
