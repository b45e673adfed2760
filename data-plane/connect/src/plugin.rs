//! A plugin is data that a crate exports: names, version, configuration definition and constructor.

use crate::config_def::ConfigDef;
use crate::converter::{NewConverter, NewHeaderConverter};
use crate::sink::SinkConnector;
use crate::source::SourceConnector;
use crate::transform::{NewPredicate, NewTransform};

/// The release of Kafka Connect whose contract is kept: the version shown for the plugins that come with it.
pub const KAFKA_CONNECT_VERSION: &str = "4.3.1";

/// What sort of plugin it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(
    missing_docs,
    reason = "named as in Kafka Connect; in the order of GET /connector-plugins"
)]
pub enum PluginKind {
    Sink,
    Source,
    Transformation,
    Predicate,
    Converter,
    HeaderConverter,
}

impl PluginKind {
    /// The `type` in answers of the REST API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sink => "sink",
            Self::Source => "source",
            Self::Transformation => "transformation",
            Self::Predicate => "predicate",
            Self::Converter => "converter",
            Self::HeaderConverter => "header_converter",
        }
    }

    /// The Java interface (or class, for connectors) that messages name.
    pub fn interface(self) -> &'static str {
        match self {
            Self::Sink => "SinkConnector",
            Self::Source => "SourceConnector",
            Self::Transformation => "Transformation",
            Self::Predicate => "Predicate",
            Self::Converter => "Converter",
            Self::HeaderConverter => "HeaderConverter",
        }
    }
}

/// How an instance is made.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "one a kind")]
pub enum PluginFactory {
    Source(fn() -> Box<dyn SourceConnector>),
    Sink(fn() -> Box<dyn SinkConnector>),
    Converter(NewConverter),
    HeaderConverter(NewHeaderConverter),
    Transform(NewTransform),
    Predicate(NewPredicate),
}

/// One plugin. A crate exports a `pub fn plugins() -> Vec<Plugin>`.
#[derive(Clone, Copy, Debug)]
pub struct Plugin {
    /// The class name under which it is listed, for example `org.apache.kafka.connect.file.FileStreamSourceConnector`.
    pub class: &'static str,
    /// Every further name that people have in their configurations, beyond the short names that follow from `class`.
    pub aliases: &'static [&'static str],
    /// Shown in plugin lists and statuses.
    pub version: &'static str,
    /// The plugin's own keys.
    pub config_def: fn() -> ConfigDef,
    /// How an instance is made.
    pub factory: PluginFactory,
}

impl Plugin {
    /// What sort of plugin it is.
    pub fn kind(&self) -> PluginKind {
        match self.factory {
            PluginFactory::Source(_) => PluginKind::Source,
            PluginFactory::Sink(_) => PluginKind::Sink,
            PluginFactory::Converter(_) => PluginKind::Converter,
            PluginFactory::HeaderConverter(_) => PluginKind::HeaderConverter,
            PluginFactory::Transform(_) => PluginKind::Transformation,
            PluginFactory::Predicate(_) => PluginKind::Predicate,
        }
    }
}
