//! What the author of a connector, converter or transform sees: the Connect data model, records, the plugin traits,
//! configuration definitions and errors. It knows no Kafka client, no HTTP stack and no async runtime.
#![deny(missing_docs)]

pub mod config;
pub mod config_def;
pub mod connector;
pub mod converter;
pub mod data;
pub mod error;
pub mod offset;
pub mod pattern;
pub mod plugin;
pub mod plugin_set;
pub mod properties;
pub mod record;
pub mod sink;
pub mod source;
pub mod transaction;
pub mod transform;

pub use config::{ConfigMap, Password};
pub use config_def::{ConfigDef, ConfigKey, Importance, ParsedConfig, Width};
pub use connector::ConnectorContext;
pub use converter::{Converter, ConverterRole, HeaderConverter, SchemaAndValue};
pub use data::{Decimal, Field, Map, Schema, SchemaBuilder, SchemaRef, Struct, Type, Value};
pub use error::{ConnectorError, ErrorKind, Result};
pub use offset::{OffsetMap, OffsetValue};
pub use pattern::Pattern;
pub use plugin::{KAFKA_CONNECT_VERSION, Plugin, PluginFactory, PluginKind};
pub use plugin_set::{LookupError, PluginSet};
pub use record::{ConnectRecord, Header, Headers, SinkRecord, SourceRecord, TimestampType, Topic};
pub use sink::{SinkConnector, SinkTask, SinkTaskContext, TopicPartition, TopicPartitionOffsets};
pub use source::{ExactlyOnceSupport, OffsetReader, SourceConnector, SourceTask, SourceTaskContext};
pub use transaction::{TransactionContext, TransactionEnd, TransactionRequests};
pub use transform::{Predicate, Transform};
