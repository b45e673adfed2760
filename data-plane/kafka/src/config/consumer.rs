//! Consumers: groups, where to begin, and how much to hold.

use super::draft::Draft;
use super::rules::{clamped, flag};

/// librdkafka fetches ahead of the reader up to this many records or kilobytes; each record costs it some 500 bytes
/// beside its own. Twice the records that are read at a time with a large `max.poll.records` would do; more only costs
/// memory.
const QUEUED_MIN_MESSAGES: &str = "20000";
const QUEUED_MAX_KBYTES: &str = "16384";
/// How soon fetching goes on after that limit was hit. librdkafka's default of 1 s lets a fast reader wait for nothing.
const FETCH_QUEUE_BACKOFF_MS: &str = "5";
/// What one answer may bring, all partitions together: what is fetched at once is held at once.
const FETCH_MAX_BYTES: i64 = 8 << 20;
/// librdkafka wants the largest message to fit in a fetch; this is its default for that.
const MESSAGE_MAX_BYTES: i64 = 1_000_000;
const FETCH_LIMITS: (i64, i64) = (1000, 2_147_483_135);

/// Defaults of both clients.
const SESSION_TIMEOUT_MS: i64 = 45_000;
const POLL_INTERVAL_MS: i64 = 300_000;
/// Brokers' default for `group.min.session.timeout.ms`.
const LEAST_SESSION_MS: i64 = 6_000;

pub(super) fn apply(draft: &mut Draft<'_>) {
    for (name, value) in [
        ("enable.auto.commit", "false"),
        ("enable.auto.offset.store", "false"),
        ("queued.min.messages", QUEUED_MIN_MESSAGES),
        ("queued.max.messages.kbytes", QUEUED_MAX_KBYTES),
        ("fetch.queue.backoff.ms", FETCH_QUEUE_BACKOFF_MS),
    ] {
        draft.set(name, value);
    }
    // Where librdkafka's defaults are not Java's.
    for (key, value) in [
        ("isolation.level", "read_uncommitted"),
        ("check.crcs", "true"),
        ("allow.auto.create.topics", "true"),
    ] {
        if draft.filled(key).is_none() {
            draft.set(key, value);
        }
    }
    if draft.get("enable.auto.commit").is_some() && flag(draft, "enable.auto.commit") == Some(true) {
        draft.warn(
            "enable.auto.commit",
            "does nothing: the task commits what it has delivered",
        );
    }
    reset(draft);
    fetch_size(draft);
    group(draft);
}

fn reset(draft: &mut Draft<'_>) {
    let Some(reset) = draft.filled("auto.offset.reset") else {
        return;
    };
    match reset.to_ascii_lowercase().as_str() {
        known @ ("earliest" | "latest") => draft.set("auto.offset.reset", known),
        "none" => draft.set("auto.offset.reset", "error"),
        _ => draft.problem("auto.offset.reset", "must be `earliest`, `latest` or `none`"),
    }
}

fn fetch_size(draft: &mut Draft<'_>) {
    let (least, most) = FETCH_LIMITS;
    let bytes = clamped(draft, "fetch.max.bytes", least, most).unwrap_or(FETCH_MAX_BYTES);
    draft.set("fetch.max.bytes", bytes.to_string());
    if bytes < MESSAGE_MAX_BYTES {
        draft.set("message.max.bytes", bytes.to_string());
    }
}

fn group(draft: &mut Draft<'_>) {
    let protocol = draft
        .filled("group.protocol")
        .unwrap_or("classic")
        .to_ascii_lowercase();
    draft.set("group.protocol", protocol.as_str());
    if protocol == "consumer" {
        for key in [
            "session.timeout.ms",
            "heartbeat.interval.ms",
            "partition.assignment.strategy",
        ] {
            draft.warn(
                key,
                "does nothing with `group.protocol=consumer`: the broker decides",
            );
        }
        if let Some(assignor) = draft.filled("group.remote.assignor") {
            draft.set("group.remote.assignor", assignor);
        }
        return;
    }
    draft.warn(
        "group.remote.assignor",
        "does nothing without `group.protocol=consumer`",
    );
    for key in ["session.timeout.ms", "heartbeat.interval.ms"] {
        if let Some(millis) = clamped(draft, key, 1, 3_600_000) {
            draft.set(key, millis.to_string());
        }
    }
    session(draft);
    assignment(draft);
}

/// librdkafka refuses a session that is longer than the time between two polls. Java does not mind.
fn session(draft: &mut Draft<'_>) {
    const SESSION: &str = "session.timeout.ms";
    const POLL: &str = "max.poll.interval.ms";
    let number = |draft: &Draft<'_>, key: &str, default: i64| {
        let number = draft.settings.get(key).and_then(|millis| millis.parse().ok());
        number.unwrap_or(default)
    };
    let (session, poll) = (
        number(draft, SESSION, SESSION_TIMEOUT_MS),
        number(draft, POLL, POLL_INTERVAL_MS),
    );
    if session <= poll {
        return;
    }
    let both = poll.max(LEAST_SESSION_MS);
    draft.set(SESSION, both.to_string());
    draft.set(POLL, both.to_string());
    if both != poll {
        draft.warn(POLL, format!("{both} is used: brokers refuse shorter sessions"));
    }
    let why = "it cannot be longer than `max.poll.interval.ms`";
    draft.warn(SESSION, format!("{both} is used: {why}"));
}

/// librdkafka cannot mix the two kinds of rebalance, as Java can for a while: the first of the list decides.
fn assignment(draft: &mut Draft<'_>) {
    const KEY: &str = "partition.assignment.strategy";
    let mut chosen: Vec<&str> = Vec::new();
    let classes = draft
        .filled(KEY)
        .unwrap_or("org.apache.kafka.clients.consumer.RangeAssignor");
    for class in classes
        .split(',')
        .map(|class| class.trim().trim_start_matches("class "))
    {
        let strategy = match class.rsplit('.').next().unwrap_or(class) {
            "RangeAssignor" | "range" => "range",
            "RoundRobinAssignor" | "roundrobin" => "roundrobin",
            "CooperativeStickyAssignor" | "cooperative-sticky" => "cooperative-sticky",
            other => {
                draft.warn(
                    KEY,
                    format!("`{other}` is left out: there are range, round robin and cooperative sticky"),
                );
                continue;
            }
        };
        let mixed = chosen
            .iter()
            .any(|known| (*known == "cooperative-sticky") != (strategy == "cooperative-sticky"));
        if mixed {
            draft.warn(
                KEY,
                format!(
                    "`{strategy}` is left out: it cannot be mixed with `{}`",
                    chosen.join(",")
                ),
            );
        } else {
            chosen.push(strategy);
        }
    }
    if chosen.is_empty() {
        chosen.push("range");
    }
    draft.set(KEY, chosen.join(","));
}
