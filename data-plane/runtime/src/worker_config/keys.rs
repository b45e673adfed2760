//! The keys of worker files: those that mean something here, and those that people have in their files for the Java
//! worker and that are taken without a word.

use towpath_connect::config_def::{ConfigValue, Validator, invalid};
use towpath_connect::{ConfigDef, ConfigKey};
use towpath_types::parse_labels;

use super::WorkerKind;
use super::listeners::Listener;
use crate::validation::Client;

pub(super) const BOOTSTRAP_SERVERS: &str = "bootstrap.servers";
pub(super) const GROUP_ID: &str = "group.id";
pub(super) const KEY_CONVERTER: &str = "key.converter";
pub(super) const VALUE_CONVERTER: &str = "value.converter";
pub(super) const HEADER_CONVERTER: &str = "header.converter";
pub(super) const CONFIG_PROVIDERS: &str = "config.providers";
pub(super) const OVERRIDE_POLICY: &str = "connector.client.config.override.policy";
pub(super) const OVERRIDE_ALLOWLIST: &str = "connector.client.config.override.allowlist";
pub(super) const LISTENERS: &str = "listeners";
pub(super) const ADMIN_LISTENERS: &str = "admin.listeners";
pub(super) const REST_EXTENSIONS: &str = "rest.extension.classes";
pub(super) const LABELS: &str = "worker.labels";
pub(super) const OFFSETS_TOPIC: &str = "offset.storage.topic";
pub(super) const OFFSETS_PARTITIONS: &str = "offset.storage.partitions";
pub(super) const OFFSETS_REPLICATION: &str = "offset.storage.replication.factor";
pub(super) const OFFSET_FILE: &str = "offset.storage.file.filename";

const DEFAULT_HEADER_CONVERTER: &str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";

/// The keys that are used, with their limits.
pub(super) fn definition(kind: WorkerKind) -> ConfigDef {
    let of_kind = match kind {
        WorkerKind::Distributed => distributed().to_vec(),
        WorkerKind::Standalone => vec![ConfigKey::string(OFFSET_FILE).high()],
    };
    data()
        .into_iter()
        .chain(rest())
        .chain(of_kind)
        .fold(ConfigDef::new(), ConfigDef::define)
}

fn data() -> Vec<ConfigKey> {
    let on = |name| ConfigKey::boolean(name).default("true").low();
    vec![
        ConfigKey::list(BOOTSTRAP_SERVERS)
            .valid(Validator::SomeUniqueItems)
            .high(),
        ConfigKey::class(KEY_CONVERTER).high(),
        ConfigKey::class(VALUE_CONVERTER).high(),
        ConfigKey::class(HEADER_CONVERTER)
            .default(DEFAULT_HEADER_CONVERTER)
            .low(),
        ConfigKey::string("client.id").default("").low(),
        ConfigKey::long("task.shutdown.graceful.timeout.ms")
            .default("5000")
            .low(),
        ConfigKey::long("offset.flush.interval.ms").default("60000").low(),
        ConfigKey::long("offset.flush.timeout.ms").default("5000").low(),
        ConfigKey::list(CONFIG_PROVIDERS)
            .default("")
            .valid(Validator::UniqueItems)
            .low(),
        ConfigKey::string(OVERRIDE_POLICY).default("All"),
        ConfigKey::list(OVERRIDE_ALLOWLIST)
            .default("")
            .valid(Validator::UniqueItems),
        ConfigKey::string(LABELS)
            .default("")
            .valid(Validator::Custom(labels))
            .low(),
        on("topic.creation.enable"),
        on("topic.tracking.enable"),
        on("topic.tracking.allow.reset"),
    ]
}

fn rest() -> [ConfigKey; 9] {
    [
        ConfigKey::list(LISTENERS)
            .default("http://:8083")
            .valid(Validator::Custom(listeners))
            .low(),
        ConfigKey::list(ADMIN_LISTENERS)
            .default_null()
            .valid(Validator::Custom(admin_listeners))
            .low(),
        ConfigKey::string("rest.advertised.host.name")
            .default_null()
            .low(),
        ConfigKey::int("rest.advertised.port")
            .default_null()
            .valid(Validator::Custom(port))
            .low(),
        ConfigKey::string("rest.advertised.listener")
            .default_null()
            .valid(Validator::Custom(scheme))
            .low(),
        ConfigKey::string("access.control.allow.origin").default("").low(),
        ConfigKey::string("access.control.allow.methods")
            .default("")
            .low(),
        ConfigKey::string("response.http.headers.config")
            .default("")
            .low(),
        ConfigKey::list(REST_EXTENSIONS)
            .default("")
            .valid(Validator::UniqueItems)
            .low(),
    ]
}

fn distributed() -> [ConfigKey; 9] {
    [
        ConfigKey::int(OFFSETS_PARTITIONS)
            .default("25")
            .valid(Validator::Custom(positive_or_default))
            .low(),
        ConfigKey::int(OFFSETS_REPLICATION)
            .default("3")
            .valid(Validator::Custom(positive_or_default))
            .low(),
        ConfigKey::string(GROUP_ID).high(),
        ConfigKey::string("exactly.once.source.support")
            .default("disabled")
            .valid(Validator::OneOfIgnoreCase(&["DISABLED", "ENABLED", "PREPARING"]))
            .high(),
        ConfigKey::string(OFFSETS_TOPIC).default_null().high(),
        ConfigKey::list("control.plane.endpoints")
            .default("http://127.0.0.1:7083")
            .valid(Validator::SomeUniqueItems)
            .high(),
        ConfigKey::string("worker.id")
            .default_null()
            .valid(Validator::NonEmptyStringWithoutControlChars)
            .low(),
        ConfigKey::string("worker.admin.listener")
            .default("127.0.0.1:8084")
            .valid(Validator::Custom(socket_address))
            .low(),
        ConfigKey::string("lease.lost.policy")
            .default("stop")
            .valid(Validator::OneOf(&["stop", "continue"]))
            .low(),
    ]
}

/// Keys of the Java worker that have nothing to do here: groups and rebalances, its internal topics, class loading,
/// JMX. What looks like a setting of a Kafka client is known from the clients' tables.
const WITHOUT_MEANING: [&str; 26] = [
    "plugin.path",
    "plugin.discovery",
    "metrics.sample.window.ms",
    "metrics.num.samples",
    "metrics.recording.level",
    "metric.reporters",
    "ssl.client.auth",
    "session.timeout.ms",
    "rebalance.timeout.ms",
    "heartbeat.interval.ms",
    "worker.sync.timeout.ms",
    "worker.unsync.backoff.ms",
    "connect.protocol",
    "scheduled.rebalance.max.delay.ms",
    "inter.worker.key.ttl.ms",
    "inter.worker.key.generation.algorithm",
    "inter.worker.key.size",
    "inter.worker.signature.algorithm",
    "inter.worker.verification.algorithms",
    "key.converter.plugin.version",
    "value.converter.plugin.version",
    "header.converter.plugin.version",
    "offset.storage.topic",
    "config.storage.topic",
    "status.storage.topic",
    OFFSET_FILE,
];

/// What stands before the names of things with settings of their own.
const PREFIXES: [&str; 14] = [
    "key.converter.",
    "value.converter.",
    "header.converter.",
    "producer.",
    "consumer.",
    "admin.",
    "config.providers.",
    "metrics.context.",
    "listeners.https.",
    "admin.listeners.https.",
    "config.storage.",
    "offset.storage.",
    "status.storage.",
    "rest.extension.",
];

/// Keys that were taken out of Kafka Connect long ago.
const REMOVED: [&str; 2] = ["internal.key.converter", "internal.value.converter"];

/// Whether a key is one of Kafka Connect's or ours, for a worker of whatever kind.
pub(super) fn is_known(key: &str) -> bool {
    WITHOUT_MEANING.contains(&key)
        || PREFIXES.iter().any(|prefix| key.starts_with(prefix))
        || Client::Admin.keys().key(key).is_some()
        || [WorkerKind::Distributed, WorkerKind::Standalone]
            .into_iter()
            .any(|kind| definition(kind).key(key).is_some())
        || is_removed(key)
}

/// Whether a key, or a setting below it, once had a meaning.
pub(super) fn is_removed(key: &str) -> bool {
    REMOVED.iter().any(|removed| {
        key.strip_prefix(removed)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    })
}

fn listeners(_: &str, value: &ConfigValue) -> Result<(), String> {
    let ConfigValue::List(urls) = value else {
        return Ok(());
    };
    if urls.is_empty() {
        return Err(
            "Invalid value for listeners, at least one URL is expected, ex: http://localhost:8080,https://localhost:8443."
                .to_owned(),
        );
    }
    if urls.iter().any(String::is_empty) {
        return Err("Empty URL found when parsing listeners list.".to_owned());
    }
    urls.iter()
        .try_for_each(|url| Ok(Listener::parse(url).map(drop)?))
}

fn admin_listeners(key: &str, value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::List(urls) if !urls.is_empty() => {
            Validator::UniqueItems.check(key, value)?;
            listeners(key, value)
        }
        _ => Ok(()),
    }
}

fn port(key: &str, value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::Null => Ok(()),
        _ => Validator::Between(0, i64::from(u16::MAX)).check(key, value),
    }
}

fn positive_or_default(key: &str, value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::Null | ConfigValue::Int(-1 | 1..) => Ok(()),
        _ => Err(towpath_connect::config_def::invalid(
            key,
            value,
            "Value must be at least 1, or -1 to use the broker's default",
        )),
    }
}

fn scheme(key: &str, value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::Null => Ok(()),
        ConfigValue::String(text) if text.is_empty() => Ok(()),
        _ => Validator::OneOfIgnoreCase(&["HTTP", "HTTPS"]).check(key, value),
    }
}

fn labels(key: &str, value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::String(text) => match parse_labels(text) {
            Ok(_) => Ok(()),
            Err(error) => Err(invalid(key, value, &error.to_string())),
        },
        _ => Ok(()),
    }
}

fn socket_address(key: &str, value: &ConfigValue) -> Result<(), String> {
    match value {
        ConfigValue::String(text) if text.is_empty() || text.parse::<std::net::SocketAddr>().is_ok() => {
            Ok(())
        }
        _ => Err(invalid(
            key,
            value,
            "must be an address and a port, for example 127.0.0.1:8084, or empty for none",
        )),
    }
}
