//! What a configuration says, read once into types that cannot be wrong.

pub(crate) mod check;
mod groups;
pub(crate) mod keys;
mod read;
pub(crate) mod tls;
mod valid;

use std::time::Duration;

use towpath_connect::config_def::KeyResult;
use towpath_connect::{ConfigDef, ConfigMap, ConnectorError, Password, Result};
use url::Url;

use self::tls::Tls;
use crate::flavour::Flavour;
use crate::naming::Naming;

/// A user and the password.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) user: String,
    pub(crate) password: Password,
}

/// A proxy and how to log in there.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    pub(crate) url: String,
    pub(crate) credentials: Option<Credentials>,
}

/// How the search engine is reached.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) urls: Vec<Url>,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) tls: Tls,
    pub(crate) compression: bool,
    pub(crate) connect_timeout: Duration,
    pub(crate) read_timeout: Duration,
    /// The read timeout of a bulk grows up to this.
    pub(crate) longest_read_timeout: Duration,
    /// `None`: idle connections are kept.
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) max_retries: u32,
    pub(crate) retry_backoff: Duration,
}

/// How records are gathered into bulks.
#[derive(Clone, Debug)]
pub(crate) struct Batching {
    pub(crate) records: usize,
    pub(crate) bytes: usize,
    pub(crate) in_flight: usize,
    pub(crate) buffered: usize,
    pub(crate) linger: Duration,
    pub(crate) flush_timeout: Duration,
    pub(crate) synchronous: bool,
}

/// For which topics a thing is ignored.
#[derive(Clone, Debug)]
pub(crate) enum Ignored {
    Everywhere,
    In(Vec<String>),
}

impl Ignored {
    /// Whether it is ignored for a record of this topic, before or after transforms.
    pub(crate) fn applies(&self, topic: &str, original: &str) -> bool {
        match self {
            Self::Everywhere => true,
            Self::In(topics) => topics.iter().any(|listed| listed == topic || listed == original),
        }
    }
}

/// The id of a document whose record's key is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IdWithoutKey {
    /// The search engine makes one.
    Generated,
    /// The key after all.
    RecordKey,
    TopicPartitionOffset,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WriteMethod {
    Insert,
    Upsert,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NullValues {
    Ignore,
    Delete,
    Fail,
}

/// Where the routing of a document comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Routing {
    None,
    Key,
    /// The steps of a JSON pointer into the value.
    Value(Vec<String>),
}

/// What happens to a record that the search engine refuses for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    Ignore,
    Warn,
    Fail,
}

/// How a record becomes an entry of a bulk.
#[derive(Clone, Debug)]
pub(crate) struct Documents {
    pub(crate) key_ignored: Ignored,
    pub(crate) id_without_key: IdWithoutKey,
    pub(crate) schema_ignored: Ignored,
    pub(crate) compact_maps: bool,
    pub(crate) write_method: WriteMethod,
    pub(crate) null_values: NullValues,
    pub(crate) version_header: Option<String>,
    pub(crate) routing: Routing,
    /// Fields of which the first that is there is the timestamp in a data stream.
    pub(crate) timestamp_fields: Vec<String>,
    /// A document that has `@timestamp` keeps it.
    pub(crate) keeps_timestamp: bool,
    /// An update that meets another is tried again by the search engine this often.
    pub(crate) retry_on_conflict: usize,
}

/// Everything.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) connection: Connection,
    pub(crate) batching: Batching,
    pub(crate) naming: Naming,
    pub(crate) documents: Documents,
    pub(crate) drop_invalid: bool,
    pub(crate) malformed: Refused,
    /// A newer version than ours is there.
    pub(crate) conflict: Refused,
}

impl Settings {
    /// Reads and checks a configuration.
    ///
    /// # Errors
    /// `Config` with everything that is wrong, one problem a line.
    pub(crate) fn read(flavour: Flavour, config: &ConfigMap) -> Result<Self> {
        let config = &flavour.with_class_defaults(config);
        let def = definition(flavour);
        let results = validate(flavour, &def, config);
        let errors: Vec<String> = results.into_iter().flat_map(|result| result.errors).collect();
        if !errors.is_empty() {
            return Err(ConnectorError::config(errors.join("\n")));
        }
        let parsed = def.parse(config)?;
        Ok(Self {
            connection: read::connection(flavour, config, &parsed)?,
            batching: read::batching(&parsed),
            naming: read::naming(flavour, &parsed),
            documents: read::documents(flavour, &parsed),
            drop_invalid: parsed.boolean("drop.invalid.message"),
            malformed: read::refused(parsed.string("behavior.on.malformed.documents")),
            conflict: match flavour {
                // A conflict of an external version says that a newer record was written.
                Flavour::Confluent => Refused::Ignore,
                Flavour::OpenSearch => read::refused(parsed.string("behavior.on.version.conflict")),
            },
        })
    }
}

pub(crate) fn definition(flavour: Flavour) -> ConfigDef {
    match flavour {
        Flavour::Confluent => keys::confluent(),
        Flavour::OpenSearch => keys::opensearch(),
    }
}

/// What is wrong with each key, by itself and beside the others.
pub(crate) fn validate(flavour: Flavour, def: &ConfigDef, config: &ConfigMap) -> Vec<KeyResult> {
    let mut results = def.validate(config);
    check::add_problems(flavour, &topics(config), &mut results);
    results
}

/// The topics named in `topics`; none when they are given by a pattern.
pub(crate) fn topics(config: &ConfigMap) -> Vec<String> {
    let topics = config.get("topics").unwrap_or_default().split(',');
    topics
        .map(str::trim)
        .filter(|topic| !topic.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests;
