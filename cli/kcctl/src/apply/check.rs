//! Asks the server whether configurations are valid: for `--dry-run`, and before many are applied at once.

use futures::{StreamExt, stream};
use serde_json::{Map, Value, json};
use towpath_types::ConnectorConfig;

use super::documents::Document;
use super::explained;
use crate::api::{ApiError, ConfigInfos};
use crate::commands::{CONCURRENT_REQUESTS, Session};
use crate::failure::Failure;
use crate::output::{self, Format};
use crate::printer::Printer;

/// The server wants a name before it validates the rest.
const PLACEHOLDER: &str = "dummy-name";
/// How plain Kafka Connect says that a client's configuration could not even be read.
const UNREADABLE: &str = "org.apache.kafka.common.config.ConfigException: ";

/// What is wrong with a configuration; nothing when it is valid.
#[derive(Debug, Default)]
struct Findings {
    count: u64,
    /// By key; errors about no key have none.
    by_key: Vec<(Option<String>, Vec<String>)>,
}

pub(super) async fn is_valid(session: &Session<'_>, name: &str, config: &ConnectorConfig) -> bool {
    let Some(class) = config.get("connector.class") else {
        return false;
    };
    validate(session, Some(name), class, config)
        .await
        .is_ok_and(|infos| infos.error_count == 0)
}

/// Validates every document and says of each what is wrong.
pub(super) async fn dry_run(
    session: &Session<'_>,
    documents: &[Document],
    given: Option<&str>,
    format: Format,
) -> Result<(), Failure> {
    let checks = stream::iter(documents)
        .map(|document| async move { (document, findings(session, document, given).await) })
        .buffered(CONCURRENT_REQUESTS);
    let mut checks = std::pin::pin!(checks);
    let mut entries = Vec::new();
    let mut invalid = false;
    while let Some((document, findings)) = checks.next().await {
        let findings = findings?;
        invalid |= findings.count > 0;
        if format == Format::Table {
            let label = (documents.len() > 1).then(|| document.label(given));
            say(session.printer, label.as_deref(), &findings);
        } else {
            entries.push(findings.document(&document.label(given)));
        }
    }
    if format != Format::Table {
        output::print(session.printer, format, &entries);
    }
    if invalid { Err(Failure::Reported) } else { Ok(()) }
}

async fn findings(
    session: &Session<'_>,
    document: &Document,
    given: Option<&str>,
) -> Result<Findings, Failure> {
    let Some(class) = document.config.get("connector.class") else {
        return Ok(Findings::of(
            "The configuration must contain the 'connector.class' field.",
        ));
    };
    let name = document.name.as_deref().or(given);
    match validate(session, name, class, &document.config).await {
        Ok(infos) => Ok(Findings {
            count: infos.error_count,
            by_key: infos
                .errors()
                .map(|(key, errors)| (Some(key.to_owned()), errors.to_vec()))
                .collect(),
        }),
        Err(error) => match error.to_string().strip_prefix(UNREADABLE) {
            Some(message) => Ok(Findings::of(message)),
            None => Err(explained(session, error).await),
        },
    }
}

async fn validate(
    session: &Session<'_>,
    name: Option<&str>,
    class: &str,
    config: &ConnectorConfig,
) -> Result<ConfigInfos, ApiError> {
    let mut config = config.clone();
    if !config.contains_key("name") {
        config.insert("name", name.unwrap_or(PLACEHOLDER));
    }
    let simple = class.rsplit('.').next().unwrap_or(class);
    session.cluster.validate(simple, &config).await
}

impl Findings {
    fn of(message: &str) -> Self {
        Self {
            count: 1,
            by_key: vec![(None, vec![message.to_owned()])],
        }
    }

    fn document(&self, name: &str) -> Value {
        let mut errors = Map::new();
        for (key, messages) in &self.by_key {
            errors.insert(key.clone().unwrap_or_default(), json!(messages));
        }
        json!({"name": name, "valid": self.count == 0, "errors": errors})
    }
}

fn say(printer: &Printer, label: Option<&str>, findings: &Findings) {
    let label = label.map(|label| format!("{label}: ")).unwrap_or_default();
    if findings.count == 0 {
        printer.line(&format!("{label}The configuration is valid!"));
        return;
    }
    let plural = if findings.count == 1 { "" } else { "s" };
    printer.line(&format!(
        "{label}The configuration is not valid! Found {} error{plural}.",
        findings.count
    ));
    printer.line(&printer.style().heading("Errors"));
    for (key, messages) in &findings.by_key {
        let indent = if let Some(key) = key {
            printer.line(&format!("  {key}"));
            "    "
        } else {
            "  "
        };
        messages
            .iter()
            .for_each(|message| printer.line(&format!("{indent}{message}")));
    }
}
