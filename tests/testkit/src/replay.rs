//! Replays the recorded REST answers of Kafka Connect 4.3.1 (`tests/golden/rest-4.3.1.jsonl`) against a server, and says
//! every difference at once. Not for starting anything: it takes the address of a server with one worker.
//!
//! What is compared: status, `Location`, `Content-Type`, and the body as a JSON value, after both sides were normalized
//! (`replay/compare.rs`); members of entities also by their order. Answers of Kafka Connect that are defects are
//! replaced by the wanted ones (`replay/wanted.rs`).

mod compare;
mod wanted;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use self::compare::Normalizer;
use self::wanted::Expected;

/// How long a line whose answer follows a change may take to come true.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two looks at such a line.
const PAUSE: Duration = Duration::from_millis(20);
/// The folder that the recorded requests name.
const RECORDED_FOLDER: &str = "/data";

/// Lines about states right after a change: asked until they match.
const EVENTUAL: &[u32] = &[
    57, 60, 88, 89, 90, 93, 95, 96, 97, 98, 99, 103, 105, 106, 107, 109, 138, 141, 144, 160, 161, 178, 180,
    207, 210, 212, 218,
];

/// Lines that read back what was altered.
const READS_ALTERED: &[u32] = &[164, 173, 183, 191, 193];

/// One recorded request with its answer.
#[derive(Debug, Clone, Deserialize)]
pub struct Line {
    pub n: u32,
    #[serde(default)]
    pub note: Option<String>,
    /// `GET /connectors`
    pub request: String,
    #[serde(default)]
    pub request_headers: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub request_body: Option<String>,
    pub status: u16,
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    #[serde(default)]
    pub body: Value,
}

#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("the recording `{}` cannot be read", .path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("line {number} of the recording cannot be understood")]
    Line {
        number: usize,
        #[source]
        source: serde_json::Error,
    },
}

/// The 222 lines of the repository.
pub fn recorded() -> Result<Vec<Line>, LoadError> {
    load(&crate::repository_root().join("tests/golden/rest-4.3.1.jsonl"))
}

pub fn load(path: &Path) -> Result<Vec<Line>, LoadError> {
    let text = std::fs::read_to_string(path).map_err(|source| LoadError::Read {
        path: path.to_owned(),
        source,
    })?;
    let lines = text.lines().enumerate();
    lines
        .map(|(index, line)| {
            serde_json::from_str(line).map_err(|source| LoadError::Line {
                number: index + 1,
                source,
            })
        })
        .collect()
}

/// What a line got instead of what it should have got.
#[derive(Debug)]
pub struct Difference {
    pub n: u32,
    pub request: String,
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "[{}] {}\n    {}",
            self.n,
            self.request,
            self.what.replace('\n', "\n    ")
        )
    }
}

/// The recorded lines without those about log levels, which are not part of the server yet.
pub fn served(lines: &[Line]) -> Vec<&Line> {
    let is_served = |line: &&Line| !line.path().starts_with("/admin/");
    lines.iter().filter(is_served).collect()
}

impl Line {
    fn path(&self) -> &str {
        self.request.split(' ').nth(1).unwrap_or_default()
    }

    /// Whether it is about changed offsets: only a worker with real connectors and a real broker can answer it.
    pub fn is_about_changed_offsets(&self) -> bool {
        let changes = self.path().ends_with("/offsets") && !self.request.starts_with("GET");
        changes || READS_ALTERED.contains(&self.n)
    }
}

/// All differences as one text, for the message of a failed test.
pub fn report(differences: &[Difference]) -> String {
    let lines: Vec<String> = differences.iter().map(Difference::to_string).collect();
    format!(
        "{} lines differ from the recording:\n{}",
        differences.len(),
        lines.join("\n")
    )
}

/// Sends recorded lines to a server, in their order, because later ones depend on earlier ones.
#[derive(Debug)]
pub struct Replay {
    base_url: String,
    folder: String,
    client: reqwest::Client,
    normalizer: Normalizer,
}

struct Got {
    status: u16,
    location: Option<String>,
    content_type: Option<String>,
    body: Value,
}

impl Replay {
    /// `base_url` has no slash at its end; `folder` stands for the `/data` of the recording.
    pub fn new(base_url: impl Into<String>, folder: &Path) -> Self {
        let (base_url, folder) = (base_url.into(), folder.display().to_string());
        let normalizer = Normalizer::new(&base_url, &folder);
        Self {
            base_url,
            folder,
            client: reqwest::Client::new(),
            normalizer,
        }
    }

    /// Replays the lines and gives those that differ.
    pub async fn run<'a>(&self, lines: impl IntoIterator<Item = &'a Line>) -> Vec<Difference> {
        let mut differences = Vec::new();
        for line in lines {
            if let Err(what) = self.check(line).await {
                differences.push(Difference {
                    n: line.n,
                    request: line.request.clone(),
                    what,
                });
            }
        }
        differences
    }

    async fn check(&self, line: &Line) -> Result<(), String> {
        let expected = wanted::expected(line);
        if line.request.contains("restart?") {
            self.settle(line).await;
        }
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let outcome = match self.send(line).await {
                Ok(got) => self.compare(line.n, &expected, &got),
                Err(error) => Err(format!("no answer: {error}")),
            };
            let is_over = !EVENTUAL.contains(&line.n) || tokio::time::Instant::now() > deadline;
            if outcome.is_ok() || is_over {
                return outcome;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The answer to a restart shows the states before it: an earlier restart must be over.
    async fn settle(&self, line: &Line) {
        let path = line.request.split(' ').nth(1).unwrap_or_default();
        let status = path.split("/restart").next().unwrap_or_default();
        let url = format!("{}{status}/status", self.base_url);
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < deadline {
            let text = match self.client.get(&url).send().await {
                Ok(response) => response.text().await.unwrap_or_default(),
                Err(_) => String::new(),
            };
            if !text.contains("RESTARTING") && !text.contains("UNASSIGNED") {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn send(&self, line: &Line) -> Result<Got, reqwest::Error> {
        let (method, path) = line.request.split_once(' ').unwrap_or(("GET", &line.request));
        let method = method.parse().unwrap_or(reqwest::Method::GET);
        let mut request = self.client.request(method, format!("{}{path}", self.base_url));
        if let Some(body) = &line.request_body {
            request = request.body(body.replace(RECORDED_FOLDER, &self.folder));
        }
        match &line.request_headers {
            Some(headers) => {
                for (name, value) in headers {
                    request = request.header(name, value);
                }
            }
            None if line.request_body.is_some() => {
                request = request.header("Content-Type", "application/json");
            }
            None => {}
        }
        let response = request.send().await?;
        let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
        let (status, location, content_type) = (
            response.status().as_u16(),
            header("location"),
            header("content-type"),
        );
        let text = response.text().await?;
        let body = match text.as_str() {
            "" => Value::Null,
            json => serde_json::from_str(json).unwrap_or_else(|_| Value::String(text.clone())),
        };
        Ok(Got {
            status,
            location,
            content_type,
            body,
        })
    }

    fn compare(&self, n: u32, expected: &Expected, got: &Got) -> Result<(), String> {
        let mut wrong = Vec::new();
        if expected.status != got.status {
            wrong.push(format!(
                "status: expected {}, got {}",
                expected.status, got.status
            ));
        }
        let location = got
            .location
            .as_deref()
            .map(|location| self.normalizer.text(location));
        if expected.location != location {
            wrong.push(format!(
                "Location: expected {:?}, got {location:?}",
                expected.location
            ));
        }
        if !expected.content_type.admits(got.content_type.as_deref()) {
            wrong.push(format!(
                "Content-Type: expected {:?}, got {:?}",
                expected.content_type, got.content_type
            ));
        }
        if let Err(what) = self.normalizer.compare(n, &expected.body, &got.body) {
            wrong.push(what);
        }
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(wrong.join("\n"))
        }
    }
}
