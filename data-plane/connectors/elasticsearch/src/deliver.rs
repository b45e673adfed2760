//! Brings one bulk to the search engine: sends it, looks at what became of each entry, and sends again what is to be
//! sent again, until every entry is decided.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use reqwest::Method;
use towpath_connect::{ConnectorError, Result, Topic};
use tracing::{debug, warn};

use crate::bulk::{Bulk, Operation, Response, Verdict};
use crate::client::{self, Answer, Body, Client, Failure, Request};
use crate::config::{Connection, Refused};
use crate::retry::{Retries, Trouble};

/// Only what is looked at, so that the answer is short.
const BULK_PATH: &str = "/_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason";

/// How often an update that met others is tried again before it is given up.
const CONTENDED_TRIES: u32 = 10;
/// The longest wait before such a try.
const CONTENDED_WAIT: Duration = Duration::from_millis(200);

/// What is done with what the search engine does not take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    pub(crate) malformed: Refused,
    pub(crate) conflict: Refused,
    pub(crate) max_retries: u32,
    pub(crate) retry_backoff: Duration,
    pub(crate) read_timeout: Duration,
    pub(crate) longest_read_timeout: Duration,
}

impl Policy {
    pub(crate) fn new(connection: &Connection, malformed: Refused, conflict: Refused) -> Self {
        Self {
            malformed,
            conflict,
            max_retries: connection.max_retries,
            retry_backoff: connection.retry_backoff,
            read_timeout: connection.read_timeout,
            longest_read_timeout: connection.longest_read_timeout,
        }
    }
}

/// Sends bulks.
#[derive(Debug)]
pub(crate) struct Delivery<'a> {
    client: &'a Client,
    policy: Policy,
    retries: Retries,
    timeout: Duration,
    contended: u32,
    /// What broke on the other side, as the last answer says.
    broken: Option<String>,
}

/// What one request led to.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// Whatever is left of the bulk is to be sent again.
    Again(Trouble),
    /// What is left met others, and is to be sent again.
    Contended,
    /// The bulk was too much for one request.
    Split,
    Done,
}

impl<'a> Delivery<'a> {
    pub(crate) fn new(client: &'a Client, policy: Policy) -> Self {
        Self {
            client,
            policy,
            retries: Retries::new(policy.max_retries, policy.retry_backoff),
            timeout: policy.read_timeout,
            contended: 0,
            broken: None,
        }
    }

    /// Returns when every entry is written, or will never be; each is marked done as soon as it is.
    ///
    /// # Errors
    /// `External` when the task has to fail.
    pub(crate) async fn run(mut self, bulk: Bulk) -> Result<()> {
        let mut todo = vec![bulk];
        while let Some(mut bulk) = todo.pop() {
            // Another task writes what is of a partition that is no longer ours, and perhaps something newer.
            bulk.retain(|_, operation| !operation.partition.is_closed());
            if bulk.operations.is_empty() {
                continue;
            }
            match self.send(&mut bulk).await? {
                Step::Done => {}
                Step::Split => {
                    let later = bulk.split_half();
                    todo.extend(later);
                    todo.push(bulk);
                }
                Step::Again(trouble) => {
                    let Some(wait) = self.retries.next_wait(trouble) else {
                        return Err(self.gives_up(&bulk));
                    };
                    debug!(?trouble, entries = bulk.operations.len(), "sending a bulk again");
                    tokio::time::sleep(wait).await;
                    todo.push(bulk);
                }
                Step::Contended => {
                    self.contended += 1;
                    let wait = CONTENDED_WAIT.mul_f64(rand::rng().random_range(0.0..=1.0));
                    tokio::time::sleep(wait).await;
                    todo.push(bulk);
                }
            }
        }
        Ok(())
    }

    async fn send(&mut self, bulk: &mut Bulk) -> Result<Step> {
        let request = Request {
            method: &Method::POST,
            path: BULK_PATH,
            body: Body::Lines(&bulk.body),
            timeout: self.timeout,
        };
        match self.client.send(request).await {
            Ok(answer) => self.answered(bulk, &answer),
            Err(failure) if failure.is_lost() => {
                self.lost(&failure);
                Ok(Step::Again(Trouble::Lost))
            }
            Err(failure) => Err(failure.into_error()),
        }
    }

    /// A bulk that takes longer than the read timeout would be sent for ever if it were not given longer.
    fn lost(&mut self, failure: &Failure) {
        if failure.is_timeout() {
            self.timeout = self
                .timeout
                .saturating_mul(2)
                .min(self.policy.longest_read_timeout);
        }
    }

    fn answered(&mut self, bulk: &mut Bulk, answer: &Answer) -> Result<Step> {
        self.broken = None;
        match answer.status {
            200..=299 => {
                let response = Response::parse(&answer.body, bulk.operations.len())?;
                self.judge(bulk, &response)
            }
            502..=504 => Ok(Step::Again(Trouble::Unavailable)),
            429 | 500..=599 => Ok(Step::Again(Trouble::Busy)),
            // One entry may be what is wrong with the request; the others must not suffer for it.
            400 | 413 if bulk.operations.len() > 1 => Ok(Step::Split),
            400 | 413 => {
                let kind =
                    client::error_type(&answer.body).unwrap_or_else(|| format!("status {}", answer.status));
                let mut tally = Tally::default();
                tally.malformed.add(&bulk.operations[0], &kind);
                self.settle(&tally)?;
                bulk.operations[0].done();
                Ok(Step::Done)
            }
            401 | 403 => Err(client::refusal(
                "a bulk request",
                &Answer {
                    status: answer.status,
                    body: Vec::new(),
                },
            )),
            status => {
                let kind = client::error_type(&answer.body).unwrap_or_default();
                Err(ConnectorError::external(format!(
                    "a bulk request was refused with status {status} {kind}"
                )))
            }
        }
    }

    /// Decides every entry that can be decided and keeps the others.
    fn judge(&mut self, bulk: &mut Bulk, response: &Response) -> Result<Step> {
        let verdicts = response.verdicts(&bulk.operations);
        let mut tally = Tally::default();
        for (operation, verdict) in bulk.operations.iter().zip(&verdicts) {
            tally.count(operation, verdict);
        }
        let is_decided = |verdict: &Verdict| match verdict {
            Verdict::Written | Verdict::Superseded => true,
            Verdict::Conflict => self.policy.conflict != Refused::Fail,
            Verdict::Malformed(_) => self.policy.malformed != Refused::Fail,
            Verdict::Contended => self.contended >= CONTENDED_TRIES,
            Verdict::Busy | Verdict::Unavailable | Verdict::Broken(_) | Verdict::Refused(_) => false,
        };
        bulk.retain(|number, operation| {
            let decided = is_decided(&verdicts[number]);
            if decided {
                operation.done();
            }
            !decided
        });
        // What is written is done, even if the task fails of the rest.
        self.settle(&tally)?;
        if tally.written > 0 {
            self.retries.progressed();
        }
        if bulk.operations.is_empty() {
            return Ok(Step::Done);
        }
        self.broken = tally.broken.problem();
        Ok(match (tally.unavailable, tally.busy + tally.broken.count) {
            (0, 0) => Step::Contended,
            (0, _) => Step::Again(Trouble::Busy),
            (_, _) => Step::Again(Trouble::Unavailable),
        })
    }

    /// Says what was not written, or fails the task.
    fn settle(&self, tally: &Tally) -> Result<()> {
        tally
            .refused
            .fail("the search engine refused a document; see what the error says, and restart the task")?;
        if self.policy.malformed == Refused::Fail {
            tally.malformed.fail(
                "the search engine cannot index a document; change the document or the index's mapping, or set `behavior.on.malformed.documents` to `warn` or `ignore` to leave it out",
            )?;
        }
        if self.policy.conflict == Refused::Fail {
            tally.conflict.fail(
                "a newer version of a document is there already; set `behavior.on.version.conflict` to `ignore` if that is fine",
            )?;
        }
        tally.malformed.log(
            self.policy.malformed,
            "documents that cannot be indexed are left out",
        );
        tally.conflict.log(
            self.policy.conflict,
            "newer documents are there already, so records are left out",
        );
        if self.contended >= CONTENDED_TRIES {
            tally.contended.log(
                Refused::Warn,
                "documents are changed by others all the time, so records are left out",
            );
        }
        Ok(())
    }

    fn gives_up(&self, bulk: &Bulk) -> ConnectorError {
        let error = ConnectorError::external(format!(
            "the search engine did not take {} documents in {} tries; raise `max.retries` or `retry.backoff.ms`, or give it less to do",
            bulk.operations.len(),
            u64::from(self.policy.max_retries) + 1
        ));
        match &self.broken {
            Some(problem) => error.with_source(ConnectorError::external(problem)),
            None => error,
        }
    }
}

impl Operation {
    fn done(&self) {
        self.partition.done(self.offset);
    }
}

/// Entries of one sort in an answer: how many, and an example.
#[derive(Debug, Default)]
struct Sort {
    count: usize,
    example: Option<Example>,
}

#[derive(Debug)]
struct Example {
    topic: Topic,
    partition: i32,
    offset: i64,
    problem: String,
}

impl Sort {
    fn add(&mut self, operation: &Operation, problem: &str) {
        self.count += 1;
        self.example.get_or_insert_with(|| Example {
            topic: Arc::clone(&operation.partition.topic),
            partition: operation.partition.number,
            offset: operation.offset,
            problem: problem.to_owned(),
        });
    }

    fn problem(&self) -> Option<String> {
        Some(self.example.as_ref()?.problem.clone())
    }

    fn fail(&self, message: &str) -> Result<()> {
        let Some(Example {
            topic,
            partition,
            offset,
            problem,
        }) = &self.example
        else {
            return Ok(());
        };
        Err(ConnectorError::external(format!(
            "{message}; record at offset {offset} of topic \"{topic}\", partition {partition}: {problem}"
        )))
    }

    fn log(&self, behavior: Refused, message: &str) {
        let Some(Example {
            topic,
            partition,
            offset,
            problem,
        }) = &self.example
        else {
            return;
        };
        let count = self.count;
        match behavior {
            Refused::Warn => warn!(count, %topic, partition, offset, problem, "{message}"),
            Refused::Ignore | Refused::Fail => debug!(count, %topic, partition, offset, problem, "{message}"),
        }
    }
}

/// What became of the entries of one request.
#[derive(Debug, Default)]
struct Tally {
    written: usize,
    busy: usize,
    unavailable: usize,
    broken: Sort,
    contended: Sort,
    conflict: Sort,
    malformed: Sort,
    refused: Sort,
}

impl Tally {
    fn count(&mut self, operation: &Operation, verdict: &Verdict) {
        match verdict {
            Verdict::Written | Verdict::Superseded => self.written += 1,
            Verdict::Busy => self.busy += 1,
            Verdict::Unavailable => self.unavailable += 1,
            Verdict::Broken(problem) => self.broken.add(operation, problem),
            Verdict::Contended => self.contended.add(operation, "version conflict"),
            Verdict::Conflict => self.conflict.add(operation, "version conflict"),
            Verdict::Malformed(problem) => self.malformed.add(operation, problem),
            Verdict::Refused(problem) => self.refused.add(operation, problem),
        }
    }
}

#[cfg(test)]
mod tests;
