//! Which keys of a worker file are warned of, by name, and which are not.

use towpath_runtime::worker_config::WorkerConfig;

use crate::worker_keys::distributed;

/// A key of each row of worker-config.md sections 1 to 3 that this worker has no use for, with a value that would be
/// wrong if it had.
const TAKEN_WITHOUT_A_WORD: [&str; 64] = [
    "client.dns.lookup",
    "key.converter.schemas.enable",
    "value.converter.schemas.enable",
    "header.converter.x",
    "plugin.path",
    "plugin.discovery",
    "metrics.sample.window.ms",
    "metrics.num.samples",
    "metrics.recording.level",
    "metric.reporters",
    "metrics.context.cluster",
    "config.providers.a.class",
    "config.providers.a.param.k",
    "ssl.protocol",
    "ssl.truststore.location",
    "ssl.keystore.password",
    "ssl.client.auth",
    "listeners.https.ssl.keystore.location",
    "admin.listeners.https.ssl.keystore.location",
    "producer.acks",
    "consumer.max.poll.records",
    "admin.retries",
    "offset.storage.file.filename",
    "session.timeout.ms",
    "rebalance.timeout.ms",
    "heartbeat.interval.ms",
    "metadata.max.age.ms",
    "send.buffer.bytes",
    "receive.buffer.bytes",
    "reconnect.backoff.ms",
    "reconnect.backoff.max.ms",
    "socket.connection.setup.timeout.ms",
    "socket.connection.setup.timeout.max.ms",
    "retry.backoff.ms",
    "retry.backoff.max.ms",
    "request.timeout.ms",
    "connections.max.idle.ms",
    "security.protocol",
    "security.providers",
    "sasl.mechanism",
    "sasl.jaas.config",
    "sasl.login.callback.handler.class",
    "worker.sync.timeout.ms",
    "worker.unsync.backoff.ms",
    "offset.storage.topic",
    "offset.storage.min.insync.replicas",
    "config.storage.topic",
    "config.storage.replication.factor",
    "status.storage.topic",
    "status.storage.partitions",
    "status.storage.replication.factor",
    "status.storage.cleanup.policy",
    "connect.protocol",
    "scheduled.rebalance.max.delay.ms",
    "inter.worker.key.ttl.ms",
    "inter.worker.key.generation.algorithm",
    "inter.worker.key.size",
    "inter.worker.signature.algorithm",
    "inter.worker.verification.algorithms",
    "metadata.recovery.strategy",
    "metadata.recovery.rebootstrap.trigger.ms",
    "key.converter.plugin.version",
    "value.converter.plugin.version",
    "header.converter.plugin.version",
];

/// Those that mean something, with values that they take.
const USED: [&str; 24] = [
    "offset.storage.partitions=5",
    "offset.storage.replication.factor=-1",
    "bootstrap.servers=a:1",
    "header.converter=JsonConverter",
    "client.id=x",
    "task.shutdown.graceful.timeout.ms=1",
    "offset.flush.interval.ms=1",
    "offset.flush.timeout.ms=1",
    "config.providers=",
    "connector.client.config.override.policy=All",
    "connector.client.config.override.allowlist=",
    "topic.creation.enable=false",
    "topic.tracking.enable=true",
    "topic.tracking.allow.reset=true",
    "listeners=http://:1",
    "rest.advertised.host.name=h",
    "rest.advertised.port=1",
    "rest.advertised.listener=http",
    "access.control.allow.origin=",
    "response.http.headers.config=",
    "exactly.once.source.support=disabled",
    "control.plane.endpoints=http://a:1",
    "worker.admin.listener=",
    "lease.lost.policy=stop",
];

fn warned(worker: &WorkerConfig) -> (Vec<&str>, Vec<String>) {
    let without_effect = worker.keys_without_effect();
    (
        worker.unknown_keys(),
        without_effect.into_iter().map(|(key, _)| key).collect(),
    )
}

#[test]
fn keys_of_the_java_worker_are_taken_without_a_word() {
    for key in TAKEN_WITHOUT_A_WORD {
        let worker = distributed(&format!("{key}=some value"));
        assert_eq!(warned(&worker), (vec![], vec![]), "{key}");
    }
    for line in USED {
        assert_eq!(warned(&distributed(line)), (vec![], vec![]), "{line}");
    }
}

#[test]
fn keys_that_nobody_knows_are_named() {
    let worker = distributed("offset.flush.intervall.ms=1\nconfluent.license=x\nproducers.acks=all");
    assert_eq!(
        worker.unknown_keys(),
        ["offset.flush.intervall.ms", "confluent.license", "producers.acks"]
    );
}

#[test]
fn keys_that_were_removed_or_cannot_work_are_named() {
    let worker = distributed(
        "internal.key.converter=JsonConverter
         internal.value.converter.schemas.enable=false
         rest.extension.classes=org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension
         config.providers=file",
    );
    let (unknown, without_effect) = warned(&worker);
    assert!(unknown.is_empty(), "{unknown:?}");
    assert_eq!(
        without_effect,
        [
            "internal.key.converter",
            "internal.value.converter.schemas.enable",
            "rest.extension.classes",
            "config.providers.file.class"
        ]
    );
    assert!(
        distributed("rest.extension.classes=")
            .keys_without_effect()
            .is_empty()
    );
}

#[test]
fn keys_that_ask_for_something_else_than_what_happens_are_named() {
    let headers = "the REST API sets no such headers: put a proxy in front of it that does";
    let tls = "the REST API is served without TLS: put a proxy in front of it that has the certificate";
    let loggers = "the loggers are served where the rest of the REST API is";
    for (line, reason) in [
        ("access.control.allow.origin=*", headers),
        ("access.control.allow.methods=GET", headers),
        ("response.http.headers.config=add X-A:b", headers),
        ("admin.listeners=", loggers),
        ("admin.listeners=http://:1", loggers),
        ("listeners=http://:1,HTTPS://:2", tls),
        (
            "topic.creation.enable=true",
            "topics are not created for sources: the brokers do it if `auto.create.topics.enable` says so, with their \
             defaults; create others before",
        ),
        (
            "topic.tracking.allow.reset=false",
            "the topics of a connector can always be reset: have a proxy refuse `/topics/reset`",
        ),
    ] {
        let (key, _) = line.split_once('=').unwrap();
        let found = distributed(line).keys_without_effect();
        assert_eq!(found, [(key.to_owned(), reason)], "{line}");
    }
}

#[test]
fn settings_of_tls_are_named_beside_a_listener_that_would_have_it() {
    let worker = distributed(
        "listeners=https://:1
         listeners.https.ssl.keystore.location=x
         admin.listeners=https://:2
         admin.listeners.https.ssl.keystore.location=x",
    );
    let (_, mut without_effect) = warned(&worker);
    without_effect.sort();
    assert_eq!(
        without_effect,
        [
            "admin.listeners",
            "admin.listeners.https.ssl.keystore.location",
            "listeners",
            "listeners.https.ssl.keystore.location",
        ]
    );
}
