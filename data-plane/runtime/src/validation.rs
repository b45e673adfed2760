//! Validates a connector's configuration on a worker: the framework's keys, transforms and predicates, the connector's
//! own keys and checks, client overrides and converters. Answers with what `…/config/validate` of the REST API shows.
//! Not for running anything: a fresh connector instance is asked and dropped.

mod client_keys;
mod converters;
mod embedded;
mod exactly_once;
pub(crate) mod framework;
mod infos;
mod java_hash;
mod overrides;
mod plugin_keys;
mod report;
mod secrets;
mod selector;
mod sink;
pub(crate) mod versions;

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures::FutureExt;
use towpath_connect::config_def::KeyResult;
use towpath_connect::{
    ConfigKey, ConfigMap, ConverterRole, LookupError, Plugin, PluginFactory, PluginKind, PluginSet,
    SinkConnector, SourceConnector,
};

pub use client_keys::Client;
pub use infos::{ConfigInfo, ConfigInfos, ConfigKeyInfo, ConfigValueInfo};
pub use overrides::OverridePolicy;

use converters::{Converter, SLOTS};
use report::{Checked, Report, evaluate};
use versions::VersionError;

/// A configuration to validate.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// As submitted: this is what answers and messages show.
    pub raw: &'a ConfigMap,
    /// With the values of config providers in it: this is what is validated.
    pub resolved: &'a ConfigMap,
    /// How long the connector's own checks may take.
    pub timeout: Duration,
}

/// What validation has to know of the worker.
#[derive(Clone, Debug)]
pub struct WorkerDefaults {
    pub mode: Mode,
    pub key_converter: String,
    pub value_converter: String,
    pub header_converter: String,
    pub override_policy: OverridePolicy,
    /// `exactly.once.source.support=enabled`.
    pub exactly_once_source: bool,
}

/// How the worker was started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// One of a cluster of this name.
    Distributed { group_id: String },
    /// On its own; without exactly-once sources.
    Standalone,
}

impl WorkerDefaults {
    fn is_distributed(&self) -> bool {
        self.group_id().is_some()
    }

    fn group_id(&self) -> Option<&str> {
        match &self.mode {
            Mode::Distributed { group_id } => Some(group_id),
            Mode::Standalone => None,
        }
    }

    fn converter(&self, role: ConverterRole) -> &str {
        match role {
            ConverterRole::Key => &self.key_converter,
            ConverterRole::Value => &self.value_converter,
            ConverterRole::Header => &self.header_converter,
        }
    }
}

/// What came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    pub infos: ConfigInfos,
    /// The class behind `connector.class`.
    pub class: &'static str,
    /// Source or sink.
    pub kind: PluginKind,
}

/// Why there is no answer to give. `Display` is the message for the user.
#[derive(Debug, thiserror::Error)]
pub enum ValidationError {
    #[error("Connector config {config} contains no connector type")]
    NoConnectorType {
        /// The configuration without its secrets.
        config: String,
    },
    #[error(transparent)]
    UnknownClass(#[from] LookupError),
    #[error("{0}")]
    VersionRange(String),
    #[error("Included connector type {included} does not match request type {requested}")]
    OtherType { included: String, requested: String },
    /// A client override that cannot be read.
    #[error("Invalid value {text} for configuration {key}: {problem}")]
    Override {
        key: String,
        full_key: String,
        problem: String,
        text: String,
    },
    #[error(
        "Request timed out. The worker is currently performing multi-property validation for the connector; check that \
         the system it connects to answers"
    )]
    TimedOut,
    #[error("The validation of connector {class} panicked; this is a bug of the connector")]
    Panicked { class: &'static str },
}

impl ValidationError {
    /// The HTTP status of the answer.
    pub fn status(&self) -> u16 {
        match self {
            Self::NoConnectorType { .. }
            | Self::UnknownClass(_)
            | Self::VersionRange(_)
            | Self::OtherType { .. }
            | Self::Override { .. } => 400,
            Self::TimedOut | Self::Panicked { .. } => 500,
        }
    }
}

/// Checks that a configuration is of the connector that a request names in its path. Both are compared as text, without
/// a `Connector` at the end.
///
/// # Errors
/// `OtherType`. A configuration without a class is not refused here.
pub fn check_requested_type(config: &ConfigMap, requested: &str) -> Result<(), ValidationError> {
    let short = |class| match str::strip_suffix(class, "Connector") {
        Some(short) if !short.is_empty() => short,
        Some(_) | None => class,
    };
    match config.get(framework::CONNECTOR_CLASS) {
        Some(included) if !short(included).ends_with(short(requested)) => Err(ValidationError::OtherType {
            included: included.to_owned(),
            requested: requested.to_owned(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// Validates a configuration.
///
/// # Errors
/// When the connector cannot be told, a version range or client override cannot be read, or the connector does not
/// answer. Everything else that is wrong is in the answer.
pub async fn validate(
    request: Request<'_>,
    plugins: &PluginSet,
    worker: &WorkerDefaults,
) -> Result<Validation, ValidationError> {
    let config = request.resolved;
    let name = config
        .get(framework::CONNECTOR_CLASS)
        .ok_or_else(|| ValidationError::NoConnectorType {
            config: secrets::printed(request.raw),
        })?;
    let asked = config.get(framework::CONNECTOR_VERSION).unwrap_or("latest");
    versions::VersionRange::parse(asked).map_err(ValidationError::VersionRange)?;
    let plugin = plugins.find_connector(name)?;

    let context = Context {
        raw: request.raw,
        config,
        plugins,
        worker,
        plugin,
    };
    let mut infos = match versions::check(plugins, plugin, asked) {
        Ok(()) => context
            .validate(name, request.timeout)
            .await
            .map_err(|error| secrets::hide_in_error(error, request))?,
        Err(unmet) => context.without_the_version(name, &unmet),
    };
    secrets::hide_resolved(&mut infos, request);
    Ok(Validation {
        infos,
        class: plugin.class,
        kind: plugin.kind(),
    })
}

/// One validation.
struct Context<'a> {
    raw: &'a ConfigMap,
    config: &'a ConfigMap,
    plugins: &'a PluginSet,
    worker: &'a WorkerDefaults,
    plugin: &'a Plugin,
}

/// An instance of the connector, to be asked and dropped.
enum Instance {
    Source(Box<dyn SourceConnector>),
    Sink(Box<dyn SinkConnector>),
}

impl Context<'_> {
    async fn validate(&self, name: &str, timeout: Duration) -> Result<ConfigInfos, ValidationError> {
        let kind = self.plugin.kind();
        let instance = self.instance()?;
        let mut report = Report::default();
        let converters = self.framework(&mut report, framework::keys(kind), Some(self.worker));
        selector::check(&mut report, self.raw);
        for chain in embedded::CHAINS {
            embedded::add(&mut report, chain, self.config, self.plugins);
        }
        match &instance {
            Instance::Source(source) => {
                exactly_once::check(&mut report, source.as_ref(), self.config, self.worker);
            }
            Instance::Sink(_) => sink::check(&mut report, self.config, self.worker),
        }
        self.refuse_nulls(&mut report);
        let converters: Vec<_> = converters::PART_ORDER
            .iter()
            .filter_map(|key| converters.iter().find(|converter| converter.slot.key == *key))
            .filter_map(|converter| converter.own_keys(&mut report, self.config))
            .collect();
        self.own(&mut report, instance, timeout).await?;

        let mut parts = overrides::parts(kind, self.config, self.worker)?;
        parts.extend(converters);
        Ok(report.finish(name, parts))
    }

    /// The answer when the connector is not there in the version that is asked for: only the common keys.
    fn without_the_version(&self, name: &str, unmet: &VersionError) -> ConfigInfos {
        let mut report = Report::default();
        self.framework(&mut report, framework::common(), None);
        for key in [framework::CONNECTOR_CLASS, framework::CONNECTOR_VERSION] {
            report.add_error(key, unmet.to_string());
        }
        self.refuse_nulls(&mut report);
        report.finish(name, [])
    }

    /// Reads the framework's keys. `worker`: as for [`converters::Slot::check`].
    fn framework(
        &self,
        report: &mut Report,
        keys: Vec<ConfigKey>,
        worker: Option<&WorkerDefaults>,
    ) -> Vec<Converter<'_>> {
        let mut converters = Vec::new();
        let mut keys = keys.into_iter();
        while let Some(mut key) = keys.next() {
            if let Some(slot) = SLOTS.into_iter().find(|slot| slot.key == key.name) {
                let version = keys.next().expect("the version of a converter follows its class");
                let converter = slot.check((key, version), self.config, self.plugins, worker);
                converter.add_to(report);
                converters.push(converter);
                continue;
            }
            if key.name == framework::CONNECTOR_VERSION {
                key = plugin_keys::with_version_of(key, Some(self.plugin));
            }
            let found = Some(evaluate(&key, self.config));
            report.put(Checked {
                key,
                found,
                visible: true,
            });
        }
        converters
    }

    fn refuse_nulls(&self, report: &mut Report) {
        let nulls = self.config.iter().filter(|(_, value)| value.is_none());
        report.refuse_nulls(nulls.map(|(key, _)| key));
    }

    /// Reads the connector's own keys and lets it check them. Its result for a key takes the place of the framework's.
    async fn own(
        &self,
        report: &mut Report,
        instance: Instance,
        timeout: Duration,
    ) -> Result<(), ValidationError> {
        let def = (self.plugin.config_def)();
        let mut results = def.validate(self.config);
        self.ask(instance, &mut results, timeout).await?;
        let internal = |name: &str| def.key(name).is_some_and(|key| key.internal);
        results.retain(|result| !internal(&result.name));
        for key in def.keys().iter().filter(|key| !key.internal) {
            let found = results
                .iter()
                .position(|result| result.name == key.name)
                .map(|place| results.remove(place));
            report.put(Checked {
                key: key.clone(),
                found,
                visible: true,
            });
        }
        for result in results {
            match report.found(&result.name) {
                Some(known) => *known = result,
                None => report.put_undefined(result),
            }
        }
        Ok(())
    }

    /// Lets the connector check what single keys cannot show.
    async fn ask(
        &self,
        instance: Instance,
        results: &mut Vec<KeyResult>,
        timeout: Duration,
    ) -> Result<(), ValidationError> {
        let checks = async {
            match instance {
                Instance::Source(source) => source.validate(self.config, results).await,
                Instance::Sink(sink) => sink.validate(self.config, results).await,
            }
        };
        // The instance and the results are not used after a panic.
        match tokio::time::timeout(timeout, AssertUnwindSafe(checks).catch_unwind()).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(ValidationError::Panicked {
                class: self.plugin.class,
            }),
            Err(_) => Err(ValidationError::TimedOut),
        }
    }

    fn instance(&self) -> Result<Instance, ValidationError> {
        match self.plugin.factory {
            PluginFactory::Source(new) => Ok(Instance::Source(new())),
            PluginFactory::Sink(new) => Ok(Instance::Sink(new())),
            PluginFactory::Converter(_)
            | PluginFactory::HeaderConverter(_)
            | PluginFactory::Transform(_)
            | PluginFactory::Predicate(_) => Err(ValidationError::UnknownClass(LookupError::WrongKind {
                class: self.plugin.class,
                wanted: PluginKind::Source,
            })),
        }
    }
}
