//! The answer to a bulk request: what became of each entry.

use serde::Deserialize;
use towpath_connect::{ConnectorError, Result};

use super::{Action, Operation};

/// Types of errors that say that the document is at fault. The same document would be refused again.
const MALFORMED: &[&str] = &[
    "strict_dynamic_mapping_exception",
    "mapper_parsing_exception",
    "illegal_argument_exception",
    "action_request_validation_exception",
    "document_parsing_exception",
];

/// What became of one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Written,
    /// The same or a newer document is there.
    Superseded,
    /// Someone else changed the document at the same moment.
    Contended,
    /// A newer version than ours is there, and somebody may want to know.
    Conflict,
    /// The search engine has too much to do.
    Busy,
    /// The part of the index is not there at the moment.
    Unavailable,
    /// Something broke on the other side, as when a node ends; the document is not at fault.
    Broken(String),
    /// The document is at fault.
    Malformed(String),
    Refused(String),
}

#[derive(Debug, Deserialize)]
pub(crate) struct Response {
    items: Vec<Item>,
}

/// An object of one member, named after the action.
#[derive(Debug, Deserialize)]
struct Item {
    #[serde(alias = "create", alias = "update", alias = "delete")]
    index: Outcome,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    status: u16,
    error: Option<Failure>,
}

#[derive(Debug, Deserialize)]
struct Failure {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    reason: String,
}

impl Response {
    /// Reads an answer to a request of `count` entries.
    ///
    /// # Errors
    /// `External` when it is not the answer to such a request.
    pub(crate) fn parse(body: &[u8], count: usize) -> Result<Self> {
        let response: Self = serde_json::from_slice(body).map_err(|cause| {
            ConnectorError::external(
                "the answer to a bulk request could not be read; is this a search engine?",
            )
            .with_source(cause)
        })?;
        if response.items.len() == count {
            return Ok(response);
        }
        Err(ConnectorError::external(format!(
            "the search engine answered for {} entries of a bulk of {count}",
            response.items.len()
        )))
    }

    /// What became of each entry, in order.
    pub(crate) fn verdicts(&self, operations: &[Operation]) -> Vec<Verdict> {
        let pairs = self.items.iter().zip(operations);
        pairs
            .map(|(item, operation)| verdict(&item.index, operation))
            .collect()
    }
}

fn verdict(outcome: &Outcome, operation: &Operation) -> Verdict {
    let entry = operation.entry;
    let failure = outcome.error.as_ref();
    match (outcome.status, entry.action) {
        (200..=299, _) => Verdict::Written,
        // It is gone, or was never there.
        (404, Action::Delete) => Verdict::Written,
        // Its id is of its place in Kafka or of its key, so this is the document, written before.
        (409, Action::Create) => Verdict::Superseded,
        (409, _) if entry.is_versioned && failure.is_some_and(|failure| same_version(&failure.reason)) => {
            Verdict::Superseded
        }
        (409, _) if entry.is_versioned => Verdict::Conflict,
        (409, _) => Verdict::Contended,
        (429, _) => Verdict::Busy,
        (502..=504, _) => Verdict::Unavailable,
        (status, _) => {
            let kind = failure.map_or("", |failure| failure.kind.as_str());
            let text = failure.map_or_else(|| format!("status {status}"), describe);
            if MALFORMED.contains(&kind) {
                Verdict::Malformed(text)
            } else if (500..=599).contains(&status) {
                Verdict::Broken(text)
            } else {
                Verdict::Refused(text)
            }
        }
    }
}

/// Whether a conflict is with the version that we send: with the very record, written before.
fn same_version(reason: &str) -> bool {
    // From the end: the reason begins with the id, which may hold anything.
    let number = |marker: &str| {
        let (_, rest) = reason.rsplit_once(marker)?;
        rest.split_once(']')?.0.parse::<i64>().ok()
    };
    let (current, ours) = (number("current version ["), number("the one provided ["));
    current.is_some() && current == ours
}

/// The type of an error, and where it is sure to hold nothing of the document also what it is about.
fn describe(failure: &Failure) -> String {
    // Reasons quote ids and values. Up to here they name the field and its type.
    match failure.reason.split_once(" in document with id ") {
        Some((about, _)) if about.starts_with("failed to parse field [") => {
            format!("{}: {about}", failure.kind)
        }
        _ => failure.kind.clone(),
    }
}
