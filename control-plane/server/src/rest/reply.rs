//! Answers: status, headers, body. Errors have one shape, whoever made them.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{ALLOW, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use http::{HeaderName, HeaderValue, StatusCode};
use serde::Serialize;

use super::body::BodyError;
use super::entities::ErrorMessage;
use super::media::JSON;
use super::path::Undecodable;
use super::routes::Route;
use super::{MAX_BODY_BYTES, REQUEST_ID};
use crate::app::{ApiError, Chain};
use crate::forward;

/// Everything that makes an answer an error.
#[derive(Debug, thiserror::Error)]
pub(super) enum RestError {
    #[error(transparent)]
    Api(#[from] ApiError),
    #[error(transparent)]
    Body(#[from] BodyError),
    #[error(transparent)]
    Path(#[from] Undecodable),
    #[error("HTTP 404 Not Found")]
    NoSuchPath,
    #[error("HTTP 405 Method Not Allowed")]
    NoSuchMethod(&'static Route),
    #[error("HTTP 406 Not Acceptable")]
    NotAcceptable,
    #[error("HTTP 413 Request Entity Too Large: a body may have {MAX_BODY_BYTES} bytes")]
    TooLarge,
    #[error("HTTP 415 Unsupported Media Type")]
    UnsupportedMediaType,
    #[error("The request body could not be received: send it again")]
    Interrupted,
}

impl RestError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Api(error) => error.status(),
            Self::Body(_) | Self::Path(_) | Self::Interrupted => StatusCode::BAD_REQUEST,
            Self::NoSuchPath => StatusCode::NOT_FOUND,
            Self::NoSuchMethod(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        }
    }

    /// The caller gets the message, the log gets the causes; the request id leads from one to the other.
    pub(super) fn logged(self, request_id: &str) -> Response {
        if let Self::Api(error) = &self {
            error.log(request_id);
        }
        self.into_response()
    }
}

impl IntoResponse for RestError {
    fn into_response(self) -> Response {
        let status = self.status();
        let message = self.to_string();
        let mut response = json(
            status,
            &ErrorMessage {
                error_code: status.as_u16(),
                message: &message,
            },
        );
        if let Self::NoSuchMethod(route) = &self {
            set(&mut response, ALLOW, &route.methods().join(","));
        }
        if let Self::Api(error) = &self
            && let Some(pause) = error.retry_after()
        {
            set(&mut response, RETRY_AFTER, &pause.as_secs().to_string());
        }
        if let Self::Api(error) = &self
            && error.is_not_led()
        {
            set(&mut response, HeaderName::from_static(forward::NOT_LED), "1");
        }
        response
    }
}

pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => raw_json(status, bytes),
        Err(error) => {
            tracing::error!(error = %Chain(&error), "an answer could not be written as JSON");
            empty(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// A body that is JSON already.
pub(super) fn raw_json(status: StatusCode, body: impl Into<Body>) -> Response {
    with_type(status, body, JSON)
}

pub(super) fn ok(body: &impl Serialize) -> Response {
    json(StatusCode::OK, body)
}

/// A new connector, and where it is.
pub(super) fn created(location: &str, body: &impl Serialize) -> Response {
    let mut response = json(StatusCode::CREATED, body);
    set(&mut response, LOCATION, location);
    response
}

pub(super) fn empty(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// What a path can do.
pub(super) fn options(route: &Route) -> Response {
    let methods = route.methods();
    let mut response = with_type(StatusCode::OK, methods.join(", "), "text/plain");
    set(&mut response, ALLOW, &methods.join(","));
    response
}

pub(super) fn mark(response: &mut Response, request_id: &str) {
    set(response, HeaderName::from_static(REQUEST_ID), request_id);
}

fn with_type(status: StatusCode, body: impl Into<Body>, content_type: &'static str) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    match HeaderValue::from_str(value) {
        Ok(value) => {
            response.headers_mut().insert(name, value);
        }
        Err(_) => tracing::warn!(header = %name, "header of an answer left out: its value cannot be sent"),
    }
}
