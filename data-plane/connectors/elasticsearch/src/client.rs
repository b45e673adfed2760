//! Requests to the search engine: which address is asked, how it is logged in, and what sort of thing went wrong.

mod build;
mod failure;

pub(crate) use failure::Failure;

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use towpath_connect::error::Chain;
use towpath_connect::{ConnectorError, Result};
use tracing::{info, warn};
use url::Url;

use crate::config::{Connection, Credentials};

/// One request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a Method,
    /// Beginning with `/`.
    pub(crate) path: &'a str,
    pub(crate) body: Body<'a>,
    /// The whole exchange takes at most this long.
    pub(crate) timeout: Duration,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Body<'a> {
    None,
    Json(&'a [u8]),
    /// JSON texts, one a line.
    Lines(&'a [u8]),
}

/// An answer of the search engine, whatever it says.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// A client for all requests of a task. Connections are shared and kept open.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    urls: Vec<Url>,
    credentials: Option<Credentials>,
    compression: bool,
    /// Which URL is asked next: they take turns.
    next_url: AtomicUsize,
    /// Since when it cannot be reached. A std mutex: never held across an await.
    lost_since: Mutex<Option<Instant>>,
}

impl Client {
    /// # Errors
    /// `Config` when the TLS or proxy settings cannot be used.
    pub(crate) fn new(connection: &Connection) -> Result<Self> {
        Ok(Self {
            http: build::http(connection)?,
            urls: connection.urls.clone(),
            credentials: connection.credentials.clone(),
            compression: connection.compression,
            next_url: AtomicUsize::new(0),
            lost_since: Mutex::new(None),
        })
    }

    /// Asks one address after the other until one answers.
    ///
    /// # Errors
    /// [`Failure`] of the last address when none could be reached.
    pub(crate) async fn send(&self, request: Request<'_>) -> Result<Answer, Failure> {
        let first = self.next_url.fetch_add(1, Ordering::Relaxed);
        let mut outcome = Err(Failure::no_address());
        for turn in 0..self.urls.len() {
            let url = &self.urls[(first.wrapping_add(turn)) % self.urls.len()];
            outcome = self.send_to(url, request).await;
            match &outcome {
                Err(failure) if failure.is_lost() => {}
                Ok(_) | Err(_) => break,
            }
        }
        self.note(&outcome);
        outcome
    }

    /// Asks this address.
    pub(crate) async fn send_to(&self, url: &Url, request: Request<'_>) -> Result<Answer, Failure> {
        let address = format!("{}{}", url.as_str().trim_end_matches('/'), request.path);
        let mut builder = self
            .http
            .request(request.method.clone(), address)
            .timeout(request.timeout);
        if let Some(Credentials { user, password }) = &self.credentials {
            builder = builder.basic_auth(user, Some(password.expose()));
        }
        let (kind, body) = match request.body {
            Body::None => ("", &[][..]),
            Body::Json(body) => ("application/json", body),
            Body::Lines(body) => ("application/x-ndjson", body),
        };
        if !body.is_empty() {
            builder = builder.header(CONTENT_TYPE, kind);
            builder = if self.compression {
                builder.header(CONTENT_ENCODING, "gzip").body(gzip(body))
            } else {
                builder.body(body.to_vec())
            };
        }
        let failure = |error| Failure::of(shown(url), error);
        let response = builder.send().await.map_err(failure)?;
        let status = response.status().as_u16();
        let body = response.bytes().await.map_err(failure)?.to_vec();
        Ok(Answer { status, body })
    }

    /// All addresses.
    pub(crate) fn urls(&self) -> &[Url] {
        &self.urls
    }

    /// One line when it is lost, and one when it is back.
    fn note(&self, outcome: &Result<Answer, Failure>) {
        let mut lost_since = self.lost_since.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Err(failure) if failure.is_lost() && lost_since.is_none() => {
                *lost_since = Some(Instant::now());
                warn!(error = %Chain(failure), "the search engine cannot be reached; waiting for it");
            }
            Ok(_) => {
                if let Some(since) = lost_since.take() {
                    let elapsed_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
                    info!(elapsed_ms, "the search engine can be reached again");
                }
            }
            Err(_) => {}
        }
    }
}

/// An address as it may be shown: a user and password in it are left out.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Both only refuse URLs that have no host, which have no password either.
    url.set_username("").ok();
    url.set_password(None).ok();
    url.as_str().trim_end_matches('/').to_owned()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    encoder
        .write_all(body)
        .and_then(|()| encoder.finish())
        .expect("writing into memory does not go wrong")
}

/// What an answer says went wrong, without what could be of a record.
pub(crate) fn error_type(body: &[u8]) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(body).ok()?;
    let error = body.get("error")?;
    let kind = error.get("type").unwrap_or(error);
    kind.as_str().map(str::to_owned)
}

/// The error of an answer to a request that a record has no part in: its type, and why.
pub(crate) fn refusal(what: &str, answer: &Answer) -> ConnectorError {
    let body: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
    let error = body.as_ref().and_then(|body| body.get("error"));
    let part = |name: &str| {
        error
            .and_then(|error| error.get(name))
            .and_then(serde_json::Value::as_str)
    };
    let why = match (part("type"), part("reason")) {
        (Some(kind), Some(reason)) => format!(": {kind}: {reason}"),
        (Some(text), None) | (None, Some(text)) => format!(": {text}"),
        (None, None) => String::new(),
    };
    let message = format!("{what} was refused with status {}{why}", answer.status);
    match answer.status {
        401 | 403 => ConnectorError::external(format!(
            "{message}; check `connection.username`, `connection.password` and what this user may do"
        )),
        _ => ConnectorError::external(message),
    }
}
