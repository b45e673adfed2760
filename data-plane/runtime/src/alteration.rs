//! Altering and resetting the offsets of a connector that is stopped: the connector is asked, then what is in Kafka is
//! changed. What the control plane keeps is its own to change, when this has worked.

mod input;
mod sink;
mod source;

use std::error::Error as StdError;

use serde_json::Value;
use tokio::time::Instant;
use towpath_connect::{ConfigMap, ConnectorError, ErrorKind, OffsetMap, PluginFactory};
use towpath_types::Epoch;

use crate::offsets::KeptOffsets;
use crate::unit::Environment;

/// What is to be changed, and what is known of the connector.
#[derive(Debug)]
pub struct Alteration<'a> {
    pub connector: &'a str,
    /// As submitted, secrets not resolved.
    pub config: &'a ConfigMap,
    pub change: Change,
    /// Of a source.
    pub kept: KeptOffsets,
    /// Every run of the connector up to now has this epoch or an earlier one.
    pub epoch: Epoch,
    /// Producers of tasks with numbers below this one may be left somewhere.
    pub fence_below: u32,
    pub deadline: Instant,
}

#[derive(Debug)]
pub enum Change {
    /// Partitions without an offset have none afterwards.
    Alter(Vec<Entry>),
    Reset,
}

/// As the user has written them; objects or null.
#[derive(Debug)]
pub struct Entry {
    pub partition: Value,
    pub offset: Value,
}

/// A source partition, which may be null, and its offset; `None` removes it.
pub type SourceChange = (Option<OffsetMap>, Option<OffsetMap>);

/// What was done.
#[derive(Debug, PartialEq)]
pub struct Altered {
    /// Of a source that was altered: for the control plane to keep. Each partition once.
    pub changes: Vec<SourceChange>,
    /// The topics of Kafka in which the offsets of a source were changed.
    pub in_kafka: Vec<String>,
    /// The connector says that nothing is left to be done in its system.
    pub is_complete: bool,
}

/// Why nothing, or only a part, was done. Displayed in the words of Kafka Connect.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Refused {
    /// As an HTTP status.
    pub status: u16,
    message: String,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Refused {
    fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            source: None,
        }
    }

    fn failed(message: impl Into<String>, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            source: Some(cause.into()),
            ..Self::new(500, message)
        }
    }
}

/// Changes the offsets. May be repeated, also after it failed half-way.
///
/// # Errors
/// When the connector refuses, when the offsets have another form, or when Kafka does.
pub async fn alter(environment: &Environment, request: Alteration<'_>) -> Result<Altered, Refused> {
    let config = (environment.resolve)(request.config).map_err(|cause| Refused {
        status: 400,
        ..Refused::failed(
            "a reference in the connector's configuration cannot be resolved",
            cause,
        )
    })?;
    let class = config.get("connector.class").unwrap_or_default().trim();
    let plugin = environment.plugins.set.find_connector(class);
    let factory = plugin
        .map_err(|cause| Refused::failed("the connector's class cannot be used", cause))?
        .factory;
    match factory {
        PluginFactory::Source(new) => source::alter(environment, (new(), &config), request).await,
        PluginFactory::Sink(new) => sink::alter(environment, (new(), &config), request).await,
        PluginFactory::Converter(_)
        | PluginFactory::HeaderConverter(_)
        | PluginFactory::Transform(_)
        | PluginFactory::Predicate(_) => Err(Refused::new(500, "the plugin is no connector")),
    }
}

/// What the connector answers, in time.
async fn asked(
    answer: impl Future<Output = Result<bool, ConnectorError>>,
    kind: &str,
    request: &Alteration<'_>,
) -> Result<bool, Refused> {
    let connector = request.connector;
    let Ok(answer) = tokio::time::timeout_at(request.deadline, answer).await else {
        let what =
            format!("Timed out while calling the 'alterOffsets' method for {kind} connector {connector}");
        return Err(Refused::new(500, what));
    };
    answer.map_err(|error| match error.kind() {
        // What Kafka Connect's connectors say with its own exceptions.
        ErrorKind::External | ErrorKind::Data | ErrorKind::Retriable => Refused::new(500, error.to_string()),
        ErrorKind::Config => Refused::new(400, error.to_string()),
        ErrorKind::Bug => Refused::failed(
            format!("Failed to modify offsets for {kind} connector {connector}"),
            error,
        ),
    })
}
