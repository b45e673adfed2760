//! The REST API of Kafka Connect, as `contract/rest-api.md` says. A request is matched by its raw path against the table
//! in [`routes`], checked in the order in which Java does it (path, method, media types, body), and handed to one
//! operation of the application layer.

mod body;
#[cfg(test)]
mod description;
mod entities;
mod media;
mod operations;
mod path;
mod query;
mod reply;
pub(crate) mod routes;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderMap, Method, Request};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use self::media::Declared;
use self::operations::Call;
use self::query::Query;
use self::reply::RestError;
use crate::app::{ApiError, App, REQUEST_DEADLINE};
use crate::forward::Forward;

/// The largest body that is read. A configuration of a megabyte is unusual, ten are a mistake.
pub(crate) const MAX_BODY_BYTES: usize = 10 * 1024 * 1024;
/// How long a caller may take to send a body.
const BODY_DEADLINE: Duration = Duration::from_secs(30);
/// Requests that are answered at the same time; one more is told to come again.
const MAX_REQUESTS: usize = 1_024;
const REQUEST_ID: &str = "x-request-id";

#[derive(Debug, Clone)]
struct Face {
    app: Arc<App>,
    forward: Forward,
    slots: Arc<Semaphore>,
}

pub(crate) fn router(app: Arc<App>, forward: Forward) -> Router {
    Router::new().fallback(handle).with_state(Face {
        app,
        forward,
        slots: Arc::new(Semaphore::new(MAX_REQUESTS)),
    })
}

async fn handle(State(face): State<Face>, request: Request<Body>) -> Response {
    let begun = Instant::now();
    let request_id = uuid::Uuid::new_v4().simple().to_string();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let answer = face.answer(request, &request_id).await;
    let mut response = answer.unwrap_or_else(|error| error.logged(&request_id));
    reply::mark(&mut response, &request_id);
    let (status, elapsed_ms) = (response.status().as_u16(), begun.elapsed().as_millis());
    tracing::debug!(%method, path, status, elapsed_ms, request_id, "request answered");
    response
}

impl Face {
    async fn answer(&self, request: Request<Body>, request_id: &str) -> Result<Response, RestError> {
        let _slot = self.slots.try_acquire().map_err(|_| ApiError::Overloaded)?;
        let (head, body) = request.into_parts();
        let segments = path::segments(head.uri.path())?;
        let (route, parameters) = routes::find(&segments).ok_or(RestError::NoSuchPath)?;
        if head.method == Method::OPTIONS {
            return Ok(reply::options(route));
        }
        let operation = route
            .operation(&head.method)
            .ok_or(RestError::NoSuchMethod(route))?;
        let body = read_body(&head.method, &head.headers, body).await?;
        check_media(operation.has_body(), &body, &head.headers)?;
        let here = || async {
            let call = Call {
                app: &self.app,
                parameters: parameters.clone(),
                query: Query::parse(head.uri.query()),
                host: host_of(&head.headers, &head.uri),
                body: body.clone(),
            };
            let answer = tokio::time::timeout(REQUEST_DEADLINE, operations::run(operation, call)).await;
            let answer = answer.unwrap_or(Err(ApiError::TimedOut.into()));
            answer.unwrap_or_else(|error| error.logged(request_id))
        };
        Ok(self.forward.rest(&head, &body, here).await?)
    }
}

/// A body without a declared type, or of another type, is refused. Where no body is asked for, a type alone does no
/// harm: some clients always name one.
fn check_media(takes_body: bool, body: &[u8], headers: &HeaderMap) -> Result<(), RestError> {
    let is_refused = match media::declared(headers) {
        Declared::Json => false,
        Declared::Other => takes_body || !body.is_empty(),
        Declared::Nothing => !body.is_empty(),
    };
    if is_refused {
        return Err(RestError::UnsupportedMediaType);
    }
    if media::accepts_json(headers) {
        Ok(())
    } else {
        Err(RestError::NotAcceptable)
    }
}

async fn read_body(method: &Method, headers: &HeaderMap, body: Body) -> Result<Bytes, RestError> {
    if ![Method::POST, Method::PUT, Method::PATCH].contains(method) {
        return Ok(Bytes::new());
    }
    let declared = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > MAX_BODY_BYTES as u64) {
        return Err(RestError::TooLarge);
    }
    let read = tokio::time::timeout(BODY_DEADLINE, collect(body));
    read.await.map_err(|_| RestError::Interrupted)?
}

async fn collect(body: Body) -> Result<Bytes, RestError> {
    let mut chunks = body.into_data_stream();
    let mut collected = BytesMut::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| RestError::Interrupted)?;
        if collected.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(RestError::TooLarge);
        }
        collected.extend_from_slice(&chunk);
    }
    Ok(collected.freeze())
}

/// Under which name the caller knows this server.
fn host_of(headers: &HeaderMap, uri: &http::Uri) -> String {
    let header = headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = uri.authority().map(http::uri::Authority::as_str);
    header.or(authority).unwrap_or("localhost").to_owned()
}
