//! Every key of Kafka's Java clients and what becomes of it. A test compares the list with Kafka's own.

use std::num::NonZeroUsize;

use towpath_runtime::validation::Client::{self, Admin, Consumer, Producer};

use super::rules::Rule::{self, Elsewhere, Flag, Lower, Number, Ours, OursFlag, Text, Without};
use super::rules::millis;

pub(super) struct Row {
    pub(super) key: &'static str,
    pub(super) clients: &'static [Client],
    pub(super) rule: Rule,
}

const ALL: &[Client] = &[Producer, Consumer, Admin];
const P: &[Client] = &[Producer];
const C: &[Client] = &[Consumer];
const A: &[Client] = &[Admin];
const PC: &[Client] = &[Producer, Consumer];
const CA: &[Client] = &[Consumer, Admin];

/// The largest number of Java's type INT, which librdkafka has too.
const INT: i64 = i32::MAX as i64;
const FIVE_MINUTES: i64 = 300_000;

const METRICS: &str = "does nothing: Towpath has metrics of its own, at the worker's admin port";
const BYTES: &str = "does nothing: converters give and take bytes, so clients need no serializer";
const CLASS: &str = "does nothing: Java classes are not loaded";
const JVM_TLS: &str = "does nothing: TLS is done by OpenSSL, not by the JVM";
const KERBEROS: &str = "does nothing: Kerberos (GSSAPI) is not built in";
const LOGIN: &str =
    "does nothing: librdkafka renews tokens by itself, when four fifths of their life are over";
const TOKEN_CHECK: &str = "does nothing: tokens are checked by the broker, not by the client";

const fn row(key: &'static str, clients: &'static [Client], rule: Rule) -> Row {
    Row { key, clients, rule }
}

pub(super) const ROWS: &[Row] = &[
    // The cluster and the connections to it.
    row("bootstrap.servers", ALL, Text("bootstrap.servers")),
    row(
        "bootstrap.controllers",
        A,
        Without("does nothing: the brokers of `bootstrap.servers` are asked"),
    ),
    row("client.dns.lookup", ALL, Text("client.dns.lookup")),
    row("client.id", ALL, Text("client.id")),
    row("client.rack", C, Text("client.rack")),
    row("connections.max.idle.ms", ALL, Elsewhere("connection")),
    row("metadata.max.age.ms", ALL, Elsewhere("connection")),
    row(
        "metadata.max.idle.ms",
        P,
        Without("does nothing: a topic is forgotten when its tasks are gone"),
    ),
    row(
        "metadata.recovery.strategy",
        ALL,
        Lower("metadata.recovery.strategy"),
    ),
    row(
        "metadata.recovery.rebootstrap.trigger.ms",
        ALL,
        Number("metadata.recovery.rebootstrap.trigger.ms", 0, INT),
    ),
    row("receive.buffer.bytes", ALL, Elsewhere("connection")),
    row("send.buffer.bytes", ALL, Elsewhere("connection")),
    row("reconnect.backoff.ms", ALL, Elsewhere("connection")),
    row("reconnect.backoff.max.ms", ALL, Elsewhere("connection")),
    row("request.timeout.ms", ALL, Elsewhere("connection")),
    row(
        "retry.backoff.ms",
        ALL,
        Number("retry.backoff.ms", 1, FIVE_MINUTES),
    ),
    row(
        "retry.backoff.max.ms",
        ALL,
        Number("retry.backoff.max.ms", 1, FIVE_MINUTES),
    ),
    row(
        "socket.connection.setup.timeout.ms",
        ALL,
        Number("socket.connection.setup.timeout.ms", 1000, INT),
    ),
    row(
        "socket.connection.setup.timeout.max.ms",
        ALL,
        Without("does nothing: `socket.connection.setup.timeout.ms` is used for each attempt"),
    ),
    row(
        "default.api.timeout.ms",
        CA,
        Ours(|ours, ms| ours.api_timeout = millis(ms)),
    ),
    // What the JVM has and Towpath does otherwise.
    row(
        "config.providers",
        ALL,
        Without("does nothing here: the worker's config providers are used"),
    ),
    row("enable.metrics.push", ALL, Flag("enable.metrics.push")),
    row("interceptor.classes", PC, Without(CLASS)),
    row("key.deserializer", C, Without(BYTES)),
    row("key.serializer", P, Without(BYTES)),
    row("value.deserializer", C, Without(BYTES)),
    row("value.serializer", P, Without(BYTES)),
    row("metric.reporters", ALL, Without(METRICS)),
    row("metrics.num.samples", ALL, Without(METRICS)),
    row("metrics.recording.level", ALL, Without(METRICS)),
    row("metrics.sample.window.ms", ALL, Without(METRICS)),
    // Producers.
    row("acks", P, Elsewhere("producer")),
    row("batch.size", P, Number("batch.size", 1, INT)),
    row(
        "buffer.memory",
        P,
        Ours(|ours, bytes| {
            let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
            ours.buffer_memory = NonZeroUsize::new(bytes).unwrap_or(NonZeroUsize::MIN);
        }),
    ),
    row("compression.gzip.level", P, Elsewhere("producer")),
    row("compression.lz4.level", P, Elsewhere("producer")),
    row("compression.type", P, Lower("compression.type")),
    row("compression.zstd.level", P, Elsewhere("producer")),
    row("delivery.timeout.ms", P, Elsewhere("producer")),
    row("enable.idempotence", P, Elsewhere("producer")),
    row("linger.ms", P, Number("linger.ms", 0, 900_000)),
    row("max.block.ms", P, Elsewhere("producer")),
    row("max.in.flight.requests.per.connection", P, Elsewhere("producer")),
    row(
        "max.request.size",
        P,
        Number("message.max.bytes", 1000, 1_000_000_000),
    ),
    row(
        "partitioner.adaptive.partitioning.enable",
        P,
        Without("does nothing: records without a key go to one partition after another, a batch each"),
    ),
    row(
        "partitioner.availability.timeout.ms",
        P,
        Without("does nothing: records without a key go to partitions that have a leader"),
    ),
    row("partitioner.class", P, Elsewhere("producer")),
    row("partitioner.ignore.keys", P, Elsewhere("producer")),
    row("retries", P, Elsewhere("producer")),
    row(
        "retries",
        A,
        Without("does nothing: a request is repeated until its time is over"),
    ),
    row("transaction.timeout.ms", P, Elsewhere("transactions")),
    row(
        "transaction.two.phase.commit.enable",
        P,
        Elsewhere("transactions"),
    ),
    row("transactional.id", P, Elsewhere("transactions")),
    // Consumers.
    row("allow.auto.create.topics", C, Flag("allow.auto.create.topics")),
    row(
        "auto.commit.interval.ms",
        C,
        Without("does nothing: `offset.flush.interval.ms` of the worker is used"),
    ),
    row("auto.offset.reset", C, Elsewhere("consumer")),
    row("check.crcs", C, Flag("check.crcs")),
    row("enable.auto.commit", C, Elsewhere("consumer")),
    row(
        "exclude.internal.topics",
        C,
        OursFlag(|ours, flag| ours.exclude_internal_topics = flag),
    ),
    row("fetch.max.bytes", C, Elsewhere("consumer")),
    row(
        "fetch.max.wait.ms",
        C,
        Number("fetch.wait.max.ms", 0, FIVE_MINUTES),
    ),
    row("fetch.min.bytes", C, Number("fetch.min.bytes", 1, 100_000_000)),
    row("group.id", C, Text("group.id")),
    row("group.instance.id", C, Text("group.instance.id")),
    row("group.protocol", C, Elsewhere("consumer")),
    row("group.remote.assignor", C, Elsewhere("consumer")),
    row("heartbeat.interval.ms", C, Elsewhere("consumer")),
    row("isolation.level", C, Lower("isolation.level")),
    row(
        "max.partition.fetch.bytes",
        C,
        Number("max.partition.fetch.bytes", 1, 1_000_000_000),
    ),
    row(
        "max.poll.interval.ms",
        C,
        Number("max.poll.interval.ms", 1, 86_400_000),
    ),
    row(
        "max.poll.records",
        C,
        Ours(|ours, count| ours.max_poll_records = usize::try_from(count).unwrap_or(usize::MAX).max(1)),
    ),
    row("partition.assignment.strategy", C, Elsewhere("consumer")),
    row("session.timeout.ms", C, Elsewhere("consumer")),
    row(
        "share.acknowledgement.mode",
        C,
        Without("does nothing: sinks read as consumer groups, not share groups"),
    ),
    row(
        "share.acquire.mode",
        C,
        Without("does nothing: sinks read as consumer groups, not share groups"),
    ),
    // Authentication and encryption.
    row("security.protocol", ALL, Elsewhere("security")),
    row("security.providers", ALL, Without(JVM_TLS)),
    row("sasl.client.callback.handler.class", ALL, Without(CLASS)),
    row("sasl.jaas.config", ALL, Elsewhere("security")),
    row("sasl.kerberos.kinit.cmd", ALL, Without(KERBEROS)),
    row("sasl.kerberos.min.time.before.relogin", ALL, Without(KERBEROS)),
    row("sasl.kerberos.service.name", ALL, Without(KERBEROS)),
    row("sasl.kerberos.ticket.renew.jitter", ALL, Without(KERBEROS)),
    row("sasl.kerberos.ticket.renew.window.factor", ALL, Without(KERBEROS)),
    row("sasl.login.callback.handler.class", ALL, Elsewhere("security")),
    row("sasl.login.class", ALL, Without(CLASS)),
    row("sasl.login.connect.timeout.ms", ALL, Without(LOGIN)),
    row("sasl.login.read.timeout.ms", ALL, Without(LOGIN)),
    row("sasl.login.refresh.buffer.seconds", ALL, Without(LOGIN)),
    row("sasl.login.refresh.min.period.seconds", ALL, Without(LOGIN)),
    row("sasl.login.refresh.window.factor", ALL, Without(LOGIN)),
    row("sasl.login.refresh.window.jitter", ALL, Without(LOGIN)),
    row("sasl.login.retry.backoff.max.ms", ALL, Without(LOGIN)),
    row("sasl.login.retry.backoff.ms", ALL, Without(LOGIN)),
    row("sasl.mechanism", ALL, Elsewhere("security")),
    row(
        "sasl.oauthbearer.assertion.algorithm",
        ALL,
        Text("sasl.oauthbearer.assertion.algorithm"),
    ),
    row(
        "sasl.oauthbearer.assertion.claim.aud",
        ALL,
        Text("sasl.oauthbearer.assertion.claim.aud"),
    ),
    row(
        "sasl.oauthbearer.assertion.claim.exp.seconds",
        ALL,
        Number("sasl.oauthbearer.assertion.claim.exp.seconds", 1, INT),
    ),
    row(
        "sasl.oauthbearer.assertion.claim.iss",
        ALL,
        Text("sasl.oauthbearer.assertion.claim.iss"),
    ),
    row(
        "sasl.oauthbearer.assertion.claim.jti.include",
        ALL,
        Flag("sasl.oauthbearer.assertion.claim.jti.include"),
    ),
    row(
        "sasl.oauthbearer.assertion.claim.nbf.seconds",
        ALL,
        Number("sasl.oauthbearer.assertion.claim.nbf.seconds", 0, INT),
    ),
    row(
        "sasl.oauthbearer.assertion.claim.sub",
        ALL,
        Text("sasl.oauthbearer.assertion.claim.sub"),
    ),
    row(
        "sasl.oauthbearer.assertion.file",
        ALL,
        Text("sasl.oauthbearer.assertion.file"),
    ),
    row(
        "sasl.oauthbearer.assertion.private.key.file",
        ALL,
        Text("sasl.oauthbearer.assertion.private.key.file"),
    ),
    row(
        "sasl.oauthbearer.assertion.private.key.passphrase",
        ALL,
        Text("sasl.oauthbearer.assertion.private.key.passphrase"),
    ),
    row(
        "sasl.oauthbearer.assertion.template.file",
        ALL,
        Text("sasl.oauthbearer.assertion.jwt.template.file"),
    ),
    row(
        "sasl.oauthbearer.client.credentials.client.id",
        ALL,
        Text("sasl.oauthbearer.client.id"),
    ),
    row(
        "sasl.oauthbearer.client.credentials.client.secret",
        ALL,
        Text("sasl.oauthbearer.client.secret"),
    ),
    row("sasl.oauthbearer.clock.skew.seconds", ALL, Without(TOKEN_CHECK)),
    row("sasl.oauthbearer.expected.audience", ALL, Without(TOKEN_CHECK)),
    row("sasl.oauthbearer.expected.issuer", ALL, Without(TOKEN_CHECK)),
    row(
        "sasl.oauthbearer.header.urlencode",
        ALL,
        Without("does nothing: id and secret are sent as they are"),
    ),
    row(
        "sasl.oauthbearer.jwks.endpoint.refresh.ms",
        ALL,
        Without(TOKEN_CHECK),
    ),
    row(
        "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms",
        ALL,
        Without(TOKEN_CHECK),
    ),
    row(
        "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms",
        ALL,
        Without(TOKEN_CHECK),
    ),
    row("sasl.oauthbearer.jwks.endpoint.url", ALL, Without(TOKEN_CHECK)),
    row("sasl.oauthbearer.jwt.retriever.class", ALL, Elsewhere("security")),
    row("sasl.oauthbearer.jwt.validator.class", ALL, Without(TOKEN_CHECK)),
    row("sasl.oauthbearer.scope", ALL, Text("sasl.oauthbearer.scope")),
    row("sasl.oauthbearer.scope.claim.name", ALL, Without(TOKEN_CHECK)),
    row("sasl.oauthbearer.sub.claim.name", ALL, Without(TOKEN_CHECK)),
    row(
        "sasl.oauthbearer.token.endpoint.url",
        ALL,
        Text("sasl.oauthbearer.token.endpoint.url"),
    ),
    row(
        "ssl.cipher.suites",
        ALL,
        Without("does nothing: OpenSSL offers its own list, which has other names"),
    ),
    row(
        "ssl.enabled.protocols",
        ALL,
        Without("does nothing: the best version that both sides know is used"),
    ),
    row(
        "ssl.endpoint.identification.algorithm",
        ALL,
        Elsewhere("security"),
    ),
    row("ssl.engine.factory.class", ALL, Without(CLASS)),
    row("ssl.key.password", ALL, Elsewhere("security")),
    row("ssl.keymanager.algorithm", ALL, Without(JVM_TLS)),
    row("ssl.keystore.certificate.chain", ALL, Elsewhere("security")),
    row("ssl.keystore.key", ALL, Elsewhere("security")),
    row("ssl.keystore.location", ALL, Elsewhere("security")),
    row("ssl.keystore.password", ALL, Elsewhere("security")),
    row("ssl.keystore.type", ALL, Elsewhere("security")),
    row(
        "ssl.protocol",
        ALL,
        Without("does nothing: the best version that both sides know is used"),
    ),
    row("ssl.provider", ALL, Without(JVM_TLS)),
    row("ssl.secure.random.implementation", ALL, Without(JVM_TLS)),
    row("ssl.trustmanager.algorithm", ALL, Without(JVM_TLS)),
    row("ssl.truststore.certificates", ALL, Elsewhere("security")),
    row("ssl.truststore.location", ALL, Elsewhere("security")),
    row("ssl.truststore.password", ALL, Elsewhere("security")),
    row("ssl.truststore.type", ALL, Elsewhere("security")),
];
