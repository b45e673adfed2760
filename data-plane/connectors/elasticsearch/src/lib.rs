//! The Elasticsearch and OpenSearch sink: records become documents, in bulks, each written once however often it has to
//! be sent. Understands the configurations of Confluent's and Aiven's connectors.

mod bulk;
mod client;
mod config;
mod connector;
mod deliver;
mod document;
mod flavour;
mod json;
mod live;
mod mapping;
mod naming;
mod payload;
mod prepare;
mod retry;
mod task;
mod tracker;
mod writer;

pub use connector::ElasticsearchSinkConnector;
pub use task::ElasticsearchSinkTask;

use towpath_connect::{Plugin, PluginFactory};

use crate::flavour::{AIVEN_ELASTICSEARCH, Flavour};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The plugins of this crate.
pub fn plugins() -> Vec<Plugin> {
    vec![
        Plugin {
            class: "io.confluent.connect.elasticsearch.ElasticsearchSinkConnector",
            // An alias, since a plugin of its own would take the short name away from both.
            aliases: &[AIVEN_ELASTICSEARCH],
            version: VERSION,
            config_def: config::keys::confluent,
            factory: PluginFactory::Sink(|| Box::new(ElasticsearchSinkConnector::new(Flavour::Confluent))),
        },
        Plugin {
            class: "io.aiven.kafka.connect.opensearch.OpenSearchSinkConnector",
            aliases: &[
                "io.aiven.kafka.connect.opensearch.OpensearchSinkConnector",
                "OpensearchSinkConnector",
                "OpensearchSink",
            ],
            version: VERSION,
            config_def: config::keys::opensearch,
            factory: PluginFactory::Sink(|| Box::new(ElasticsearchSinkConnector::new(Flavour::OpenSearch))),
        },
    ]
}
