//! The keys that flavours share, by what they are about.

use towpath_connect::config_def::Validator;
use towpath_connect::{ConfigDef, ConfigKey};

use super::valid;

const DAY_MS: i64 = 86_400_000;
const WEEK_MS: i64 = 7 * DAY_MS;

pub(super) fn text(key: &str, default: &str, doc: &str) -> ConfigKey {
    ConfigKey::string(key).default(default).doc(doc)
}

/// A text key without a default.
pub(super) fn optional(key: &str, doc: &str) -> ConfigKey {
    ConfigKey::string(key).default_null().doc(doc)
}

/// One of a few words, in any case.
pub(super) fn choice(key: &str, default: &str, allowed: &'static [&'static str], doc: &str) -> ConfigKey {
    text(key, default, doc).valid(Validator::OneOfIgnoreCase(allowed))
}

pub(super) fn boolean(key: &str, doc: &str) -> ConfigKey {
    ConfigKey::boolean(key).default("false").doc(doc)
}

pub(super) fn connection(def: ConfigDef) -> ConfigDef {
    def.define(
        ConfigKey::list("connection.url")
            .valid(Validator::Custom(valid::urls))
            .high()
            .doc("The addresses of the search engine. Each is tried when another cannot be reached."),
    )
    .define(ConfigKey::string("connection.username").default_null().doc("The user to log in as."))
    .define(ConfigKey::password("connection.password").default_null().doc("The password to log in with."))
    .define(boolean("connection.compression", "Send request bodies compressed with gzip.").low())
    .define(
        ConfigKey::int("max.connection.idle.time.ms")
            .default("60000")
            .valid(Validator::Between(-1, DAY_MS))
            .low()
            .doc("A connection that was not used for this long is closed; -1: never."),
    )
    .define(
        ConfigKey::int("connection.timeout.ms")
            .default("1000")
            .valid(Validator::Between(0, WEEK_MS))
            .low()
            .doc("How long connecting may take."),
    )
    .define(
        ConfigKey::int("read.timeout.ms")
            .default("3000")
            .valid(Validator::Between(0, WEEK_MS))
            .low()
            .doc("How long an answer may take. A bulk that took longer is given twice as long the next time, up to `flush.timeout.ms`."),
    )
}

pub(super) fn batching(def: ConfigDef, flush_timeout: &str) -> ConfigDef {
    let def = def
        .define(
            ConfigKey::int("batch.size")
                .default("2000")
                .valid(Validator::Between(1, 1_000_000))
                .doc("The most documents in one bulk."),
        )
        .define(
            ConfigKey::long("bulk.size.bytes")
                .default("5242880")
                .valid(Validator::Between(-1, i64::from(i32::MAX)))
                .low()
                .doc("The most bytes in one bulk, unless a single document is larger; -1: no limit."),
        )
        .define(
            ConfigKey::int("max.in.flight.requests")
                .default("5")
                .valid(Validator::Between(1, 1000))
                .doc("The most bulks that are on their way at once."),
        )
        .define(
            ConfigKey::int("max.buffered.records")
                .default("20000")
                .valid(Validator::AtLeast(1))
                .low()
                .doc("The most records that a task holds; with more than that consuming waits."),
        )
        .define(
            ConfigKey::long("linger.ms")
                .default("1")
                .valid(Validator::Between(0, WEEK_MS))
                .low()
                .doc("How long a bulk that is not full waits for more records."),
        )
        .define(
            ConfigKey::long("flush.timeout.ms")
                .default(flush_timeout)
                .valid(Validator::Between(1000, WEEK_MS))
                .low()
                .doc(
                    "How long a synchronous flush may wait; also the longest that one answer is waited for.",
                ),
        )
        .define(
            boolean(
                "flush.synchronously",
                "Wait for everything to be written before offsets are committed.",
            )
            .low(),
        );
    retries(def)
}

fn retries(def: ConfigDef) -> ConfigDef {
    def.define(
        ConfigKey::int("max.retries")
            .default("5")
            .valid(Validator::AtLeast(0))
            .low()
            .doc("How often a write is tried again after the search engine answered that it cannot do it now. A search engine that cannot be reached is waited for."),
    )
    .define(
        ConfigKey::long("retry.backoff.ms")
            .default("100")
            .valid(Validator::Between(0, DAY_MS))
            .low()
            .doc("The first wait before a write is tried again; it doubles, with a random part."),
    )
}

pub(super) fn conversion(def: ConfigDef, null_values: &str) -> ConfigDef {
    def.define(
        boolean(
            "key.ignore",
            "Make ids of topic, partition and offset, instead of the record's key.",
        )
        .high(),
    )
    .define(
        ConfigKey::list("topic.key.ignore")
            .default("")
            .low()
            .doc("Topics for which `key.ignore` is true."),
    )
    .define(
        boolean(
            "schema.ignore",
            "Write values as they are: no mappings are made of their schemas.",
        )
        .low(),
    )
    .define(
        ConfigKey::list("topic.schema.ignore")
            .default("")
            .low()
            .doc("Topics for which `schema.ignore` is true."),
    )
    .define(
        ConfigKey::boolean("compact.map.entries")
            .default("true")
            .low()
            .doc("Write a map with text keys as an object, instead of a list of keys and values."),
    )
    .define(
        boolean(
            "drop.invalid.message",
            "Leave out records that cannot be made a document.",
        )
        .low(),
    )
    .define(
        text(
            "behavior.on.null.values",
            null_values,
            "What a record without a value does: nothing, delete the document, or fail the task.",
        )
        .valid(Validator::OneOfIgnoreCase(&["IGNORE", "DELETE", "FAIL"]))
        .low(),
    )
}

pub(super) fn proxy(def: ConfigDef) -> ConfigDef {
    def.define(text("proxy.host", "", "The HTTP proxy to go through.").low())
        .define(
            ConfigKey::int("proxy.port")
                .default("8080")
                .valid(Validator::Between(1, 65535))
                .low()
                .doc("The port of the proxy."),
        )
        .define(text("proxy.username", "", "The user to log in to the proxy as.").low())
        .define(
            ConfigKey::password("proxy.password")
                .default_null()
                .low()
                .doc("The password for the proxy."),
        )
}

/// The standard keys of Kafka clients, as far as they can be followed.
pub(super) fn tls(def: ConfigDef, prefix: &str) -> ConfigDef {
    let key = |name: &str| format!("{prefix}ssl.{name}");
    let path = |name: &str, doc: &str| ConfigKey::string(key(name)).default_null().low().doc(doc);
    let secret = |name: &str, doc: &str| ConfigKey::password(key(name)).default_null().low().doc(doc);
    def.define(path(
        "truststore.location",
        "A PEM file of the authorities to trust.",
    ))
    .define(secret("truststore.password", "Not needed: PEM files have none."))
    .define(
        ConfigKey::string(key("truststore.type"))
            .default("JKS")
            .low()
            .doc("Only PEM is read."),
    )
    .define(secret(
        "truststore.certificates",
        "The authorities to trust, in PEM.",
    ))
    .define(path(
        "keystore.location",
        "A PEM file of this client's private key and certificates.",
    ))
    .define(secret("keystore.password", "Not needed: PEM files have none."))
    .define(
        ConfigKey::string(key("keystore.type"))
            .default("JKS")
            .low()
            .doc("Only PEM is read."),
    )
    .define(secret("keystore.key", "This client's private key in PEM."))
    .define(secret(
        "keystore.certificate.chain",
        "This client's certificates in PEM.",
    ))
    .define(secret(
        "key.password",
        "Not supported: the private key must not be encrypted.",
    ))
    .define(
        ConfigKey::string(key("endpoint.identification.algorithm"))
            .default("https")
            .low()
            .doc("Empty: the name in the server's certificate is not checked."),
    )
}

pub(super) fn external(def: ConfigDef) -> ConfigDef {
    const USAGES: &[&str] = &[
        "INDEX",
        "DATASTREAM",
        "ALIAS_INDEX",
        "ALIAS_DATASTREAM",
        "DISABLED",
    ];
    def.define(
        text(
            "external.resource.usage",
            "DISABLED",
            "Write to what is there already; nothing is created then.",
        )
        .valid(Validator::OneOfIgnoreCase(USAGES))
        .low(),
    )
    .define(
        ConfigKey::list("topic.to.external.resource.mapping")
            .default("")
            .low()
            .doc("`topic:resource` for each topic."),
    )
    .define(
        ConfigKey::int("max.external.resource.mappings")
            .default("15")
            .valid(Validator::AtLeast(1))
            .low()
            .doc("The most entries of the mapping."),
    )
}

/// Keys that later releases dropped and that people still have.
pub(super) fn legacy(def: ConfigDef) -> ConfigDef {
    def.define(
        text(
            "type.name",
            "",
            "Has no effect: search engines no longer have types.",
        )
        .low(),
    )
    .define(
        ConfigKey::list("topic.index.map")
            .default("")
            .low()
            .doc("`topic:index` for topics whose index has another name."),
    )
    .define(
        ConfigKey::boolean("auto.create.indices.at.start")
            .default("true")
            .low()
            .doc("Has no effect: an index is created when its first record comes."),
    )
}

pub(super) fn aws(def: ConfigDef) -> ConfigDef {
    let unsupported = "Signing requests for AWS is not supported.";
    def.define(
        ConfigKey::string("aws.access_key_id")
            .default_null()
            .low()
            .doc(unsupported),
    )
    .define(
        ConfigKey::password("aws.secret_access_key")
            .default_null()
            .low()
            .doc(unsupported),
    )
    .define(
        ConfigKey::string("aws.region")
            .default_null()
            .low()
            .doc(unsupported),
    )
    .define(
        ConfigKey::string("aws.sts.role.arn")
            .default_null()
            .low()
            .doc(unsupported),
    )
}
