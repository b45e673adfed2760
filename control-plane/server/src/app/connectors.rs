//! Connectors: create, read, change, delete.

use std::sync::Arc;

use towpath_state::{Applied, Command, Detail, Expect, Refusal};
use towpath_types::{ConnectorConfig, ConnectorName, TargetState};

use super::validation::Validated;
use super::{ApiError, App, ConnectorView, Expansion, ListedConnector, TasksView, unexpected};

/// How often a patch is made anew because somebody else changed the configuration meanwhile.
const MAX_PATCH_ATTEMPTS: usize = 5;

const NAME: &str = "name";

#[derive(Debug)]
pub(crate) struct NewConnector {
    pub(crate) name: String,
    pub(crate) config: ConnectorConfig,
    pub(crate) initial_state: TargetState,
}

/// What a put did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Created {
    Yes,
    No,
}

impl App {
    pub(crate) async fn create(&self, new: NewConnector) -> Result<ConnectorView, ApiError> {
        let config = with_name(new.config, &new.name)?;
        let valid = self.check(&new.name, config).await?;
        let view = valid.view(new.initial_state, 0);
        let applied = self.put(valid, Expect::MustNotExist, new.initial_state).await?;
        Ok(ConnectorView {
            revision: applied.revision,
            ..view
        })
    }

    pub(crate) async fn get(&self, name: &str) -> Result<ConnectorView, ApiError> {
        let found = self
            .read(|state| state.connector_info(name).map(ConnectorView::from))
            .await?;
        found.ok_or_else(|| ApiError::ConnectorNotFound(name.to_owned()))
    }

    pub(crate) async fn list(&self, expansion: Expansion) -> Result<Vec<ListedConnector>, ApiError> {
        self.read(|state| {
            let overdue = self.directory.overdue(state);
            let listed = state.list().map(|name| {
                let mut listed = ListedConnector::of(state, name, expansion);
                listed.status = listed.status.map(|status| status.without(&overdue, state));
                listed
            });
            listed.collect()
        })
        .await
    }

    pub(crate) async fn tasks(&self, name: &str) -> Result<TasksView, ApiError> {
        let found = self.read(|state| {
            let connector = state.connector_info(name)?.name.clone();
            Some(TasksView {
                connector,
                configs: state.task_configs(name)?.cloned().collect(),
            })
        });
        found
            .await?
            .ok_or_else(|| ApiError::ConnectorNotFound(name.to_owned()))
    }

    /// An existing connector keeps its target state, and its tasks until there are new ones.
    pub(crate) async fn put_config(
        &self,
        name: &str,
        config: ConnectorConfig,
    ) -> Result<(ConnectorView, Created), ApiError> {
        let config = with_name(config, name)?;
        let valid = self.check(name, config).await?;
        let before = self
            .read(|state| {
                state
                    .connector_info(name)
                    .map(|info| (info.target, info.task_count))
            })
            .await?;
        let (target, task_count) = before.unwrap_or((TargetState::Running, 0));
        let view = valid.view(target, task_count);
        let applied = self.put(valid, Expect::Any, TargetState::Running).await?;
        let created = if applied.detail == Detail::Created {
            Created::Yes
        } else {
            Created::No
        };
        Ok((
            ConnectorView {
                revision: applied.revision,
                ..view
            },
            created,
        ))
    }

    /// Changes some keys; a key that is null in the patch is removed.
    pub(crate) async fn patch_config(
        &self,
        name: &str,
        patch: &ConnectorConfig,
    ) -> Result<ConnectorView, ApiError> {
        for _ in 0..MAX_PATCH_ATTEMPTS {
            let before = self.get(name).await?;
            let config = patched(&before.config, patch);
            refuse_other_name(&config, name)?;
            let valid = self.check(name, config).await?;
            let view = valid.view(before.target, before.task_count);
            match self
                .put(valid, Expect::ConfigRevision(before.revision), before.target)
                .await
            {
                Ok(applied) => {
                    return Ok(ConnectorView {
                        revision: applied.revision,
                        ..view
                    });
                }
                Err(ApiError::ConcurrentChange) => {}
                Err(error) => return Err(error),
            }
        }
        Err(ApiError::ConcurrentChange)
    }

    pub(crate) async fn delete(&self, name: &str) -> Result<(), ApiError> {
        let not_found = || ApiError::ConnectorNotFound(name.to_owned());
        let known = ConnectorName::new(name).map_err(|_| not_found())?;
        match self.propose(Command::DeleteConnector { name: known }).await? {
            Ok(_) => Ok(()),
            Err(Refusal::ConnectorNotFound { .. }) => Err(not_found()),
            Err(other) => Err(unexpected(other)),
        }
    }

    async fn put(
        &self,
        valid: Validated,
        expect: Expect,
        initial_state: TargetState,
    ) -> Result<Applied, ApiError> {
        let name = valid.name.as_str().to_owned();
        let command = Command::PutConnector {
            name: valid.name,
            config: valid.config,
            kind: valid.kind,
            expect,
            initial_state,
        };
        self.propose(command).await?.map_err(|refusal| match refusal {
            Refusal::AlreadyExists { .. } => ApiError::AlreadyExists(name),
            Refusal::ConnectorNotFound { .. } => ApiError::ConnectorNotFound(name),
            Refusal::RevisionConflict { .. } => ApiError::ConcurrentChange,
            other => unexpected(other),
        })
    }
}

impl Validated {
    fn view(&self, target: TargetState, task_count: u32) -> ConnectorView {
        ConnectorView {
            name: self.name.clone(),
            config: Arc::clone(&self.config),
            task_count,
            kind: self.kind,
            target,
            revision: towpath_types::Revision(0),
        }
    }
}

/// The configuration holds the name of its connector: last, if it was absent.
fn with_name(mut config: ConnectorConfig, name: &str) -> Result<ConnectorConfig, ApiError> {
    refuse_other_name(&config, name)?;
    if config.get(NAME).is_none() {
        config.insert(NAME, name);
    }
    Ok(config)
}

fn refuse_other_name(config: &ConnectorConfig, name: &str) -> Result<(), ApiError> {
    match config.get(NAME) {
        Some(configured) if configured != name => Err(ApiError::NameMismatch {
            configured: configured.to_owned(),
            requested: name.to_owned(),
        }),
        _ => Ok(()),
    }
}

fn patched(config: &ConnectorConfig, patch: &ConnectorConfig) -> ConnectorConfig {
    let mut config = config.clone();
    for (key, value) in patch.iter() {
        match value {
            Some(value) => config.insert(key, value),
            None => {
                config.remove(key);
            }
        }
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(json: &str) -> ConnectorConfig {
        serde_json::from_str(json).unwrap()
    }

    fn json(config: &ConnectorConfig) -> String {
        serde_json::to_string(config).unwrap()
    }

    #[test]
    fn the_name_is_added_last_when_absent_and_stays_in_its_place_when_null() {
        assert_eq!(
            json(&with_name(config(r#"{"b":"1"}"#), "x").unwrap()),
            r#"{"b":"1","name":"x"}"#
        );
        let with_null = config(r#"{"name":null,"b":"1"}"#);
        assert_eq!(
            json(&with_name(with_null, "x").unwrap()),
            r#"{"name":"x","b":"1"}"#
        );
        let error = with_name(config(r#"{"name":" x"}"#), "x").unwrap_err();
        assert_eq!(
            error.to_string(),
            "Connector name configuration ( x) doesn't match connector name in the URL (x)"
        );
    }

    #[test]
    fn a_patch_replaces_adds_and_removes() {
        let before = config(r#"{"a":"1","b":"2","c":"3"}"#);
        let patch = config(r#"{"b":null,"c":"4","d":"5","unknown":null}"#);
        assert_eq!(json(&patched(&before, &patch)), r#"{"a":"1","c":"4","d":"5"}"#);
    }
}
