//! Makes indexes, data streams and mappings before the first record goes there. Does not wait for a search engine that
//! is away: the caller hands the error on, and the same records come again.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use towpath_connect::data::Schema;
use towpath_connect::{ConnectorError, Result};
use tracing::info;

use crate::client::{Answer, Body, Client, Request, refusal};
use crate::mapping;
use crate::naming::{Creation, Target};
use crate::retry::{Retries, Trouble};

/// Names kept in mind. A transform that makes a name of each record must not fill the memory; beyond this they are
/// looked up again.
const MAX_KNOWN: usize = 10_000;
/// Creating an index takes longer than writing to it.
const CREATION_TIMEOUT: Duration = Duration::from_secs(30);

/// Knows what is there.
#[derive(Debug)]
pub(crate) struct Preparation {
    existing: HashSet<Arc<str>>,
    mapped: HashSet<Arc<str>>,
    max_retries: u32,
    retry_backoff: Duration,
}

impl Preparation {
    pub(crate) fn new(max_retries: u32, retry_backoff: Duration) -> Self {
        Self {
            existing: HashSet::new(),
            mapped: HashSet::new(),
            max_retries,
            retry_backoff,
        }
    }

    /// Whether [`Preparation::ensure`] has nothing to do.
    pub(crate) fn is_done(&self, target: &Target, needs_mapping: bool) -> bool {
        match target.creation {
            Creation::Nothing => true,
            Creation::Index => {
                self.existing.contains(&target.name) && (!needs_mapping || self.mapped.contains(&target.name))
            }
            Creation::DataStream { .. } => self.existing.contains(&target.name),
        }
    }

    /// Makes the target if it is not there. With a schema also the mapping, if the index has none.
    ///
    /// # Errors
    /// `Retriable` when the search engine is away or busy; `Data` when the schema makes no mapping; `External` when it
    /// refuses.
    pub(crate) async fn ensure(
        &mut self,
        client: &Client,
        target: &Target,
        schema: Mapping<'_>,
    ) -> Result<()> {
        if self.existing.len() > MAX_KNOWN {
            self.existing.clear();
            self.mapped.clear();
        }
        if target.creation != Creation::Nothing && !self.existing.contains(&target.name) {
            self.create(client, target).await?;
            self.existing.insert(Arc::clone(&target.name));
        }
        if target.creation == Creation::Index
            && let Mapping::OfSchema(schema) = schema
            && !self.mapped.contains(&target.name)
        {
            self.map(client, target, schema).await?;
            self.mapped.insert(Arc::clone(&target.name));
        }
        Ok(())
    }

    async fn create(&self, client: &Client, target: &Target) -> Result<()> {
        let name = encoded(&target.name);
        let (what, look_up, path) = match &target.creation {
            Creation::Nothing => return Ok(()),
            Creation::Index => ("index", Method::HEAD, format!("/{name}")),
            Creation::DataStream { .. } => ("data stream", Method::GET, format!("/_data_stream/{name}")),
        };
        let looked_up = self.ask(client, &look_up, &path, None).await?;
        match looked_up.status {
            200..=299 => return Ok(()),
            404 => {}
            _ => {
                return Err(refusal(
                    &format!("looking for {what} \"{}\"", target.name),
                    &looked_up,
                ));
            }
        }
        if let Creation::DataStream {
            template: Some(timestamp),
        } = &target.creation
        {
            let template = json!({ "index_patterns": [*target.name], "data_stream": { "timestamp_field": { "name": **timestamp } } });
            let answer = self
                .ask(
                    client,
                    &Method::PUT,
                    &format!("/_index_template/{name}-template"),
                    Some(&template),
                )
                .await?;
            accepted(&answer, || {
                format!("making an index template for data stream \"{}\"", target.name)
            })?;
        }
        let answer = self.ask(client, &Method::PUT, &path, None).await?;
        accepted(&answer, || format!("making {what} \"{}\"", target.name))?;
        info!(name = %target.name, "{what} made");
        Ok(())
    }

    async fn map(&self, client: &Client, target: &Target, schema: Option<&Schema>) -> Result<()> {
        let path = format!("/{}/_mapping", encoded(&target.name));
        let present = self.ask(client, &Method::GET, &path, None).await?;
        accepted(&present, || {
            format!("reading the mapping of index \"{}\"", target.name)
        })?;
        if has_mapping(&present) {
            return Ok(());
        }
        let schema = schema.ok_or_else(|| {
            ConnectorError::data(format!(
                "the value has no schema to make the mapping of index \"{}\" of; set `schema.ignore` to `true`, or use a converter with schemas",
                target.name
            ))
        })?;
        let answer = self
            .ask(client, &Method::PUT, &path, Some(&mapping::of_schema(schema)?))
            .await?;
        accepted(&answer, || {
            format!("setting the mapping of index \"{}\"", target.name)
        })
    }

    /// One question, asked again while the search engine says that it is busy.
    async fn ask(
        &self,
        client: &Client,
        method: &Method,
        path: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<Answer> {
        let body = body.map(ToString::to_string);
        let request = Request {
            method,
            path,
            body: body
                .as_ref()
                .map_or(Body::None, |body| Body::Json(body.as_bytes())),
            timeout: CREATION_TIMEOUT,
        };
        let mut retries = Retries::new(self.max_retries, self.retry_backoff);
        loop {
            let answer = client
                .send(request)
                .await
                .map_err(crate::client::Failure::into_error)?;
            let trouble = match answer.status {
                // Not waited for here, so that the task stays able to stop.
                502..=504 => {
                    return Err(ConnectorError::retriable(
                        "the search engine is not available at the moment",
                    ));
                }
                429 | 500..=599 => Trouble::Busy,
                _ => return Ok(answer),
            };
            let Some(wait) = retries.next_wait(trouble) else {
                return Err(refusal("making an index or mapping", &answer));
            };
            tokio::time::sleep(wait).await;
        }
    }
}

/// The mapping that a record wants.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mapping<'a> {
    /// What the search engine makes of the first documents.
    Dynamic,
    /// One of the value's schema.
    OfSchema(Option<&'a Schema>),
}

fn accepted(answer: &Answer, what: impl FnOnce() -> String) -> Result<()> {
    let already_there = |kind: &str| {
        matches!(
            kind,
            "resource_already_exists_exception" | "index_already_exists_exception"
        )
    };
    match answer.status {
        200..=299 => Ok(()),
        // Another task was faster.
        400 if crate::client::error_type(&answer.body).is_some_and(|kind| already_there(&kind)) => Ok(()),
        _ => Err(refusal(&what(), answer)),
    }
}

/// Whether any index behind the name has fields.
fn has_mapping(answer: &Answer) -> bool {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let mut indexes = body.as_object().into_iter().flat_map(serde_json::Map::values);
    indexes.any(|index| {
        let mappings = index.get("mappings").and_then(serde_json::Value::as_object);
        mappings.is_some_and(|mappings| !mappings.is_empty())
    })
}

/// A name in the path of a URL.
fn encoded(name: &str) -> String {
    url::form_urlencoded::byte_serialize(name.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}
