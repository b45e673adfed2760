//! What connectors and tasks were last known to do, and the topics that they used.

use towpath_state::{Command, UnitStatus};
use towpath_types::{ConnectorName, TaskNumber, UnitId};

use super::views::hide;
use super::{ApiError, App, StatusView, unexpected};

impl App {
    pub(crate) async fn status(&self, name: &str) -> Result<StatusView, ApiError> {
        let status = self.read(|state| {
            let status = StatusView::of(state, name)?;
            Some(status.without(&self.directory.overdue(state), state))
        });
        let status = status.await?;
        status.ok_or_else(|| ApiError::NoConnectorStatus(name.to_owned()))
    }

    pub(crate) async fn task_status(&self, name: &str, task: i32) -> Result<UnitStatus, ApiError> {
        let number = u32::try_from(task).ok().map(TaskNumber);
        let status = self.read(|state| {
            let mut status = state.task_status(name, number?)?.clone();
            let unit = UnitId::Task(state.connector_info(name)?.name.clone(), number?);
            hide(&mut status, (&self.directory.overdue(state), state), &unit);
            Some(status)
        });
        status
            .await?
            .ok_or_else(|| ApiError::NoTaskStatus(format!("{name}-{task}")))
    }

    /// None of an unknown connector, as Kafka Connect answers.
    pub(crate) async fn topics(&self, name: &str) -> Result<Vec<String>, ApiError> {
        self.read(|state| state.topics(name).into_iter().flatten().cloned().collect())
            .await
    }

    /// No error for an unknown connector, as Kafka Connect answers.
    pub(crate) async fn reset_topics(&self, name: &str) -> Result<(), ApiError> {
        let Ok(connector) = ConnectorName::new(name) else {
            return Ok(());
        };
        self.propose(Command::ResetTopics { connector })
            .await?
            .map(drop)
            .map_err(unexpected)
    }
}
