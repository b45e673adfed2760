//! Validation of configurations: asked of a worker that has the plugin, because only workers have plugins.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use tokio::time::Instant;
use towpath_raft::Reads as _;
use towpath_state::Worker;
use towpath_types::{ConnectorConfig, ConnectorKind, ConnectorName};
use towpath_wire::v1::worker_answer::Answer;
use towpath_wire::v1::worker_request::Request;
use towpath_wire::v1::{AnswerError, ValidateConfig, ValidationAnswer};

use super::shown::shown;
use super::{ApiError, App, REQUEST_DEADLINE};
use crate::sessions::{AskError, LiveSession};

const CLASS: &str = "connector.class";
/// Its end is no part of the short name of a class.
const SUFFIX: &str = "Connector";
/// How often a worker that is awaited is looked for, whatever was told of it.
const LOOK: Duration = Duration::from_millis(100);
/// A reference that only a worker can resolve.
const REFERENCE: &str = "${";

/// A configuration that a worker has found valid.
#[derive(Debug)]
pub(crate) struct Validated {
    pub(crate) name: ConnectorName,
    pub(crate) config: Arc<ConnectorConfig>,
    pub(crate) kind: ConnectorKind,
}

impl App {
    /// Refuses a configuration with errors, with all of them.
    pub(super) async fn check(&self, name: &str, config: ConnectorConfig) -> Result<Validated, ApiError> {
        let answer = self.ask_for_validation(&config).await?;
        if answer.error_count > 0 {
            return Err(ApiError::InvalidConfig {
                count: answer.error_count,
                lines: answer.errors,
            });
        }
        let name = ConnectorName::new(name).map_err(|error| ApiError::InvalidConfig {
            count: 1,
            lines: vec![format!("Invalid value {name} for configuration name: {error}")],
        })?;
        let kind = answer.kind().into();
        Ok(Validated {
            name,
            config: Arc::new(config),
            kind,
        })
    }

    /// The result of the validation, with or without errors.
    pub(crate) async fn validate(
        &self,
        plugin: &str,
        config: &ConnectorConfig,
    ) -> Result<ValidationAnswer, ApiError> {
        if let Some(included) = config.get(CLASS)
            && !without_suffix(included).ends_with(without_suffix(plugin))
        {
            return Err(ApiError::TypeMismatch {
                included: included.to_owned(),
                requested: plugin.to_owned(),
            });
        }
        self.ask_for_validation(config).await
    }

    async fn ask_for_validation(&self, config: &ConnectorConfig) -> Result<ValidationAnswer, ApiError> {
        let class = config
            .get(CLASS)
            .ok_or_else(|| ApiError::NoConnectorType { shown: shown(config) })?;
        let request = Request::Validate(ValidateConfig {
            config: Some(config.into()),
        });
        match self.ask_patiently(|| self.workers_with(class), &request).await? {
            Answer::Validated(answer) => Ok(answer),
            other => Err(refusal_of(other)),
        }
    }

    pub(super) async fn workers_with(&self, class: &str) -> Result<Vec<Arc<LiveSession>>, ApiError> {
        if class.contains(REFERENCE) {
            return self.connected_workers().await;
        }
        self.await_workers(|worker| worker.connector_plugin(class).is_some())
            .await?;
        let workers = self.connected_workers().await?;
        let (able, others): (Vec<_>, Vec<_>) = workers
            .into_iter()
            .partition(|worker| has_connector(worker, class));
        if able.is_empty() {
            return Err(ApiError::ClassNotFound {
                class: class.to_owned(),
                available: available(&others),
            });
        }
        Ok(able)
    }

    /// Never empty.
    pub(super) async fn connected_workers(&self) -> Result<Vec<Arc<LiveSession>>, ApiError> {
        self.await_workers(|_| true).await?;
        let workers = self.directory.sessions();
        if workers.is_empty() {
            Err(ApiError::NoWorker)
        } else {
            Ok(workers)
        }
    }

    /// Waits until one of the registered workers that will do is connected, or none is left: after a change of leader they
    /// come within moments, and one that does not is removed at the end of its lease.
    pub(super) async fn await_workers(&self, will_do: impl Fn(&Worker) -> bool) -> Result<(), ApiError> {
        let deadline = Instant::now() + self.directory.lease().patience();
        let mut changes = self.directory.changes();
        loop {
            changes.borrow_and_update();
            self.leader_only()?;
            let live = self.directory.live_workers();
            let wanted: Vec<bool> = self.store.read_local(|state| {
                let able = state.workers().iter().filter(|(_, worker)| will_do(worker));
                able.map(|(id, _)| live.contains(id)).collect()
            });
            if wanted.is_empty() || wanted.contains(&true) || Instant::now() >= deadline {
                return Ok(());
            }
            tokio::select! {
                _changed = changes.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Asks what may be asked twice: when the sessions have ended before an answer came, those who are there then are asked.
    /// A worker comes back to its leader within moments, and a leader that is going has none before it has gone.
    pub(super) async fn ask_patiently<F: Future<Output = Result<Vec<Arc<LiveSession>>, ApiError>>>(
        &self,
        workers: impl Fn() -> F,
        request: &Request,
    ) -> Result<Answer, ApiError> {
        let deadline = Instant::now() + self.directory.lease().patience();
        loop {
            match self.ask_first(&workers().await?, request).await {
                Err(ApiError::WorkerGone) if Instant::now() < deadline => tokio::time::sleep(LOOK).await,
                answered => return answered,
            }
        }
    }

    /// Asks one worker after the other until one answers: a session may end at any time.
    pub(super) async fn ask_first(
        &self,
        workers: &[Arc<LiveSession>],
        request: &Request,
    ) -> Result<Answer, ApiError> {
        let mut last = AskError::Gone;
        for worker in workers {
            match worker.ask(request.clone(), REQUEST_DEADLINE).await {
                Ok(answer) => return Ok(answer),
                Err(error @ (AskError::Gone | AskError::Busy)) => last = error,
                Err(error @ AskError::TimedOut) => return Err(error.into()),
            }
        }
        // Sessions end with the lead; the next leader can ask the same workers.
        self.leader_only()?;
        Err(last.into())
    }
}

/// The worker said no, or said something that was not asked.
pub(super) fn refusal_of(answer: Answer) -> ApiError {
    match answer {
        Answer::Error(AnswerError { status, message }) => {
            let status = u16::try_from(status)
                .ok()
                .and_then(|status| StatusCode::from_u16(status).ok());
            let status = status.filter(|status| status.is_client_error() || status.is_server_error());
            ApiError::Refused {
                status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                message,
            }
        }
        Answer::Validated(_) | Answer::Offsets(_) | Answer::OffsetsChanged(_) => {
            ApiError::Internal("the worker gave the answer to another kind of question".into())
        }
    }
}

fn has_connector(worker: &LiveSession, class: &str) -> bool {
    worker
        .offer
        .plugins
        .iter()
        .any(|plugin| plugin.kind.is_connector() && plugin.is_called(class))
}

/// In the form in which Java lists them; clients look at the beginning of the message only.
fn available(workers: &[Arc<LiveSession>]) -> String {
    let plugins = workers.iter().flat_map(|worker| &worker.offer.plugins);
    let connectors = plugins.filter(|plugin| plugin.kind.is_connector());
    let mut described: Vec<String> = connectors
        .map(|plugin| {
            let class = &plugin.class;
            let (version, kind) = (plugin.version.as_deref().unwrap_or("undefined"), plugin.kind);
            format!(
                "PluginDesc{{klass=class {class}, name='{class}', version='{version}', encodedVersion={version}, \
                 type={kind}, typeName='{kind}', location='classpath'}}"
            )
        })
        .collect();
    described.sort();
    described.dedup();
    described.join(", ")
}

fn without_suffix(class: &str) -> &str {
    match class.strip_suffix(SUFFIX) {
        Some(short) if !short.is_empty() => short,
        _ => class,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_type_fits_by_the_end_of_its_name_without_connector() {
        let fits =
            |included: &str, requested: &str| without_suffix(included).ends_with(without_suffix(requested));
        assert!(fits(
            "org.apache.kafka.connect.file.FileStreamSourceConnector",
            "FileStreamSource"
        ));
        assert!(fits("FileStreamSource", "FileStreamSourceConnector"));
        assert!(!fits(
            "FileStreamSource",
            "org.apache.kafka.connect.file.FileStreamSourceConnector"
        ));
        assert!(!fits("FileStreamSink", "FileStreamSource"));
        assert!(!fits("FileStreamSource ", "FileStreamSource"), "blanks count");
        assert_eq!(without_suffix("Connector"), "Connector");
    }
}
