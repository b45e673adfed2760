//! Producers: order, delivery, compression and partitions.

use super::draft::Draft;
use super::rules::{clamped, flag, number};

/// librdkafka keeps the order of an idempotent producer with up to this many requests under way.
const MAX_IDEMPOTENT_IN_FLIGHT: i64 = 5;
/// Java's default; librdkafka's is 1,000,000.
const MAX_REQUEST_SIZE: &str = "1048576";
/// librdkafka's limits.
const MAX_IN_FLIGHT: i64 = 1_000_000;
const MAX_COMPRESSION_LEVEL: i64 = 12;
const KBYTES: usize = 1024;

pub(super) fn apply(draft: &mut Draft<'_>) {
    if draft.get("max.request.size").is_none() {
        draft.set("message.max.bytes", MAX_REQUEST_SIZE);
    }
    order(draft);
    delivery(draft);
    compression(draft);
    partitioner(draft);
    // A record larger than the buffer goes alone, which librdkafka's limit must not forbid.
    let largest = draft
        .settings
        .get("message.max.bytes")
        .and_then(|bytes| bytes.parse().ok())
        .unwrap_or(0);
    let kbytes = draft
        .ours
        .buffer_memory
        .get()
        .max(largest)
        .div_ceil(KBYTES)
        .min(2_147_483_647);
    draft.set("queue.buffering.max.kbytes", kbytes.to_string());
}

/// Kafka Connect keeps the order of records with one request at a time and no idempotence. An idempotent producer keeps
/// it, and does not write a record twice when an answer is lost; so that is what is used, unless the user's own settings
/// are against it. (Without idempotence, librdkafka 2.12 has a second request ready while one is under way, which
/// overtakes that one when it has to be sent again. With it, a batch of a partition waits for the answer to the one
/// before, since the limit of five counts messages; how much may wait meanwhile is bounded, so that it does not spin.)
fn order(draft: &mut Draft<'_>) {
    let acks = acks(draft);
    let wanted = draft
        .chosen("enable.idempotence")
        .and_then(|_| flag(draft, "enable.idempotence"));
    let in_flight = clamped(draft, "max.in.flight.requests.per.connection", 1, MAX_IN_FLIGHT);
    let retries = clamped(draft, "retries", 0, i32::MAX.into());
    let against = [
        (
            acks.is_some_and(|acks| acks != -1),
            "acks",
            "must be `all` with `enable.idempotence=true`",
        ),
        (
            in_flight.is_some_and(|count| count > MAX_IDEMPOTENT_IN_FLIGHT),
            "max.in.flight.requests.per.connection",
            "must be at most 5 with `enable.idempotence=true`",
        ),
        (
            retries == Some(0),
            "retries",
            "must be at least 1 with `enable.idempotence=true`",
        ),
    ];
    let possible = against.iter().all(|(is_against, ..)| !is_against);
    if wanted == Some(true) {
        for (_, key, message) in against.iter().filter(|(is_against, ..)| *is_against) {
            draft.problem(key, *message);
        }
    }
    let idempotent = wanted.unwrap_or(possible);
    let default_in_flight = if idempotent { MAX_IDEMPOTENT_IN_FLIGHT } else { 1 };
    draft.set("enable.idempotence", idempotent.to_string());
    draft.set(
        "max.in.flight.requests.per.connection",
        in_flight.unwrap_or(default_in_flight).to_string(),
    );
    if let Some(retries) = retries {
        draft.set("message.send.max.retries", retries.to_string());
    }
}

/// The number that librdkafka has for `acks`.
fn acks(draft: &mut Draft<'_>) -> Option<i64> {
    let acks = match draft.get("acks")? {
        "all" | "-1" => -1,
        "0" => 0,
        "1" => 1,
        _ => {
            draft.problem("acks", "must be `all`, `-1`, `0` or `1`");
            return None;
        }
    };
    draft.set("acks", acks.to_string());
    Some(acks)
}

fn delivery(draft: &mut Draft<'_>) {
    if let Some(timeout) = number(draft, "delivery.timeout.ms") {
        // Java's largest number is its way to write "for ever", librdkafka's is 0.
        let timeout = if timeout >= i32::MAX.into() {
            0
        } else {
            timeout.max(1)
        };
        draft.set("message.timeout.ms", timeout.to_string());
    }
    if let Some(block) = number(draft, "max.block.ms") {
        draft.ours.max_block = (block < i64::MAX).then(|| super::rules::millis(block.max(0).unsigned_abs()));
    }
}

fn compression(draft: &mut Draft<'_>) {
    let used = draft
        .get("compression.type")
        .unwrap_or("none")
        .to_ascii_lowercase();
    for (codec, key) in [
        ("gzip", "compression.gzip.level"),
        ("lz4", "compression.lz4.level"),
        ("zstd", "compression.zstd.level"),
    ] {
        if codec == used
            && let Some(level) = clamped(draft, key, -1, MAX_COMPRESSION_LEVEL)
        {
            draft.set("compression.level", level.to_string());
        }
    }
}

fn partitioner(draft: &mut Draft<'_>) {
    // Java's hash of the key; without a key, one partition a batch.
    let mut partitioner = "murmur2_random";
    if draft.get("partitioner.ignore.keys").is_some() && flag(draft, "partitioner.ignore.keys") == Some(true)
    {
        partitioner = "random";
    }
    let class = draft
        .filled("partitioner.class")
        .map(|class| class.rsplit('.').next().unwrap_or(class));
    match class {
        None | Some("DefaultPartitioner" | "BuiltInPartitioner" | "UniformStickyPartitioner") => {}
        Some("RoundRobinPartitioner") => {
            partitioner = "random";
            draft.warn("partitioner.class", "records go to random partitions, which is as even in the long run");
        }
        Some(_) => draft.warn(
            "partitioner.class",
            "is not loaded, it is a Java class: the partition follows from the hash of the key, as is Kafka's default",
        ),
    }
    draft.set("partitioner", partitioner);
}
