//! Which index or data stream a record goes to. Names come from the topic after transforms; the one before them is
//! looked at only where the user listed topics.

use std::sync::Arc;

/// The longest name of an index.
const MAX_INDEX_NAME: usize = 255;
/// The longest namespace of a data stream.
const MAX_NAMESPACE: usize = 100;

/// What a record is written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) name: Arc<str>,
    /// Data streams only take new documents, with `@timestamp`.
    pub(crate) is_data_stream: bool,
    pub(crate) creation: Creation,
}

/// What is made before the first record goes there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Creation {
    /// Nothing: the user says that it exists.
    Nothing,
    Index,
    /// A data stream, and the index template it needs with this timestamp field if the user has none.
    DataStream {
        template: Option<Arc<str>>,
    },
}

/// How the user wants data streams to be called.
#[derive(Clone, Debug)]
pub(crate) enum DataStreams {
    /// `kind-dataset-namespace`.
    Parts {
        kind: String,
        dataset: String,
        namespace: String,
    },
    /// `prefix-topic`.
    Prefix {
        prefix: Option<String>,
        template: Option<Arc<str>>,
    },
}

/// Indexes, data streams or aliases that exist, by topic.
#[derive(Clone, Debug)]
pub(crate) struct Existing {
    pub(crate) names: Vec<(String, String)>,
    pub(crate) data_streams: bool,
}

/// The naming rules of a task.
#[derive(Clone, Debug)]
pub(crate) struct Naming {
    /// Indexes by topic.
    pub(crate) indexes: Vec<(String, String)>,
    pub(crate) existing: Option<Existing>,
    pub(crate) data_streams: Option<DataStreams>,
}

impl Naming {
    /// The target of a record of `topic`, which was called `original` when it was consumed. `None` when what exists
    /// was not named for this topic.
    pub(crate) fn target(&self, topic: &str, original: &str) -> Option<Target> {
        if let Some(existing) = &self.existing {
            return Some(Target {
                name: listed(&existing.names, topic, original)?.into(),
                is_data_stream: existing.data_streams,
                creation: Creation::Nothing,
            });
        }
        if let Some(streams) = &self.data_streams {
            return Some(Target {
                name: data_stream_name(streams, topic).into(),
                is_data_stream: true,
                creation: Creation::DataStream {
                    template: match streams {
                        DataStreams::Prefix { template, .. } => template.clone(),
                        DataStreams::Parts { .. } => None,
                    },
                },
            });
        }
        let name = match listed(&self.indexes, topic, original) {
            Some(index) => index.to_owned(),
            None => index_name(topic),
        };
        Some(Target {
            name: name.into(),
            is_data_stream: false,
            creation: Creation::Index,
        })
    }

    /// Whether any record goes to a data stream.
    pub(crate) fn uses_data_streams(&self) -> bool {
        self.data_streams.is_some()
            || self
                .existing
                .as_ref()
                .is_some_and(|existing| existing.data_streams)
    }
}

fn listed<'a>(names: &'a [(String, String)], topic: &str, original: &str) -> Option<&'a str> {
    let of = |wanted: &str| names.iter().find(|(topic, _)| topic == wanted);
    of(topic).or_else(|| of(original)).map(|(_, name)| name.as_str())
}

/// The index of a topic: what search engines accept as a name.
pub(crate) fn index_name(topic: &str) -> String {
    let name: String = topic.to_lowercase().chars().take(MAX_INDEX_NAME).collect();
    let name = name.strip_prefix(['-', '_']).unwrap_or(&name);
    match name {
        "." => "dot".to_owned(),
        ".." => "dotdot".to_owned(),
        name => name.to_owned(),
    }
}

fn data_stream_name(streams: &DataStreams, topic: &str) -> String {
    match streams {
        DataStreams::Parts {
            kind,
            dataset,
            namespace,
        } => {
            let namespace = namespace.replace("${topic}", &topic.to_lowercase());
            let namespace: String = namespace.chars().take(MAX_NAMESPACE).collect();
            format!("{kind}-{dataset}-{namespace}")
        }
        DataStreams::Prefix {
            prefix: Some(prefix), ..
        } => format!("{prefix}-{}", index_name(topic)),
        DataStreams::Prefix { prefix: None, .. } => index_name(topic),
    }
}

#[cfg(test)]
mod tests;
