//! Pause, resume, stop, restart.

use towpath_state::{ClusterState, Command, Detail, Refusal, RestartFilter, RestartScope};
use towpath_types::{ConnectorName, TargetState, TaskNumber};

use super::{ApiError, App, StatusView, unexpected};

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RestartOptions {
    pub(crate) include_tasks: bool,
    pub(crate) only_failed: bool,
}

impl App {
    pub(crate) async fn set_target(&self, name: &str, target: TargetState) -> Result<(), ApiError> {
        let unknown = || ApiError::UnknownConnector(name.to_owned());
        let known = ConnectorName::new(name).map_err(|_| unknown())?;
        match self
            .propose(Command::SetTargetState { name: known, target })
            .await?
        {
            Ok(_) => Ok(()),
            Err(Refusal::ConnectorNotFound { .. }) => Err(unknown()),
            Err(other) => Err(unexpected(other)),
        }
    }

    /// The states with the chosen units shown as RESTARTING; nothing if only the instance was asked for.
    pub(crate) async fn restart(
        &self,
        name: &str,
        options: RestartOptions,
    ) -> Result<Option<StatusView>, ApiError> {
        let (connector, status) = self
            .read(|state| (known(state, name), state.status(name).map(StatusView::from)))
            .await?;
        let connector = connector?;
        let before = if options.include_tasks || options.only_failed {
            Some(status.ok_or_else(|| ApiError::NoStatusToRestart(name.to_owned()))?)
        } else {
            None
        };
        let scope = if options.include_tasks {
            RestartScope::ConnectorAndTasks
        } else {
            RestartScope::Connector
        };
        let filter = if options.only_failed {
            RestartFilter::OnlyFailed
        } else {
            RestartFilter::All
        };
        let detail = self.restart_units(connector, scope, filter).await?;
        Ok(before.map(|mut status| {
            if let Detail::Restarting(units) = &detail {
                status.show_restarting(units);
            }
            status
        }))
    }

    pub(crate) async fn restart_task(&self, name: &str, task: i64) -> Result<(), ApiError> {
        let connector = self.read(|state| known(state, name)).await??;
        let number = u32::try_from(task).map_err(|_| ApiError::UnknownTask(format!("{name}-{task}")))?;
        let scope = RestartScope::Task(TaskNumber(number));
        self.restart_units(connector, scope, RestartFilter::All)
            .await
            .map(drop)
    }

    async fn restart_units(
        &self,
        name: ConnectorName,
        scope: RestartScope,
        filter: RestartFilter,
    ) -> Result<Detail, ApiError> {
        match self
            .propose(Command::RestartUnits { name, scope, filter })
            .await?
        {
            Ok(applied) => Ok(applied.detail),
            Err(Refusal::ConnectorNotFound { connector }) => {
                Err(ApiError::NothingToRestart(connector.into()))
            }
            Err(Refusal::TaskNotFound { unit }) => Err(ApiError::UnknownTask(unit.to_string())),
            Err(other) => Err(unexpected(other)),
        }
    }
}

fn known(state: &ClusterState, name: &str) -> Result<ConnectorName, ApiError> {
    let info = state.connector_info(name);
    info.map(|info| info.name.clone())
        .ok_or_else(|| ApiError::NothingToRestart(name.to_owned()))
}
