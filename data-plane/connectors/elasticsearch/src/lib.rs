//! Elasticsearch and OpenSearch sink.
