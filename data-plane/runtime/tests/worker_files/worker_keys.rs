//! Every key of worker-config.md sections 1 to 3: taken, and read if it means something.

use std::time::Duration;

use towpath_connect::error::Chain;
use towpath_connect::{ConfigMap, ConverterRole, PluginSet};
use towpath_runtime::clients::NewTopic;
use towpath_runtime::properties::parse;
use towpath_runtime::validation::{Client, Mode, OverridePolicy};
use towpath_runtime::worker_config::{
    ClusterSettings, ExactlyOnceSource, LeaseLost, Membership, WorkerConfig, WorkerConfigError, WorkerKind,
    config_providers,
};
use towpath_types::parse_labels;

pub(crate) const DISTRIBUTED: &str = "bootstrap.servers=a:9092, b:9092
group.id=connect-cluster
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=JsonConverter
offset.storage.topic=connect-offsets
config.storage.topic=connect-configs
status.storage.topic=connect-status
";

const STANDALONE: &str = "bootstrap.servers=localhost:9092
key.converter=org.apache.kafka.connect.json.JsonConverter
value.converter=org.apache.kafka.connect.json.JsonConverter
key.converter.schemas.enable=true
offset.storage.file.filename=/tmp/connect.offsets
offset.flush.interval.ms=10000
";

fn read(file: &str, kind: WorkerKind) -> Result<WorkerConfig, WorkerConfigError> {
    let plugins = PluginSet::new(towpath_builtins::plugins());
    WorkerConfig::parse(parse(file).unwrap(), kind, &plugins)
}

/// The configuration of a cluster's worker with these lines.
pub(crate) fn distributed(lines: &str) -> WorkerConfig {
    read(&format!("{DISTRIBUTED}{lines}"), WorkerKind::Distributed).unwrap()
}

fn cluster(lines: &str) -> ClusterSettings {
    match distributed(lines).membership {
        Membership::Cluster(cluster) => cluster,
        Membership::Standalone { .. } => panic!("read for a cluster"),
    }
}

/// What is said of a file with these lines.
pub(crate) fn refused(lines: &str) -> String {
    let error = read(&format!("{DISTRIBUTED}{lines}"), WorkerKind::Distributed).unwrap_err();
    Chain(&error).to_string()
}

#[test]
fn the_shipped_samples_are_read() {
    let worker = distributed("offset.flush.interval.ms=10000");
    assert_eq!(worker.bootstrap_servers, ["a:9092", "b:9092"]);
    assert_eq!(
        worker.defaults.key_converter,
        "org.apache.kafka.connect.json.JsonConverter"
    );
    assert_eq!(
        worker.defaults.value_converter,
        "org.apache.kafka.connect.json.JsonConverter"
    );
    assert_eq!(
        worker.defaults.mode,
        Mode::Distributed {
            group_id: "connect-cluster".to_owned()
        }
    );
    assert_eq!(worker.runtime.offset_flush_interval, Duration::from_secs(10));
    assert!(worker.unknown_keys().is_empty());

    let worker = read(STANDALONE, WorkerKind::Standalone).unwrap();
    let offset_file = "/tmp/connect.offsets".into();
    assert_eq!(worker.membership, Membership::Standalone { offset_file });
    assert_eq!(worker.defaults.mode, Mode::Standalone);
    assert_eq!(
        worker
            .converter_settings(ConverterRole::Key)
            .get("schemas.enable"),
        Some("true")
    );
    assert!(worker.unknown_keys().is_empty());
}

#[test]
fn defaults_are_those_of_kafka_connect_and_ours() {
    let worker = distributed("");
    assert_eq!(worker.runtime.offset_flush_interval, Duration::from_secs(60));
    assert_eq!(worker.runtime.offset_flush_timeout, Duration::from_secs(5));
    assert_eq!(worker.runtime.graceful_timeout, Duration::from_secs(5));
    assert!(worker.runtime.topic_tracking && worker.topic_creation && worker.topic_tracking_reset);
    assert_eq!(
        worker.defaults.header_converter,
        "org.apache.kafka.connect.storage.SimpleHeaderConverter"
    );
    assert_eq!(worker.defaults.override_policy, OverridePolicy::All);
    assert_eq!(worker.client_id, "");
    assert_eq!(
        cluster(""),
        ClusterSettings {
            group_id: "connect-cluster".to_owned(),
            exactly_once_source: ExactlyOnceSource::Disabled,
            offsets_topic: Some(NewTopic {
                name: "connect-offsets".to_owned(),
                partitions: 25,
                replication_factor: 3,
                configs: ConfigMap::new(),
            }),
            control_plane_endpoints: vec!["http://127.0.0.1:7083".to_owned()],
            worker_id: None,
            admin_listener: "127.0.0.1:8084".parse().ok(),
            lease_lost: LeaseLost::Stop,
        }
    );
}

#[test]
fn keys_that_mean_something_are_read() {
    let worker = distributed(
        "header.converter=StringConverter
         client.id=mine
         task.shutdown.graceful.timeout.ms=1
         offset.flush.interval.ms=2
         offset.flush.timeout.ms=3
         topic.creation.enable=false
         topic.tracking.enable=false
         topic.tracking.allow.reset=false
         access.control.allow.origin=*
         access.control.allow.methods=GET
         response.http.headers.config=add X-A:b",
    );
    assert_eq!(
        worker.defaults.header_converter,
        "org.apache.kafka.connect.storage.StringConverter"
    );
    assert_eq!(worker.client_id, "mine");
    let runtime = worker.runtime;
    let times = [
        runtime.graceful_timeout,
        runtime.offset_flush_interval,
        runtime.offset_flush_timeout,
    ];
    assert_eq!(times.map(|time| time.as_millis()), [1, 2, 3]);
    assert!(!runtime.topic_tracking && !worker.topic_creation && !worker.topic_tracking_reset);
    let headers = &worker.http_headers;
    assert_eq!(
        [
            &headers.allow_origin,
            &headers.allow_methods,
            &headers.response_headers
        ],
        ["*", "GET", "add X-A:b"]
    );
}

#[test]
fn our_own_keys_are_read() {
    let settings = cluster(
        "control.plane.endpoints=http://one:7083, https://two:7083
         worker.id=w1:8083
         worker.admin.listener=0.0.0.0:9999
         lease.lost.policy=continue",
    );
    assert_eq!(
        settings.control_plane_endpoints,
        ["http://one:7083", "https://two:7083"]
    );
    assert_eq!(settings.worker_id.as_deref(), Some("w1:8083"));
    assert_eq!(settings.admin_listener, "0.0.0.0:9999".parse().ok());
    assert_eq!(settings.lease_lost, LeaseLost::Continue);
    assert_eq!(cluster("worker.admin.listener=").admin_listener, None);
}

#[test]
fn exactly_once_sources_are_enabled_in_any_case() {
    for (text, expected) in [
        ("disabled", ExactlyOnceSource::Disabled),
        ("PREPARING", ExactlyOnceSource::Preparing),
        ("Enabled", ExactlyOnceSource::Enabled),
    ] {
        let line = format!("exactly.once.source.support={text}");
        assert_eq!(cluster(&line).exactly_once_source, expected);
        let enabled = distributed(&line).defaults.exactly_once_source;
        assert_eq!(enabled, expected == ExactlyOnceSource::Enabled);
    }
}

#[test]
fn override_policies_are_known_by_all_their_names() {
    for (name, expected) in [
        ("All", OverridePolicy::All),
        ("None", OverridePolicy::None),
        ("Principal", OverridePolicy::Principal),
        ("NoneConnectorClientConfigOverridePolicy", OverridePolicy::None),
        (
            "org.apache.kafka.connect.connector.policy.AllowlistConnectorClientConfigOverridePolicy",
            OverridePolicy::Allowlist(vec!["acks".to_owned(), "linger.ms".to_owned()]),
        ),
    ] {
        let worker = distributed(&format!(
            "connector.client.config.override.policy={name}
             connector.client.config.override.allowlist=acks,linger.ms"
        ));
        assert_eq!(worker.defaults.override_policy, expected);
    }
    assert!(
        refused("connector.client.config.override.policy=Some").contains("All, None, Principal, Allowlist")
    );
}

#[test]
fn what_is_wrong_is_said_in_kafkas_words() {
    for (line, message) in [
        (
            "offset.flush.interval.ms=x",
            "Invalid value x for configuration offset.flush.interval.ms: Not a number of type LONG",
        ),
        (
            "task.shutdown.graceful.timeout.ms=",
            "Invalid value  for configuration task.shutdown.graceful.timeout.ms: Not a number of type LONG",
        ),
        (
            "topic.creation.enable=x",
            "Invalid value x for configuration topic.creation.enable: Expected value to be either true or false",
        ),
        (
            "exactly.once.source.support=x",
            "Invalid value x for configuration exactly.once.source.support: String must be one of (case insensitive): DISABLED, ENABLED, PREPARING",
        ),
        (
            "rest.advertised.port=x",
            "Invalid value x for configuration rest.advertised.port: Not a number of type INT",
        ),
        (
            "bootstrap.servers=",
            "Configuration 'bootstrap.servers' must not be empty. Valid values include: any non-empty value",
        ),
        (
            "key.converter=nope",
            "Invalid value nope for configuration key.converter: Class nope could not be found.",
        ),
        (
            "header.converter=nope",
            "Invalid value nope for configuration header.converter: Class nope could not be found.",
        ),
        (
            "lease.lost.policy=x",
            "Invalid value x for configuration lease.lost.policy: String must be one of: stop, continue",
        ),
        (
            "worker.labels=zone",
            "Invalid value zone for configuration worker.labels: `zone` is no label: write NAME=VALUE, with commas between, for example zone=a,disk=ssd",
        ),
        (
            "worker.admin.listener=8084",
            "Invalid value 8084 for configuration worker.admin.listener: must be an address and a port, for example 127.0.0.1:8084, or empty for none",
        ),
    ] {
        assert_eq!(refused(line), message);
    }
}

#[test]
fn every_missing_key_is_named_at_once() {
    let missing = |key: &str| format!("Missing required configuration \"{key}\" which has no default value.");
    for (kind, keys) in [
        (
            WorkerKind::Distributed,
            [
                "bootstrap.servers",
                "key.converter",
                "value.converter",
                "group.id",
            ],
        ),
        (
            WorkerKind::Standalone,
            [
                "bootstrap.servers",
                "key.converter",
                "value.converter",
                "offset.storage.file.filename",
            ],
        ),
    ] {
        let said = read("", kind).unwrap_err().to_string();
        for key in keys {
            assert!(said.contains(&missing(key)), "{key}: {said}");
        }
    }
}

#[test]
fn clients_of_tasks_get_what_stands_behind_their_prefix() {
    let worker = distributed(
        "security.protocol=SASL_SSL
         sasl.jaas.config=s3cret
         request.timeout.ms=7
         rebalance.timeout.ms=9
         producer.linger.ms=5
         producer.bootstrap.servers=other:1
         consumer.max.poll.records=10
         admin.retries=3
         admin.listeners=http://:9",
    );
    let entries = |client| {
        let settings = worker.client_settings(client);
        let mut entries: Vec<String> = settings
            .iter()
            .map(|(key, value)| format!("{key}={}", value.unwrap()))
            .collect();
        entries.sort();
        entries
    };
    assert_eq!(
        entries(Client::Producer),
        ["bootstrap.servers=other:1", "linger.ms=5"]
    );
    assert_eq!(
        entries(Client::Consumer),
        ["bootstrap.servers=a:9092,b:9092", "max.poll.records=10"]
    );
    assert_eq!(
        entries(Client::Admin),
        [
            "bootstrap.servers=a:9092,b:9092",
            "request.timeout.ms=7",
            "retries=3",
            "sasl.jaas.config=s3cret",
            "security.protocol=SASL_SSL"
        ]
    );
    assert!(!format!("{worker:?}").contains("s3cret"));
}

#[test]
fn config_providers_are_declared_by_alias() {
    let file = parse(
        "config.providers=file, env, file, none
         config.providers.file.class=org.apache.kafka.common.config.provider.FileConfigProvider
         config.providers.file.param.allowed.paths=/secrets
         config.providers.env.class=EnvVarConfigProvider",
    )
    .unwrap();
    let found = config_providers(&file);
    let shown: Vec<_> = found
        .iter()
        .map(|provider| {
            (
                provider.alias.as_str(),
                provider.class.as_str(),
                provider.params.get("allowed.paths"),
            )
        })
        .collect();
    assert_eq!(
        shown,
        [
            (
                "file",
                "org.apache.kafka.common.config.provider.FileConfigProvider",
                Some("/secrets")
            ),
            ("env", "EnvVarConfigProvider", None),
        ]
    );
}

#[test]
fn labels_are_read_of_every_kind_of_worker() {
    let labels = parse_labels("disk=ssd,zone=a").unwrap();
    assert_eq!(distributed("worker.labels=zone=a, disk=ssd").labels, labels);
    assert!(distributed("").labels.is_empty());
    let standalone = read(
        &format!("{STANDALONE}worker.labels=zone=a,disk=ssd"),
        WorkerKind::Standalone,
    );
    assert_eq!(standalone.unwrap().labels, labels);
}

#[test]
fn sources_that_deliver_exactly_once_need_a_topic_for_their_offsets() {
    let enabled = "exactly.once.source.support=enabled\noffset.storage.partitions=5\n\
                   offset.storage.min.insync.replicas=2\noffset.storage.cleanup.policy=delete\n";
    let found = cluster(enabled).offsets_in_kafka();
    let topic = found.topic.clone().unwrap();
    assert_eq!(
        (found.group_id.as_str(), topic.name.as_str()),
        ("connect-cluster", "connect-offsets")
    );
    assert_eq!((topic.partitions, topic.replication_factor), (5, 3));
    let configs: Vec<_> = topic.configs.iter().collect();
    assert_eq!(
        configs,
        [("min.insync.replicas", Some("2"))],
        "it is compacted in any case"
    );
    let names = |config: &[(&str, &str)]| -> Vec<String> {
        let topics = found.topics(&config.iter().copied().collect());
        topics.into_iter().map(|topic| topic.name).collect()
    };
    assert_eq!(names(&[]), ["connect-offsets"]);
    assert_eq!(
        names(&[("offsets.storage.topic", " connect-offsets ")]),
        ["connect-offsets"]
    );
    assert_eq!(
        names(&[("offsets.storage.topic", "own")]),
        ["own", "connect-offsets"]
    );
    assert_eq!(found.like("own").partitions, 5);

    let without = DISTRIBUTED.replace("offset.storage.topic=connect-offsets\n", "");
    let preparing = enabled.replace("enabled", "preparing");
    assert!(read(&format!("{without}{preparing}"), WorkerKind::Distributed).is_err());
    let refused = read(&format!("{without}{enabled}"), WorkerKind::Distributed).unwrap_err();
    assert!(
        refused.to_string().starts_with(
            "Missing required configuration \"offset.storage.topic\" which has no default value"
        ),
        "{refused}"
    );
    for wrong in [
        "offset.storage.partitions=0",
        "offset.storage.replication.factor=-2",
    ] {
        let refused = read(&format!("{DISTRIBUTED}{wrong}"), WorkerKind::Distributed).unwrap_err();
        assert!(
            refused.to_string().contains("must be at least 1, or -1"),
            "{refused}"
        );
    }
}
