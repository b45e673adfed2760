//! Altering and resetting offsets of a stopped connector. A worker asks the connector, and changes what is in Kafka: the
//! consumer group of a sink, the offsets topics of a source that delivers exactly once. What the control plane keeps of a
//! source is changed last, so that a failure on the way leaves it as it was.

use std::time::Duration;

use tokio::time::Instant;
use towpath_state::{ClusterState, Command, Refusal};
use towpath_types::{ConnectorKind, ConnectorName};
use towpath_wire::v1;
use towpath_wire::v1::change_offsets::Change;
use towpath_wire::v1::worker_answer::Answer;
use towpath_wire::v1::worker_request::Request;

use super::validation::refusal_of;
use super::{ApiError, App, Chain, OffsetView, unexpected};
use crate::sessions::{kafka_offsets_of, offset_change, offsets_of};

/// How long tasks that were told to stop are waited for. Most take a moment, and one that hangs is ended by its worker
/// sooner than this.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// What to do.
#[derive(Debug)]
pub(crate) enum OffsetRequest {
    /// Partitions without an offset have none afterwards.
    Alter(Vec<OffsetView>),
    Reset,
}

/// A connector that is stopped, and what a worker has to know to change its offsets.
struct Stopped {
    name: ConnectorName,
    kind: ConnectorKind,
    class: String,
    question: v1::ChangeOffsets,
}

impl App {
    /// Gives what to tell the user.
    pub(crate) async fn change_offsets(
        &self,
        name: &str,
        request: OffsetRequest,
    ) -> Result<String, ApiError> {
        if matches!(&request, OffsetRequest::Alter(changes) if changes.is_empty()) {
            return Err(ApiError::NoOffsetsGiven);
        }
        let stopped = self.await_stopped(name).await?;
        let (change, done) = match request {
            OffsetRequest::Alter(changes) => {
                let changes = changes.into_iter().map(Into::into).collect();
                (Change::Alter(v1::OffsetChanges { changes }), "altered")
            }
            OffsetRequest::Reset => (Change::Reset(v1::ResetOffsets {}), "reset"),
        };
        let is_reset = matches!(change, Change::Reset(_));
        let question = v1::ChangeOffsets {
            change: Some(change),
            ..stopped.question
        };
        let workers = self.workers_with(&stopped.class).await?;
        let answer = match self
            .ask_first(&workers, &Request::ChangeOffsets(question))
            .await?
        {
            Answer::OffsetsChanged(answer) => answer,
            other => return Err(refusal_of(other)),
        };
        let message = message(done, answer.is_complete);
        if stopped.kind == ConnectorKind::Source {
            self.keep(stopped.name, is_reset, answer).await?;
        }
        Ok(message)
    }

    /// Waits until nobody can commit any more over what is changed now.
    async fn await_stopped(&self, name: &str) -> Result<Stopped, ApiError> {
        let known = ConnectorName::new(name).map_err(|_| ApiError::ConnectorNotFound(name.to_owned()))?;
        let deadline = Instant::now() + STOP_PATIENCE;
        let mut changes = self.store.subscribe();
        loop {
            changes.borrow_and_update();
            match self.read(|state| stopped(state, &known)).await? {
                Ok(stopped) => return Ok(stopped),
                Err(Refusal::StillStopping { unit }) => {
                    let changed = tokio::time::timeout_at(deadline, changes.changed()).await;
                    if !matches!(changed, Ok(Ok(()))) {
                        let unit = unit.to_string();
                        return Err(ApiError::StillStopping { unit });
                    }
                }
                Err(refusal) => return Err(error_of(refusal)),
            }
        }
    }

    async fn keep(
        &self,
        connector: ConnectorName,
        is_reset: bool,
        answer: v1::OffsetsChanged,
    ) -> Result<(), ApiError> {
        let in_kafka = answer.in_kafka;
        let command = if is_reset {
            Command::ResetOffsets { connector, in_kafka }
        } else {
            let changes = answer.changes.into_iter().map(offset_change);
            Command::AlterOffsets {
                connector,
                changes: changes
                    .collect::<Result<_, _>>()
                    .map_err(|error| ApiError::Internal(Box::new(error)))?,
                in_kafka,
            }
        };
        match self.propose(command).await? {
            Ok(_) => Ok(()),
            Err(refusal) => {
                tracing::warn!(error = %Chain(&refusal), "offsets were changed in Kafka only: the connector was started meanwhile");
                Err(error_of(refusal))
            }
        }
    }
}

fn stopped(state: &ClusterState, name: &ConnectorName) -> Result<Stopped, Refusal> {
    state.check_offsets_can_change(name)?;
    let info = state
        .connector_info(name.as_str())
        .expect("it was just found to be stopped");
    let mut question = v1::ChangeOffsets {
        connector: name.as_str().to_owned(),
        config: Some((&**info.config).into()),
        epoch: state.revision().get(),
        ..v1::ChangeOffsets::default()
    };
    if info.kind == ConnectorKind::Source {
        question.kept = offsets_of(state, name.as_str());
        question.in_kafka = kafka_offsets_of(state, name.as_str());
        question.fence_below = state.task_numbers_in_use(name.as_str());
    }
    Ok(Stopped {
        name: name.clone(),
        kind: info.kind,
        class: info.config.get("connector.class").unwrap_or_default().to_owned(),
        question,
    })
}

fn error_of(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::ConnectorNotFound { connector } => ApiError::ConnectorNotFound(connector.into()),
        Refusal::NotStopped { connector } => ApiError::NotStopped(connector.into()),
        Refusal::StillStopping { unit } => ApiError::StillStopping {
            unit: unit.to_string(),
        },
        other => unexpected(other),
    }
}

fn message(done: &str, is_complete: bool) -> String {
    if is_complete {
        return format!("The offsets for this connector have been {done} successfully");
    }
    format!(
        "The Connect framework-managed offsets for this connector have been {done} successfully. However, if this \
         connector manages offsets externally, they will need to be manually {done} in the system that the connector uses."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_says_whether_the_connectors_system_is_done_too() {
        assert_eq!(
            message("altered", true),
            "The offsets for this connector have been altered successfully"
        );
        assert_eq!(
            message("reset", false),
            "The Connect framework-managed offsets for this connector have been reset successfully. However, if this \
             connector manages offsets externally, they will need to be manually reset in the system that the connector \
             uses."
        );
    }
}
