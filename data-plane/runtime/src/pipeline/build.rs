//! Builds the pipelines of a task from the configurations of the connector and the worker.

use std::sync::Arc;

use towpath_connect::{
    ConfigMap, ConnectorError, Converter, ConverterRole, HeaderConverter, LookupError, PluginFactory,
    PluginKind, PluginSet,
};

use super::chain::{Condition, Step};
use super::{SinkPipeline, SourcePipeline, TransformChain};

/// Header converter of a worker that names none.
const DEFAULT_HEADER_CONVERTER: &str = "org.apache.kafka.connect.storage.SimpleHeaderConverter";

/// Class names of the three converters, for messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConverterClasses {
    pub(super) key: &'static str,
    pub(super) value: &'static str,
    pub(super) header: &'static str,
}

/// Why a pipeline cannot be built; each names the key.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The plugin of a key is not there.
    #[error("the plugin that `{key}` names cannot be used")]
    Plugin {
        /// The key.
        key: String,
        /// Why.
        #[source]
        source: LookupError,
    },
    /// A key that has to be set is not.
    #[error("`{key}` is not set; set it in the connector's or the worker's configuration")]
    Missing {
        /// The key.
        key: String,
    },
    /// A predicate is used that `predicates` does not list.
    #[error("`transforms.{transform}.predicate` names `{predicate}`, which `predicates` does not list")]
    UnknownPredicate {
        /// Alias of the transform.
        transform: String,
        /// Alias of the predicate.
        predicate: String,
    },
    /// The plugin refuses its configuration.
    #[error("the plugin that `{key}` names cannot be configured")]
    Configure {
        /// The key.
        key: String,
        /// Why.
        #[source]
        source: ConnectorError,
    },
}

impl From<PipelineError> for ConnectorError {
    fn from(error: PipelineError) -> Self {
        let message = error.to_string();
        let config = Self::config(message);
        match error {
            PipelineError::Plugin { source, .. } => config.with_source(source),
            PipelineError::Configure { source, .. } => config.with_source(source),
            PipelineError::Missing { .. } | PipelineError::UnknownPredicate { .. } => config,
        }
    }
}

/// The plugins and the worker's own configuration, from which pipelines are built.
#[derive(Clone, Debug)]
pub struct Plugins {
    /// Everything that is installed.
    pub set: Arc<PluginSet>,
    /// The worker's configuration, whose converters are the defaults.
    pub worker: Arc<ConfigMap>,
}

impl Plugins {
    /// The pipeline of a source task of this connector.
    ///
    /// # Errors
    /// The key that cannot be used.
    pub fn source_pipeline(&self, config: &ConfigMap) -> Result<SourcePipeline, PipelineError> {
        let (transforms, converters) = (self.transforms(config)?, self.converters(config)?);
        let Converters {
            key,
            value,
            header,
            classes,
        } = converters;
        Ok(SourcePipeline {
            transforms,
            key,
            value,
            header,
            classes,
            client_stamps: false,
        })
    }

    /// The pipeline of a sink task of this connector.
    ///
    /// # Errors
    /// The key that cannot be used.
    pub fn sink_pipeline(&self, config: &ConfigMap) -> Result<SinkPipeline, PipelineError> {
        let (transforms, converters) = (self.transforms(config)?, self.converters(config)?);
        let Converters {
            key,
            value,
            header,
            classes,
        } = converters;
        Ok(SinkPipeline {
            transforms,
            key,
            value,
            header,
            classes,
        })
    }

    fn converters(&self, config: &ConfigMap) -> Result<Converters, PipelineError> {
        let (key_class, key) = self.converter(config, ConverterRole::Key)?;
        let (value_class, value) = self.converter(config, ConverterRole::Value)?;
        let (header_class, header) = self.header_converter(config)?;
        let classes = ConverterClasses {
            key: key_class,
            value: value_class,
            header: header_class,
        };
        Ok(Converters {
            key,
            value,
            header,
            classes,
        })
    }

    fn converter(
        &self,
        config: &ConfigMap,
        role: ConverterRole,
    ) -> Result<Configured<dyn Converter>, PipelineError> {
        let key = format!("{}.converter", role.name());
        let (name, own) = self
            .scoped(config, &key)
            .ok_or_else(|| PipelineError::Missing { key: key.clone() })?;
        let plugin = self.find(PluginKind::Converter, &key, &name)?;
        match plugin.factory {
            PluginFactory::Converter(make) => make(&own, role)
                .map(|made| (plugin.class, made))
                .map_err(|source| PipelineError::Configure { key, source }),
            _ => Err(PipelineError::Missing { key }),
        }
    }

    fn header_converter(&self, config: &ConfigMap) -> Result<Configured<dyn HeaderConverter>, PipelineError> {
        let key = "header.converter".to_owned();
        let (name, own) = self
            .scoped(config, &key)
            .unwrap_or_else(|| (DEFAULT_HEADER_CONVERTER.to_owned(), ConfigMap::new()));
        let plugin = self.find(PluginKind::HeaderConverter, &key, &name)?;
        match plugin.factory {
            PluginFactory::HeaderConverter(make) => make(&own)
                .map(|made| (plugin.class, made))
                .map_err(|source| PipelineError::Configure { key, source }),
            _ => Err(PipelineError::Missing { key }),
        }
    }

    /// The class that `key` names and its own keys: the connector's if it names a class, else the worker's. Never
    /// merged.
    fn scoped(&self, config: &ConfigMap, key: &str) -> Option<(String, ConfigMap)> {
        let of = |config: &ConfigMap| {
            Some((
                config.get(key)?.trim().to_owned(),
                config.with_prefix(&format!("{key}.")),
            ))
        };
        of(config).or_else(|| of(&self.worker))
    }

    fn find(
        &self,
        kind: PluginKind,
        key: &str,
        name: &str,
    ) -> Result<&towpath_connect::Plugin, PipelineError> {
        self.set.find(kind, name).map_err(|source| PipelineError::Plugin {
            key: key.to_owned(),
            source,
        })
    }

    fn transforms(&self, config: &ConfigMap) -> Result<TransformChain, PipelineError> {
        let aliases = list(config, "transforms");
        aliases
            .iter()
            .map(|alias| self.step(config, alias))
            .collect::<Result<_, _>>()
            .map(TransformChain::new)
    }

    fn step(&self, config: &ConfigMap, alias: &str) -> Result<Step, PipelineError> {
        let key = format!("transforms.{alias}.type");
        let name = config
            .get(&key)
            .ok_or_else(|| PipelineError::Missing { key: key.clone() })?
            .trim();
        let plugin = self.find(PluginKind::Transformation, &key, name)?;
        let own = config.with_prefix(&format!("transforms.{alias}."));
        let condition = match own
            .get("predicate")
            .map(str::trim)
            .filter(|alias| !alias.is_empty())
        {
            Some(predicate) => {
                let negate = own
                    .get("negate")
                    .is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
                Some(Condition {
                    predicate: self.predicate(config, alias, predicate)?,
                    negate,
                })
            }
            None => None,
        };
        match plugin.factory {
            PluginFactory::Transform(make) => make(&own)
                .map(|transform| Step {
                    class: plugin.class,
                    transform,
                    condition,
                })
                .map_err(|source| PipelineError::Configure { key, source }),
            _ => Err(PipelineError::Missing { key }),
        }
    }

    fn predicate(
        &self,
        config: &ConfigMap,
        transform: &str,
        alias: &str,
    ) -> Result<Box<dyn towpath_connect::Predicate>, PipelineError> {
        let key = format!("predicates.{alias}.type");
        let listed = list(config, "predicates").iter().any(|known| known == alias);
        let Some(name) = config.get(&key).filter(|_| listed) else {
            return Err(PipelineError::UnknownPredicate {
                transform: transform.to_owned(),
                predicate: alias.to_owned(),
            });
        };
        let plugin = self.find(PluginKind::Predicate, &key, name.trim())?;
        match plugin.factory {
            PluginFactory::Predicate(make) => make(&config.with_prefix(&format!("predicates.{alias}.")))
                .map_err(|source| PipelineError::Configure { key, source }),
            _ => Err(PipelineError::Missing { key }),
        }
    }
}

type Configured<T> = (&'static str, Box<T>);

struct Converters {
    key: Box<dyn Converter>,
    value: Box<dyn Converter>,
    header: Box<dyn HeaderConverter>,
    classes: ConverterClasses,
}

fn list(config: &ConfigMap, key: &str) -> Vec<String> {
    let text = config.get(key).unwrap_or_default().trim();
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}
