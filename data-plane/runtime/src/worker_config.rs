//! The configuration of a worker, from the properties file that people have for `connect-distributed` or
//! `connect-standalone`: read once, into a form that cannot be wrong. Not for resolving references to secrets: that is
//! done to the file before it is read here.

mod cluster;
mod ignored;
mod keys;
mod listeners;

use std::path::PathBuf;

use towpath_connect::{
    ConfigMap, ConnectorError, ConverterRole, LookupError, ParsedConfig, PluginKind, PluginSet,
};
use towpath_types::{Labels, parse_labels};

use crate::unit::RuntimeSettings;
use crate::validation::{Client, Mode, OverridePolicy, WorkerDefaults};

pub use cluster::{ClusterSettings, ExactlyOnceSource, LeaseLost, OffsetsInKafka};
pub use listeners::{Advertised, AdvertisedUrl, Listener, Scheme};

/// What a file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkerKind {
    Distributed,
    Standalone,
}

/// Why a worker cannot be started with a file. `Display` has Kafka's words.
#[derive(Debug, thiserror::Error)]
pub enum WorkerConfigError {
    /// Every problem of every key, one a line.
    #[error(transparent)]
    Keys(ConnectorError),
    /// One of the worker's own converters.
    #[error("{0}")]
    Converter(String),
    #[error(
        "Missing required configuration \"offset.storage.topic\" which has no default value: sources that deliver exactly \
         once (`exactly.once.source.support=enabled`) keep their offsets in it"
    )]
    OffsetsTopic,
    #[error(
        "Invalid value {0} for configuration connector.client.config.override.policy: must be one of All, None, \
         Principal, Allowlist"
    )]
    OverridePolicy(String),
}

/// A config provider to make (`config.providers.<alias>.*`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderSettings {
    pub alias: String,
    pub class: String,
    /// `config.providers.<alias>.param.*`, without that.
    pub params: ConfigMap,
}

/// How the REST API would answer browsers. Nobody acts on it: the REST API is the control plane's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpHeaders {
    /// `access.control.allow.origin`; empty for none.
    pub allow_origin: String,
    /// `access.control.allow.methods`; empty for the default.
    pub allow_methods: String,
    /// `response.http.headers.config`, as written.
    pub response_headers: String,
}

/// What the worker is a part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Membership {
    Cluster(ClusterSettings),
    /// On its own, with its source offsets in a file.
    Standalone {
        offset_file: PathBuf,
    },
}

/// A worker's configuration. The file may hold secrets: `Debug` shows its keys only.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// The whole file.
    file: ConfigMap,
    pub membership: Membership,
    pub bootstrap_servers: Vec<String>,
    pub client_id: String,
    /// `worker.labels`, which `worker.selector` of a connector chooses by.
    pub labels: Labels,
    pub runtime: RuntimeSettings,
    pub defaults: WorkerDefaults,
    /// `topic.creation.enable`. Nobody acts on it: no worker creates topics for sources.
    pub topic_creation: bool,
    /// `topic.tracking.allow.reset`. Nobody acts on it: the control plane knows no worker's file.
    pub topic_tracking_reset: bool,
    /// A worker of a cluster serves no REST API: they give it its id.
    pub listeners: Vec<Listener>,
    /// Where the loggers would be served; `None`: on the other listeners; none of them: nowhere. Nobody acts on it.
    pub admin_listeners: Option<Vec<Listener>>,
    pub advertised: Advertised,
    pub http_headers: HttpHeaders,
}

impl WorkerConfig {
    /// Reads a file whose references to secrets are resolved.
    ///
    /// # Errors
    /// With every key that is wrong.
    pub fn parse(file: ConfigMap, kind: WorkerKind, plugins: &PluginSet) -> Result<Self, WorkerConfigError> {
        let parsed = keys::definition(kind)
            .parse(&file)
            .map_err(WorkerConfigError::Keys)?;
        let membership = match kind {
            WorkerKind::Distributed => Membership::Cluster(cluster::of(&parsed, &file)?),
            WorkerKind::Standalone => Membership::Standalone {
                offset_file: PathBuf::from(parsed.string(keys::OFFSET_FILE)),
            },
        };
        Ok(Self {
            defaults: defaults(&parsed, &membership, plugins)?,
            membership,
            bootstrap_servers: parsed.list(keys::BOOTSTRAP_SERVERS).to_vec(),
            client_id: parsed.string("client.id").to_owned(),
            labels: parse_labels(parsed.string(keys::LABELS)).unwrap_or_default(),
            runtime: RuntimeSettings {
                offset_flush_interval: parsed.duration_ms("offset.flush.interval.ms"),
                offset_flush_timeout: parsed.duration_ms("offset.flush.timeout.ms"),
                graceful_timeout: parsed.duration_ms("task.shutdown.graceful.timeout.ms"),
                topic_tracking: parsed.boolean("topic.tracking.enable"),
            },
            topic_creation: parsed.boolean("topic.creation.enable"),
            topic_tracking_reset: parsed.boolean("topic.tracking.allow.reset"),
            listeners: listeners_of(&parsed, keys::LISTENERS),
            admin_listeners: file
                .get(keys::ADMIN_LISTENERS)
                .map(|_| listeners_of(&parsed, keys::ADMIN_LISTENERS)),
            advertised: advertised(&parsed),
            http_headers: HttpHeaders {
                allow_origin: parsed.string("access.control.allow.origin").to_owned(),
                allow_methods: parsed.string("access.control.allow.methods").to_owned(),
                response_headers: parsed.string("response.http.headers.config").to_owned(),
            },
            file,
        })
    }

    /// The whole file.
    pub fn file(&self) -> &ConfigMap {
        &self.file
    }

    /// The settings of the worker's own converter, without the prefix.
    pub fn converter_settings(&self, role: ConverterRole) -> ConfigMap {
        self.file.with_prefix(&format!("{}.converter.", role.name()))
    }

    /// What connectors' clients are configured with before their own overrides, in Java's keys. Producers and consumers
    /// get the addresses and what stands behind their prefix; admin clients also the worker's own client settings.
    pub fn client_settings(&self, client: Client) -> ConfigMap {
        let mut settings = ConfigMap::new();
        let prefix = match client {
            Client::Producer => "producer.",
            Client::Consumer => "consumer.",
            Client::Admin => {
                let own = self.file.iter();
                for (key, value) in own.filter(|(key, _)| client.keys().key(key).is_some()) {
                    settings.insert(key, value.unwrap_or_default());
                }
                "admin."
            }
        };
        settings.insert(keys::BOOTSTRAP_SERVERS, self.bootstrap_servers.join(","));
        let prefixed = self.file.with_prefix(prefix);
        // `admin.listeners` is a key of the REST API.
        for (key, value) in prefixed
            .iter()
            .filter(|(key, _)| !key.starts_with(keys::LISTENERS))
        {
            settings.insert(key, value.unwrap_or_default());
        }
        settings
    }

    /// The address by which the worker is known. `local_host` is this machine's name; `bound_port` the port that was
    /// found if the listener names none.
    pub fn advertised_url(&self, local_host: &str, bound_port: Option<u16>) -> AdvertisedUrl {
        AdvertisedUrl::of(&self.advertised, &self.listeners, local_host, bound_port)
    }

    /// The keys of the file that nobody knows.
    pub fn unknown_keys(&self) -> Vec<&str> {
        let keys = self.file.iter().map(|(key, _)| key);
        keys.filter(|key| !keys::is_known(key)).collect()
    }

    /// Logs what of the file has no effect, by name. To be called once.
    pub fn warn_of_ignored_keys(&self) {
        let unknown = self.unknown_keys();
        if !unknown.is_empty() {
            let keys = unknown.join(", ");
            tracing::warn!(
                keys,
                "the worker configuration has keys that are not known; they are ignored"
            );
        }
        for (key, reason) in self.keys_without_effect() {
            tracing::warn!(key, reason, "a key of the worker configuration has no effect");
        }
    }
}

/// The config providers that a file declares, before anything in it is resolved. One without a class is left out, as in
/// Kafka Connect.
pub fn config_providers(file: &ConfigMap) -> Vec<ProviderSettings> {
    providers_of(file)
        .filter_map(|(alias, class, params)| {
            Some(ProviderSettings {
                alias: alias.to_owned(),
                class: class?.trim().to_owned(),
                params,
            })
        })
        .collect()
}

fn providers_of(file: &ConfigMap) -> impl Iterator<Item = (&str, Option<&str>, ConfigMap)> {
    let declared = file.get(keys::CONFIG_PROVIDERS).unwrap_or_default();
    let mut aliases: Vec<&str> = Vec::new();
    for alias in declared
        .split(',')
        .map(str::trim)
        .filter(|alias| !alias.is_empty())
    {
        if !aliases.contains(&alias) {
            aliases.push(alias);
        }
    }
    aliases.into_iter().map(|alias| {
        let prefix = format!("{}.{alias}.", keys::CONFIG_PROVIDERS);
        let class = file.get(&format!("{prefix}class"));
        (alias, class, file.with_prefix(&format!("{prefix}param.")))
    })
}

fn defaults(
    parsed: &ParsedConfig,
    membership: &Membership,
    plugins: &PluginSet,
) -> Result<WorkerDefaults, WorkerConfigError> {
    let converter = |key: &'static str, kind| {
        let class = parsed.string(key);
        match plugins.find(kind, class) {
            Ok(plugin) => Ok(plugin.class.to_owned()),
            Err(unknown @ LookupError::NotFound { .. }) => Err(WorkerConfigError::Converter(format!(
                "Invalid value {class} for configuration {key}: {unknown}"
            ))),
            Err(other) => Err(WorkerConfigError::Converter(other.to_string())),
        }
    };
    let (mode, exactly_once_source) = match membership {
        Membership::Cluster(cluster) => (
            Mode::Distributed {
                group_id: cluster.group_id.clone(),
            },
            cluster.exactly_once_source == ExactlyOnceSource::Enabled,
        ),
        Membership::Standalone { .. } => (Mode::Standalone, false),
    };
    Ok(WorkerDefaults {
        mode,
        key_converter: converter(keys::KEY_CONVERTER, PluginKind::Converter)?,
        value_converter: converter(keys::VALUE_CONVERTER, PluginKind::Converter)?,
        header_converter: converter(keys::HEADER_CONVERTER, PluginKind::HeaderConverter)?,
        override_policy: override_policy(parsed)?,
        exactly_once_source,
    })
}

/// By the short name, the simple name of the Java class, or its full name.
fn override_policy(parsed: &ParsedConfig) -> Result<OverridePolicy, WorkerConfigError> {
    let name = parsed.string(keys::OVERRIDE_POLICY);
    let simple = name
        .strip_prefix("org.apache.kafka.connect.connector.policy.")
        .unwrap_or(name);
    let short = simple
        .strip_suffix("ConnectorClientConfigOverridePolicy")
        .unwrap_or(simple);
    let allowlist = || parsed.list(keys::OVERRIDE_ALLOWLIST).to_vec();
    [
        OverridePolicy::All,
        OverridePolicy::None,
        OverridePolicy::Principal,
        OverridePolicy::Allowlist(allowlist()),
    ]
    .into_iter()
    .find(|policy| policy.name() == short)
    .ok_or_else(|| WorkerConfigError::OverridePolicy(name.to_owned()))
}

fn listeners_of(parsed: &ParsedConfig, key: &str) -> Vec<Listener> {
    let urls = parsed.list(key).iter();
    urls.filter_map(|url| Listener::parse(url).ok()).collect()
}

fn advertised(parsed: &ParsedConfig) -> Advertised {
    let text = |key| parsed.optional_string(key).filter(|text| !text.is_empty());
    Advertised {
        host: text("rest.advertised.host.name").map(str::to_owned),
        port: parsed
            .optional_long("rest.advertised.port")
            .and_then(|port| u16::try_from(port).ok()),
        scheme: text("rest.advertised.listener").and_then(Scheme::parse),
    }
}
