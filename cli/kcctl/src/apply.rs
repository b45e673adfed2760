//! `apply`: creates or updates connectors from documents, in their order, up to the first failure.

mod check;
mod documents;

use std::cell::Cell;
use std::collections::HashSet;

use futures::{StreamExt, stream};
use serde_json::json;

pub(crate) use documents::{DocumentError, read_json};

use crate::api::{ApiError, NewConnector};
use crate::args::ApplyArgs;
use crate::commands::{CONCURRENT_REQUESTS, Session, plugin_table};
use crate::failure::{Failure, Progress};
use crate::output::Outcomes;
use documents::Document;

/// So many are applied strictly one after the other. Of more, those that the server finds valid are applied side by
/// side: a valid one does not stop the next.
const ONE_BY_ONE: usize = 16;

pub(crate) async fn run(session: &Session<'_>, args: &ApplyArgs) -> Result<(), Failure> {
    let documents = documents::read(&args.files)?;
    if args.name.is_some() && documents.len() > 1 {
        return Err(Failure::OneNameForMany);
    }
    if let (Some(given), Some(own)) = (
        &args.name,
        documents.first().and_then(|document| document.name.as_ref()),
    ) && given != own
    {
        session
            .printer
            .warning(&format!("--name is not used: the document itself says \"{own}\""));
    }
    let format = args.output.output.unwrap_or_default();
    if args.dry_run {
        return check::dry_run(session, &documents, args.name.as_deref(), format).await;
    }
    let connectors = named(documents, args.name.as_deref())?;
    let mut outcomes = Outcomes::new(session.printer, format);
    let result = Apply::new(session, &connectors).await?.all(&mut outcomes).await;
    outcomes.finish();
    result
}

/// Every document with its name: its own, or the one given for the only document.
fn named(documents: Vec<Document>, given: Option<&str>) -> Result<Vec<NewConnector>, Failure> {
    let connector = |document: Document| {
        let Document {
            origin,
            name,
            config,
            initial_state,
        } = document;
        let name = name
            .or_else(|| given.map(str::to_owned))
            .or_else(|| config.get("name").map(str::to_owned));
        Ok(NewConnector {
            name: name.ok_or(Failure::NoName { origin })?,
            config,
            initial_state,
        })
    };
    documents.into_iter().map(connector).collect()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Applied {
    Created,
    Updated,
}

struct Apply<'a> {
    session: &'a Session<'a>,
    connectors: &'a [NewConnector],
    /// Connectors of the cluster when the command began, and those it made since.
    existing: std::cell::RefCell<HashSet<String>>,
}

/// What became of one connector.
type Attempt = Option<Result<Applied, ApiError>>;

impl<'a> Apply<'a> {
    async fn new(session: &'a Session<'a>, connectors: &'a [NewConnector]) -> Result<Self, Failure> {
        let existing = session.cluster.names().await?.into_iter().collect();
        Ok(Self {
            session,
            connectors,
            existing: std::cell::RefCell::new(existing),
        })
    }

    async fn all(&self, outcomes: &mut Outcomes<'_>) -> Result<(), Failure> {
        let mut attempts = Vec::with_capacity(self.connectors.len());
        let side_by_side = self.side_by_side().await;
        self.group(&mut attempts, side_by_side, CONCURRENT_REQUESTS, outcomes)
            .await;
        self.group(&mut attempts, self.connectors.len(), 1, outcomes)
            .await;
        self.result(attempts).await
    }

    /// How many of the first connectors may be applied in any order: names that come once, and configurations that the
    /// server finds valid. The first that is not valid is applied in its turn, so that the server says what is wrong.
    async fn side_by_side(&self) -> usize {
        let mut names = HashSet::new();
        if self.connectors.len() <= ONE_BY_ONE || !self.connectors.iter().all(|one| names.insert(&one.name)) {
            return 0;
        }
        let total = self.connectors.len();
        let checks = stream::iter(self.connectors).map(|connector| async {
            check::is_valid(self.session, &connector.name, &connector.config).await
        });
        let mut checks = std::pin::pin!(checks.buffered(CONCURRENT_REQUESTS));
        let mut valid = 0;
        while checks.next().await == Some(true) {
            valid += 1;
            self.session
                .printer
                .waiting_for(format!("{} (checked {valid} of {total})", self.session.url));
        }
        valid
    }

    /// Applies the connectors up to `end` that have not had their attempt, so many at a time. After a failure those
    /// under way are waited for, and no further one begins.
    async fn group(
        &self,
        attempts: &mut Vec<Attempt>,
        end: usize,
        at_a_time: usize,
        outcomes: &mut Outcomes<'_>,
    ) {
        let failed = Cell::new(attempts.iter().any(is_failure));
        let pending = self.connectors.get(attempts.len()..end).unwrap_or_default();
        let requests = stream::iter(pending).map(|connector| async {
            if failed.get() {
                return None;
            }
            let result = self.one(connector).await;
            failed.set(failed.get() || result.is_err());
            Some(result)
        });
        let mut requests = std::pin::pin!(requests.buffered(at_a_time));
        while let Some(attempt) = requests.next().await {
            if let Some((Ok(applied), connector)) = attempt.as_ref().zip(self.connectors.get(attempts.len()))
            {
                say(outcomes, &connector.name, *applied);
            }
            attempts.push(attempt);
            let (done, total) = (attempts.len(), self.connectors.len());
            self.session
                .printer
                .waiting_for(format!("{} (applied {done} of {total})", self.session.url));
        }
    }

    async fn one(&self, connector: &NewConnector) -> Result<Applied, ApiError> {
        let cluster = &self.session.cluster;
        let exists = self.existing.borrow().contains(&connector.name);
        if !exists {
            match cluster.create(connector).await {
                // Somebody else made it in the meantime.
                Err(error) if error.already_exists() => {}
                result => {
                    result?;
                    self.existing.borrow_mut().insert(connector.name.clone());
                    return Ok(Applied::Created);
                }
            }
        }
        let created = cluster.put_config(&connector.name, &connector.config).await?;
        Ok(if created {
            Applied::Created
        } else {
            Applied::Updated
        })
    }

    async fn result(&self, attempts: Vec<Attempt>) -> Result<(), Failure> {
        let names = |wanted: fn(&Attempt) -> bool| {
            let pairs = self
                .connectors
                .iter()
                .zip(&attempts)
                .filter(|(_, attempt)| wanted(attempt));
            pairs
                .map(|(connector, _)| connector.name.clone())
                .collect::<Vec<_>>()
        };
        let progress = (self.connectors.len() > 1).then(|| Progress {
            done: names(|attempt| matches!(attempt, Some(Ok(_)))),
            left: names(|attempt| !matches!(attempt, Some(Ok(_)))),
        });
        let failure = self
            .connectors
            .iter()
            .zip(attempts)
            .find_map(|(connector, attempt)| match attempt {
                Some(Err(error)) => Some((connector.name.clone(), error)),
                Some(Ok(_)) | None => None,
            });
        let Some((name, error)) = failure else {
            return Ok(());
        };
        let source = Box::new(explained(self.session, error).await);
        Err(Failure::NotDone {
            name,
            past: "applied",
            progress,
            source,
        })
    }
}

fn is_failure(attempt: &Attempt) -> bool {
    matches!(attempt, Some(Err(_)))
}

fn say(outcomes: &mut Outcomes<'_>, name: &str, applied: Applied) {
    let (sentence, action) = match applied {
        Applied::Created => (format!("Created connector {name}"), "created"),
        Applied::Updated => (format!("Updated connector {name}"), "updated"),
    };
    outcomes.add(&sentence, json!({"name": name, "action": action}));
}

/// An unknown class is answered with those that there are.
async fn explained(session: &Session<'_>, error: ApiError) -> Failure {
    if !error.names_unknown_class() {
        return error.into();
    }
    match session.cluster.plugins().await {
        Ok(mut plugins) => {
            plugins.retain(|plugin| plugin.kind == "source" || plugin.kind == "sink");
            plugins.sort_by(|a, b| (&a.kind, &a.class).cmp(&(&b.kind, &b.class)));
            Failure::UnknownClass {
                available: format!("\n{}\n", plugin_table(&plugins)),
            }
        }
        Err(_) => error.into(),
    }
}
