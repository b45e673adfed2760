//! The connectors whose configurations are understood, and what differs between them: names of keys, defaults, classes.

use towpath_connect::ConfigMap;

/// The connector of the Aiven fork of Confluent's version 5; an alias of [`Flavour::Confluent`] with an old default.
pub(crate) const AIVEN_ELASTICSEARCH: &str = "io.aiven.connect.elasticsearch.ElasticsearchSinkConnector";

/// Whose keys a configuration uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// Confluent's Elasticsearch sink.
    Confluent,
    /// Aiven's OpenSearch sink.
    OpenSearch,
}

impl Flavour {
    pub(crate) fn task_class(self) -> &'static str {
        match self {
            Self::Confluent => "io.confluent.connect.elasticsearch.ElasticsearchSinkTask",
            Self::OpenSearch => "io.aiven.kafka.connect.opensearch.OpenSearchSinkTask",
        }
    }

    /// The key that says whether documents are replaced or merged.
    pub(crate) fn write_method_key(self) -> &'static str {
        match self {
            Self::Confluent => "write.method",
            Self::OpenSearch => "index.write.method",
        }
    }

    /// What comes before the standard `ssl.…` keys.
    pub(crate) fn tls_prefix(self) -> &'static str {
        match self {
            Self::Confluent => "elastic.https.",
            Self::OpenSearch => "connection.",
        }
    }

    /// Puts in the defaults that depend on the class name in the configuration.
    pub(crate) fn with_class_defaults(self, config: &ConfigMap) -> ConfigMap {
        const NULL_VALUES: &str = "behavior.on.null.values";
        let mut config = config.clone();
        if config.get("connector.class") == Some(AIVEN_ELASTICSEARCH) && !config.contains_key(NULL_VALUES) {
            config.insert(NULL_VALUES, "ignore");
        }
        config
    }
}
