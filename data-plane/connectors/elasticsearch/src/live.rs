//! Asks the search engine whether it can be used with a configuration, before a connector is made of it.

use std::time::Duration;

use reqwest::Method;
use towpath_connect::error::Chain;

use crate::client::{Answer, Body, Client, Failure, Request, shown};
use crate::config::Settings;

/// The whole check takes at most this long: somebody waits for the answer.
const DEADLINE: Duration = Duration::from_secs(8);
/// The first Elasticsearch with data streams.
const DATA_STREAMS_SINCE: (u32, u32) = (7, 9);

/// What is wrong, and with which keys.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) keys: Vec<&'static str>,
    pub(crate) message: String,
}

impl Problem {
    fn new(keys: &[&'static str], message: impl Into<String>) -> Self {
        Self {
            keys: keys.to_vec(),
            message: message.into(),
        }
    }
}

/// Checks that the addresses answer, the login is right, and that there are data streams if they are wanted.
pub(crate) async fn check(settings: &Settings) -> Result<(), Problem> {
    let client = Client::new(&settings.connection)
        .map_err(|error| Problem::new(&["connection.url"], Chain(&error).to_string()))?;
    match tokio::time::timeout(DEADLINE, ask_each(&client, settings)).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => Err(Problem::new(
            &["connection.url"],
            format!(
                "the search engine did not answer within {} s; check the addresses",
                DEADLINE.as_secs()
            ),
        )),
    }
}

/// One address that works is enough: the others may be down at the moment.
async fn ask_each(client: &Client, settings: &Settings) -> Result<(), Problem> {
    let request = Request {
        method: &Method::GET,
        path: "/",
        body: Body::None,
        timeout: settings.connection.read_timeout.min(DEADLINE),
    };
    let mut unreachable = Vec::new();
    for url in client.urls() {
        match client.send_to(url, request).await {
            Ok(answer) => return judge(&shown(url), &answer, settings),
            Err(failure) if failure.is_untrusted() => return Err(untrusted(&failure)),
            Err(failure) => unreachable.push(Chain(&failure).to_string()),
        }
    }
    Err(Problem::new(
        &["connection.url"],
        format!(
            "{}; check the addresses, and that the search engine runs",
            unreachable.join("; ")
        ),
    ))
}

fn untrusted(failure: &Failure) -> Problem {
    Problem::new(
        &["connection.url"],
        format!(
            "{}; name the authority that signed it in the trust store, in PEM",
            Chain(failure)
        ),
    )
}

fn judge(address: &str, answer: &Answer, settings: &Settings) -> Result<(), Problem> {
    match (answer.status, &settings.connection.credentials) {
        // 403: logged in, but not allowed to look at the start page, which is not needed.
        (200..=299 | 403, _) => version(answer, settings),
        (401, Some(login)) => Err(Problem::new(
            &["connection.username", "connection.password"],
            format!(
                "{address} does not let user `{}` in with this password; check `connection.username` and `connection.password`",
                login.user
            ),
        )),
        (401, None) => Err(Problem::new(
            &["connection.username", "connection.password"],
            format!("{address} wants a login; set `connection.username` and `connection.password`"),
        )),
        (status, _) => Err(Problem::new(
            &["connection.url"],
            format!(
                "{address} answered with status {status}; check that this is the address of a search engine that is ready"
            ),
        )),
    }
}

fn version(answer: &Answer, settings: &Settings) -> Result<(), Problem> {
    if !settings.naming.uses_data_streams() {
        return Ok(());
    }
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let version = &body["version"];
    // OpenSearch had them from its first release on.
    if version["distribution"] == "opensearch" {
        return Ok(());
    }
    let number = version["number"].as_str().unwrap_or_default();
    let mut parts = number.split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) if (major, minor) < DATA_STREAMS_SINCE => Err(Problem::new(
            &["connection.url", "data.stream.type", "data.stream.dataset"],
            format!(
                "Elasticsearch {number} has no data streams; they are there since {}.{}",
                DATA_STREAMS_SINCE.0, DATA_STREAMS_SINCE.1
            ),
        )),
        _ => Ok(()),
    }
}
