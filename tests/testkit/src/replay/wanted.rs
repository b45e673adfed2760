//! What a line should get: as recorded, or what `contract/rest-api.md` section 13 wants instead of a defect.

use serde_json::{Value, json};

use super::Line;

const JSON: &str = "application/json";

#[derive(Debug)]
pub(super) struct Expected {
    pub(super) status: u16,
    pub(super) location: Option<String>,
    pub(super) content_type: ContentType,
    pub(super) body: Body,
}

#[derive(Debug)]
pub(super) enum ContentType {
    Exactly(String),
    /// Kafka Connect sends none with some errors; naming it does no harm.
    NoneOrJson,
    Nothing,
}

impl ContentType {
    pub(super) fn admits(&self, got: Option<&str>) -> bool {
        match self {
            Self::Exactly(expected) => got == Some(expected),
            Self::NoneOrJson => got.is_none_or(|got| got == JSON),
            Self::Nothing => got.is_none(),
        }
    }
}

#[derive(Debug)]
pub(super) enum Body {
    Same(Value),
    /// An error whose message begins so; the rest is free.
    ErrorLike {
        status: u16,
        prefix: &'static str,
    },
    /// An entity of this name.
    Named(&'static str),
}

pub(super) fn expected(line: &Line) -> Expected {
    match instead(line.n) {
        Some(better) => better,
        None => as_recorded(line),
    }
}

fn as_recorded(line: &Line) -> Expected {
    let header = |name: &str| line.headers.get(name).cloned();
    let content_type = match header("Content-Type") {
        Some(exactly) => ContentType::Exactly(exactly),
        None if line.status >= 400 => ContentType::NoneOrJson,
        None => ContentType::Nothing,
    };
    let location = match line.n {
        // The slash of a name is no slash of the path.
        65 => Some("http://worker-1:8083/connectors/with%2Fslash".to_owned()),
        _ => header("Location"),
    };
    Expected {
        status: line.status,
        location,
        content_type,
        body: Body::Same(line.body.clone()),
    }
}

fn instead(n: u32) -> Option<Expected> {
    let exactly = |message: &str| Some(bad_request(message));
    match n {
        44 | 45 => exactly("The 'config' member is missing or null"),
        47 | 127 => exactly("The request body is missing or null"),
        46 => error_like(400, "Malformed JSON: "),
        48 | 133 => exactly("Cannot deserialize value: expected a JSON object but got an array"),
        37 => exactly(
            "Cannot deserialize value of key 'nested': expected a string, number or boolean but got an object",
        ),
        49 => {
            exactly(r#"Unrecognized field "extra" (3 known properties: "config", "name", "initial_state")"#)
        }
        55 => exactly("Invalid initial_state 'stoped': must be one of RUNNING, PAUSED, STOPPED"),
        23 => exactly("Connector config {name=x} contains no connector type"),
        24 => exactly("Connector config {} contains no connector type"),
        25 | 52 => error_like(
            400,
            "Failed to find any class that implements Connector and which name matches nope.Nope, available connectors \
             are: ",
        ),
        66 => Some(found("with/slash")),
        78 => Some(found("with%percent")),
        67 | 79 => Some(Expected {
            status: 204,
            location: None,
            content_type: ContentType::Nothing,
            body: Body::Same(Value::Null),
        }),
        81 | 82 => Some(error(404, "Connector with\nnewline not found")),
        217 => Some(error(404, "HTTP 404 Not Found")),
        132 => exactly("Connector name configuration (q) doesn't match connector name in the URL (src)"),
        185 => exactly(
            "Failed to parse the following Kafka offset value in the provided offsets: '-2'. Offset values for sink \
             connectors need to be non-negative integers.",
        ),
        188 | 189 => error_like(500, "Failed to alter consumer group offsets for connector snk"),
        _ => None,
    }
}

fn bad_request(message: &str) -> Expected {
    error(400, message)
}

fn error(status: u16, message: &str) -> Expected {
    Expected {
        status,
        location: None,
        content_type: ContentType::NoneOrJson,
        body: Body::Same(json!({"error_code": status, "message": message})),
    }
}

fn error_like(status: u16, prefix: &'static str) -> Option<Expected> {
    Some(Expected {
        status,
        location: None,
        content_type: ContentType::NoneOrJson,
        body: Body::ErrorLike { status, prefix },
    })
}

fn found(name: &'static str) -> Expected {
    Expected {
        status: 200,
        location: None,
        content_type: ContentType::Exactly(JSON.to_owned()),
        body: Body::Named(name),
    }
}
