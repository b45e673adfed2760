//! Producers, consumers, and what all clients have.

use std::num::NonZeroUsize;
use std::time::Duration;

use towpath_runtime::validation::Client::{self, Admin, Consumer, Producer};

use super::super::rules::Rule;
use super::super::table::ROWS;
use super::{one, overrides, problems};

type Pairs = &'static [(&'static str, &'static str)];

const ALL: &[Client] = &[Producer, Consumer, Admin];

/// Key, value, librdkafka's name, value. The clients are in the table.
const TRANSLATED: &[(&str, &str, &str, &str)] = &[
    ("bootstrap.servers", "a:1,b:2", "bootstrap.servers", "a:1,b:2"),
    (
        "client.dns.lookup",
        "use_all_dns_ips",
        "client.dns.lookup",
        "use_all_dns_ips",
    ),
    ("client.id", "me", "client.id", "me"),
    ("client.rack", "r1", "client.rack", "r1"),
    (
        "connections.max.idle.ms",
        "1000",
        "connections.max.idle.ms",
        "1000",
    ),
    ("connections.max.idle.ms", "-1", "connections.max.idle.ms", "0"),
    (
        "metadata.max.age.ms",
        "1000",
        "topic.metadata.refresh.interval.ms",
        "1000",
    ),
    (
        "metadata.recovery.strategy",
        "REBOOTSTRAP",
        "metadata.recovery.strategy",
        "rebootstrap",
    ),
    (
        "metadata.recovery.rebootstrap.trigger.ms",
        "7",
        "metadata.recovery.rebootstrap.trigger.ms",
        "7",
    ),
    (
        "receive.buffer.bytes",
        "65536",
        "socket.receive.buffer.bytes",
        "65536",
    ),
    ("receive.buffer.bytes", "-1", "socket.receive.buffer.bytes", "0"),
    ("send.buffer.bytes", "1", "socket.send.buffer.bytes", "1"),
    ("send.buffer.bytes", "-1", "socket.send.buffer.bytes", "0"),
    ("reconnect.backoff.ms", "70", "reconnect.backoff.ms", "70"),
    ("reconnect.backoff.ms", "5000", "reconnect.backoff.max.ms", "5000"),
    (
        "reconnect.backoff.max.ms",
        "900",
        "reconnect.backoff.max.ms",
        "900",
    ),
    ("request.timeout.ms", "20000", "socket.timeout.ms", "20000"),
    ("retry.backoff.ms", "50", "retry.backoff.ms", "50"),
    ("retry.backoff.max.ms", "60", "retry.backoff.max.ms", "60"),
    (
        "socket.connection.setup.timeout.ms",
        "2000",
        "socket.connection.setup.timeout.ms",
        "2000",
    ),
    ("enable.metrics.push", "FALSE", "enable.metrics.push", "false"),
    ("acks", "all", "acks", "-1"),
    ("acks", "-1", "acks", "-1"),
    ("acks", "1", "acks", "1"),
    ("acks", "0", "acks", "0"),
    ("batch.size", "16384", "batch.size", "16384"),
    ("buffer.memory", "1048576", "queue.buffering.max.kbytes", "1024"),
    ("compression.type", "ZSTD", "compression.type", "zstd"),
    ("delivery.timeout.ms", "120000", "message.timeout.ms", "120000"),
    ("delivery.timeout.ms", "2147483647", "message.timeout.ms", "0"),
    ("enable.idempotence", "false", "enable.idempotence", "false"),
    ("enable.idempotence", "true", "enable.idempotence", "true"),
    ("linger.ms", "20", "linger.ms", "20"),
    (
        "max.in.flight.requests.per.connection",
        "2",
        "max.in.flight.requests.per.connection",
        "2",
    ),
    ("max.request.size", "2000000", "message.max.bytes", "2000000"),
    ("partitioner.ignore.keys", "true", "partitioner", "random"),
    (
        "partitioner.ignore.keys",
        "false",
        "partitioner",
        "murmur2_random",
    ),
    ("retries", "3", "message.send.max.retries", "3"),
    (
        "allow.auto.create.topics",
        "false",
        "allow.auto.create.topics",
        "false",
    ),
    ("auto.offset.reset", "latest", "auto.offset.reset", "latest"),
    ("auto.offset.reset", "EARLIEST", "auto.offset.reset", "earliest"),
    ("auto.offset.reset", "none", "auto.offset.reset", "error"),
    ("check.crcs", "false", "check.crcs", "false"),
    ("enable.auto.commit", "false", "enable.auto.commit", "false"),
    ("fetch.max.bytes", "2000000", "fetch.max.bytes", "2000000"),
    ("fetch.max.bytes", "5000", "message.max.bytes", "5000"),
    ("fetch.max.wait.ms", "100", "fetch.wait.max.ms", "100"),
    ("fetch.min.bytes", "5", "fetch.min.bytes", "5"),
    ("group.id", "g", "group.id", "g"),
    ("group.instance.id", "i", "group.instance.id", "i"),
    ("group.protocol", "CONSUMER", "group.protocol", "consumer"),
    ("heartbeat.interval.ms", "500", "heartbeat.interval.ms", "500"),
    (
        "isolation.level",
        "READ_COMMITTED",
        "isolation.level",
        "read_committed",
    ),
    ("max.partition.fetch.bytes", "9", "max.partition.fetch.bytes", "9"),
    ("max.poll.interval.ms", "60000", "max.poll.interval.ms", "60000"),
    ("session.timeout.ms", "6000", "session.timeout.ms", "6000"),
    (
        "partition.assignment.strategy",
        "org.apache.kafka.clients.consumer.RoundRobinAssignor, org.apache.kafka.clients.consumer.RangeAssignor",
        "partition.assignment.strategy",
        "roundrobin,range",
    ),
    (
        "partition.assignment.strategy",
        "class org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
        "partition.assignment.strategy",
        "cooperative-sticky",
    ),
];

fn clients_of(key: &str) -> Vec<Client> {
    let rows = ROWS
        .iter()
        .filter(|row| row.key == key && !matches!(row.rule, Rule::Without(_)));
    rows.flat_map(|row| row.clients).copied().collect()
}

#[test]
fn settings_with_a_counterpart_are_translated_without_a_warning() {
    for &(key, value, name, expected) in TRANSLATED {
        assert!(!clients_of(key).is_empty(), "{key} is in the table");
        for client in clients_of(key) {
            let (got, warnings) = one(client, key, value, name);
            assert_eq!(got.as_deref(), Some(expected), "{key}={value}");
            assert_eq!(warnings, [""; 0], "{key}={value}");
        }
    }
}

#[test]
fn each_row_of_the_table_is_tested() {
    let ours = [
        "default.api.timeout.ms",
        "exclude.internal.topics",
        "max.block.ms",
        "max.poll.records",
    ];
    let several = [
        "compression.gzip.level",
        "compression.lz4.level",
        "compression.zstd.level",
        "partitioner.class",
    ];
    for row in ROWS {
        let elsewhere =
            row.key.starts_with("sasl.") || row.key.starts_with("ssl.") || row.key == "security.protocol";
        let done = TRANSLATED.iter().any(|(key, ..)| *key == row.key)
            || matches!(row.rule, Rule::Without(_))
            || ours.contains(&row.key)
            || several.contains(&row.key)
            || row.key == "group.remote.assignor"
            || row.key.starts_with("transaction")
            || elsewhere;
        assert!(done, "{} has no test", row.key);
    }
}

#[test]
fn a_key_without_a_counterpart_is_named_with_what_happens_instead() {
    for row in ROWS {
        let Rule::Without(what_happens) = row.rule else {
            continue;
        };
        for &client in row.clients {
            let (_, warnings) = one(client, row.key, "1", "");
            assert_eq!(warnings, [format!("`x.override.{}`: {what_happens}", row.key)]);
        }
    }
}

#[test]
fn a_key_of_another_client_or_of_none_is_named() {
    let cases = [
        (
            Producer,
            "max.poll.records",
            "is a setting of consumers and does nothing here",
        ),
        (
            Consumer,
            "linger.ms",
            "is a setting of producers and does nothing here",
        ),
        (
            Consumer,
            "bootstrap.controllers",
            "is a setting of admin clients and does nothing here",
        ),
        (
            Producer,
            "lingerms",
            "is no setting of a Kafka client and does nothing",
        ),
    ];
    for (client, key, what_happens) in cases {
        assert_eq!(
            one(client, key, "1", "").1,
            [format!("`x.override.{key}`: {what_happens}")]
        );
    }
}

#[test]
fn a_number_beyond_librdkafkas_limits_becomes_the_limit() {
    let cases = [
        (Producer, "linger.ms", "1000000", "linger.ms", "900000"),
        (Producer, "batch.size", "0", "batch.size", "1"),
        (Producer, "max.request.size", "10", "message.max.bytes", "1000"),
        (
            Producer,
            "request.timeout.ms",
            "600000",
            "socket.timeout.ms",
            "300000",
        ),
        (Consumer, "fetch.min.bytes", "0", "fetch.min.bytes", "1"),
        (
            Consumer,
            "metadata.max.age.ms",
            "86400000",
            "topic.metadata.refresh.interval.ms",
            "3600000",
        ),
        (Admin, "retry.backoff.ms", "0", "retry.backoff.ms", "1"),
        (
            Admin,
            "socket.connection.setup.timeout.ms",
            "10",
            "socket.connection.setup.timeout.ms",
            "1000",
        ),
    ];
    for (client, key, value, name, expected) in cases {
        let (got, warnings) = one(client, key, value, name);
        assert_eq!(got.as_deref(), Some(expected), "{key}={value}");
        assert_eq!(warnings.len(), 1, "{key}={value}");
        assert!(
            warnings[0].contains(&format!("{expected} is used")),
            "{warnings:?}"
        );
    }
}

#[test]
fn a_session_is_no_longer_than_the_time_between_two_polls() {
    let cases = [
        (&[("max.poll.interval.ms", "30000")][..], ("30000", "30000"), 0),
        (
            &[("max.poll.interval.ms", "30000"), ("session.timeout.ms", "40000")],
            ("30000", "30000"),
            1,
        ),
        (&[("max.poll.interval.ms", "1000")], ("6000", "6000"), 1),
        (&[("session.timeout.ms", "400000")], ("300000", "300000"), 1),
    ];
    for (settings, (session, poll), warnings) in cases {
        let translated = overrides(Consumer, settings).unwrap();
        let of = |key| translated.librdkafka.get(key);
        assert_eq!(
            (of("session.timeout.ms"), of("max.poll.interval.ms")),
            (Some(session), Some(poll)),
            "{settings:?}"
        );
        assert_eq!(translated.warnings.len(), warnings, "{settings:?}");
    }
    let usual = overrides(Consumer, &[("session.timeout.ms", "45000")]).unwrap();
    assert_eq!(usual.librdkafka.get("max.poll.interval.ms"), None);
}

#[test]
fn what_is_no_number_or_flag_is_a_problem() {
    let cases = [
        (Producer, "linger.ms", "must be a whole number"),
        (Producer, "max.block.ms", "must be a whole number"),
        (Producer, "buffer.memory", "must be a whole number"),
        (Producer, "acks", "must be `all`, `-1`, `0` or `1`"),
        (Producer, "enable.idempotence", "must be `true` or `false`"),
        (Consumer, "check.crcs", "must be `true` or `false`"),
        (Consumer, "exclude.internal.topics", "must be `true` or `false`"),
        (
            Consumer,
            "auto.offset.reset",
            "must be `earliest`, `latest` or `none`",
        ),
        (Consumer, "max.poll.records", "must be a whole number"),
    ];
    for (client, key, message) in cases {
        assert_eq!(
            problems(client, &[(key, "maybe")]),
            [format!("x.override.{key}: {message}")]
        );
    }
}

#[test]
fn what_towpath_does_itself_is_kept_apart() {
    let producer = overrides(Producer, &[("buffer.memory", "1000"), ("max.block.ms", "9")])
        .unwrap()
        .ours;
    assert_eq!(
        (producer.buffer_memory.get(), producer.max_block),
        (1000, Some(Duration::from_millis(9)))
    );
    let for_ever = overrides(Producer, &[("max.block.ms", "9223372036854775807")])
        .unwrap()
        .ours;
    assert_eq!(
        (for_ever.max_block, for_ever.buffer_memory),
        (None, NonZeroUsize::new(32 << 20).unwrap())
    );
    let settings = [
        ("max.poll.records", "7"),
        ("exclude.internal.topics", "false"),
        ("default.api.timeout.ms", "5"),
        ("metadata.max.age.ms", "6"),
    ];
    let consumer = overrides(Consumer, &settings).unwrap().ours;
    assert_eq!(
        (consumer.max_poll_records, consumer.exclude_internal_topics),
        (7, false)
    );
    let silent = overrides(Consumer, &[]).unwrap().ours;
    assert_eq!(
        silent.metadata_max_age,
        Duration::from_secs(5),
        "a new topic of a pattern is found soon"
    );
    assert_eq!(consumer.api_timeout, Duration::from_millis(5));
    assert_eq!(consumer.metadata_max_age, Duration::from_millis(6));
}

#[test]
fn order_is_kept_with_idempotence_unless_the_users_settings_are_against_it() {
    let cases: [(Pairs, &str, &str); 8] = [
        (&[], "true", "5"),
        (&[("max.in.flight.requests.per.connection", "1")], "true", "1"),
        (&[("acks", "1")], "false", "1"),
        (
            &[("acks", "0"), ("max.in.flight.requests.per.connection", "3")],
            "false",
            "3",
        ),
        (&[("retries", "0")], "false", "1"),
        (&[("max.in.flight.requests.per.connection", "6")], "false", "6"),
        (&[("enable.idempotence", "false")], "false", "1"),
        (&[("enable.idempotence", "true"), ("acks", "all")], "true", "5"),
    ];
    for (settings, idempotence, in_flight) in cases {
        let done = overrides(Producer, settings).unwrap().librdkafka;
        assert_eq!(done.get("enable.idempotence"), Some(idempotence), "{settings:?}");
        assert_eq!(
            done.get("max.in.flight.requests.per.connection"),
            Some(in_flight),
            "{settings:?}"
        );
    }
    let wrong = [
        ("enable.idempotence", "true"),
        ("acks", "1"),
        ("retries", "0"),
        ("max.in.flight.requests.per.connection", "6"),
    ];
    assert_eq!(problems(Producer, &wrong).len(), 3);
}

#[test]
fn the_level_of_the_codec_in_use_is_taken() {
    let levels = [
        ("compression.gzip.level", "9"),
        ("compression.lz4.level", "17"),
        ("compression.zstd.level", "-5"),
    ];
    for (codec, level, warned) in [
        ("gzip", Some("9"), 0),
        ("lz4", Some("12"), 1),
        ("zstd", Some("-1"), 1),
        ("snappy", None, 0),
    ] {
        let settings = [&levels[..], &[("compression.type", codec)]].concat();
        let done = overrides(Producer, &settings).unwrap();
        assert_eq!(done.librdkafka.get("compression.level"), level, "{codec}");
        assert_eq!(done.warnings.len(), warned, "{codec}");
    }
}

#[test]
fn a_partitioner_class_is_replaced_by_the_nearest_there_is() {
    let cases = [
        (
            "org.apache.kafka.clients.producer.internals.DefaultPartitioner",
            "murmur2_random",
            0,
        ),
        (
            "org.apache.kafka.clients.producer.UniformStickyPartitioner",
            "murmur2_random",
            0,
        ),
        (
            "org.apache.kafka.clients.producer.RoundRobinPartitioner",
            "random",
            1,
        ),
        ("com.example.Mine", "murmur2_random", 1),
    ];
    for (class, expected, warned) in cases {
        let (got, warnings) = one(Producer, "partitioner.class", class, "partitioner");
        assert_eq!(
            (got.as_deref(), warnings.len()),
            (Some(expected), warned),
            "{class}"
        );
    }
}

#[test]
fn the_new_group_protocol_leaves_to_the_broker_what_is_the_brokers() {
    let settings = [
        ("group.protocol", "consumer"),
        ("group.remote.assignor", "uniform"),
        ("session.timeout.ms", "6000"),
        ("heartbeat.interval.ms", "1000"),
        (
            "partition.assignment.strategy",
            "org.apache.kafka.clients.consumer.RangeAssignor",
        ),
    ];
    let done = overrides(Consumer, &settings).unwrap();
    assert_eq!(done.librdkafka.get("group.remote.assignor"), Some("uniform"));
    for key in [
        "session.timeout.ms",
        "heartbeat.interval.ms",
        "partition.assignment.strategy",
    ] {
        assert_eq!(done.librdkafka.get(key), None);
    }
    assert_eq!(done.warnings.len(), 3);
    assert_eq!(
        one(
            Consumer,
            "group.remote.assignor",
            "uniform",
            "group.remote.assignor"
        )
        .1
        .len(),
        1
    );
}

#[test]
fn the_first_assignor_decides_between_eager_and_cooperative() {
    const KEY: &str = "partition.assignment.strategy";
    let java_default = "class org.apache.kafka.clients.consumer.RangeAssignor,class \
                        org.apache.kafka.clients.consumer.CooperativeStickyAssignor";
    let (got, warnings) = one(Consumer, KEY, java_default, KEY);
    assert_eq!((got.as_deref(), warnings.len()), (Some("range"), 1));
    let (got, warnings) = one(Consumer, KEY, "com.example.Mine", KEY);
    assert_eq!((got.as_deref(), warnings.len()), (Some("range"), 1));
    assert_eq!(
        one(Consumer, "client.id", "x", KEY),
        (Some("range".into()), vec![])
    );
}

#[test]
fn a_consumer_that_wants_automatic_commits_is_told() {
    assert_eq!(
        one(Consumer, "enable.auto.commit", "true", "enable.auto.commit")
            .0
            .as_deref(),
        Some("false")
    );
    assert_eq!(one(Consumer, "enable.auto.commit", "true", "").1.len(), 1);
}

#[test]
fn librdkafka_accepts_what_comes_out() {
    for client in ALL {
        let mut settings: Vec<_> = TRANSLATED
            .iter()
            .filter(|(key, ..)| clients_of(key).contains(client) && *key != "group.protocol")
            .map(|(key, value, ..)| (*key, *value))
            .collect();
        settings.retain(|(key, value)| !(*key == "acks" && *value != "all"));
        // Of two values for a key the last counts; an idempotent producer with all settings is the one to check.
        let done = overrides(*client, &settings).unwrap();
        done.librdkafka.to_client_config().create_native_config().unwrap();
    }
}
