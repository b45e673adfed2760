//! Producers of transactions, and what their settings mean to others.

use super::draft::Draft;
use super::rules::{clamped, flag};

const KEYS: [&str; 3] = [
    "transaction.timeout.ms",
    "transaction.two.phase.commit.enable",
    "transactional.id",
];
/// Kafka's default, and librdkafka's.
const DEFAULT_TIMEOUT_MS: i64 = 60_000;
/// librdkafka's limits.
const TIMEOUT_MS: (i64, i64) = (1000, i32::MAX as i64);

/// For a producer without transactions.
pub(super) fn none(draft: &mut Draft<'_>) {
    for key in KEYS {
        draft.warn(key, "does nothing: this task's producer has no transactions");
    }
}

/// For a producer with this transactional id: what transactions ask for replaces what the user chose.
pub(super) fn apply(draft: &mut Draft<'_>, id: &str) {
    draft.warn("transactional.id", "is replaced: the task's own is used");
    draft.warn(
        "transaction.two.phase.commit.enable",
        "does nothing: a transaction of a task has one phase",
    );
    if flag(draft, "enable.idempotence") == Some(false) {
        draft.warn(
            "enable.idempotence",
            "is replaced by true, which transactions ask for",
        );
    }
    let replaced = [
        (
            "acks",
            draft.settings.get("acks").is_some_and(|acks| acks != "-1"),
            "all",
        ),
        (
            "max.in.flight.requests.per.connection",
            number(draft, "max.in.flight.requests.per.connection").is_some_and(|count| count > 5),
            "5",
        ),
        (
            "retries",
            number(draft, "message.send.max.retries") == Some(0),
            "its default",
        ),
    ];
    for (key, _, with) in replaced.iter().filter(|(_, is_against, _)| *is_against) {
        draft.warn(key, format!("is replaced by {with}, which transactions ask for"));
    }
    draft.set("transactional.id", id);
    draft.set("enable.idempotence", "true");
    draft.set("acks", "-1");
    draft.settings.remove("message.send.max.retries");
    let in_flight = number(draft, "max.in.flight.requests.per.connection").unwrap_or(5);
    draft.set(
        "max.in.flight.requests.per.connection",
        in_flight.min(5).to_string(),
    );
    let (least, most) = TIMEOUT_MS;
    let timeout = clamped(draft, "transaction.timeout.ms", least, most).unwrap_or(DEFAULT_TIMEOUT_MS);
    draft.set("transaction.timeout.ms", timeout.to_string());
    draft.ours.transaction_timeout = super::rules::millis(timeout.unsigned_abs());
    // Neither a record nor a request outlives its transaction.
    for name in ["message.timeout.ms", "socket.timeout.ms"] {
        let longer = number(draft, name).is_some_and(|millis| millis == 0 || millis > timeout);
        if longer {
            draft.set(name, timeout.to_string());
        }
    }
    // Half of it is left for the way.
    let longest = timeout / 2;
    if number(draft, "linger.ms").is_some_and(|millis| millis > longest) {
        draft.warn(
            "linger.ms",
            format!("{longest} is used: a transaction may not be open for longer"),
        );
        draft.set("linger.ms", longest.to_string());
    }
}

/// What librdkafka is given so far.
fn number(draft: &Draft<'_>, name: &str) -> Option<i64> {
    draft.settings.get(name)?.parse().ok()
}
